"""References for varga2017, made from the pictures themselves.

A colored still of a shot shows the same things in about the same places: what differs is the
framing, a little movement, and the tone.  So a pair is a picture and a crop of it, warped and
regraded, whose colors stay what they are.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.options import PairOptions


def reference_of(rgb: Tensor, options: PairOptions, chance: torch.Generator) -> Tensor:
    """Another view of each picture.

    Args:
        rgb: N×3×H×W, display-encoded, 0 … 1.
        options: see `PairOptions`.
        chance: the only source of chance (on the CPU).

    Returns:
        N×3×H×W, 0 … 1.
    """
    n, _, h, w = rgb.shape

    def uniform(low: float, high: float, *size: int) -> Tensor:
        return torch.rand(n, *size, generator=chance) * (high - low) + low

    # A crop of a share of each side, somewhere inside, slightly turned and stretched.
    side = uniform(options.min_side, 1, 2, 1)
    center = (1 - side[:, :, 0]) * uniform(-1, 1, 2)
    turn = uniform(-options.turn, options.turn)
    cos, sin = turn.cos(), turn.sin()
    rotation = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    affine = torch.cat([rotation * side, center[:, :, None]], dim=2)
    grid = F.affine_grid(affine, [n, 3, h, w], align_corners=False)
    # Movement that varies smoothly over the picture.
    bend = uniform(-options.warp, options.warp, 2, 4, 4)
    bend = F.interpolate(bend, (h, w), mode="bicubic", align_corners=True)
    grid = (grid + bend.permute(0, 2, 3, 1)).to(rgb.device)
    view = F.grid_sample(rgb, grid, padding_mode="reflection", align_corners=False)

    gamma = torch.exp(uniform(-options.regrade, options.regrade, 1, 1, 1)).to(rgb.device)
    gain = uniform(1 - options.regrade / 2, 1, 1, 1, 1).to(rgb.device)
    return (view.clamp(1e-4, 1) ** gamma * gain).clamp(0, 1)
