"""How steady is the color of a film?  Each measure is zero for color that stands still.

All of them take one shot: a cut is a change of picture, not of its color.  `chroma_cdc` and
`chroma_flicker` look at chroma alone, so the flicker of the film itself does not count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor

from pycolor.evaluate.metrics.batches import Batch, doubles
from pycolor.evaluate.metrics.flow import Motion, along

STEPS = (1, 2, 4)  # frames between those that CDC compares
CODES = 256


class Consistency:
    """CDC of a clip that comes frame by frame, of any length.

    Args:
        steps: distances in frames.
    """

    def __init__(self, steps: Sequence[int] = STEPS) -> None:
        self.steps = tuple(steps)
        self._last: deque[Tensor] = deque(maxlen=max(steps))
        self._sums = dict.fromkeys(self.steps, torch.zeros(1, dtype=torch.float64))
        self.frames = 0

    def add(self, codes: Tensor) -> None:
        """Count a frame, C×h×w whole numbers in 0 … 255."""
        shares = _histogram(codes)
        for step in self.steps:
            if step <= len(self._last):
                self._sums[step] = self._sums[step] + jensen_shannon(self._last[-step], shares)
        self._last.append(shares)
        self.frames += 1

    def value(self) -> Tensor:
        """C values in 0 … ln 2.

        Raises:
            ValueError: there were too few frames for the largest step.
        """
        if self.frames <= max(self.steps):
            raise ValueError(f"expected more than {max(self.steps)} frames, got {self.frames}")
        return torch.stack([self._sums[s] / (self.frames - s) for s in self.steps]).mean(0)


def cdc(rgb: Batch, steps: Sequence[int] = STEPS) -> Tensor:
    """Color distribution consistency as published (Liu et al., TCVC, 2021; also of NTIRE 2023).

    The Jensen-Shannon divergence, in nats, between the 256-bin histograms of each channel of
    frames 1, 2 and 4 apart; mean over the frames, then over the three distances.

    It mixes luma in: a gray film that flickers scores badly.  Print that of the gray source
    beside it, or use `chroma_cdc`.

    Args:
        rgb: N×3×H×W uint8 codes, a clip.
        steps: distances in frames.

    Returns:
        3 values in 0 … ln 2, one a channel; the published figure is their mean over channels and
        clips.

    Raises:
        ValueError: the clip is too short for the largest step, or not in uint8.
    """
    codes = torch.as_tensor(rgb)
    if codes.dtype != torch.uint8:
        raise ValueError(f"expected RGB codes as uint8, got {codes.dtype}")
    return _consistency(codes, steps)


def chroma_cdc(ab: Batch, steps: Sequence[int] = STEPS) -> Tensor:
    """CDC of the chroma alone: the same divergence over histograms of a and of b, in unit bins.

    Args:
        ab: N×2×h×w chroma of a clip, −128 … 128.
        steps: distances in frames.

    Returns:
        2 values in 0 … ln 2, of a and of b.

    Raises:
        ValueError: the clip is too short for the largest step.
    """
    return _consistency(chroma_codes(doubles(ab, "N×2×h×w")), steps)


def chroma_codes(ab: Tensor) -> Tensor:
    """The bins of a and b: whole units, −128 in bin 0."""
    return (ab.round() + CODES // 2).clamp(0, CODES - 1)


def warp_error(frames: Batch, moved: Motion) -> Tensor:
    """Mean squared change along the motion, over visible pixels (Lai et al. 2018).

    Args:
        frames: N×C×h×w, of any unit; as published, RGB in 0 … 1.
        moved: of its N − 1 pairs, from `motion` of the luma.

    Returns:
        N − 1 values, one a pair; NaN where nothing is visible in both frames.
    """
    gap = (doubles(frames, "N×C×h×w")[1:] - along(frames, moved)).square().mean(1)
    return _mean_visible(gap, moved)


def chroma_flicker(ab: Batch, moved: Motion) -> Tensor:
    """Temporal total variation of chroma along the motion, in ab units a frame.

    The mean distance in the ab plane between a visible pixel and itself one frame before.  Blur
    and errors of the flow add to it: print the true colors' own beside it.

    Args:
        ab: N×2×h×w chroma.
        moved: of its N − 1 pairs, from `motion` of the luma.

    Returns:
        N − 1 values, one a pair; NaN where nothing is visible in both frames.
    """
    gap = (doubles(ab, "N×2×h×w")[1:] - along(ab, moved)).square().sum(1).sqrt()
    return _mean_visible(gap, moved)


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """Divergence of distributions along the last axis, in nats: 0 … ln 2."""
    m = (p + q) / 2
    return (_relative_entropy(p, m) + _relative_entropy(q, m)) / 2


def _relative_entropy(p: Tensor, q: Tensor) -> Tensor:
    # 0 log 0 = 0; q is 0 only where p is.
    return torch.where(p > 0, p * torch.log(p / q), 0.0).sum(-1)


def _histogram(codes: Tensor) -> Tensor:
    """Shares of the 256 codes in each channel, C×256, of C×h×w."""
    flat = codes.flatten(1).long()
    counts = torch.stack([torch.bincount(c, minlength=CODES) for c in flat])
    return counts.double() / flat.shape[1]


def _consistency(codes: Tensor, steps: Sequence[int]) -> Tensor:
    clip = Consistency(steps)
    for frame in codes:
        clip.add(frame)
    return clip.value()


def _mean_visible(gap: Tensor, moved: Motion) -> Tensor:
    visible = moved.visible.to(gap)
    return (gap * visible).sum((1, 2)) / visible.sum((1, 2))
