"""From (Y', a, b) to (Y', Cb, Cr): the color of a given luma, brought into gamut."""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.encoding import LUMA_COEFFICIENTS, Matrix
from pycolor.ops.reference.arguments import give
from pycolor.ops.reference.color import (
    WHITE_XYZ,
    XYZ_TO_LINEAR,
    lab_f_inverse,
    linear_to_rgb,
    rgb_to_lab,
    ycbcr_to_rgb,
)


def _linear_of(fy: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Linear R, G, B of the Lab color with f(Y) = fy; 3×M."""
    x = WHITE_XYZ[0] * lab_f_inverse(fy + a / 500)
    z = WHITE_XYZ[2] * lab_f_inverse(fy - b / 200)
    return XYZ_TO_LINEAR @ torch.stack((x, lab_f_inverse(fy), z))


def _color_of_luma(y: Tensor, a: Tensor, b: Tensor, matrix: Matrix) -> tuple[Tensor, Tensor]:
    """R'G'B' (3×M) of the color (L, a, b) whose luma is y, and whether it exists in gamut.

    L is found in 0…100 by bisection: the luma of the clipped color grows with L.
    """
    kr, kb = LUMA_COEFFICIENTS[matrix]
    k = torch.tensor([kr, 1 - kr - kb, kb], dtype=torch.float64)
    low, high = torch.full_like(y, 16 / 116), torch.ones_like(y)
    for _ in range(42):
        middle = (low + high) / 2
        dark = k @ linear_to_rgb(_linear_of(middle, a, b).clamp(0, 1)) < y
        low, high = torch.where(dark, middle, low), torch.where(dark, high, middle)
    rgb = linear_to_rgb(_linear_of((low + high) / 2, a, b))
    tolerance = 1e-9
    in_gamut = ((rgb >= -tolerance) & (rgb <= 1 + tolerance)).all(0)
    return rgb, in_gamut & ((k @ rgb - y).abs() <= tolerance)


def yab_to_ycbcr(yab: Tensor, *, matrix: Matrix = "bt709", out: Tensor | None = None) -> Tensor:
    """(Y', a, b) → (Y', Cb, Cr): the color of that luma, hue and chroma, brought into gamut.

    Of the colors (L, s·a, s·b) whose luma is exactly Y', the one with the largest s ≤ 1 whose
    R'G'B' lies in 0…1: luma and hue are kept, chroma is reduced as little as possible.  Y' is
    clipped to 0…1 first, where only the neutral color remains.  NaN and ∞ in a or b count as 0.

    Args:
        yab: N×3×H×W; Y' in 0…1.
        matrix: gives Y', Cb and Cr their meaning.
        out: where to write, N×3×H×W.

    Returns:
        N×3×H×W; Y' in 0…1, Cb and Cr in ±0.5.
    """
    y, a, b = (c.reshape(-1).double() for c in yab.unbind(-3))
    y, a, b = y.clamp(0, 1), a.nan_to_num(0, 0, 0), b.nan_to_num(0, 0, 0)
    rgb, inside = _color_of_luma(y, a, b, matrix)
    if not bool(inside.all()):
        yo, ao, bo = y[~inside], a[~inside], b[~inside]
        low, high = torch.zeros_like(yo), torch.ones_like(yo)
        for _ in range(36):
            scale = (low + high) / 2
            _, fits = _color_of_luma(yo, scale * ao, scale * bo, matrix)
            low, high = torch.where(fits, scale, low), torch.where(fits, high, scale)
        reduced, _ = _color_of_luma(yo, low * ao, low * bo, matrix)
        rgb[:, ~inside] = reduced
    kr, kb = LUMA_COEFFICIENTS[matrix]
    cb, cr = (rgb[2] - y) / (2 * (1 - kb)), (rgb[0] - y) / (2 * (1 - kr))
    ycbcr = torch.stack((y, cb, cr)).reshape(3, *yab.select(-3, 0).shape).movedim(0, -3)
    return give(ycbcr.to(yab), out)


def ycbcr_to_yab(ycbcr: Tensor, *, matrix: Matrix = "bt709") -> Tensor:
    """(Y', Cb, Cr) → (Y', a, b) of that color.  N×3×H×W."""
    lab = rgb_to_lab(ycbcr_to_rgb(ycbcr, matrix=matrix))
    return torch.cat((ycbcr.narrow(-3, 0, 1), lab.narrow(-3, 1, 2)), dim=-3)
