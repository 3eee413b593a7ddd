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


def chain_flows(first: Tensor, second: Tensor) -> Tensor:
    """See `pycolor.ops.chain_flows`."""
    h, w = first.shape[2:]
    y = torch.arange(h)[:, None] + first[:, 0] / 4
    x = torch.arange(w) + first[:, 1] / 4
    return first + _at(second, y, x)


def flow_to_field(flow: Tensor, cost: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """See `pycolor.ops.flow_to_field`."""
    k, _, h, w = flow.shape
    height, width = size
    y = ((torch.arange(height, dtype=flow.dtype) + 0.5) * h / height - 0.5)[:, None]
    x = (torch.arange(width, dtype=flow.dtype) + 0.5) * w / width - 0.5
    y, x = y.expand(k, height, width), x.expand(k, height, width)
    cells = torch.tensor([height / (4 * h), width / (4 * w)], dtype=flow.dtype)[:, None, None]
    return _at(flow * cells, y, x), _at(cost, y, x)


def _at(image: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """K×C×… of an image at (y, x), K×…, bilinear and with a repeated border."""
    h, w = image.shape[2:]
    y, x = y.nan_to_num(0).clamp(0, h - 1), x.nan_to_num(0).clamp(0, w - 1)
    top, left = y.floor().long(), x.floor().long()
    down, right = (top + 1).clamp_max(h - 1), (left + 1).clamp_max(w - 1)
    fy, fx = (y - top)[:, None], (x - left)[:, None]
    frame = torch.arange(len(image))[:, None, None]

    def cells(rows: Tensor, columns: Tensor) -> Tensor:
        return image[frame, :, rows, columns].movedim(-1, 1)

    upper = (1 - fx) * cells(top, left) + fx * cells(top, right)
    lower = (1 - fx) * cells(down, left) + fx * cells(down, right)
    return (1 - fy) * upper + fy * lower


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
    h, w = chroma.shape[2:]
    y = torch.arange(h)[:, None] + flow[:, 0]
    x = torch.arange(w) + flow[:, 1]
    color = _at(chroma, y, x)
    weights = weight.to(cost)[:, None, None, None] * ((-(cost**2) / (2 * sigma**2)).exp() + floor)
    mean = (weights * color).sum(0) / weights.sum(0)
    length = (weights * color.norm(dim=1, keepdim=True)).sum(0) / weights.sum(0)
    own = mean.norm(dim=0, keepdim=True)
    scale = torch.where(own > 0, length / own.clamp_min(1e-30), 1.0)
    return (mean * scale.clamp_max(growth))[None]
