"""Edge-aware smoothing by recursion along rows and columns.

E. Gastal, M. Oliveira, "Domain Transform for Edge-Aware Image and Video Processing", SIGGRAPH
2011: the recursive filter of section 5.3, its iterations those of equation 14.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def _sweep(signal: Tensor, distance: Tensor, sigma: float) -> Tensor:
    """J[i] = (1 − a^d) I[i] + a^d J[i∓1] along dimension 0, forth and then back (equation 21)."""
    feedback = torch.exp(-math.sqrt(2) / sigma * distance).unbind(0)
    signal = signal.clone(memory_format=torch.contiguous_format)
    lines = signal.unbind(0)
    for i in range(1, len(lines)):
        torch.lerp(lines[i], lines[i - 1], feedback[i], out=lines[i])
    for i in range(len(lines) - 2, -1, -1):
        torch.lerp(lines[i], lines[i + 1], feedback[i + 1], out=lines[i])
    return signal


@torch.no_grad()
def domain_transform(
    signal: Tensor,
    guide: Tensor,
    *,
    sigma_space: float = 20.0,
    sigma_range: float = 0.2,
    iterations: int = 3,
) -> Tensor:
    """Smooth a signal where the guide is smooth; gradients do not pass.

    Args:
        signal: N×C×H×W.
        guide: N×1×H×W, in the unit of `sigma_range`.
        sigma_space: in pixels, > 0.
        sigma_range: in guide units, > 0; ∞ ignores the guide.
        iterations: pairs of a horizontal and a vertical pass.

    Returns:
        N×C×H×W; each value lies within the range of its channel.

    Raises:
        ValueError: a sigma is not positive, or there are no iterations.
    """
    if not (sigma_space > 0 and sigma_range > 0) or iterations < 1:
        raise ValueError(
            "sigma_space and sigma_range must be positive and iterations 1 or more, "
            f"got {sigma_space}, {sigma_range}, {iterations}"
        )
    # Distances in the transformed domain (equation 11), of sample i from sample i − 1; the scanned
    # axis comes first, so that each step of a sweep is one contiguous piece of memory.
    ratio = sigma_space / sigma_range
    down = guide.permute(2, 0, 1, 3)
    right = guide.permute(3, 0, 1, 2)
    rows = 1 + ratio * down.diff(dim=0, prepend=down[:1]).abs()
    columns = 1 + ratio * right.diff(dim=0, prepend=right[:1]).abs()
    for i in range(iterations):
        sigma = sigma_space * math.sqrt(3 / (4**iterations - 1)) * 2 ** (iterations - 1 - i)
        signal = _sweep(signal.permute(3, 0, 1, 2), columns, sigma).permute(1, 2, 3, 0)
        signal = _sweep(signal.permute(2, 0, 1, 3), rows, sigma).permute(1, 2, 0, 3)
    return signal
