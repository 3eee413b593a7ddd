"""What moved where, and color carried along."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.ops import reference
from pycolor.ops.arguments import check_size, check_tensor, expect, floats, positive, same_device
from pycolor.ops.native import cuda_module, define, implements, stream, threads, view

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


@implements(reference.motion_search)
def motion_search(
    guide: Tensor,
    reference: Tensor,
    start: Tensor | None = None,
    *,
    radius: int = 2,
    penalty: int = 16,
) -> tuple[Tensor, Tensor]:
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
        check_tensor(name, image, "N×1×H×W")
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


@implements(reference.chain_flows)
def chain_flows(first: Tensor, second: Tensor) -> Tensor:
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


@implements(reference.flow_to_field)
def flow_to_field(flow: Tensor, cost: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
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
    height, width = check_size(size)
    field_flow = torch.empty(k, 2, height, width, device=flow.device)
    field_cost = torch.empty(k, 1, height, width, device=flow.device)
    if k > 0:
        torch.ops.pycolor.flow_to_field(flow, cost, field_flow, field_cost)
    return field_flow, field_cost


define(
    "blend_warped_chroma(Tensor chroma, Tensor flow, Tensor cost, Tensor weight, float sigma, "
    "float floor, float growth, Tensor(a!) out) -> ()",
    lambda chroma, flow, cost, weight, sigma, floor, growth, out: _C.blend_warped_chroma(
        view(chroma), view(flow), view(cost), weight.data_ptr(), sigma, floor, growth,
        view(out), threads(),
    ),
    lambda chroma, flow, cost, weight, sigma, floor, growth, out: cuda_module().blend_warped_chroma(
        view(chroma), view(flow), view(cost), weight.data_ptr(), sigma, floor, growth,
        view(out), *stream(chroma),
    ),
)  # fmt: skip


@implements(reference.blend_warped_chroma)
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
    check_tensor("weight", weight, "K")
    expect(tuple(weight.shape) == (k,), "weight must have {} entries, got {}", k, weight)
    same_device("weight", weight, chroma)
    positive("sigma", sigma)
    expect(floor >= 0, "floor must be 0 or more, got {}", floor)
    expect(growth >= 1, "growth must be 1 or more, got {}", growth)
    out = torch.empty(1, 2, h, w, dtype=torch.float32, device=chroma.device)
    torch.ops.pycolor.blend_warped_chroma(
        _dense(chroma), flow, cost, weight.float().contiguous(), sigma, floor, growth, out
    )
    return out
