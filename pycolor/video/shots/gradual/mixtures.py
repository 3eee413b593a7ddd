"""What dissolves and fades are looked for with: calm thumbnails, and mixtures of two of them.

A calm thumbnail is the median over five frames, cell by cell, which dust, flashes and most flicker
do not enter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pycolor.video.shots.measures.similarity import Scales, Thumbnail, global_shift

MEDIAN_REACH = 2  # frames on each side of the median
FLAT_VARIANCE = 8.0  # squared 8-bit codes: nothing to see
NOISE = 4.0  # squared codes of noise in a cell


@dataclass(frozen=True)
class GradualTransition:
    """A dissolve or a fade.

    Its ends are measured within some 20 (dissolve) or 33 (fade) frames of its middle: of a longer
    one, `start` is late and `stop` early.

    Attributes:
        kind: which of the two.
        start: the first frame that is not the old shot alone.
        stop: the first that is the new shot alone.
        boundary: the frame from which on the new shot prevails.
        score: log odds; above `LEAST_DISSOLVE` or `LEAST_FADE` it is believed.
    """

    kind: Literal["dissolve", "fade"]
    start: int
    stop: int
    boundary: int
    score: float


@dataclass(frozen=True)
class Mixture:
    """A frame as old·A + new·B + offset, A and B moved to where they fit best."""

    old: float
    new: float
    error: float  # variance left
    error_of_one: float  # variance left by the better one of A and B alone


class MedianThumbnails:
    """The calm thumbnails of a stream of frames, on the coarse scale.

    Args:
        frame: gives both scales of a frame; the film's first or last one beyond its ends.
    """

    def __init__(self, frame: Callable[[int], Scales]) -> None:
        self._frame = frame
        self._pictures: dict[int, Thumbnail] = {}
        self._variances: dict[int, float] = {}

    def forget(self, before: int) -> None:
        """Drop what is known of frames before `before`."""
        for known in (self._pictures, self._variances):
            for index in [i for i in known if i < before]:
                del known[index]

    def picture(self, t: int) -> Thumbnail:
        """The calm thumbnail of frame t; depends on the frames within `MEDIAN_REACH` of it."""
        if t not in self._pictures:
            around = [self._frame(s).coarse for s in range(t - MEDIAN_REACH, t + MEDIAN_REACH + 1)]
            self._pictures[t] = np.median(np.stack(around), axis=0)
        return self._pictures[t]

    def variance(self, t: int) -> float:
        """Of its cells, squared 8-bit codes: how much there is to see."""
        if t not in self._variances:
            self._variances[t] = float(self.picture(t).var())
        return self._variances[t]


def mixture(old: Thumbnail, new: Thumbnail, frame: Thumbnail) -> Mixture:
    """Least squares with non-negative weights, over a few shifts of both pictures."""
    target = frame - frame.mean()
    total = float((target * target).mean())
    olds, news = ([_moved(p, s) for s in {(0, 0), global_shift(p, frame)}] for p in (old, new))
    old_fits = [(p, float((p * p).mean()) + NOISE, float((p * target).mean())) for p in olds]
    new_fits = [(p, float((p * p).mean()) + NOISE, float((p * target).mean())) for p in news]
    of_one = min(total - max(b, 0) ** 2 / a for _, a, b in [*old_fits, *new_fits])
    best = Mixture(0, 0, math.inf, of_one)
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
            error += alpha * alpha * (aa - NOISE) + beta * beta * (bb - NOISE)
            if error < best.error:
                best = Mixture(alpha, beta, error, of_one)
    return best


def _moved(picture: Thumbnail, shift: tuple[int, int]) -> Thumbnail:
    """The picture without its mean, moved by (rows, columns); its edge is drawn out."""
    h, w = picture.shape
    rows = np.clip(np.arange(h) - shift[0], 0, h - 1)
    columns = np.clip(np.arange(w) - shift[1], 0, w - 1)
    moved: Thumbnail = picture[rows[:, None], columns]
    moved -= moved.mean()
    return moved


def crossing(part: npt.NDArray[np.float64]) -> tuple[int, int]:
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
