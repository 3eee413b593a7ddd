"""Fades: one picture goes into a flat tone, black or white, and another comes out of it.

In a fade the contrast sinks to nothing and rises again, frame by frame, which no mixture of two
pictures does.  So a fade is a valley of the contrast that is almost empty, with a slope on at
least one side: a flash, or frames of nothing between two cuts, come and go at once.  The contrast
is that of calm thumbnails, in which scratches and dust on the dark frames do not show.

A fade is one transition, however long it lasts: what else its frames look like, a cut where dirt
is all there is to see or a dissolve on a slope, is the fade.  Where the same picture comes back,
as when a lamp fails, the score is below `LEAST_FADE` and no shot ends, but still nothing else
happens there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pycolor.video.shots.gradual.mixtures import (
    FLAT_VARIANCE,
    MEDIAN_REACH,
    NOISE,
    GradualTransition,
    MedianThumbnails,
    crossing,
    mixture,
)
from pycolor.video.shots.measures.similarity import block_dissimilarity, global_shift

LONG_FLAT = 20  # so many frames of nothing are a shot of their own
SLOPE_REACH = 33  # frames from the middle to the shots around
_STEADY_REACH = 3  # frames on each side of the median of the contrast, which takes dirt
FADE_REACH = SLOPE_REACH + _STEADY_REACH + MEDIAN_REACH  # what a fade depends on, on each side
LEAST_FADE = 0.0
_LEAST_UNLIKENESS = 0.25  # of the pictures before and after
_VANISHED = 0.1  # of the energy of both sides: no mixture of two pictures is so flat
_LEAST_SIDE = 2 * FLAT_VARIANCE  # of a picture that can go and come
_VALLEY_REACH = 10  # the middle is the emptiest of so many frames on each side
_HARDLY, _PARTLY = 0.2, 0.6  # of a picture's amplitude; between them a slope is told from a step
_LEAST_SLOPE = 3  # frames
_PLATEAU = 6  # frames in which a whole picture's amplitude grows no more ...
_GROWTH = 1.1  # ... than so much; that of a picture that comes does


@dataclass(frozen=True)
class _Slope:
    """One side of a valley, seen from its middle outward.

    Attributes:
        length: frames to where the whole picture is seen.
        partly: frames to where more than half of it is seen.
        gradual: frames that it takes from hardly anything to more than half.
        energy: variance of the whole picture, squared codes.
    """

    length: int
    partly: int
    gradual: int
    energy: float


class FadeFinder:
    """Looks for fades around given frames.

    Args:
        medians: the calm thumbnails of the frames.
    """

    def __init__(self, medians: MedianThumbnails) -> None:
        self._medians = medians
        self._found: dict[int, GradualTransition | None] = {}

    def forget(self, before: int) -> None:
        """Drop what is known of frames before `before`."""
        for index in [i for i in self._found if i < before]:
            del self._found[index]

    def at(self, t: int) -> GradualTransition | None:
        """The fade whose middle is frame t, if there is one.

        Of a stretch of `LONG_FLAT` frames of nothing or more, each end is the middle of a fade.
        Depends on the frames within `FADE_REACH` of t.
        """
        if t not in self._found:
            self._found[t] = self._edge(t) or self._valley(t)
        return self._found[t]

    def over(self, t: int, flank: int = 0) -> GradualTransition | None:
        """The fade, whatever its score, that frame t lies in, or at most `flank` frames beside.

        Depends on the frames within SLOPE_REACH + `flank` + `FADE_REACH` of t.
        """
        reach = SLOPE_REACH + flank
        for middle in range(t - reach, t + reach + 1):
            fade = self.at(middle)
            if fade is not None and fade.start - flank <= t <= fade.stop + flank:
                return fade
        return None

    def _edge(self, t: int) -> GradualTransition | None:
        """The end of a fade into a long stretch of nothing, or the beginning of one out of it."""
        flat = [self._is_flat(s) for s in (t - 1, t)]
        if flat[0] == flat[1]:
            return None
        nothing = range(t, t + LONG_FLAT) if flat[1] else range(t - LONG_FLAT, t)
        if not all(self._is_flat(s) for s in nothing):
            return None
        slope = self._slope(t, -1) if flat[1] else self._slope(t - 1, 1)
        if slope is None or slope.gradual < _LEAST_SLOPE:
            return None
        score = math.log(slope.energy / FLAT_VARIANCE)
        ends = (t - slope.length, t) if flat[1] else (t, t - 1 + slope.length)
        return GradualTransition("fade", *ends, t, score)

    def _is_flat(self, t: int) -> bool:
        return self._medians.variance(t) < FLAT_VARIANCE

    def _valley(self, t: int) -> GradualTransition | None:
        """The fade that is emptiest at t."""
        if not self._is_emptiest(t):
            return None
        before, after = self._slope(t, -1), self._slope(t, 1)
        if not before or not after or max(before.gradual, after.gradual) < _LEAST_SLOPE:
            return None
        least, side = self._medians.variance(t), min(before.energy, after.energy)
        if least + NOISE > _VANISHED * side + FLAT_VARIANCE / 2:
            return None
        old, new = self._medians.picture(t - before.partly), self._medians.picture(t + after.partly)
        # A dark shot shows something of its own; a fade shows what is left of its sides.
        if not self._is_flat(t):
            rest = mixture(old, new, self._medians.picture(t))
            if rest.error > 0.5 * least + NOISE:
                return None
        shift = global_shift(old, new)
        unlike = min(
            block_dissimilarity(old, new, radius=3),
            block_dissimilarity(old, new, radius=3, shift=shift),
        )
        start, stop = t - before.length, t + after.length
        return GradualTransition("fade", start, stop, t, 10 * (unlike - _LEAST_UNLIKENESS))

    def _is_emptiest(self, t: int) -> bool:
        """Whether t is the middle of the emptiest frames around it."""
        here = self._medians.variance(t)
        if here > FLAT_VARIANCE and here > self._medians.variance(t - 1):  # spares most frames
            return False
        reach = range(t - _VALLEY_REACH, t + _VALLEY_REACH + 1)
        depths = np.maximum([self._medians.variance(s) for s in reach], FLAT_VARIANCE / 2)
        emptiest = np.flatnonzero(depths == depths.min())
        return int(emptiest[0] + emptiest[-1]) // 2 == _VALLEY_REACH

    def _steady(self, t: int) -> float:
        reach = range(t - _STEADY_REACH, t + _STEADY_REACH + 1)
        return sorted(self._medians.variance(s) for s in reach)[_STEADY_REACH]

    def _slope(self, t: int, way: int) -> _Slope | None:
        """From t towards the film's beginning (-1) or end (1); None where no picture is."""
        energies = np.array([self._steady(t + way * n) for n in range(SLOPE_REACH + 1)])
        whole = _first_plateau(energies)
        energy = float(energies[whole])
        if energy < _LEAST_SIDE:
            return None
        part = np.sqrt(energies[: whole + 1] / energy)
        length = min(max(1, crossing(part)[1]), SLOPE_REACH)
        partly = int(np.flatnonzero(part >= _PARTLY)[0])
        hardly = int(np.flatnonzero(part[: partly + 1] <= max(_HARDLY, part[0]))[-1])
        return _Slope(length, partly, partly - hardly, energy)


def _first_plateau(energies: npt.NDArray[np.float64]) -> int:
    """Where a picture that comes is whole; the last place where it is not yet."""
    for n in np.flatnonzero(energies >= _LEAST_SIDE):
        if energies[n : n + _PLATEAU + 1].max() <= _GROWTH**2 * energies[n]:
            return int(n)
    return len(energies) - 1
