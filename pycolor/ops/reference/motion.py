"""What moved where, and color carried along."""

from __future__ import annotations

import torch
from torch import Tensor


def motion_search(
    guide: Tensor,
    reference: Tensor,
    start: Tensor | None = None,
    *,
    radius: int = 2,
    penalty: int = 16,
) -> tuple[Tensor, Tensor]:
    """See `pycolor.ops.motion_search`."""
    n, _, height, width = guide.shape
    h, w = height // 4, width // 4
    if start is None:
        start = torch.zeros(n, 2, h, w)
    start = start.nan_to_num(0).clamp(-8192, 8192)
    begin = (start.abs() + 0.5).floor() * start.sign()
    rows = (torch.arange(h) * 4 - 2)[:, None] + torch.arange(8)  # h×8
    columns = (torch.arange(w) * 4 - 2)[:, None] + torch.arange(8)

    def blocks(image: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
        """N×h×w×8×8, of whole numbers; dy and dx are N×h×w."""
        y = (rows[None, :, None, :] + dy[..., None].long()).clamp(0, height - 1)  # N×h×w×8
        x = (columns[None, None, :, :] + dx[..., None].long()).clamp(0, width - 1)
        frame = torch.arange(n)[:, None, None, None, None]
        return image[frame, 0, y[..., :, None], x[..., None, :]].long()

    zero = torch.zeros(n, h, w)
    mine = blocks(guide, zero, zero)
    best = torch.full((n, h, w), 1 << 30)
    flow = torch.zeros(n, 2, h, w)
    cost = torch.zeros(n, 1, h, w)
    for step_y in range(-radius, radius + 1):
        for step_x in range(-radius, radius + 1):
            dy, dx = begin[:, 0] + step_y, begin[:, 1] + step_x
            difference = (mine - blocks(reference, dy, dx)).abs().sum((-1, -2))
            score = difference + penalty * (abs(step_y) + abs(step_x))
            better = score < best
            best = torch.where(better, score, best)
            flow = torch.where(better[:, None], torch.stack([dy, dx], 1), flow)
            cost = torch.where(better[:, None], difference[:, None] / 64, cost)
    return flow, cost


def carry_chroma(
    chroma: Tensor,
    flow: Tensor,
    cost: Tensor,
    weight: Tensor,
    *,
    sigma: float = 20.0,
    floor: float = 0.02,
    growth: float = 1.6,
) -> Tensor:
    """See `pycolor.ops.carry_chroma`."""
    k, _, h, w = chroma.shape
    y = (torch.arange(h)[:, None] + flow[:, 0]).nan_to_num(0).clamp(0, h - 1)  # K×h×w
    x = (torch.arange(w) + flow[:, 1]).nan_to_num(0).clamp(0, w - 1)
    top, left = y.floor().long(), x.floor().long()
    down, right = (top + 1).clamp_max(h - 1), (left + 1).clamp_max(w - 1)
    fy, fx = (y - top)[:, None], (x - left)[:, None]
    frame = torch.arange(k)[:, None, None]

    def at(rows: Tensor, columns: Tensor) -> Tensor:
        return chroma[frame, :, rows, columns].movedim(-1, 1)  # K×2×h×w

    upper = (1 - fx) * at(top, left) + fx * at(top, right)
    lower = (1 - fx) * at(down, left) + fx * at(down, right)
    color = (1 - fy) * upper + fy * lower
    weights = weight.to(cost)[:, None, None, None] * ((-(cost**2) / (2 * sigma**2)).exp() + floor)
    mean = (weights * color).sum(0) / weights.sum(0)
    length = (weights * color.norm(dim=1, keepdim=True)).sum(0) / weights.sum(0)
    own = mean.norm(dim=0, keepdim=True)
    scale = torch.where(own > 0, length / own.clamp_min(1e-30), 1.0)
    return (mean * scale.clamp_max(growth))[None]
