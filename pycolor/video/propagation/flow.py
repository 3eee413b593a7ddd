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
    small = F.avg_pool2d(guide.float(), 2)
    down, right = -small.shape[2] % cell, -small.shape[3] % cell
    return F.pad(small, (0, right, 0, down), mode="replicate").round().byte()


def sample(values: Tensor, flow: Tensor) -> Tensor:
    """Values at p + flow, between cells by bilinear weights, the border repeated beyond it.

    Args:
        values: N×C×h×w.
        flow: N×2×h×w, in cells.
    """
    h, w = flow.shape[2:]
    y = torch.arange(h, dtype=torch.float32, device=flow.device)[:, None] + flow[:, 0]
    x = torch.arange(w, dtype=torch.float32, device=flow.device) + flow[:, 1]
    grid = torch.stack([(2 * x + 1) / w - 1, (2 * y + 1) / h - 1], -1)
    return F.grid_sample(values, grid, padding_mode="border", align_corners=False)


def chain(first: Tensor, second: Tensor) -> Tensor:
    """The flow from A to C, of the flows from A to B and from B to C."""
    return first + sample(second, first / ops.MOTION_CELL)


def median(flow: Tensor) -> Tensor:
    """The 3×3 median of each component, of the medians of rows: single cells that went astray
    follow their neighbors.
    """
    padded = F.pad(flow, (1, 1, 1, 1), mode="replicate")
    rows = _middle(padded[..., :-2], padded[..., 1:-1], padded[..., 2:])
    return _middle(rows[..., :-2, :], rows[..., 1:-1, :], rows[..., 2:, :])


def _middle(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    return torch.maximum(torch.minimum(a, b), torch.minimum(torch.maximum(a, b), c))


def search(guide: Tensor, reference: Tensor) -> Tensor:
    """Flow between two neighboring frames, from coarse to fine."""
    h, w = guide.shape[2] // ops.MOTION_CELL, guide.shape[3] // ops.MOTION_CELL
    coarse, _ = ops.motion_search(half(guide), half(reference), radius=4)
    start = 2 * F.interpolate(median(coarse), scale_factor=2, mode="nearest")[:, :, :h, :w]
    fine, _ = ops.motion_search(guide, reference, start, radius=2)
    return median(fine)
