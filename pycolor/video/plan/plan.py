"""What is done with each frame of a film, decided before any of it is colored.

A plan is made of the analysis and the options alone, so any part of the film can be colored by
itself, in any order, and comes out the same.  Frames count from the first of the range.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pycolor.models.guidance.looks import Grade

ANCHORS = 4  # with which a frame is compared


def without(frames: range, outliers: Set[int]) -> Sequence[int]:
    """The frames that are no outliers."""
    return array("q", (n for n in frames if n not in outliers)) if outliers else frames


@dataclass(frozen=True, kw_only=True)
class ShotBody:
    """The frames of one shot that show nothing but it.

    Attributes:
        start: its first frame; `stop` one past its last.
        keys: frames that the model colors, in order; the first and the last of the usable ones
            among them.  Empty where the source's own color is kept.
        outliers: flashes and damage: frames that repeat their neighbor's color and decide none.
        anchors: key frames with which the others are compared, see `Colorizer.anchored`; what a
            person gives color of does not change which these are.
        guided: key frames of which a person gave color; around them their color counts more.
        passthrough: the source's own color stays.
        under: the source's own color stays under the model's: a tint.
    """

    start: int
    stop: int
    keys: Sequence[int]
    outliers: frozenset[int] = frozenset()
    anchors: Sequence[int] = ()
    guided: frozenset[int] = frozenset()
    passthrough: bool = False
    under: bool = False

    @property
    def context_frame(self) -> int:
        """The key frame that stands for the whole shot: the second, past a splice's dirt."""
        return self.keys[min(1, len(self.keys) - 1)]

    def is_key(self, n: int) -> bool:
        """Whether the model colors frame n."""
        return _holds(self.keys, n)

    def is_anchor(self, n: int) -> bool:
        """Whether others are compared with frame n."""
        return _holds(self.anchors, n)

    def anchors_near(self, n: int) -> tuple[int, ...]:
        """The anchors that frame n is compared with: the nearest few but itself, in order."""
        place = bisect_right(self.anchors, n)
        around = (a for a in self.anchors[max(0, place - ANCHORS - 1) : place + ANCHORS] if a != n)
        return tuple(sorted(sorted(around, key=lambda a: abs(a - n))[:ANCHORS]))

    def usable(self) -> Sequence[int]:
        """The frames that are no outliers, in order."""
        return without(range(self.start, self.stop), self.outliers)

    def shown(self, n: int) -> int:
        """The frame whose color frame n shows: itself, or of an outlier the usable one before.

        Outliers before the first usable frame show that one.
        """
        if n not in self.outliers:
            return n
        before = next((m for m in range(n - 1, self.start - 1, -1) if m not in self.outliers), None)
        if before is not None:
            return before
        return next(m for m in range(n + 1, self.stop) if m not in self.outliers)


@dataclass(frozen=True, kw_only=True)
class TransitionSpan:
    """The frames of a dissolve or fade between two shots.

    Attributes:
        start: its first frame; `stop` one past its last.
        kind: "dissolve" or "fade".
        before, after: the shots on its sides, None where there is none.
    """

    start: int
    stop: int
    kind: str
    before: ShotBody | None
    after: ShotBody | None

    @property
    def passthrough(self) -> bool:
        return any(body is not None and body.passthrough for body in (self.before, self.after))

    @property
    def under(self) -> bool:
        """The source's color fades as its picture does."""
        return any(body is not None and body.under for body in (self.before, self.after))


PlanSpan = ShotBody | TransitionSpan


@dataclass(frozen=True, kw_only=True)
class Plan:
    """See the module.

    Attributes:
        spans: shots and transitions, in order, without gaps.
        gain: factor on each frame's lightness that takes its flicker out.
        reach: a frame's color depends on key frames less than so many frames away.
        grades: (first frame, one past the last, grade) of some; the first that holds a frame
            counts.
    """

    spans: tuple[PlanSpan, ...]
    gain: npt.NDArray[np.float32]
    reach: int
    grades: tuple[tuple[int, int, Grade], ...] = ()

    def grade_at(self, n: int) -> Grade | None:
        """What is done with the colors of frame n."""
        return next((g for first, stop, g in self.grades if first <= n < stop), None)

    def __len__(self) -> int:
        return self.spans[-1].stop if self.spans else 0

    @property
    def carries(self) -> bool:
        """Whether color is carried from one frame to others."""
        return self.reach > 1

    def span_at(self, n: int) -> PlanSpan:
        """The span that frame n lies in."""
        return self.spans[bisect_right(self.spans, n, key=lambda span: span.start) - 1]

    def body_at(self, key: int) -> ShotBody:
        """The shot that key frame `key` lies in."""
        span = self.span_at(key)
        assert isinstance(span, ShotBody), f"frame {key} is no key frame"
        return span

    def is_under(self, n: int) -> bool:
        """Whether the source's own color stays under that of frame n."""
        return self.span_at(n).under

    def first_needed(self, n: int) -> int:
        """The first frame that the color of frame n, or of a later one, depends on."""
        span = self.span_at(n)
        if isinstance(span, TransitionSpan):
            if span.before is None:
                return span.start
            return self._needed(span.before, span.before.stop - 1)
        return self._needed(span, n)

    def _needed(self, body: ShotBody, n: int) -> int:
        place = bisect_right(body.keys, body.shown(n) - self.reach)
        return body.keys[place - 1] if place else body.start

    def needed_until(self, n: int) -> int:
        """One past the last frame that the color of frame n, or of an earlier one, depends on."""
        span = self.span_at(n)
        if isinstance(span, TransitionSpan):
            return span.stop if span.after is None else self._until(span.after, span.after.start)
        return self._until(span, n)

    def _until(self, body: ShotBody, n: int) -> int:
        return min(n + self.reach, body.stop)

    def cuts(self, most: int) -> list[int]:
        """Where to cut the film into segments of at most `most` frames, by preference at shots.

        Returns:
            the first frame of each segment, and the number of frames.
        """
        marks = [0]
        borders = [span.start for span in self.spans]
        while marks[-1] < len(self):
            last = marks[-1]
            near = [b for b in borders if last + most // 2 < b <= last + most]
            marks.append(near[-1] if near else min(last + most, len(self)))
        return marks


def _holds(numbers: Sequence[int], n: int) -> bool:
    place = bisect_left(numbers, n)
    return place < len(numbers) and numbers[place] == n
