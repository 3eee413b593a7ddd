"""From scores of a palette to colors."""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.ops.reference.arguments import give


def annealed_mean(
    logits: Tensor, palette: Tensor, temperature: float = 0.38, *, out: Tensor | None = None
) -> Tensor:
    """Mean color of the re-sharpened distribution (Zhang et al. 2016, equation 5).

    Σ_q p_q^(1/T) c_q / Σ_q p_q^(1/T) with p = softmax(logits): T = 1 is the mean, T → 0 the mode
    (the mean of the modes where several tie).  A NaN or +∞ logit, or −∞ in all, gives NaN.

    Args:
        logits: N×Q×h×w.
        palette: Q×2, the (a, b) of each entry.
        temperature: T > 0.
        out: where to write, N×2×h×w.

    Returns:
        N×2×h×w in the dtype of the logits, at least float32.
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    weights = torch.softmax(logits / temperature, dim=1)
    return give(torch.einsum("nqhw,qc->nchw", weights, palette.to(weights)), out)
