"""One color to a surface: scores averaged over places that look alike.

A network that looks at each place decides each by itself, and a wall gets three hues.  Places of
one material are alike in its features, in lightness, and mostly near each other; the mean of their
scores (a product of their distributions) is nearly one color, and that of the most certain.  The
weights are those of an attention that is not learned (as in non-local means: Buades et al., 2005).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LIGHTNESS, PLACE = 5.0, 2.0  # weight of L* / 100, and of a place in sides of the picture's height
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


def unified(scores: Tensor, columns: Tensor, reach: float) -> Tensor:
    """Scores drawn to the mean over places that are alike; what is finer than the grid stays.

    Args:
        scores: N×Q×H×W.
        columns: N×D×h×w, from `descriptors`.
        reach: squared distance at which a place weighs 1/e.

    Returns:
        N×Q×H×W.
    """
    size = columns.shape[-2], columns.shape[-1]
    flat = columns.flatten(2).transpose(1, 2)
    square = flat.square().sum(2)
    with torch.autocast(flat.device.type, enabled=False):
        # −|x − y|² / reach; what is the same for a whole row falls out of the softmax.
        likeness = torch.baddbmm(square[:, None] / -reach, flat, flat.mT, alpha=2 / reach)
        weight = likeness.softmax(2)
        coarse = F.adaptive_avg_pool2d(scores, (size[0], size[1])).permute(0, 2, 3, 1).flatten(1, 2)
        moved = (weight @ coarse - coarse).unflatten(1, size).permute(0, 3, 1, 2)
    return scores + _at(moved, scores.shape[-2:])


def _at(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    if tuple(x.shape[-2:]) == tuple(size):
        return x
    return F.interpolate(x, tuple(size), mode="bilinear", align_corners=False)
