"""What moved where, and color carried along."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.ops.arguments import expect, floats, positive, same_device
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
    _check_guides(guide, reference)
    expect(0 <= radius <= 64, "radius must lie in 0 to 64, got {}", radius)
    expect(0 <= penalty <= 1 << 16, "penalty must lie in 0 to 65536, got {}", penalty)
    n, _, height, width = guide.shape
    shape = (n, 2, height // MOTION_CELL, width // MOTION_CELL)
    if start is None:
        start = torch.zeros(shape, dtype=torch.float32, device=guide.device)
    start = floats("start", start, "N×2×h×w")
    expect(
        tuple(start.shape) == shape,
        "start must be {}×{}×{}×{} as the guide is {}, got {}",
        *shape,
        guide,
        start,
    )
    same_device("start", start, guide)
    flow = torch.empty(shape, dtype=torch.float32, device=guide.device)
    cost = torch.empty(n, 1, *shape[2:], dtype=torch.float32, device=guide.device)
    if n > 0:
        torch.ops.pycolor.motion_search(guide, reference, start, radius, penalty, flow, cost)
    return flow, cost


def _check_guides(guide: Tensor, reference: Tensor) -> None:
    """Refuse pictures in which no motion can be searched."""
    for name, image in (("guide", guide), ("reference", reference)):
        expect(
            image.dim() == 4 and image.shape[1] == 1 and image.dtype == torch.uint8,
            "{} must be N×1×H×W in uint8, got {} in {}",
            name,
            image,
            image.dtype,
        )
    height, width = guide.shape[2:]
    expect(
        guide.shape == reference.shape,
        "reference must be {} as the guide, got {}",
        guide,
        reference,
    )
    expect(
        height > 0 and width > 0 and height % MOTION_CELL == 0 and width % MOTION_CELL == 0,
        "guide must have sides that are multiples of {}, got {}×{}",
        MOTION_CELL,
        height,
        width,
    )
    same_device("reference", reference, guide)


define(
    "chain_flows(Tensor first, Tensor second, Tensor(a!) out) -> ()",
    lambda first, second, out: _C.chain_flows(view(first), view(second), view(out), threads()),
    lambda first, second, out: cuda_module().chain_flows(
        view(first), view(second), view(out), *stream(first)
    ),
)


def chain_flows(first: Tensor, second: Tensor) -> Tensor:
    """The flows from A to C, of those from A to B and from B to C.

    u(p) = v(p) + w(p + v(p)), w bilinear between the cells and repeated beyond the border.

    Args:
        first: v, N×2×h×w, (dy, dx) in pixels, a cell being 4×4 of them.
        second: w, the same shape.

    Returns:
        u, N×2×h×w, float32.
    """
    first, second = floats("first", first, "N×2×h×w"), floats("second", second, "N×2×h×w")
    n, c, h, w = first.shape
    expect(c == 2 and h > 0 and w > 0, "first must be N×2×h×w, got {}", first)
    expect(
        first.shape == second.shape,
        "second must be {} as the first, got {}",
        first,
        second,
    )
    same_device("second", second, first)
    out = torch.empty(first.shape, device=first.device)
    if n > 0:
        torch.ops.pycolor.chain_flows(first, _dense(second), out)
    return out


def _dense(planes: Tensor) -> Tensor:
    """N×C×h×w whose planes can be addressed with 32 bits."""
    h, w = planes.shape[2:]
    expect(h * w < 1 << 31, "a plane must be below 2³¹ cells, got {}×{}", h, w)
    reach = (h - 1) * abs(planes.stride(2)) + (w - 1) * abs(planes.stride(3))
    return planes if reach < 1 << 31 else planes.contiguous()


define(
    "flow_to_field(Tensor flow, Tensor cost, Tensor(a!) field_flow, Tensor(b!) field_cost) -> ()",
    lambda flow, cost, field_flow, field_cost: _C.flow_to_field(
        view(flow), view(cost), view(field_flow), view(field_cost), threads()
    ),
    lambda flow, cost, field_flow, field_cost: cuda_module().flow_to_field(
        view(flow), view(cost), view(field_flow), view(field_cost), *stream(flow)
    ),
)


def flow_to_field(flow: Tensor, cost: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Flows in pixels as flows in cells of a chroma field, with their costs: `carry_chroma`'s.

    Both are resized as `torch.nn.functional.interpolate(mode="bilinear")` does; dy is first
    multiplied by height/(4h), dx by width/(4w).

    Args:
        flow: K×2×h×w, (dy, dx) in pixels, a cell being 4×4 of them.
        cost: K×1×h×w.
        size: (height, width) of the field.

    Returns:
        flow, K×2×height×width, and cost, K×1×height×width, both float32.
    """
    flow, cost = floats("flow", flow, "K×2×h×w"), floats("cost", cost, "K×1×h×w")
    k, c, h, w = flow.shape
    expect(c == 2 and h > 0 and w > 0, "flow must be K×2×h×w, got {}", flow)
    expect(
        tuple(cost.shape) == (k, 1, h, w),
        "cost must be {}×1×{}×{} as the flow is {}, got {}",
        k,
        h,
        w,
        flow,
        cost,
    )
    same_device("cost", cost, flow)
    height, width = size
    expect(height > 0 and width > 0, "size must be positive, got {}×{}", height, width)
    field_flow = torch.empty(k, 2, height, width, device=flow.device)
    field_cost = torch.empty(k, 1, height, width, device=flow.device)
    if k > 0:
        torch.ops.pycolor.flow_to_field(flow, cost, field_flow, field_cost)
    return field_flow, field_cost


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
    expect(c == 2 and k > 0 and h > 0 and w > 0, "chroma must be K×2×h×w, got {}", chroma)
    for name, tensor, channels in (("flow", flow, 2), ("cost", cost, 1)):
        expect(
            tuple(tensor.shape) == (k, channels, h, w),
            "{} must be {}×{}×{}×{} as the chroma is {}, got {}",
            name,
            k,
            channels,
            h,
            w,
            chroma,
            tensor,
        )
        same_device(name, tensor, chroma)
    expect(tuple(weight.shape) == (k,), "weight must have {} entries, got {}", k, weight)
    same_device("weight", weight, chroma)
    positive("sigma", sigma)
    expect(floor >= 0, "floor must be 0 or more, got {}", floor)
    expect(growth >= 1, "growth must be 1 or more, got {}", growth)
    out = torch.empty(1, 2, h, w, dtype=torch.float32, device=chroma.device)
    torch.ops.pycolor.carry_chroma(
        _dense(chroma), flow, cost, weight.float().contiguous(), sigma, floor, growth, out
    )
    return out
