"""The losses of the papers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pycolor.models import palette as palettes


def soft_cross_entropy(logits: Tensor, weights: Tensor, index: Tensor) -> Tensor:
    """Cross-entropy against a sparse soft target, per pixel (Zhang et al. 2016, eq. 2).

    Args:
        logits: N×Q×h×w.
        weights: M×k, sums to 1 over k, pixels in N, h, w order (M = N h w).
        index: M×k bins.

    Returns:
        M losses.
    """
    # Channels last, a pixel's scores lie together: no copy.
    flat = logits.float().permute(0, 2, 3, 1).flatten(0, 2)
    loss: Tensor = _SparseCrossEntropy.apply(flat, weights, index)  # type: ignore[no-untyped-call]
    return loss


class _SparseCrossEntropy(torch.autograd.Function):
    """log Σ exp x − Σ w x of M×Q scores, with one pass of exponentials for both directions."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, weights: Tensor, index: Tensor) -> Tensor:
        scores = scores - scores.amax(1, keepdim=True)
        chosen = (weights * scores.gather(1, index)).sum(1)
        powers = scores.exp_()
        total = powers.sum(1)
        ctx.save_for_backward(powers, total, weights, index)
        return total.log() - chosen

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None]:
        powers, total, weights, index = ctx.saved_tensors
        (gradient,) = outer
        of_scores = powers * (gradient / total)[:, None]
        of_scores.scatter_add_(1, index, -weights * gradient[:, None])
        return of_scores, None, None


def rebalanced_classification(
    logits: Tensor,
    ab: Tensor,
    palette: Tensor,
    class_weights: Tensor,
    gray_limit: float = 5.0,
    made: int = 0,
) -> Tensor:
    """Class-rebalanced classification loss (Zhang et al. 2016, eqs. 2 to 4).

    Args:
        logits: N×Q×h×w.
        ab: N×2×h×w, true chroma at the logits' resolution.
        palette: Q×2.
        class_weights: Q, from `palette.rebalancing_weights` (ones: no rebalancing).
        gray_limit: a picture whose every |a| and |b| stays within it has no color to learn and is
            left out, as in the authors' code.
        made: first pictures that are known to be gray; each of their pixels weighs 1, the mean of
            all weights.

    Returns:
        The weighted mean over pixels, a scalar.
    """
    flat = ab.permute(0, 2, 3, 1).reshape(-1, 2)
    weights, index = palettes.soft_encode(flat, palette)
    pixel = class_weights[index[:, 0]]
    colored = (ab.abs().flatten(1).amax(1) > gray_limit).to(pixel.dtype)
    pixel = pixel * colored.repeat_interleave(ab.shape[2] * ab.shape[3])
    if made:
        pixel[: made * ab.shape[2] * ab.shape[3]] = 1
    loss = soft_cross_entropy(logits, weights, index)
    return (loss * pixel).sum() / pixel.sum().clamp_min(1e-6)


def mean_square(
    ab: Tensor, truth: Tensor, gray_limit: float = 5.0, *, unit: float = 100.0
) -> Tensor:
    """Mean squared error of chroma (Zhang et al. 2016, eq. 1).

    Args:
        ab: N×2×h×w, predicted.
        truth: N×2×h×w.
        gray_limit: pictures that stay within it count for nothing, as above.
        unit: of the error, in ab; chroma itself would give gradients of several hundred.

    Returns:
        The mean over the pixels of colored pictures, a scalar.
    """
    colored = (truth.abs().flatten(1).amax(1) > gray_limit).to(ab.dtype)
    error = ((ab - truth) / unit).square().mean((1, 2, 3))
    return (error * colored).sum() / colored.sum().clamp_min(1)


def huber(error: Tensor, limit: float) -> Tensor:
    """The Huber penalty u², beyond M: M (2 |u| − M) (Hwang and Zhou 2016, section 3.5).

    Args:
        error: any shape.
        limit: M; 0 leaves the square everywhere.
    """
    square = error.square()
    return (
        torch.where(error.abs() <= limit, square, limit * (2 * error.abs() - limit))
        if limit
        else square
    )
