"""The metrics of the colorization papers that pycolor follows."""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.palette import nearest

AUC_THRESHOLDS = 150  # Zhang et al. 2016, section 3.1: errors of 0 to 150 ab units


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
