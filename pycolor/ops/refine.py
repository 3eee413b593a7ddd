"""Filters that bring chroma onto the edges of the lightness."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.ops import reference
from pycolor.ops.arguments import (
    check_out,
    check_radius,
    check_refinement,
    expect,
    floats,
    positive,
    same_device,
    sizes_of,
)
from pycolor.ops.native import cuda_module, define, implements, stream, threads, view

# Of a disk, which ends at the borders of the picture, and of a window, which does not.
_LARGEST_DISK, _LARGEST_WINDOW = 1 << 16, 1 << 10

define(
    "joint_bilateral(Tensor chroma, Tensor guide, int radius, float sigma_space, "
    "float sigma_range, Tensor(a!) out) -> ()",
    lambda chroma, guide, radius, space, range_, out: _C.joint_bilateral(
        view(chroma), view(guide), radius, space, range_, view(out), threads()
    ),
    lambda chroma, guide, radius, space, range_, out: cuda_module().joint_bilateral(
        view(chroma), view(guide), radius, space, range_, view(out), *stream(chroma)
    ),
)
define(
    "joint_bilateral_upsample(Tensor chroma, Tensor guide_low, Tensor guide, float sigma_range, "
    "float floor, int radius, float sigma_space, Tensor(a!) out) -> ()",
    lambda chroma, low, guide, range_, floor, radius, space, out: _C.joint_bilateral_upsample(
        view(chroma), view(low), view(guide), range_, floor, radius, space, view(out),
        threads(),
    ),
    lambda chroma, low, guide, range_, floor, radius, space, out: (
        cuda_module().joint_bilateral_upsample(
            view(chroma), view(low), view(guide), range_, floor, radius, space, view(out),
            *stream(chroma),
        )
    ),
)  # fmt: skip


@implements(reference.joint_bilateral)
def joint_bilateral(
    chroma: Tensor,
    guide: Tensor,
    *,
    radius: int = 4,
    sigma_space: float = 3.0,
    sigma_range: float = 6.0,
    out: Tensor | None = None,
) -> Tensor:
    """In float32: values must be finite and the guide below 1e9; `out` is not the chroma itself."""
    chroma = floats("chroma", chroma, "N×C×H×W")
    guide = floats("guide", guide, "N×1×H×W")
    n, _, height, width = chroma.shape
    expect(
        tuple(guide.shape) == (n, 1, height, width),
        f"guide must be {n}×1×{height}×{width} as the chroma is {sizes_of(chroma)}, "
        f"got {sizes_of(guide)}",
    )
    same_device("guide", guide, chroma)
    radius = check_radius(radius, _LARGEST_DISK)
    positive("sigma_space", sigma_space)
    positive("sigma_range", sigma_range)
    if out is None:
        out = torch.empty(tuple(chroma.shape), dtype=torch.float32, device=chroma.device)
    check_out("out", out, tuple(chroma.shape), chroma, torch.float32)
    if out.numel() > 0:
        torch.ops.pycolor.joint_bilateral(chroma, guide, radius, sigma_space, sigma_range, out)
    return out


@implements(reference.joint_bilateral_upsample)
def joint_bilateral_upsample(
    chroma: Tensor,
    guide_low: Tensor,
    guide: Tensor,
    *,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    radius: int | None = None,
    sigma_space: float = 0.8,
    out: Tensor | None = None,
) -> Tensor:
    """In float32: the floor must be 1e-6 or more, which keeps the weights' sum away from 0."""
    chroma = floats("chroma", chroma, "N×C×h×w")
    guide_low = floats("guide_low", guide_low, "N×1×h×w")
    guide = floats("guide", guide, "N×1×H×W")
    n, c, h, w = chroma.shape
    expect(
        tuple(guide_low.shape) == (n, 1, h, w) and h > 0 and w > 0,
        f"guide_low must be {n}×1×{h}×{w} as the chroma is {sizes_of(chroma)}, and not empty, "
        f"got {sizes_of(guide_low)}",
    )
    expect(guide.shape[:2] == (n, 1), f"guide must be {n}×1×H×W, got {sizes_of(guide)}")
    same_device("guide_low", guide_low, chroma)
    same_device("guide", guide, chroma)
    check_refinement(sigma_range, floor)
    if radius is not None:
        radius = check_radius(radius, _LARGEST_WINDOW)
    positive("sigma_space", sigma_space)
    shape = (n, c, guide.shape[2], guide.shape[3])
    if out is None:
        out = torch.empty(shape, dtype=torch.float32, device=chroma.device)
    check_out("out", out, shape, chroma, torch.float32)
    if out.numel() > 0:
        window = -1 if radius is None else radius
        torch.ops.pycolor.joint_bilateral_upsample(
            chroma, guide_low, guide, sigma_range, floor, window, sigma_space, out
        )
    return out
