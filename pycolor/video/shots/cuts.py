"""Cuts, and flashes inside a shot: changes from one frame to the next.

A cut is a change after which nothing of the old picture comes back within a few frames; where it
comes back, the change was a flash or damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pycolor.video.shots.measures.similarity import Scales, block_dissimilarity, difference
from pycolor.video.shots.shot import Transition
from pycolor.video.shots.shot_options import ShotOptions

_FADED = 0.45  # of the variance a few frames away: a fade is under way


@dataclass(eq=False)
class _Frame:
    scales: Scales
    change: float  # coarse dissimilarity to the frame before
    differences: dict[int, float] = field(default_factory=dict)  # to earlier frames, by index


class CutFinder:
    """Finds cuts and flashes among the frames that it is given.

    Args:
        options: see `ShotOptions`.

    Attributes:
        count: frames given so far.
    """

    # Chosen on real and on made films (benchmarks/shots.py).
    _LEAST_CHANGE = 0.13  # below it no frame is looked at twice
    _LEAST_SCORE = 0.19  # of a cut in a quiet shot
    _LEVEL_WEIGHT = 1.0  # how much more a cut must be where everything changes anyway
    _LEVEL_REACH = 8  # frames on each side that tell how much everything changes

    def __init__(self, options: ShotOptions) -> None:
        self._options = options
        self._frames: dict[int, _Frame] = {}
        self._known: dict[int, Transition | None] = {}
        self.count = 0

    def add(self, now: Scales) -> float:
        """Take the next frame; returns how unlike it is to the one before, 0 to 1."""
        before = self._frames.get(self.count - 1)
        change = 0.0
        if before is not None:
            change = block_dissimilarity(before.scales.coarse, now.coarse, radius=3)
        self._frames[self.count] = _Frame(now, change)
        self.count += 1
        return change

    def forget(self, t: int) -> None:
        """Drop frame t."""
        self._frames.pop(t, None)
        self._known.pop(t, None)

    def clear(self) -> None:
        """Drop all frames."""
        self._frames.clear()

    def scales(self, t: int) -> Scales:
        """Of frame t, or of the nearest frame that there is."""
        return self._frames[min(max(t, 0), self.count - 1)].scales

    def is_cut(self, t: int) -> bool:
        """Whether a shot begins with frame t, by a cut."""
        found = self.at(t)
        return found is not None and found.kind == "cut"

    def at(self, t: int) -> Transition | None:
        """The cut or flash that begins with frame t."""
        if t not in self._known:
            self._known[t] = self._find_single(t)
        return self._known[t]

    def _find_single(self, t: int) -> Transition | None:
        """The cut or flash that begins with frame t."""
        if t == 0 or self._frames[t].change < self._LEAST_CHANGE:
            return None
        least = self._least_score(t)
        if self._difference(t - 1, t) < least or self._is_ramp(t):
            return None
        score = self._across(t, least)
        if score < least:
            return self._disturbance_at(t, least)
        # Damage at a splice changes the picture twice; the stronger change is the cut.
        for other in self.around(t, self._options.disturbance_frames):
            if self._frames[other].change < self._LEAST_CHANGE:
                continue
            rival = self._across(other, least)
            if rival >= self._least_score(other) and (rival, t) > (score, other):
                return None
        return Transition("cut", t, t, self._confidence(score, least))

    def _is_ramp(self, t: int) -> bool:
        """Whether the picture at t is still coming out of nothing, or going into it."""
        before, after, far_before, far_after = (
            float(self.scales(s).coarse.var()) for s in (t - 1, t, t - 5, t + 4)
        )
        rising = before < _FADED * after and after < _FADED * far_after
        return rising or (after < _FADED * before and before < _FADED * far_before)

    def around(self, t: int, reach: int) -> Iterator[int]:
        """The frames within `reach` of t that have one before them, without t."""
        for other in range(max(1, t - reach), min(self.count, t + reach + 1)):
            if other != t:
                yield other

    def _least_score(self, t: int) -> float:
        changes = [self._frames[s].change for s in self.around(t, self._LEVEL_REACH)]
        level = float(np.median(changes)) if changes else 0.0
        return (self._LEAST_SCORE + self._LEVEL_WEIGHT * level) / self._options.sensitivity

    def _across(self, t: int, enough: float) -> float:
        """Least difference between a frame shortly before t and one shortly after.

        Small where the old picture comes back.  Stops at the first that is below `enough`.
        """
        reach = self._options.disturbance_frames + 1
        least = np.inf
        for lag in range(1, reach + 1):
            for before in range(t - 1, t - lag - 1, -1):
                after = before + lag
                if before >= 0 and after < self.count:
                    least = min(least, self._difference(before, after))
                    if least < enough:
                        return least
        return float(least)

    def _disturbance_at(self, t: int, least: float) -> Transition | None:
        """The flash that begins at t: the picture before comes back after it."""
        for stop in range(t + 1, min(t + self._options.disturbance_frames + 1, self.count)):
            if self._difference(t - 1, stop) < least:
                odd = min(self._difference(t - 1, s) for s in range(t, stop))
                if odd < least:
                    return None
                return Transition("flash", t, stop, self._confidence(odd, least))
        return None

    def _difference(self, before: int, after: int) -> float:
        known = self._frames[after].differences
        if before not in known:
            known[before] = difference(self._frames[before].scales, self._frames[after].scales)
        return known[before]

    @staticmethod
    def _confidence(score: float, least: float) -> float:
        return round(float(min(1.0, 0.5 + (score - least) / (2 * least))), 3)
