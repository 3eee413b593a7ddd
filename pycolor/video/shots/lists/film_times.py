"""When a film's frames are shown: lists of shots hold frames, times, or both."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, kw_only=True)
class FilmTimes:
    """The frames of a film and their times.

    Attributes:
        frames: how many it has.
        rate: nominal frames per second.
        timeline: pts of each frame; None where frames follow each other at the rate.
        tick: seconds of a pts.
    """

    frames: int
    rate: Fraction
    timeline: Sequence[int] | None = None
    tick: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError(f"the frame rate must be above 0, got {self.rate}")

    def seconds(self, frame: int) -> Fraction:
        """Time of a frame's begin after the first frame's; of the frame behind the last, its end.

        Args:
            frame: its number, 0 … frames.
        """
        if self.timeline is None or not self.tick:
            return frame / self.rate
        if frame < len(self.timeline):
            return (self.timeline[frame] - self.timeline[0]) * self.tick
        beyond = frame - len(self.timeline) + 1
        return (self.timeline[-1] - self.timeline[0]) * self.tick + beyond / self.rate

    def frame_at(self, seconds: Fraction) -> int:
        """The frame, 0 … frames, whose begin is nearest to a time."""
        if self.timeline is None or not self.tick:
            return round(seconds * self.rate)
        pts = self.timeline[0] + seconds / self.tick
        right = bisect_left(self.timeline, pts)
        if right == len(self.timeline):
            return len(self.timeline) - 1 + round((seconds - self.seconds(right - 1)) * self.rate)
        if right == 0:
            return 0
        return right if self.timeline[right] - pts <= pts - self.timeline[right - 1] else right - 1

    @property
    def varies(self) -> bool:
        """Whether a frame is shown half a frame or more away from where the rate would have it."""
        if self.timeline is None or not self.tick:
            return False
        step = 1 / (self.rate * self.tick)
        return any(
            abs(pts - self.timeline[0] - n * step) * 2 >= step
            for n, pts in enumerate(self.timeline)
        )
