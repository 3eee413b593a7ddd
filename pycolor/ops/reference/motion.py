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
    """Where in the reference the surroundings of each cell of the guide are: block matching.

    A cell is 4×4 pixels, its block 8×8 around it; pixels beyond the border repeat the border's.
    Of the steps within `radius` of the start the one is taken whose sum of absolute differences
    plus `penalty` times its length (|dy| + |dx|) is least; of equals the first in rows.

    Args:
        guide: N×1×H×W, uint8, H and W multiples of 4.
        reference: the same shape and type.
        start: N×2×h×w, (dy, dx) in pixels at which to begin (rounded, half away from zero);
            None for zero.  h = H/4, w = W/4.
        radius: of the search in pixels, each way.
        penalty: of a step of one pixel, in sums of absolute differences.

    Returns:
        flow, N×2×h×w float32 in whole pixels: the cell at p is found at p + flow in the
        reference; and cost, N×1×h×w float32, the mean absolute difference there.
    """
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
    """The flows from A to C, of those from A to B and from B to C.

    u(p) = v(p) + w(p + v(p)), w bilinear between the cells and repeated beyond the border.

    Args:
        first: v, N×2×h×w, (dy, dx) in pixels, a cell being 4×4 of them.
        second: w, the same shape.

    Returns:
        u, N×2×h×w, float32.
    """
    h, w = first.shape[2:]
    y = torch.arange(h)[:, None] + first[:, 0] / 4
    x = torch.arange(w) + first[:, 1] / 4
    return first + _at(second, y, x)


def flow_to_field(flow: Tensor, cost: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Flows in pixels as flows in cells of a chroma field, with their costs.

    Both are resized as `torch.nn.functional.interpolate(mode="bilinear")` does; dy is first
    multiplied by height/(4h), dx by width/(4w).

    Args:
        flow: K×2×h×w, (dy, dx) in pixels, a cell being 4×4 of them.
        cost: K×1×h×w.
        size: (height, width) of the field.

    Returns:
        flow, K×2×height×width, and cost, K×1×height×width, both float32.
    """
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


def blend_warped_chroma(
    chroma: Tensor,
    flow: Tensor,
    cost: Tensor,
    weight: Tensor,
    *,
    sigma: float = 20.0,
    floor: float = 0.02,
    growth: float = 1.6,
) -> Tensor:
    """The key frames' colors, carried along motion to one frame: a guided filter over time.

    With c_k the field of key frame k at p + flow_k(p), bilinear and with a repeated border, and
    w_k = weight_k (exp(−cost_k²/2σ²) + floor), the mean Σ w_k c_k / Σ w_k is lengthened to the
    mean length Σ w_k |c_k| / Σ w_k, at most `growth` times: hues that differ do not gray each
    other.

    Args:
        chroma: K×2×h×w, a and b of the key frames.
        flow: K×2×h×w, (dy, dx) in cells of the field, from this frame to each key frame.
        cost: K×1×h×w, as `motion_search` gives it.
        weight: K, of each key frame, ≥ 0 and not all 0.
        sigma: of the cost, > 0.
        floor: ≥ 0; what a key frame that is not alike counts.
        growth: ≥ 1.

    Returns:
        1×2×h×w, float32.
    """
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
