"""One color to a surface: scores averaged over places that look alike.

A network that looks at each place decides each by itself, and a wall gets three hues.  Places of
one material are alike in its features, in lightness, and mostly near each other; the mean of their
scores (a product of their distributions) is nearly one color, and that of the most certain.  The
weights are those of an attention that is not learned (as in non-local means: Buades et al., 2005).
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

LIGHTNESS, PLACE = 5.0, 2.0  # weight of L* / 100, and of a place in sides of the picture's height
STRIDE = 3  # of the places of other pictures
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
        parts.append(_at(x, (h, w)) * weight)
    rows = torch.linspace(0, PLACE, h, dtype=torch.float32, device=lightness.device)
    right = PLACE * w / h
    columns = torch.linspace(0, right, w, dtype=torch.float32, device=lightness.device)
    grid = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    return torch.cat([*parts, lightness / 100 * LIGHTNESS, grid.expand(n, -1, -1, -1)], dim=1)


def grid_of(height: int, width: int) -> tuple[int, int]:
    """The grid that is compared, of a map's size: as it is up to `MAX_CELLS`, else coarser."""
    scale = min(1.0, (MAX_CELLS / (height * width)) ** 0.5)
    return max(1, round(height * scale)), max(1, round(width * scale))


def unified(values: Tensor, columns: Tensor, reach: float, around: Tensor | None = None) -> Tensor:
    """Values drawn to the mean over places that are alike; what is finer than the grid stays.

    It is linear: scores may be unified, or what a layer without an activation makes scores of.

    Args:
        values: N×Q×H×W.
        columns: N×D×h×w, from `descriptors`.
        reach: squared distance at which a place weighs 1/e.
        around: places of other pictures, N×(D + Q)×M or 1×(D + Q)×M, from `materials`.

    Returns:
        N×Q×H×W.
    """
    size = columns.shape[-2], columns.shape[-1]
    with torch.autocast(columns.device.type, enabled=False):
        x = columns.flatten(2).transpose(1, 2)
        coarse = known = _coarse(values, size).flatten(2).transpose(1, 2)
        others = None
        if around is not None:
            others, theirs = around.expand(len(x), -1, -1).split([x.shape[2], known.shape[2]], 1)
            known = torch.cat([known, theirs.transpose(1, 2)], 1)
        weight = _likeness(x, others, reach).softmax(2)
        moved = (weight @ known - coarse).unflatten(1, size).permute(0, 3, 1, 2)
    return values + _at(moved, values.shape[-2:])


def materials(values: Tensor, columns: Tensor) -> Tensor:
    """The places of a picture for the `around` of others: one in `STRIDE` both ways.

    Args:
        values: N×Q×H×W.
        columns: N×D×h×w, from `descriptors`.

    Returns:
        N×(D + Q)×M.
    """
    size = columns.shape[-2], columns.shape[-1]
    return torch.cat([columns, _coarse(values, size)], 1)[:, :, ::STRIDE, ::STRIDE].flatten(2)


def _coarse(values: Tensor, size: tuple[int, int]) -> Tensor:
    return F.adaptive_avg_pool2d(values, size)


def _likeness(x: Tensor, others: Tensor | None, reach: float) -> Tensor:
    """−|x − y|² / reach of all places with each other and with others, N×P×(P + M).

    Args:
        x: places, N×P×D.
        others: of other pictures, N×D×M.  Each stands for those around it, too: weights rise by as
            many.
        reach: see `unified`.
    """
    square = x.square().sum(2) / -reach
    places = x.shape[1]
    found = x.new_empty(len(x), places, places + (0 if others is None else others.shape[2]))
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
    if others is not None:
        theirs = others.square().sum(1) / -reach + 2 * math.log(STRIDE)
        both = square[:, :, None] + theirs[:, None]
        found[:, :, places:] = torch.baddbmm(both, x, others, alpha=2 / reach)
    return found


def _at(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=False)
