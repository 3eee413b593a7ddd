"""Guidance for all pictures of a batch at once, for a GPU.

What `guidance.simulated` makes one picture after the other, hundreds of small steps each, is made
here by a few large ones: the same kinds, as often and by the same numbers, but for strokes, which
skip what is in their way.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.colorizer import Guidance
from pycolor.train.data.guidance import MORE_POINTS

POINTS = 24  # at most; 4 in 100 pictures of `guidance.simulated` have more
KINDS = 0.45, 0.85  # up to which they are points, and up to which a matched still


def simulated_together(ab: Tensor, share: float, generator: torch.Generator) -> Guidance:
    """As `guidance.simulated`, drawn on the device of the chroma.

    Args:
        ab: N×2×h×w, the true chroma field.
        share: of the pictures that get any.
        generator: the only source of randomness (on the CPU).
    """
    seed = int(torch.randint(2**62, (1,), generator=generator))
    rng = _BatchRng(ab, torch.Generator(ab.device).manual_seed(seed))
    other = ab.roll(-1, 0)
    given, kind = rng.uniform(0, 1) < share, rng.uniform(0, 1)
    hints, weight = _unrelated(other, rng)
    for upto, (its_hints, its_weight) in (
        (KINDS[1], _matched(ab, other, rng)),
        (KINDS[0], _points(ab, rng)),
    ):
        hints = torch.where(kind < upto, its_hints, hints)
        weight = torch.where(kind < upto, its_weight, weight)
    return Guidance(hints=hints * given, weight=weight * given)


class _BatchRng:
    """Random numbers for each picture of a batch, on its device."""

    def __init__(self, like: Tensor, generator: torch.Generator) -> None:
        self.like, self.generator = like, generator

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """In low … high, N×shape (1×1×1 if none is given)."""
        size = (len(self.like), *(shape or (1, 1, 1)))
        drawn = torch.rand(size, generator=self.generator, device=self.like.device)
        return drawn * (high - low) + low

    def smooth(self, cells: int) -> Tensor:
        """A field N×1×h×w in 0 … 1 that varies over about an n-th of its sides."""
        coarse = self.uniform(0, 1, 1, cells, cells)
        size = self.like.shape[-2:]
        return F.interpolate(coarse, size, mode="bicubic", align_corners=True).clamp(0, 1)


def _points(ab: Tensor, rng: _BatchRng) -> tuple[Tensor, Tensor]:
    """Points and patches of their mean color, now and then a stroke; the last lies on top."""
    n, _, h, w = ab.shape
    device = ab.device
    row = torch.arange(h, device=device).view(1, 1, h, 1)
    column = torch.arange(w, device=device).view(1, 1, 1, w)
    count = 1 + (rng.uniform(1e-6, 1).log() / math.log(1 - MORE_POINTS)).floor()
    middle = torch.randn(n, POINTS, 2, generator=rng.generator, device=device) * 0.25 + 0.5
    middle = middle.clamp(0, 0.999)
    top = (middle[..., 0] * h).floor()[..., None, None]
    left = (middle[..., 1] * w).floor()[..., None, None]
    size = 1 + rng.uniform(0, 3, POINTS, 1, 1).floor()
    y, x = row - top, column - left
    patch = (y >= 0) & (y < size) & (x >= 0) & (x < size)  # N×J×h×w
    share = patch.to(ab.dtype).flatten(2)
    color = share @ ab.flatten(2).transpose(1, 2) / share.sum(2, keepdim=True)  # N×J×2

    angle, length = (
        rng.uniform(0, 2 * math.pi, POINTS, 1, 1),
        rng.uniform(3, 14, POINTS, 1, 1).floor(),
    )
    along, across = y * angle.sin() + x * angle.cos(), y * angle.cos() - x * angle.sin()
    line = (along >= 0) & (along < length) & (across.abs() < 0.5)
    near = torch.cdist(color, ab.flatten(2).transpose(1, 2)).view(n, POINTS, h, w) <= 10
    covered = patch | (line & near & (rng.uniform(0, 1, POINTS, 1, 1) < 0.15))

    number = torch.arange(POINTS, device=device)[:, None, None]
    covered = covered & (number < count)
    last = torch.where(covered, number + 1, 0).amax(1).flatten(1)  # N×hw, 0 where there is none
    known = (last > 0).view(n, 1, h, w)
    place = (last - 1).clamp_min(0)
    doubted = rng.uniform(0, 1, POINTS) < 0.3
    trust = torch.where(doubted, rng.uniform(0.25, 1, POINTS), 1.0).gather(1, place)
    hints = color.transpose(1, 2).gather(2, place[:, None].expand(-1, 2, -1))
    return hints.view(n, 2, h, w) * known, trust.view(n, 1, h, w) * known


def _matched(ab: Tensor, other: Tensor, rng: _BatchRng) -> tuple[Tensor, Tensor]:
    """What a still of the same shot gives, see `guidance`."""
    n, _, h, w = ab.shape
    device = ab.device
    bend = torch.cat([rng.smooth(5), rng.smooth(5)], dim=1).permute(0, 2, 3, 1)
    still = torch.eye(2, 3, device=device).expand(n, 2, 3)
    grid = F.affine_grid(still, [n, 1, h, w], align_corners=False)
    grid = grid + (bend - 0.5) * rng.uniform(0, 0.12)
    moved = F.grid_sample(ab, grid, padding_mode="reflection", align_corners=False)
    blur = rng.uniform(0, 3).floor()
    for radius in (1, 2):
        soft = F.avg_pool2d(moved, 2 * radius + 1, 1, radius, count_include_pad=False)
        moved = torch.where(blur == radius, soft, moved)
    moved = moved * rng.uniform(0.75, 1.1)

    kind = rng.uniform(0, 1)
    y = torch.arange(h, device=device).view(1, 1, h, 1) - (rng.uniform(-0.5, 0.6) * h).trunc()
    x = torch.arange(w, device=device).view(1, 1, 1, w) - (rng.uniform(-0.5, 0.6) * w).trunc()
    box = (y >= 0) & (y < h) & (x >= 0) & (x < w)
    known = torch.where(kind < 0.4, box, rng.smooth(6) > rng.uniform(0.1, 0.7)).to(ab.dtype)
    trust = (rng.smooth(8) * 0.6 + rng.uniform(0.1, 0.6)).clamp(0, 1)
    wrong = (kind > 0.7).to(ab.dtype) * (1 - known)
    weight = trust * (known + wrong * rng.uniform(0, 0.5))
    return torch.where(wrong > 0, other, moved), weight


def _unrelated(other: Tensor, rng: _BatchRng) -> tuple[Tensor, Tensor]:
    """The colors of another picture, at the small weights that a failed match has."""
    flip = torch.where(rng.uniform(0, 1) < 0.5, other.flip(3), other)
    return flip, rng.smooth(8) ** 2 * rng.uniform(0.05, 0.55)
