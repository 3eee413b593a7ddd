"""How color is propagated from key frames along motion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import arg

from pycolor.errors import UsageError
from pycolor.options.checks import check_choice, check_whole

PropagationMode = Literal["off", "fast", "best"]


@dataclass(frozen=True, kw_only=True)
class PropagationOptions:
    """How color is propagated from key frames along motion.

    Attributes:
        mode: temporal propagation of color; off: every frame by itself, best: more key frames.
        key_every: frames from one key frame to the next where little moves, 1 to 24 (default: 12;
            best: 6).
    """

    mode: Annotated[PropagationMode, arg(name="propagation")] = "fast"
    key_every: int | None = None

    # How much change (see `pycolor shots`) is worth a key frame more.
    change_a_key = 0.4

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, PropagationMode)
        if self.key_every is None:
            return
        check_whole("key_every", self.key_every, 1, 24)
        if self.mode == "off" and self.key_every != 1:
            raise UsageError(
                f"key_every must be left out where the mode is off, which makes every frame a "
                f"key frame; got {self.key_every}."
            )

    @property
    def stride_frames(self) -> int:
        return self.key_every or {"off": 1, "fast": 12, "best": 6}[self.mode]

    @property
    def reach(self) -> int:
        """How many frames away a key frame no longer counts."""
        return {"off": 1, "fast": 36, "best": 48}[self.mode]
