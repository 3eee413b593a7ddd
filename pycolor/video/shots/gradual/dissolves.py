"""Dissolves: transitions in which every frame is a mixture of two pictures.

While one picture dissolves into another, each frame is a mixture α·A + β·B of the two, and the
contrast of a mixture is lower than that of either (A. Alattar, "Detecting and compressing
dissolve regions in video sequences", 1993: the variance follows a parabola).  So a sag of the
contrast in most parts of the picture is a candidate.  It is a dissolve where the pictures on its
two sides differ, wherever they are moved, and the frames between are mixtures of them, whose
weights cross.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pycolor.video.shots.gradual.mixtures import (
    FLAT_VARIANCE,
    NOISE,
    GradualTransition,
    MedianThumbnails,
    crossing,
    mixture,
)
from pycolor.video.shots.measures.contrast import NO_SAG, REACH, Contrast, ContrastDip
from pycolor.video.shots.measures.similarity import (
    Scales,
    Spectrum,
    Thumbnail,
    block_dissimilarity,
    global_shift,
    phase_correlation_peak,
    spectrum,
)

HALF_SPANS = (4, 6, 8, 11, 15, 20)  # frames from a transition's middle to the shots around it
RIVAL_REACH = 20  # of two sags so near, one is the transition
_LAG = 10  # frames
SIDE = HALF_SPANS[-1] + _LAG + 1  # frames looked at on each side
CONTRAST_REACH = HALF_SPANS[-1] // 4 + REACH  # beyond a side, that its contrast depends on
_LEAST_SAG = 0.15  # of a candidate
_LEAST_UNLIKENESS = 0.12
# Half the energy, log 2 = 0.69, and what motion adds: a mixture sags no deeper, a fade does.
_DEEPEST_MIXTURE = 1.1
# Half a unit of doubt: a worn film has far more frames without a dissolve than with one.
LEAST_DISSOLVE = 0.5


class DissolveFinder:
    """Looks for dissolves around given frames.

    Args:
        frame: gives both scales of a frame; the film's first or last one beyond its ends.
        medians: the calm thumbnails of the same frames.
    """

    # Of `features`: logistic regression on made films (benchmarks/shot_weights.py).
    WEIGHTS = np.array([
        3.25, -2.22, -3.18, 2.96, 4.14, 7.68, -3.19, 0.83, -2.57, 4.02, 1.90, -0.22, 8.74, 2.44,
        5.01, -0.02, -4.30,
    ])  # fmt: skip

    def __init__(self, frame: Callable[[int], Scales], medians: MedianThumbnails) -> None:
        self._frame = frame
        self._medians = medians
        self._contrast = Contrast(frame)
        self._spectra: dict[int, Spectrum] = {}
        self._alike: dict[tuple[int, int], float] = {}
        self._found: dict[tuple[int, int, int], GradualTransition | None] = {}

    def forget(self, before: int) -> None:
        """Drop what is known of frames before `before`."""
        self._contrast.forget(before)
        for index in [i for i in self._spectra if i < before]:
            del self._spectra[index]
        for pair in [k for k in self._alike if k[0] < before]:
            del self._alike[pair]
        for key in [k for k in self._found if k[0] < before]:
            del self._found[key]

    def at(self, t: int, first: int, last: int) -> GradualTransition | None:
        """The dissolve whose middle is frame t, if there is one.

        Args:
            t: a frame.
            first: the first frame that may be looked at: the film's, or that after a cut.
            last: the last one.

        Depends on the frames within `SIDE` + `CONTRAST_REACH` of t.
        """
        key = (t, first, last)
        if key not in self._found:
            self._found[key] = self._look(t, first, last)
        return self._found[key]

    def sags(self, t: int, first: int, last: int) -> list[int]:
        """The half spans on whose scale the contrast sags most at t."""
        found: list[int] = []
        if self._medians.variance(t) < FLAT_VARIANCE:
            return found
        for half in HALF_SPANS:
            here = self._dip(t, half, first, last).depth
            if here >= _LEAST_SAG:
                reach = max(3, half // 2)
                near = range(t - reach, t + reach + 1)
                if here >= max(self._dip(s, half, first, last).depth for s in near):
                    found.append(half)
        return found

    def _dip(self, t: int, half: int, first: int, last: int) -> ContrastDip:
        """The sag at t; none where a side lies beyond what may be looked at."""
        if t - half < first or t + half > last:
            return NO_SAG
        return self._contrast.dip(t, half)

    def features(self, t: int, half: int, first: int, last: int) -> npt.NDArray[np.float64] | None:
        """Features of a transition in a contrast dip; None where the pictures beside it are alike.

        How deep the contrast sags and in how much of the picture, how alike the frames of the
        two sides and of the middle are wherever they moved, and how well the middle is a mixture
        of the sides.
        """
        old, new = self._medians.picture(t - half), self._medians.picture(t + half)
        shift = global_shift(old, new)
        unlike = min(
            block_dissimilarity(old, new, radius=3),
            block_dissimilarity(old, new, radius=3, shift=shift),
        )
        if unlike < _LEAST_UNLIKENESS:
            return None
        dip = self._dip(t, half, first, last)
        wider = HALF_SPANS[min(HALF_SPANS.index(half) + 1, len(HALF_SPANS) - 1)]
        grows = self._dip(t, wider, first, last).quarter - dip.quarter
        return np.array(
            [
                *(dip.quarter, dip.most, dip.mean, dip.fine, grows, unlike),
                *self._similarities(t, half, first, last),
                *self._mixing(t, half, old, new),
                math.log(half / 10),
                1.0,
            ]
        )

    def _similarities(self, t: int, half: int, first: int, last: int) -> list[float]:
        """Of the two sides, of each with the middle, within the middle, and beyond the sides."""
        lag = min(half, _LAG)
        beyond = [s for s in (t - half - lag, t + half) if s >= first and s + lag <= last]
        return [
            self._similarity(t - half, 2 * half),
            min(self._similarity(t - half, half), self._similarity(t, half)),
            self._similarity(t - half // 2, half),
            max((self._similarity(s, lag) for s in beyond), default=0.5),
        ]

    def _similarity(self, t: int, lag: int) -> float:
        """Of frame t and the one `lag` later, one flash apart."""
        return sorted(self._alike_at(s, lag) for s in (t - 1, t, t + 1))[1]

    def _alike_at(self, t: int, lag: int) -> float:
        key = t, lag
        if key not in self._alike:
            pair = self._spectrum(t), self._spectrum(t + lag)
            self._alike[key] = phase_correlation_peak(*pair, self._frame(t).coarse.shape)
        return self._alike[key]

    def _spectrum(self, t: int) -> Spectrum:
        if t not in self._spectra:
            self._spectra[t] = spectrum(self._frame(t).coarse)
        return self._spectra[t]

    def _mixing(self, t: int, half: int, old: Thumbnail, new: Thumbnail) -> list[float]:
        """How the weights of the two sides cross, and what they leave unexplained."""
        quarter = max(1, half // 2)
        early, middle, late = (
            mixture(old, new, self._medians.picture(s)) for s in (t - quarter, t, t + quarter)
        )
        ramp = min(early.old - late.old, late.new - early.new)
        own = self._medians.variance(t) + 2 * NOISE
        error = middle.error / own  # of what is to be seen in the middle
        gain = (middle.error_of_one - middle.error) / own
        rise, fall = new - self._medians.picture(t), self._medians.picture(t) - old
        rise, fall = rise - rise.mean(), fall - fall.mean()
        steady = (rise * fall).mean() / math.sqrt((rise**2).mean() * (fall**2).mean() + 1)
        balance = min(middle.old, middle.new, 0.5)
        return [min(max(ramp, -0.5), 1), balance, gain, min(error, 1), float(steady)]

    def _look(self, t: int, first: int, last: int) -> GradualTransition | None:
        best: tuple[float, int] | None = None
        for half in self.sags(t, first, last):
            features = self.features(t, half, first, last)
            if features is not None:
                if self._dip(t, half, first, last).half > _DEEPEST_MIXTURE:
                    continue
                score = float(features @ self.WEIGHTS)
                if best is None or score > best[0]:
                    best = score, half
        return None if best is None else self._measured(t, best[1], best[0], first, last)

    def _measured(
        self, t: int, half: int, score: float, first: int, last: int
    ) -> GradualTransition:
        """Start and stop from the weights of the two pictures in every frame between."""
        # A valley is found best by pictures that may be mixtures themselves; the shots lie beyond.
        reach = HALF_SPANS[min(HALF_SPANS.index(half) + 2, len(HALF_SPANS) - 1)]
        frames = range(max(first, t - reach), min(last, t + reach) + 1)
        old, new = self._medians.picture(frames[0]), self._medians.picture(frames[-1])
        mixtures = [mixture(old, new, self._medians.picture(s)) for s in frames]
        olds = np.array([m.old for m in mixtures])
        news = np.array([m.new for m in mixtures])
        begin, end = crossing(news / np.maximum(olds + news, 1e-3))
        start, stop = frames[0] + begin, frames[0] + end
        boundary = (start + stop + 1) // 2
        start, stop = max(first, min(start, t)), min(last + 1, max(stop, t + 1))
        boundary = min(max(boundary, start), stop)
        return GradualTransition("dissolve", start, stop, boundary, score)
