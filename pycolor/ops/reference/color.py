"""Conversions between color spaces: the channel axis is the last but two, N×3×H×W."""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.encoding import LUMA_COEFFICIENTS, Matrix
from pycolor.ops.reference.arguments import give

# CIE 15:2018, 8.2.1: f(t) = t^(1/3) above (6/29)^3, its tangent line below.
LAB_KNEE = 6 / 29
# IEC 61966-2-1: R' = 12.92 R up to 0.0031308, else 1.055 R^(1/2.4) − 0.055.
SRGB_KNEE = 0.0031308
# x, y of the sRGB (= BT.709) primaries and of D65, IEC 61966-2-1 table 1.
PRIMARIES_XY = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
WHITE_XY = (0.3127, 0.3290)
WHITE_XYZ = (
    WHITE_XY[0] / WHITE_XY[1],
    1.0,
    (1 - WHITE_XY[0] - WHITE_XY[1]) / WHITE_XY[1],
)
# u', v' of the white, CIE 15:2018, 8.2.2.
WHITE_UV = (
    4 * WHITE_XYZ[0] / (WHITE_XYZ[0] + 15 + 3 * WHITE_XYZ[2]),
    9 / (WHITE_XYZ[0] + 15 + 3 * WHITE_XYZ[2]),
)


def _linear_to_xyz_matrix() -> Tensor:
    """3×3, float64: the columns are the primaries, scaled so that their sum is the white."""
    columns = torch.tensor(
        [[x / y, 1.0, (1 - x - y) / y] for x, y in PRIMARIES_XY], dtype=torch.float64
    ).T
    white = torch.tensor(WHITE_XYZ, dtype=torch.float64)
    scale: Tensor = torch.linalg.solve(columns, white)
    return columns * scale


LINEAR_TO_XYZ: Tensor = _linear_to_xyz_matrix()
XYZ_TO_LINEAR: Tensor = torch.linalg.inv(LINEAR_TO_XYZ)


def _matmul(matrix: Tensor, x: Tensor) -> Tensor:
    return torch.einsum("ij,...jhw->...ihw", matrix.to(x), x)


def lab_f(t: Tensor) -> Tensor:
    linear = t / (3 * LAB_KNEE**2) + 4 / 29
    return torch.where(t > LAB_KNEE**3, t.clamp_min(LAB_KNEE**3).pow(1 / 3), linear)


def lab_f_inverse(t: Tensor) -> Tensor:
    return torch.where(t > LAB_KNEE, t**3, 3 * LAB_KNEE**2 * (t - 4 / 29))


def rgb_to_linear(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → linear light (IEC 61966-2-1).  N×3×H×W, both 0…1.

    Below 0 the linear part of the curve goes on, above 1 the power.
    """
    power = ((rgb.clamp_min(0.04045) + 0.055) / 1.055).pow(2.4)
    return give(torch.where(rgb > 0.04045, power, rgb / 12.92), out)


def _codes(rgb: Tensor, dtype: torch.dtype) -> Tensor:
    """R'G'B' in 0…1 as `dtype`; whole numbers are clipped, scaled to their largest and rounded."""
    if dtype.is_floating_point:
        return rgb.to(dtype)
    return (rgb.clamp(0, 1) * torch.iinfo(dtype).max).round().int().to(dtype)


def linear_to_rgb(
    linear: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    """Linear light → display-encoded sRGB (IEC 61966-2-1).  N×3×H×W, both 0…1.

    `dtype` (or that of `out`) may be uint8 or uint16: clipped, scaled to 255 or 65535, rounded.
    """
    power = 1.055 * linear.clamp_min(SRGB_KNEE).pow(1 / 2.4) - 0.055
    rgb = torch.where(linear > SRGB_KNEE, power, 12.92 * linear)
    dtype = dtype or (rgb.dtype if out is None else out.dtype)
    return give(_codes(rgb, dtype), out)


def linear_to_xyz(linear: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Linear sRGB → CIE XYZ, Y of white = 1.  N×3×H×W."""
    return give(_matmul(LINEAR_TO_XYZ, linear), out)


def xyz_to_linear(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE XYZ → linear sRGB, not clipped.  N×3×H×W."""
    return give(_matmul(XYZ_TO_LINEAR, xyz), out)


def xyz_to_lab(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE XYZ → CIE 1976 L*a*b* under D65 (CIE 15:2018, 8.2.1).  N×3×H×W."""
    x, y, z = xyz.unbind(-3)
    fx, fy, fz = lab_f(x / WHITE_XYZ[0]), lab_f(y), lab_f(z / WHITE_XYZ[2])
    return give(torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), dim=-3), out)


def lab_to_xyz(lab: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE 1976 L*a*b* → CIE XYZ.  N×3×H×W.  Negative X and Z are kept."""
    lightness, a, b = lab.unbind(-3)
    fy = (lightness + 16) / 116
    x = WHITE_XYZ[0] * lab_f_inverse(fy + a / 500)
    z = WHITE_XYZ[2] * lab_f_inverse(fy - b / 200)
    return give(torch.stack((x, lab_f_inverse(fy), z), dim=-3), out)


def xyz_to_luv(xyz: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE XYZ → CIE 1976 L*u*v* under D65 (CIE 15:2018, 8.2.2).  N×3×H×W.  Black has u = v = 0."""
    x, y, z = xyz.unbind(-3)
    lightness = 116 * lab_f(y) - 16
    denominator = x + 15 * y + 3 * z
    black = denominator.abs() < 1e-12
    safe = torch.where(black, 1.0, denominator)
    u = torch.where(black, 0.0, 13 * lightness * (4 * x / safe - WHITE_UV[0]))
    v = torch.where(black, 0.0, 13 * lightness * (9 * y / safe - WHITE_UV[1]))
    return give(torch.stack((lightness, u, v), dim=-3), out)


def luv_to_xyz(luv: Tensor, *, out: Tensor | None = None) -> Tensor:
    """CIE 1976 L*u*v* → CIE XYZ.  N×3×H×W.  L = 0 is black whatever u and v."""
    lightness, u, v = luv.unbind(-3)
    black = lightness.abs() < 1e-6
    safe = torch.where(black, 1.0, 13 * lightness)
    up, vp = u / safe + WHITE_UV[0], v / safe + WHITE_UV[1]
    vp = torch.where(vp.abs() < 1e-12, 1e-12, vp)
    y = lab_f_inverse((lightness + 16) / 116)
    x = y * 9 * up / (4 * vp)
    z = y * (12 - 3 * up - 20 * vp) / (4 * vp)
    return give(torch.stack((x, y, z), dim=-3) * torch.where(black, 0.0, 1.0).unsqueeze(-3), out)


def rgb_to_xyz(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → CIE XYZ.  N×3×H×W."""
    return linear_to_xyz(rgb_to_linear(rgb), out=out)


def xyz_to_rgb(
    xyz: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    """CIE XYZ → display-encoded sRGB, not clipped in float.  `dtype` as in `linear_to_rgb`."""
    return linear_to_rgb(xyz_to_linear(xyz), dtype=dtype, out=out)


def rgb_to_lab(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → L*a*b*.  N×3×H×W."""
    return xyz_to_lab(rgb_to_xyz(rgb), out=out)


def lab_to_rgb(
    lab: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    """L*a*b* → display-encoded sRGB, not clipped in float.  `dtype` as in `linear_to_rgb`."""
    return xyz_to_rgb(lab_to_xyz(lab), dtype=dtype, out=out)


def rgb_to_luv(rgb: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Display-encoded sRGB → L*u*v*.  N×3×H×W."""
    return xyz_to_luv(rgb_to_xyz(rgb), out=out)


def luv_to_rgb(
    luv: Tensor, *, dtype: torch.dtype | None = None, out: Tensor | None = None
) -> Tensor:
    """L*u*v* → display-encoded sRGB, not clipped in float.  `dtype` as in `linear_to_rgb`."""
    return xyz_to_rgb(luv_to_xyz(luv), dtype=dtype, out=out)


def lab_to_luv(lab: Tensor, *, out: Tensor | None = None) -> Tensor:
    """L*a*b* → L*u*v*.  N×3×H×W."""
    return xyz_to_luv(lab_to_xyz(lab), out=out)


def luv_to_lab(luv: Tensor, *, out: Tensor | None = None) -> Tensor:
    """L*u*v* → L*a*b*.  N×3×H×W."""
    return xyz_to_lab(luv_to_xyz(luv), out=out)


def rgb_to_ycbcr(rgb: Tensor, *, matrix: Matrix = "bt709") -> Tensor:
    """R'G'B' → Y' in 0…1, Cb and Cr in ±0.5 (ITU-T H.273, 8.3).  N×3×H×W."""
    kr, kb = LUMA_COEFFICIENTS[matrix]
    r, g, b = rgb.unbind(-3)
    y = kr * r + (1 - kr - kb) * g + kb * b
    return torch.stack((y, (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))), dim=-3)


def ycbcr_to_rgb(ycbcr: Tensor, *, matrix: Matrix = "bt709") -> Tensor:
    """Y' in 0…1, Cb and Cr in ±0.5 → R'G'B', not clipped.  N×3×H×W."""
    kr, kb = LUMA_COEFFICIENTS[matrix]
    y, cb, cr = ycbcr.unbind(-3)
    r = y + 2 * (1 - kr) * cr
    b = y + 2 * (1 - kb) * cb
    return torch.stack((r, (y - kr * r - kb * b) / (1 - kr - kb), b), dim=-3)
