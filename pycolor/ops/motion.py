"""What moved where, and color carried along."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.ops.arguments import expect, floats, positive, same_device, sizes_of
from pycolor.ops.native import cuda_module, define, stream, threads, view

MOTION_CELL = 4  # guide pixels a cell, each way: csrc/motion.h

define(
    "motion_search(Tensor guide, Tensor reference, Tensor start, int radius, int penalty, "
    "Tensor(a!) flow, Tensor(b!) cost) -> ()",
    lambda guide, reference, start, radius, penalty, flow, cost: _C.motion_search(
        view(guide), view(reference), view(start), radius, penalty, view(flow), view(cost),
        threads(),
    ),
    lambda guide, reference, start, radius, penalty, flow, cost: cuda_module().motion_search(
        view(guide), view(reference), view(start), radius, penalty, view(flow), view(cost),
        *stream(guide),
    ),
)  # fmt: skip


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
    for name, image in (("guide", guide), ("reference", reference)):
        expect(
            image.dim() == 4 and image.shape[1] == 1 and image.dtype == torch.uint8,
            f"{name} must be N×1×H×W in uint8, got {sizes_of(image)} in {image.dtype}",
        )
    n, _, height, width = guide.shape
    expect(
        guide.shape == reference.shape,
        f"reference must be {sizes_of(guide)} as the guide, got {sizes_of(reference)}",
    )
    expect(
        height > 0 and width > 0 and height % MOTION_CELL == 0 and width % MOTION_CELL == 0,
        f"guide must have sides that are multiples of {MOTION_CELL}, got {height}×{width}",
    )
    same_device("reference", reference, guide)
    expect(0 <= radius <= 64, f"radius must lie in 0 to 64, got {radius}")
    expect(0 <= penalty <= 1 << 16, f"penalty must lie in 0 to 65536, got {penalty}")
    shape = (n, 2, height // MOTION_CELL, width // MOTION_CELL)
    if start is None:
        start = torch.zeros(shape, dtype=torch.float32, device=guide.device)
    start = floats("start", start, "N×2×h×w")
    expect(
        tuple(start.shape) == shape,
        f"start must be {'×'.join(map(str, shape))} as the guide is {sizes_of(guide)}, "
        f"got {sizes_of(start)}",
    )
    same_device("start", start, guide)
    flow = torch.empty(shape, dtype=torch.float32, device=guide.device)
    cost = torch.empty(n, 1, *shape[2:], dtype=torch.float32, device=guide.device)
    if n > 0:
        torch.ops.pycolor.motion_search(guide, reference, start, radius, penalty, flow, cost)
    return flow, cost


define(
    "carry_chroma(Tensor chroma, Tensor flow, Tensor cost, Tensor weight, float sigma, "
    "float floor, float growth, Tensor(a!) out) -> ()",
    lambda chroma, flow, cost, weight, sigma, floor, growth, out: _C.carry_chroma(
        view(chroma), view(flow), view(cost), weight.data_ptr(), sigma, floor, growth,
        view(out), threads(),
    ),
    lambda chroma, flow, cost, weight, sigma, floor, growth, out: cuda_module().carry_chroma(
        view(chroma), view(flow), view(cost), weight.data_ptr(), sigma, floor, growth,
        view(out), *stream(chroma),
    ),
)  # fmt: skip


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
    chroma = floats("chroma", chroma, "K×2×h×w")
    flow, cost = floats("flow", flow, "K×2×h×w"), floats("cost", cost, "K×1×h×w")
    k, c, h, w = chroma.shape
    expect(c == 2 and k > 0 and h > 0 and w > 0, f"chroma must be K×2×h×w, got {sizes_of(chroma)}")
    for name, tensor, channels in (("flow", flow, 2), ("cost", cost, 1)):
        expect(
            tuple(tensor.shape) == (k, channels, h, w),
            f"{name} must be {k}×{channels}×{h}×{w} as the chroma is {sizes_of(chroma)}, "
            f"got {sizes_of(tensor)}",
        )
        same_device(name, tensor, chroma)
    expect(tuple(weight.shape) == (k,), f"weight must have {k} entries, got {sizes_of(weight)}")
    same_device("weight", weight, chroma)
    positive("sigma", sigma)
    expect(floor >= 0, f"floor must be 0 or more, got {floor}")
    expect(growth >= 1, f"growth must be 1 or more, got {growth}")
    out = torch.empty(1, 2, h, w, dtype=torch.float32, device=chroma.device)
    torch.ops.pycolor.carry_chroma(
        chroma, flow, cost, weight.float().contiguous(), sigma, floor, growth, out
    )
    return out
