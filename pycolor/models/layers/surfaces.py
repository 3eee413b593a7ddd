"""One color to a surface: scores averaged over places that look alike.

A network that looks at each place decides each by itself, and a wall gets three hues.  Places of
one material are alike in its features, in lightness, and mostly near each other; the mean of their
scores (a product of their distributions) is nearly one color, and that of the most certain.  The
weights are those of an attention that is not learned (as in non-local means: Buades et al., 2005).
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

LIGHTNESS, PLACE = 5.0, 2.0  # weight of L* / 100, and of a place in sides of the picture's height
BLOCKS = 2  # a side of what compares all places with each other
MAX_CELLS = 2048  # of the grid that is compared: memory and time grow with the square


def descriptors(maps: list[tuple[Tensor, float]], lightness: Tensor) -> Tensor:
    """What is compared: squared distances between columns.

    Args:
        maps: features N×C×h×w of any size and the weight of each; each is normalized over the
            picture, then at each place.
        lightness: N×1×h×w, L* at the size of the result.

    Returns:
        N×D×h×w.
    """
    n, _, h, w = lightness.shape
    parts = []
    for x, weight in maps:
        x = x.float()
        x = x - x.mean((2, 3), keepdim=True)
        x = F.normalize(x / (x.std((2, 3), correction=0, keepdim=True) + 1e-4), dim=1)
        parts.append(_at(_in_own_basis(x), (h, w)) * weight)
    rows = torch.linspace(0, PLACE, h, dtype=torch.float32, device=lightness.device)
    right = PLACE * w / h
    columns = torch.linspace(0, right, w, dtype=torch.float32, device=lightness.device)
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    return torch.cat([*parts, lightness / 100 * LIGHTNESS, grid.expand(n, -1, -1, -1)], dim=1)


def grid_of(height: int, width: int) -> tuple[int, int]:
    """The grid that is compared, of a map's size: as it is up to `MAX_CELLS`, else coarser."""
    scale = min(1.0, (MAX_CELLS / (height * width)) ** 0.5)
    return max(1, round(height * scale)), max(1, round(width * scale))


def unified(values: Tensor, columns: Tensor, reach: float) -> Tensor:
    """Values drawn to the mean over places that are alike; what is finer than the grid stays.

    It is linear: scores may be unified, or what a layer without an activation makes scores of.

    Args:
        values: N×Q×H×W.
        columns: N×D×h×w, from `descriptors`.
        reach: squared distance at which a place weighs 1/e.

    Returns:
        N×Q×H×W.
    """
    size = columns.shape[-2], columns.shape[-1]
    with torch.autocast(columns.device.type, enabled=False):
        weight = _likeness(columns.flatten(2).transpose(1, 2), reach).softmax(2)
        coarse = F.adaptive_avg_pool2d(values, (size[0], size[1])).permute(0, 2, 3, 1).flatten(1, 2)
        moved = (weight @ coarse - coarse).unflatten(1, size).permute(0, 3, 1, 2)
    return values + _at(moved, values.shape[-2:])


def _likeness(x: Tensor, reach: float) -> Tensor:
    """−|x − y|² / reach of all places with each other, N×P×P, of N×P×D."""
    square = x.square().sum(2) / -reach
    places = x.shape[1]
    found = x.new_empty(len(x), places, places)
    # It is symmetric: of blocks beside the diagonal one of two is computed.
    bounds = [places * k // BLOCKS for k in range(BLOCKS + 1)]
    blocks = [slice(a, b) for a, b in pairwise(bounds)]
    for k, rows in enumerate(blocks):
        for columns in blocks[k:]:
            both = square[:, rows, None] + square[:, None, columns]
            block = torch.baddbmm(both, x[:, rows], x[:, columns].mT, alpha=2 / reach)
            found[:, rows, columns] = block
            if columns is not rows:
                found[:, columns, rows] = block.mT
    return found


def _in_own_basis(x: Tensor) -> Tensor:
    """A map N×C×h×w of fewer places than channels, in a basis of what they span: distances stay."""
    places = x.shape[2] * x.shape[3]
    if x.shape[1] <= places or not x.is_cpu:
        return x
    triangle = torch.linalg.qr(x.flatten(2), mode="r").R
    basis: Tensor = triangle.unflatten(2, x.shape[2:])
    return basis


def _at(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=False)
