"""Where a film is broken."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

# Damage beyond this many places is counted, not listed: a broken film must not fill the memory.
MOST_DAMAGES = 1000


@dataclass(frozen=True, kw_only=True)
class Damage:
    """A place where the film is broken; `time` in seconds, None where it has no time."""

    time: Fraction | None
    what: str

    def __str__(self) -> str:
        return self.what if self.time is None else f"at {float(self.time):.3f} s: {self.what}"


class DamageLog:
    """Damage in the order in which it is found.

    Attributes:
        damages: the first of it.
        count: of all of it.
    """

    def __init__(self) -> None:
        self.damages: list[Damage] = []
        self.count = 0

    def add(self, time: Fraction | None, what: str) -> None:
        """Note one place; `time` in seconds."""
        self.count += 1
        if len(self.damages) < MOST_DAMAGES:
            self.damages.append(Damage(time=time, what=what))
