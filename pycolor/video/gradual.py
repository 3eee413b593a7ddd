"""Dissolves and fades: transitions that no single frame shows.

While one picture dissolves into another, each frame is a mixture α·A + β·B of the two, and the
contrast of a mixture is lower than that of either (A. Alattar, "Detecting and compressing
dissolve regions in video sequences", 1993: the variance follows a parabola).  So a sag of the
contrast in most parts of the picture is a candidate.  It is a dissolve where the pictures on its
two sides differ, wherever they are moved, and the frames between are mixtures of them, whose
weights cross.  In a fade the contrast vanishes.

Mixtures are measured on calm thumbnails: the median over five frames, cell by cell, which dust,
flashes and most flicker do not enter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pycolor.video.contrast import NO_SAG, REACH, Contrast, Sag
from pycolor.video.likeness import (
    Scales,
    Spectrum,
    Thumbnail,
    global_shift,
    resemblance,
    spectrum,
    unlikeness,
)

HALF_SPANS = (4, 6, 8, 11, 15, 20)  # frames from a transition's middle to the shots around it
CALM_REACH = 2  # frames on each side of the median
RIVAL_REACH = 20  # of two sags so near, one is the transition
FLAT_VARIANCE = 8.0  # squared 8-bit codes: nothing to see
LONG_FLAT = 20  # so many frames of nothing are a shot of their own
_LAG = 10  # frames
SIDE = HALF_SPANS[-1] + _LAG + 1  # frames looked at on each side
CONTRAST_REACH = HALF_SPANS[-1] // 4 + REACH  # beyond a side, that its contrast depends on
_NOISE = 4.0  # squared codes of noise in a cell
_LEAST_SAG = 0.15  # of a candidate
_LEAST_UNLIKENESS = 0.12
# Half the energy, log 2 = 0.69, and what motion adds: a mixture sags no deeper, a fade does.
_DEEPEST_MIXTURE = 1.1
UNLIKENESS = 5  # its place among the features
_LEAST_FADE_UNLIKENESS = 0.3  # of the pictures before and after
_VANISHED = 0.1  # of the contrast of both sides: no mixture of two pictures is so flat


# Half a unit of doubt: a worn film has far more frames without a dissolve than with one.
LEAST_SCORE = {"dissolve": 0.5, "fade": 0.0}


@dataclass(frozen=True)
class Gradual:
    """A dissolve or a fade.

    Its ends are measured within some 20 (dissolve) or 28 (fade) frames of its middle: of a longer
    one, `start` is late and `stop` early.

    Attributes:
        kind: which of the two.
        start: the first frame that is not the old shot alone.
        stop: the first that is the new shot alone.
        boundary: the frame from which on the new shot prevails.
        score: log odds; above `LEAST_SCORE` of its kind it is believed.
    """

    kind: Literal["dissolve", "fade"]
    start: int
    stop: int
    boundary: int
    score: float


@dataclass(frozen=True)
class _Mixture:
    """A frame as old·A + new·B + offset, A and B moved to where they fit best."""

    old: float
    new: float
    error: float  # variance left
    error_of_one: float  # variance left by the better one of A and B alone


class GradualFinder:
    """Looks for gradual transitions around given frames.

    Args:
        frame: gives both scales of a frame; the film's first or last one beyond its ends.
    """

    # Of `features`: logistic regression on made films (benchmarks/shot_weights.py).
    DISSOLVE = np.array([
        3.25, -2.22, -3.18, 2.96, 4.14, 7.68, -3.19, 0.83, -2.57, 4.02, 1.90, -0.22, 8.74, 2.44,
        5.01, -0.02, -4.30,
    ])  # fmt: skip

    def __init__(self, frame: Callable[[int], Scales]) -> None:
        self._frame = frame
        self._contrast = Contrast(frame)
        self._calm: dict[int, Thumbnail] = {}
        self._variances: dict[int, float] = {}
        self._spectra: dict[int, Spectrum] = {}
        self._alike: dict[tuple[int, int], float] = {}
        self._found: dict[tuple[int, int, int], Gradual | None] = {}

    def forget(self, before: int) -> None:
        """Drop what is known of frames before `before`."""
        self._contrast.forget(before)
        by_frame: tuple[dict[int, Any], ...] = (self._calm, self._variances, self._spectra)
        for known in by_frame:
            for index in [i for i in known if i < before]:
                del known[index]
        for pair in [k for k in self._alike if k[0] < before]:
            del self._alike[pair]
        for key in [k for k in self._found if k[0] < before]:
            del self._found[key]

    def at(self, t: int, first: int, last: int) -> Gradual | None:
        """The transition whose middle is frame t, if there is one.

        Args:
            t: a frame.
            first: the first frame that may be looked at: the film's, or that after a cut.
            last: the last one.

        Everything within `RIVAL_REACH` + `SIDE` frames of t must be known, as
        far as the film goes.
        """
        key = (t, first, last)
        if key not in self._found:
            self._found[key] = self._flat_edge(t, first, last) or self._look(t, first, last)
        return self._found[key]

    def sags(self, t: int, first: int, last: int) -> list[int]:
        """The half spans on whose scale the contrast sags most at t."""
        found = []
        for half in HALF_SPANS:
            here = self._sag(t, half, first, last).depth
            if here >= _LEAST_SAG:
                reach = max(3, half // 2)
                near = range(t - reach, t + reach + 1)
                if here >= max(self._sag(s, half, first, last).depth for s in near):
                    found.append(half)
        begin, end = self._flat_run(t, first, last)
        return found if end - begin < LONG_FLAT else []

    def _sag(self, t: int, half: int, first: int, last: int) -> Sag:
        """The sag at t; none where a side lies beyond what may be looked at."""
        if t - half < first or t + half > last:
            return NO_SAG
        return self._contrast.sag(t, half)

    def features(self, t: int, half: int, first: int, last: int) -> npt.NDArray[np.float64] | None:
        """What tells a transition in a sag; None where the pictures beside it are alike.

        How deep the contrast sags and in how much of the picture, how alike the frames of the
        two sides and of the middle are wherever they moved, and how well the middle is a mixture
        of the sides.
        """
        old, new = self._still(t - half), self._still(t + half)
        shift = global_shift(old, new)
        unlike = min(unlikeness(old, new, radius=3), unlikeness(old, new, radius=3, shift=shift))
        if unlike < _LEAST_UNLIKENESS:
            return None
        sag = self._sag(t, half, first, last)
        wider = HALF_SPANS[min(HALF_SPANS.index(half) + 1, len(HALF_SPANS) - 1)]
        grows = self._sag(t, wider, first, last).quarter - sag.quarter
        return np.array(
            [
                *(sag.quarter, sag.most, sag.mean, sag.fine, grows, unlike),
                *self._resemblances(t, half, first, last),
                *self._mixing(t, half, old, new),
                math.log(half / 10),
                1.0,
            ]
        )

    def _resemblances(self, t: int, half: int, first: int, last: int) -> list[float]:
        """Of the two sides, of each with the middle, within the middle, and beyond the sides."""
        lag = min(half, _LAG)
        beyond = [s for s in (t - half - lag, t + half) if s >= first and s + lag <= last]
        return [
            self._resemblance(t - half, 2 * half),
            min(self._resemblance(t - half, half), self._resemblance(t, half)),
            self._resemblance(t - half // 2, half),
            max((self._resemblance(s, lag) for s in beyond), default=0.5),
        ]

    def _resemblance(self, t: int, lag: int) -> float:
        """Of frame t and the one `lag` later, one flash apart."""
        return sorted(self._alike_at(s, lag) for s in (t - 1, t, t + 1))[1]

    def _alike_at(self, t: int, lag: int) -> float:
        key = t, lag
        if key not in self._alike:
            pair = self._spectrum(t), self._spectrum(t + lag)
            self._alike[key] = resemblance(*pair, self._frame(t).coarse.shape)
        return self._alike[key]

    def _spectrum(self, t: int) -> Spectrum:
        if t not in self._spectra:
            self._spectra[t] = spectrum(self._frame(t).coarse)
        return self._spectra[t]

    def _mixing(self, t: int, half: int, old: Thumbnail, new: Thumbnail) -> list[float]:
        """How the weights of the two sides cross, and what they leave unexplained."""
        quarter = max(1, half // 2)
        early, middle, late = (
            _mixture(old, new, self._still(s)) for s in (t - quarter, t, t + quarter)
        )
        ramp = min(early.old - late.old, late.new - early.new)
        own = self._variance(t) + 2 * _NOISE
        error = middle.error / own  # of what is to be seen in the middle
        gain = (middle.error_of_one - middle.error) / own
        rise, fall = new - self._still(t), self._still(t) - old
        rise, fall = rise - rise.mean(), fall - fall.mean()
        steady = (rise * fall).mean() / math.sqrt((rise**2).mean() * (fall**2).mean() + 1)
        balance = min(middle.old, middle.new, 0.5)
        return [min(max(ramp, -0.5), 1), balance, gain, min(error, 1), float(steady)]

    def _flat_edge(self, t: int, first: int, last: int) -> Gradual | None:
        """The end of a fade into a long stretch of nothing, or the beginning of one out of it."""
        if t <= first or t > last or first > t - LONG_FLAT or last < t + LONG_FLAT - 1:
            return None
        flat = [self._variance(s) < FLAT_VARIANCE for s in (t - 1, t)]
        if flat[0] == flat[1]:
            return None
        after = range(t, t + LONG_FLAT)
        before = range(t - 1, t - LONG_FLAT - 1, -1)
        nothing, picture = (after, before) if flat[1] else (before, after)
        if any(self._variance(s) >= FLAT_VARIANCE for s in nothing):
            return None
        variances = [self._variance(s) for s in picture]
        full = np.median(variances[LONG_FLAT // 2 :])
        ramp = next((i for i, v in enumerate(variances) if v > 0.8 * full), 0)
        score = math.log(full / FLAT_VARIANCE)
        return (
            Gradual("fade", t - ramp, t, t, score)
            if flat[1]
            else Gradual("fade", t, t + ramp, t, score)
        )

    def _look(self, t: int, first: int, last: int) -> Gradual | None:
        best: tuple[float, int] | None = None
        for half in self.sags(t, first, last):
            features = self.features(t, half, first, last)
            if features is not None:
                if self._vanishes(t, half):
                    score = 10 * (float(features[UNLIKENESS]) - _LEAST_FADE_UNLIKENESS)
                elif self._sag(t, half, first, last).half > _DEEPEST_MIXTURE:
                    continue
                else:
                    score = float(features @ self.DISSOLVE)
                if best is None or score > best[0]:
                    best = score, half
        return None if best is None else self._measured(t, best[1], best[0], first, last)

    def _measured(self, t: int, half: int, score: float, first: int, last: int) -> Gradual:
        """Start and stop from the weights of the two pictures in every frame between."""
        # A valley is found best by pictures that may be mixtures themselves; the shots lie beyond.
        reach = HALF_SPANS[min(HALF_SPANS.index(half) + 2, len(HALF_SPANS) - 1)]
        frames = range(max(first, t - reach), min(last, t + reach) + 1)
        old, new = self._still(frames[0]), self._still(frames[-1])
        mixtures = [_mixture(old, new, self._still(s)) for s in frames]
        olds = np.array([m.old for m in mixtures])
        news = np.array([m.new for m in mixtures])
        fade = self._vanishes(t, half)
        if fade:
            # By the contrast, which no motion changes, as far as may be looked.
            far = SIDE - CALM_REACH
            begin, end = max(first, t - far), min(last, t + far)
            amplitudes = np.sqrt([self._variance(s) for s in range(begin, end + 1)])
            down, up = amplitudes[: t - begin + 1], amplitudes[t - begin :]
            start = begin + _crossing(1 - down / max(down.max(), 1e-3))[0]
            stop = t + _crossing(up / max(up.max(), 1e-3))[1]
            run = self._flat_run(t, first, last)
            boundary = sum(run) // 2 if run[0] <= t <= run[1] else t
        else:
            begin, end = _crossing(news / np.maximum(olds + news, 1e-3))
            start, stop = frames[0] + begin, frames[0] + end
            boundary = (start + stop + 1) // 2
        start, stop = max(first, min(start, t)), min(last + 1, max(stop, t + 1))
        boundary = min(max(boundary, start), stop)
        return Gradual("fade" if fade else "dissolve", start, stop, boundary, score)

    def _still(self, t: int) -> Thumbnail:
        if t not in self._calm:
            around = [self._frame(s).coarse for s in range(t - CALM_REACH, t + CALM_REACH + 1)]
            self._calm[t] = np.median(np.stack(around), axis=0)
        return self._calm[t]

    def _variance(self, t: int) -> float:
        if t not in self._variances:
            self._variances[t] = float(self._still(t).var())
        return self._variances[t]

    def _vanishes(self, t: int, half: int) -> bool:
        """Whether the picture is gone near t, and both sides show one."""
        reach = max(1, half // 4)
        darkest = min(range(t - reach, t + reach + 1), key=self._variance)
        least = self._variance(darkest)
        side = min(self._variance(t - half), self._variance(t + half))
        if least + _NOISE > _VANISHED * side + FLAT_VARIANCE / 2 or side < 2 * FLAT_VARIANCE:
            return False
        # A dark shot shows something of its own; a fade shows what is left of its sides.
        rest = _mixture(self._still(t - half), self._still(t + half), self._still(darkest))
        return least < FLAT_VARIANCE or rest.error < 0.5 * least + _NOISE

    def _flat_run(self, t: int, first: int, last: int) -> tuple[int, int]:
        """First and last of the frames around t, at most LONG_FLAT away, that show nothing."""
        begin = end = t
        while begin > max(first, t - LONG_FLAT) and self._variance(begin - 1) < FLAT_VARIANCE:
            begin -= 1
        while end < min(last, t + LONG_FLAT) and self._variance(end + 1) < FLAT_VARIANCE:
            end += 1
        return begin, end


def _mixture(old: Thumbnail, new: Thumbnail, frame: Thumbnail) -> _Mixture:
    """Least squares with non-negative weights, over a few shifts of both pictures."""
    target = frame - frame.mean()
    total = float((target * target).mean())
    olds, news = ([_moved(p, s) for s in {(0, 0), global_shift(p, frame)}] for p in (old, new))
    old_fits = [(p, float((p * p).mean()) + _NOISE, float((p * target).mean())) for p in olds]
    new_fits = [(p, float((p * p).mean()) + _NOISE, float((p * target).mean())) for p in news]
    of_one = min(total - max(b, 0) ** 2 / a for _, a, b in [*old_fits, *new_fits])
    best = _Mixture(0, 0, math.inf, of_one)
    for old_picture, aa, at in old_fits:
        for new_picture, bb, bt in new_fits:
            ab = float((old_picture * new_picture).mean())
            determinant = aa * bb - ab * ab
            alpha = (at * bb - bt * ab) / determinant
            beta = (bt * aa - at * ab) / determinant
            if alpha < 0:
                alpha, beta = 0.0, max(bt, 0) / bb
            elif beta < 0:
                alpha, beta = max(at, 0) / aa, 0.0
            error = total - 2 * (alpha * at + beta * bt) + 2 * alpha * beta * ab
            error += alpha * alpha * (aa - _NOISE) + beta * beta * (bb - _NOISE)
            if error < best.error:
                best = _Mixture(alpha, beta, error, of_one)
    return best


def _moved(picture: Thumbnail, shift: tuple[int, int]) -> Thumbnail:
    """The picture without its mean, moved by (rows, columns); its edge is drawn out."""
    h, w = picture.shape
    rows = np.clip(np.arange(h) - shift[0], 0, h - 1)
    columns = np.clip(np.arange(w) - shift[1], 0, w - 1)
    moved: Thumbnail = picture[rows[:, None], columns]
    moved -= moved.mean()
    return moved


def _crossing(part: npt.NDArray[np.float64]) -> tuple[int, int]:
    """Where a rise from 0 to 1 begins and ends: the line through its middle, drawn out."""
    n = len(part)
    # The step that parts the run best, then the points around it up to the flat ends.
    rising = np.flatnonzero((part > 0.2) & (part < 0.8))
    if len(rising) < 2:
        at = int(np.flatnonzero(part >= 0.5)[0]) if (part >= 0.5).any() else n - 1
        return at, at
    slope, offset = np.polyfit(rising, part[rising], 1)
    slope = max(slope, 1 / (2 * n))
    return round(-offset / slope) + 1, math.ceil((1 - offset) / slope)
