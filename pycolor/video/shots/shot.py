"""Shots and the transitions between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["cut", "dissolve", "fade", "flash"]


@dataclass(frozen=True)
class Transition:
    """A change in the film.

    Attributes:
        kind: "cut", "dissolve" and "fade" part shots.  "flash" lies inside one: a few frames
            unlike those on both sides, whether a flash or damage.  A splice inside a shot,
            where a few frames are missing, is not told.
        start: the first frame that shows it; of a cut, the first frame of the new shot.
        stop: one past the last frame that shows it; of a cut, `start`.
        confidence: 0 (barely found) … 1.
    """

    kind: Kind
    start: int
    stop: int
    confidence: float


@dataclass(frozen=True)
class Shot:
    """A run of frames that one take of the camera gave.

    Attributes:
        start: its first frame.
        stop: one past its last frame; the next shot's `start`.
        opening: the transition at its start; None at the film's start.
        closing: the transition at its end; None at the film's end.
        disturbances: flashes inside it.
    """

    start: int
    stop: int
    opening: Transition | None = None
    closing: Transition | None = None
    disturbances: tuple[Transition, ...] = ()

    def __len__(self) -> int:
        return self.stop - self.start
