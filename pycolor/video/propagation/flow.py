"""Motion between the frames of a shot, on small 8-bit pictures of lightness.

A flow is N×2×h×w, (dy, dx) in guide pixels, one vector for each cell of `ops.MOTION_CELL` pixels:
what is at p is found at p + flow in the other frame.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor import ops


def half(guide: Tensor) -> Tensor:
    """N×1×H×W uint8 at half the size, sides kept multiples of the cell by repeating the border."""
    cell = ops.MOTION_CELL
    rows = guide[..., ::2, :].short() + guide[..., 1::2, :]
    small = (rows[..., ::2] + rows[..., 1::2]).float().mul_(0.25).round_().byte()  # half to even
    down, right = -small.shape[2] % cell, -small.shape[3] % cell
    if not (down or right):
        return small
    return F.pad(small.float(), (0, right, 0, down), mode="replicate").byte()


def median(flow: Tensor) -> Tensor:
    """The 3×3 median of each component, of the medians of rows: single cells that went astray
    follow their neighbors.
    """
    padded = F.pad(flow, (1, 1, 1, 1), mode="replicate")
    rows = _middle(padded[..., :-2], padded[..., 1:-1], padded[..., 2:])
    return _middle(rows[..., :-2, :], rows[..., 1:-1, :], rows[..., 2:, :])


def _middle(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


def search(guides: Tensor) -> tuple[Tensor, Tensor]:
    """Flows between neighboring frames of N + 1, from coarse to fine.

    Returns:
        onward, from each frame but the last to the next, and back again, N×2×h×w both.
    """
    n = len(guides) - 1
    fine_pair, coarse_pair = _both_ways(guides), _both_ways(half(guides))
    h, w = guides.shape[2] // ops.MOTION_CELL, guides.shape[3] // ops.MOTION_CELL
    coarse, _ = ops.motion_search(*coarse_pair, radius=4)
    start = 2 * F.interpolate(median(coarse), scale_factor=2, mode="nearest")[:, :, :h, :w]
    fine, _ = ops.motion_search(*fine_pair, start, radius=2)
    onward, back = median(fine).split(n)
    return onward, back


def _both_ways(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Each picture and the next, then each and the one before."""
    earlier, later = pictures[:-1], pictures[1:]
    return torch.cat([earlier, later]), torch.cat([later, earlier])
