"""From (Y', a, b) to (Y', Cb, Cr): the color of a given luma, brought into gamut."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.encoding import LUMA_COEFFICIENTS, Matrix
from pycolor.ops.arguments import check_out, color_planes
from pycolor.ops.native import cuda_module, define, stream, threads, view

define(
    "yab_to_ycbcr(Tensor yab, float kr, float kb, Tensor(a!) out) -> ()",
    lambda yab, kr, kb, out: _C.yab_to_ycbcr(view(yab), kr, kb, view(out), threads()),
    lambda yab, kr, kb, out: cuda_module().yab_to_ycbcr(
        view(yab), kr, kb, gamut_table(kr, kb, yab.device), view(out), *stream(yab)
    ),
)

_gamut_tables: dict[tuple[float, float, torch.device], Tensor] = {}


def gamut_table(kr: float, kb: float, device: torch.device) -> int:
    """Address of the gamut table on a CUDA device; kept once made."""
    key = (kr, kb, device)
    if key not in _gamut_tables:
        table = torch.frombuffer(bytearray(_C.gamut_table(kr, kb)), dtype=torch.float32)
        _gamut_tables[key] = table.to(device)
    return _gamut_tables[key].data_ptr()


def yab_to_ycbcr(yab: Tensor, *, matrix: Matrix = "bt709", out: Tensor | None = None) -> Tensor:
    """(Y', a, b) → (Y', Cb, Cr): the color of that luma, hue and chroma, brought into gamut.

    Of the colors (L, s·a, s·b) whose luma is exactly Y', the one with the largest s ≤ 1 whose
    R'G'B' lies in 0…1: luma and hue are kept, chroma is reduced as little as possible.  Y' is
    clipped to 0…1 first, where only the neutral color remains.  NaN and ∞ in a or b count as 0.

    Args:
        yab: N×3×H×W; Y' in 0…1.
        matrix: gives Y', Cb and Cr their meaning.
        out: where to write, N×3×H×W float32.

    Returns:
        N×3×H×W, float32; Y' in 0…1, Cb and Cr in ±0.5.
    """
    planes = color_planes("yab", yab)
    if out is None:
        out = torch.empty(tuple(yab.shape), dtype=torch.float32, device=yab.device)
    check_out("out", out, tuple(yab.shape), yab, torch.float32)
    kr, kb = LUMA_COEFFICIENTS[matrix]
    if out.numel() > 0:
        torch.ops.pycolor.yab_to_ycbcr(planes, kr, kb, out.view(planes.shape))
    return out
