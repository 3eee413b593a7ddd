"""Conversions between color spaces: the channel axis is the last but two, N×3×H×W."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.ops.arguments import check_out, color_planes
from pycolor.ops.native import cuda_module, define, stream, threads, view

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


def rgb_to_linear(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → linear light (IEC 61966-2-1).  N×3×H×W, both 0…1.

    Below 0 the linear part of the curve goes on, above 1 the power.
    """
    return _convert("rgb", [_RGB_TO_LINEAR], rgb, out)


def linear_to_rgb(
    linear: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    """Linear light → display-encoded sRGB (IEC 61966-2-1).  N×3×H×W, both 0…1.

    `dtype` (or that of `out`) may be uint8 or uint16: clipped, scaled to 255 or 65535, rounded.
    """
    return _convert("linear", [_LINEAR_TO_RGB], linear, out, dtype)


def linear_to_xyz(linear: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Linear sRGB → CIE XYZ, Y of white = 1.  N×3×H×W."""
    return _convert("linear", [_LINEAR_TO_XYZ], linear, out)


def xyz_to_linear(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE XYZ → linear sRGB, not clipped.  N×3×H×W."""
    return _convert("xyz", [_XYZ_TO_LINEAR], xyz, out)


def xyz_to_lab(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE XYZ → CIE 1976 L*a*b* under D65 (CIE 15:2018, 8.2.1).  N×3×H×W."""
    return _convert("xyz", [_XYZ_TO_LAB], xyz, out)


def lab_to_xyz(lab: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE 1976 L*a*b* → CIE XYZ.  N×3×H×W.  Negative X and Z are kept."""
    return _convert("lab", [_LAB_TO_XYZ], lab, out)


def xyz_to_luv(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE XYZ → CIE 1976 L*u*v* under D65 (CIE 15:2018, 8.2.2).  N×3×H×W.  Black has u = v = 0."""
    return _convert("xyz", [_XYZ_TO_LUV], xyz, out)


def luv_to_xyz(luv: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE 1976 L*u*v* → CIE XYZ.  N×3×H×W.  L = 0 is black whatever u and v."""
    return _convert("luv", [_LUV_TO_XYZ], luv, out)


def rgb_to_xyz(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → CIE XYZ.  N×3×H×W."""
    return _convert("rgb", [_RGB_TO_LINEAR, _LINEAR_TO_XYZ], rgb, out)


def xyz_to_rgb(
    xyz: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    """CIE XYZ → display-encoded sRGB, not clipped in float32.  `dtype` as in `linear_to_rgb`."""
    return _convert("xyz", [_XYZ_TO_LINEAR, _LINEAR_TO_RGB], xyz, out, dtype)


def rgb_to_lab(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → L*a*b*.  N×3×H×W."""
    return _convert("rgb", [_RGB_TO_LINEAR, _LINEAR_TO_XYZ, _XYZ_TO_LAB], rgb, out)


def lab_to_rgb(
    lab: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    """L*a*b* → display-encoded sRGB, not clipped in float32.  `dtype` as in `linear_to_rgb`."""
    return _convert("lab", [_LAB_TO_XYZ, _XYZ_TO_LINEAR, _LINEAR_TO_RGB], lab, out, dtype)


def rgb_to_luv(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → L*u*v*.  N×3×H×W."""
    return _convert("rgb", [_RGB_TO_LINEAR, _LINEAR_TO_XYZ, _XYZ_TO_LUV], rgb, out)


def luv_to_rgb(
    luv: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    """L*u*v* → display-encoded sRGB, not clipped in float32.  `dtype` as in `linear_to_rgb`."""
    return _convert("luv", [_LUV_TO_XYZ, _XYZ_TO_LINEAR, _LINEAR_TO_RGB], luv, out, dtype)


def lab_to_luv(lab: Tensor, *, out: Tensor | None = None) -> Tensor:
    """L*a*b* → L*u*v*.  N×3×H×W."""
    return _convert("lab", [_LAB_TO_XYZ, _XYZ_TO_LUV], lab, out)


def luv_to_lab(luv: Tensor, *, out: Tensor | None = None) -> Tensor:
    """L*u*v* → L*a*b*.  N×3×H×W."""
    return _convert("luv", [_LUV_TO_XYZ, _XYZ_TO_LAB], luv, out)
