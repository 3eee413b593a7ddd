"""A range of a film's frames, opened as often as it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pycolor.encoding import TagOverride
from pycolor.video.io.read.reader import Reader


@dataclass(frozen=True, kw_only=True)
class FrameSource:
    """Some frames of a film; they count from the range's first.

    Attributes:
        path: of the film.
        rate: frames per second where the film does not say, see `Reader`.
        offset: number of the range's first frame in the film; below 0 where the film begins
            with a later one of the range.
        timeline: pts of the whole film's frames; None where frames cannot be sought by their time.
        override: tags in place of the film's own, see `Reader`.
    """

    path: Path
    rate: Fraction | None = None
    offset: int = 0
    timeline: Sequence[int] | None = None
    override: TagOverride | None = None

    @property
    def seekable(self) -> bool:
        """Whether single frames can be had without those before."""
        return self.timeline is not None

    def reader(self, first: int, stop: int) -> Reader:
        """Of frames first … stop − 1 of the range, and perhaps of some before.

        Raises:
            FilmError: the film cannot be read.
        """
        start = first if self.timeline is not None else max(0, -self.offset)
        frames = (self.offset + start, self.offset + stop)
        return Reader(
            self.path,
            frames=frames,
            timeline=self.timeline,
            rate=self.rate,
            override=self.override,
        )
