"""Guidance as users and films give it, made from the truth of training pictures.

Points and patches as Zhang et al. ("Real-Time User-Guided Image Colorization", SIGGRAPH 2017,
section 3.2) simulate them; strokes; a still that was matched to a part of the frame: moved, uneven
in its weights, and wrong in places, where its weights tend to be lower; and stills that have
nothing to do with the picture.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.colorizer import Guidance

MORE_POINTS = 1 / 8  # chance that no further point follows (Zhang et al. 2017)


def simulated(ab: Tensor, share: float, generator: torch.Generator) -> Guidance:
    """Hints for a share of the pictures, of a kind for each at random; none for the others.

    Args:
        ab: N×2×h×w, the true chroma field.
        share: of the pictures that get any.
        generator: the only source of randomness (on the CPU).
    """
    n = len(ab)
    hints, weight = torch.zeros_like(ab), torch.zeros_like(ab[:, :1])
    for i in range(n):
        draw = torch.rand(2, generator=generator).tolist()
        if draw[0] >= share:
            continue
        if draw[1] < 0.45:
            hints[i], weight[i] = _points(ab[i], generator)
        elif draw[1] < 0.85:
            hints[i], weight[i] = _matched(ab[i], ab[(i + 1) % n], generator)
        else:
            hints[i], weight[i] = _unrelated(ab[(i + 1) % n], generator)
    return Guidance(hints=hints, weight=weight)


def _uniform(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _points(ab: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Points and patches of their mean color, now and then drawn into a stroke."""
    _, h, w = ab.shape
    weight, hints = torch.zeros_like(ab[:1]), torch.zeros_like(ab)
    count = 1 + int(math.log(max(_uniform(0, 1, generator), 1e-6)) / math.log(1 - MORE_POINTS))
    for _ in range(min(count, 40)):
        # Around the middle, as Zhang et al. place them.
        y, x = (torch.randn(2, generator=generator) * 0.25 + 0.5).clamp(0, 0.999).tolist()
        top, left = int(y * h), int(x * w)
        size = 1 + int(_uniform(0, 3, generator))
        box = ab[:, top : top + size, left : left + size]
        trust = 1.0 if _uniform(0, 1, generator) < 0.7 else _uniform(0.25, 1, generator)
        hints[:, top : top + size, left : left + size] = box.mean((1, 2), keepdim=True)
        weight[:, top : top + size, left : left + size] = trust
        if _uniform(0, 1, generator) < 0.15:
            _stroke(ab, hints, weight, (top, left), generator)
    return hints, weight


def _stroke(
    ab: Tensor,
    hints: Tensor,
    weight: Tensor,
    start: tuple[int, int],
    generator: torch.Generator,
) -> None:
    """A line from a place over all cells whose color is about the same."""
    _, h, w = ab.shape
    angle, length = _uniform(0, 2 * math.pi, generator), int(_uniform(3, 14, generator))
    color = ab[:, start[0], start[1]]
    for step in range(length):
        y = start[0] + round(step * math.sin(angle))
        x = start[1] + round(step * math.cos(angle))
        if not (0 <= y < h and 0 <= x < w) or float((ab[:, y, x] - color).norm()) > 10:
            return
        hints[:, y, x], weight[:, y, x] = color, 1.0


def _smooth(h: int, w: int, cells: int, generator: torch.Generator) -> Tensor:
    """A field 1×h×w in 0 … 1 that varies over about an n-th of its sides."""
    coarse = torch.rand(1, 1, cells, cells, generator=generator)
    return F.interpolate(coarse, (h, w), mode="bicubic", align_corners=True)[0].clamp(0, 1)


def _matched(ab: Tensor, other: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """What a still of the same shot gives: color on a part of the picture, about where it belongs.

    Elsewhere it has no weight, or a small one and the color of another picture.
    """
    _, h, w = ab.shape
    bend = torch.stack([_smooth(h, w, 5, generator)[0], _smooth(h, w, 5, generator)[0]], dim=-1)
    reach = _uniform(0, 0.12, generator)
    grid = F.affine_grid(torch.eye(2, 3)[None], [1, 1, h, w], align_corners=False)
    moved = F.grid_sample(
        ab[None],
        grid + (bend[None] - 0.5) * reach,
        padding_mode="reflection",
        align_corners=False,
    )[0]
    blur = int(_uniform(0, 3, generator))
    if blur:
        moved = F.avg_pool2d(moved[None], 2 * blur + 1, 1, blur, count_include_pad=False)[0]
    moved = moved * _uniform(0.75, 1.1, generator)
    kind = _uniform(0, 1, generator)
    if kind < 0.4:  # a half of the picture, or another box
        known = torch.zeros(1, h, w)
        top, left = int(_uniform(-0.5, 0.6, generator) * h), int(_uniform(-0.5, 0.6, generator) * w)
        known[:, max(0, top) : top + h, max(0, left) : left + w] = 1
    else:
        known = (_smooth(h, w, 6, generator) > _uniform(0.1, 0.7, generator)).float()
    trust = (_smooth(h, w, 8, generator) * 0.6 + _uniform(0.1, 0.6, generator)).clamp(0, 1)
    weight = known * trust
    if kind > 0.7:  # wrong where nothing matched, and doubted there
        doubted = (1 - known) * trust * _uniform(0, 0.5, generator)
        moved = known * moved + (1 - known) * other
        weight = weight + doubted
    return moved, weight


def _unrelated(other: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The colors of another picture, at the small weights that a failed match has."""
    _, h, w = other.shape
    flip = other.flip(2) if _uniform(0, 1, generator) < 0.5 else other
    weight = _smooth(h, w, 8, generator) ** 2 * _uniform(0.05, 0.55, generator)
    return flip, weight
