"""The metrics of the colorization papers that pycolor follows."""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.evaluate.metrics.batches import Batch, doubles, pair
from pycolor.models.palette import nearest

AUC_THRESHOLDS = 150  # Zhang et al. 2016, section 3.1: errors of 0 to 150 ab units
# Hwang and Zhou 2016, section 3.6: bins of u* and of v*, and the values that they span.
UV_BINS, UV_LIMIT = 50, 100.0


def ab_error(a: Batch, b: Batch) -> Tensor:
    """Euclidean distance in the ab plane, N×2×H×W twice → N×H×W."""
    first, second = pair(a, b, "N×2×H×W")
    return (first - second).square().sum(1).sqrt()


def ab_auc(predicted: Batch, true: Batch) -> Tensor:
    """Area under the cumulative ab-error curve, 0 to 150 units (Zhang et al. 2016, section 3.1).

    Args:
        predicted: N×2×H×W chroma.
        true: the same shape.

    Returns:
        N shares in 0 … 1: 1 is without error.
    """
    error = ab_error(predicted, true).flatten(1)
    return (1 - error / AUC_THRESHOLDS).clamp_min(0).mean(1)


def balanced_ab_auc(predicted: Batch, true: Batch, palette: Tensor) -> Tensor:
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
    tally = BalancedArea(palette)
    tally.add(predicted, true)
    return tally.share()


class BalancedArea:
    """`balanced_ab_auc` of a set that comes picture by picture, of any sizes.

    Attributes:
        count: Q, pixels by the bin of their true color.
        area: Q, summed over these pixels.

    Args:
        palette: Q×2.
    """

    def __init__(self, palette: Tensor) -> None:
        self.palette = palette.float()
        self.count = torch.zeros(len(palette), dtype=torch.float64)
        self.area = torch.zeros_like(self.count)

    def add(self, predicted: Batch, true: Batch) -> None:
        """Count N×2×H×W chroma and its truth."""
        error = ab_error(predicted, true)
        area = (1 - error / AUC_THRESHOLDS).clamp_min(0).cpu()
        flat = torch.as_tensor(true).permute(0, 2, 3, 1).reshape(-1, 2).float().cpu()
        bins = nearest(flat, self.palette.cpu())[1][:, 0]
        self.count += torch.bincount(bins, minlength=len(self.palette))
        self.area.index_add_(0, bins, area.flatten())

    def share(self) -> Tensor:
        """Of all that was added; NaN before."""
        present = self.count > 0
        return (self.area[present] / self.count[present]).mean()


def bin_accuracy(predicted: Batch, true: Batch) -> Tensor:
    """Acc_U and Acc_V: how often the bin of 4 units is the true one (Hwang and Zhou 2016, 5.1).

    Args:
        predicted: N×2×H×W u* and v* of CIELUV; what lies beyond ±100 counts in the last bin.
        true: the same shape.

    Returns:
        N×2 shares, of u* and of v*.
    """
    first, second = pair(predicted, true, "N×2×H×W")
    return (_uv_bins(first) == _uv_bins(second)).double().flatten(2).mean(2)


def _uv_bins(uv: Tensor) -> Tensor:
    width = 2 * UV_LIMIT / UV_BINS
    return ((uv + UV_LIMIT) / width).floor().clamp(0, UV_BINS - 1)


_LEAST_SATURATION = 1e-4  # mean, of a picture that has color; rounding makes less


def saturation_difference(predicted: Batch, true: Batch) -> Tensor:
    """Deviation of the mean saturation, as a share of the true one (Hwang and Zhou 2016, 5.1).

    The saturation is that of HSV, the only one that the paper speaks of.

    Args:
        predicted: N×3×H×W RGB, 0 … 1.
        true: the same shape.

    Returns:
        N values from 0, which is best; NaN for a truth without color.
    """
    first, second = pair(predicted, true, "N×3×H×W")
    found, wanted = (_saturation(x).flatten(1).sum(1) for x in (first, second))
    colored = wanted > _LEAST_SATURATION * second.shape[-1] * second.shape[-2]
    return torch.where(colored, (found - wanted).abs() / wanted, torch.nan)


def _saturation(rgb: Tensor) -> Tensor:
    """S of HSV, N×H×W; black has none."""
    high, low = rgb.amax(1), rgb.amin(1)
    return torch.where(high > 0, (high - low) / high, 0.0)


def top_accuracy(scores: Batch, labels: Tensor, k: int = 1) -> Tensor:
    """How often the true class is among the k best (Iizuka et al. 2016, table 2: k = 1 and 5).

    Args:
        scores: N×K, one a class; more is likelier.
        labels: N true classes.
        k: a tie counts against the true class, so a constant score is never right for k < K.

    Returns:
        One share for the batch.

    Raises:
        ValueError: k is not in 1 … K, or the numbers of scores and labels differ.
    """
    values = doubles(scores, "N×K")
    if not 1 <= k <= values.shape[1] or len(labels) != len(values):
        raise ValueError(
            f"expected N labels and k in 1 … {values.shape[1]} for {len(values)} scores, got "
            f"{len(labels)} labels and k = {k}"
        )
    own = values.gather(1, labels.to(values.device)[:, None])
    as_good = (values >= own).sum(1)  # itself among them
    return (as_good <= k).double().mean()
