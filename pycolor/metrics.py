"""How good is a coloring?  Each metric defined once, on tensors, in float64.

Batches are N×C×H×W; every function returns one number a picture (N) unless it says otherwise.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.palette import nearest

AUC_THRESHOLDS = 150  # Zhang et al. 2016, section 3.1: errors of 0 to 150 ab units


def psnr(a: Tensor, b: Tensor, peak: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in dB, over all channels; +inf for equal pictures.

    Args:
        a: N×C×H×W.
        b: the same shape.
        peak: largest value a sample can take.
    """
    error = (a.double() - b.double()).square().flatten(1).mean(1)
    return 10 * torch.log10(peak**2 / error)


def colorfulness(rgb: Tensor) -> Tensor:
    """Colorfulness M of Hasler and Süsstrunk, 2003, with signed opponent axes.

    Args:
        rgb: N×3×H×W, display-encoded, 0 … 1.

    Returns:
        N values; 0 is gray, above 80 is very colorful (the scale of 8-bit codes).
    """
    r, g, b = (rgb.double() * 255).unbind(1)
    rg, yb = (r - g).flatten(1), ((r + g) / 2 - b).flatten(1)
    spread = (rg.var(1, correction=0) + yb.var(1, correction=0)).sqrt()
    offset = (rg.mean(1).square() + yb.mean(1).square()).sqrt()
    return spread + 0.3 * offset


def ab_error(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distance in the ab plane, N×2×H×W twice → N×H×W."""
    return (a.double() - b.double()).square().sum(1).sqrt()


def ab_auc(predicted: Tensor, true: Tensor) -> Tensor:
    """Area under the cumulative ab-error curve, 0 to 150 units (Zhang et al. 2016, section 3.1).

    Args:
        predicted: N×2×H×W chroma.
        true: the same shape.

    Returns:
        N shares in 0 … 1: 1 is without error.
    """
    error = ab_error(predicted, true).flatten(1)
    return (1 - error / AUC_THRESHOLDS).clamp_min(0).mean(1)


def balanced_ab_auc(predicted: Tensor, true: Tensor, palette: Tensor) -> Tensor:
    """The same area with each palette bin counting alike, however rare it is in the pictures.

    Every pixel is weighted by one over the share of its true color's bin in this set, the
    class-balanced variant of Zhang et al. 2016, section 3.1, with the set's own frequencies.

    Args:
        predicted: N×2×H×W chroma; the whole set at once.
        true: the same shape.
        palette: Q×2.

    Returns:
        One share in 0 … 1 for the set.
    """
    area = (1 - ab_error(predicted, true).flatten() / AUC_THRESHOLDS).clamp_min(0)
    flat = true.permute(0, 2, 3, 1).reshape(-1, 2).float()
    bins = nearest(flat, palette.float())[1][:, 0]
    count = torch.zeros(len(palette), dtype=torch.float64).index_add_(
        0, bins, torch.ones_like(area)
    )
    total = torch.zeros(len(palette), dtype=torch.float64).index_add_(0, bins, area)
    present = count > 0
    return (total[present] / count[present]).mean()
