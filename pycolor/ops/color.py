"""Conversions between color spaces: the channel axis is the last but two, N×3×H×W."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.ops import reference
from pycolor.ops.arguments import check_out, color_planes
from pycolor.ops.native import cuda_module, define, implements, stream, threads, view

_OUT_KINDS: dict[torch.dtype, int] = {torch.float32: 0, torch.uint8: 1, torch.uint16: 2}


define(
    "convert(int[] steps, Tensor x, Tensor(a!) out) -> ()",
    lambda steps, x, out: _C.convert(
        list(steps), view(x), view(out), _OUT_KINDS[out.dtype], threads()
    ),
    lambda steps, x, out: cuda_module().convert(
        list(steps), view(x), view(out), _OUT_KINDS[out.dtype], *stream(x)
    ),
)

# The steps of csrc/color.h, by number.
_RGB_TO_LINEAR, _LINEAR_TO_RGB, _LINEAR_TO_XYZ, _XYZ_TO_LINEAR = 0, 1, 2, 3
_XYZ_TO_LAB, _LAB_TO_XYZ, _XYZ_TO_LUV, _LUV_TO_XYZ = 4, 5, 6, 7


def _convert(
    name: str, steps: list[int], x: Tensor, out: Tensor | None, dtype: torch.dtype | None = None
) -> Tensor:
    planes = color_planes(name, x)
    if out is None:
        out = torch.empty(tuple(x.shape), device=x.device, dtype=dtype or torch.float32)
    kinds = tuple(_OUT_KINDS) if steps[-1] == _LINEAR_TO_RGB else (torch.float32,)
    check_out("out", out, tuple(x.shape), x, *kinds)
    if out.numel() > 0:
        flat = out if out.dim() == 4 else out.view(planes.shape)
        torch.ops.pycolor.convert(steps, planes, flat)
    return out


@implements(reference.rgb_to_linear)
def rgb_to_linear(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("rgb", [_RGB_TO_LINEAR], rgb, out)


@implements(reference.linear_to_rgb)
def linear_to_rgb(
    linear: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    return _convert("linear", [_LINEAR_TO_RGB], linear, out, dtype)


@implements(reference.linear_to_xyz)
def linear_to_xyz(linear: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("linear", [_LINEAR_TO_XYZ], linear, out)


@implements(reference.xyz_to_linear)
def xyz_to_linear(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("xyz", [_XYZ_TO_LINEAR], xyz, out)


@implements(reference.xyz_to_lab)
def xyz_to_lab(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("xyz", [_XYZ_TO_LAB], xyz, out)


@implements(reference.lab_to_xyz)
def lab_to_xyz(lab: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("lab", [_LAB_TO_XYZ], lab, out)


@implements(reference.xyz_to_luv)
def xyz_to_luv(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("xyz", [_XYZ_TO_LUV], xyz, out)


@implements(reference.luv_to_xyz)
def luv_to_xyz(luv: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("luv", [_LUV_TO_XYZ], luv, out)


@implements(reference.rgb_to_xyz)
def rgb_to_xyz(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("rgb", [_RGB_TO_LINEAR, _LINEAR_TO_XYZ], rgb, out)


@implements(reference.xyz_to_rgb)
def xyz_to_rgb(
    xyz: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    return _convert("xyz", [_XYZ_TO_LINEAR, _LINEAR_TO_RGB], xyz, out, dtype)


@implements(reference.rgb_to_lab)
def rgb_to_lab(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("rgb", [_RGB_TO_LINEAR, _LINEAR_TO_XYZ, _XYZ_TO_LAB], rgb, out)


@implements(reference.lab_to_rgb)
def lab_to_rgb(
    lab: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    return _convert("lab", [_LAB_TO_XYZ, _XYZ_TO_LINEAR, _LINEAR_TO_RGB], lab, out, dtype)


@implements(reference.rgb_to_luv)
def rgb_to_luv(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("rgb", [_RGB_TO_LINEAR, _LINEAR_TO_XYZ, _XYZ_TO_LUV], rgb, out)


@implements(reference.luv_to_rgb)
def luv_to_rgb(
    luv: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    return _convert("luv", [_LUV_TO_XYZ, _XYZ_TO_LINEAR, _LINEAR_TO_RGB], luv, out, dtype)


@implements(reference.lab_to_luv)
def lab_to_luv(lab: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("lab", [_LAB_TO_XYZ, _XYZ_TO_LUV], lab, out)


@implements(reference.luv_to_lab)
def luv_to_lab(luv: Tensor, *, out: Tensor | None = None) -> Tensor:
    return _convert("luv", [_LUV_TO_XYZ, _XYZ_TO_LAB], luv, out)
