"""How much there is to see in each part of a frame, and where it sags for a while.

A frame that mixes two pictures, (1 − a)·A + a·B, holds (1 − a)² of the one's energy and a² of the
other's wherever their detail has nothing to do with each other: at the middle half the mean of
what lies before and after (A. Alattar, 1993, of the whole picture's variance).  This is so in
every part of the picture and on every scale at once, and however both pictures move, while a
pan or a thing that crosses changes the parts one by one.  So the sag is taken part by part, and
what is asked is how much of the picture shows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pycolor.video.shots.measures.similarity import BLOCK, Scales, Thumbnail, smooth

Parts = npt.NDArray[np.float32]  # three scales × parts of the picture

FLICKER_REACH = 4  # frames on each side whose median brightness a frame is brought to
MEDIAN_REACH = 2  # frames on each side of the median, which takes flashes and dust
REACH = FLICKER_REACH + MEDIAN_REACH
_NOISE = 0.6  # squared 8-bit codes that grain leaves in a cell of one scale
_DARK = 20.0  # codes; below it brightness says little of the flicker
_MOST_GAIN = 1.6


@dataclass(frozen=True)
class ContrastDip:
    """By how much the energy at a frame lies below that of its sides (natural logarithm).

    Attributes:
        quarter: a quarter of the parts sag by less than this.
        half: half of them do.
        most: three quarters do.
        mean: over all parts and scales.
        fine: the median on the finest scale.
    """

    quarter: float
    half: float
    most: float
    mean: float
    fine: float

    @property
    def depth(self) -> float:
        """Of a candidate: large where the sag is deep and everywhere."""
        return self.quarter + self.half


NO_SAG = ContrastDip(0, 0, 0, 0, 0)


def energies(frame: Scales) -> Parts:
    """Mean squared detail of each part of a frame, on three scales: 3×parts, squared codes.

    A part is a block of 8×8 cells of the coarse thumbnail.
    """
    fine = np.pad(frame.fine, ((0, -len(frame.fine) % (2 * BLOCK)), (0, 0)), mode="edge")
    even = smooth(frame.coarse)
    pairs = even[::2] + even[1::2]
    small = (pairs[:, ::2] + pairs[:, 1::2]) * np.float32(0.25)
    details = {
        2 * BLOCK: fine - smooth(fine),
        BLOCK: frame.coarse - even,
        BLOCK // 2: small - smooth(small),
    }
    return np.stack([_means(d * d, side) for side, d in details.items()])


def _means(values: Thumbnail, side: int) -> npt.NDArray[np.float32]:
    h, w = values.shape
    means: npt.NDArray[np.float32] = values.reshape(h // side, side, w // side, side).mean((1, 3))
    return means.reshape(-1)


class Contrast:
    """The energies of a stream of frames, flicker and single frames apart.

    Args:
        frame: gives the scales of a frame; the film's first or last one beyond its ends.
    """

    def __init__(self, frame: Callable[[int], Scales]) -> None:
        self._frame = frame
        self._raw: dict[int, Parts] = {}
        self._brightness: dict[int, float] = {}
        self._medians: dict[int, Parts] = {}
        self._means: dict[tuple[int, int], Parts] = {}
        self._sags: dict[tuple[int, int], ContrastDip] = {}

    def forget(self, before: int) -> None:
        """Drop what is known of frames before `before`."""
        for known in (self._raw, self._brightness, self._medians):
            for index in [i for i in known if i < before]:
                del known[index]
        for spans in (self._means, self._sags):
            for key in [k for k in spans if k[0] < before]:
                del spans[key]

    def dip(self, t: int, half: int) -> ContrastDip:
        """The sag at frame t, against frames t − half and t + half.

        Depends on frames within half + max(1, half // 4) + `REACH` of t.
        """
        key = t, half
        if key not in self._sags:
            reach = max(1, half // 4)
            before, here, after = (self._mean(s, reach) for s in (t - half, t, t + half))
            sags = np.logaddexp(before, after) - np.float32(np.log(2)) - here
            ordered = np.sort(sags, axis=None)
            quarter, middle, most = (float(ordered[len(ordered) * n // 4]) for n in (1, 2, 3))
            fine = float(np.median(sags[0]))
            self._sags[key] = ContrastDip(quarter, middle, most, float(sags.mean()), fine)
        return self._sags[key]

    def _mean(self, t: int, reach: int) -> Parts:
        key = t, reach
        if key not in self._means:
            around = [self._log(s) for s in range(t - reach, t + reach + 1)]
            self._means[key] = np.mean(around, axis=0, dtype=np.float32)
        return self._means[key]

    def _log(self, t: int) -> Parts:
        """Logarithm of the energies of frame t: the median around it."""
        if t not in self._medians:
            around = [self._steady(s) for s in range(t - MEDIAN_REACH, t + MEDIAN_REACH + 1)]
            self._medians[t] = np.sort(np.stack(around), axis=0)[MEDIAN_REACH]
        return self._medians[t]

    def _steady(self, t: int) -> Parts:
        """Logarithm of the energies of frame t, its flicker undone."""
        if t not in self._raw:
            around = [self._mean_of(s) for s in range(t - FLICKER_REACH, t + FLICKER_REACH + 1)]
            gain = sorted(around)[FLICKER_REACH] / around[FLICKER_REACH]
            gain = min(max(gain, 1 / _MOST_GAIN), _MOST_GAIN)
            logs: Parts = np.log((energies(self._frame(t)) + _NOISE) * np.float32(gain * gain))
            self._raw[t] = logs
        return self._raw[t]

    def _mean_of(self, t: int) -> float:
        if t not in self._brightness:
            self._brightness[t] = max(float(self._frame(t).coarse.mean()), 0) + _DARK
        return self._brightness[t]
