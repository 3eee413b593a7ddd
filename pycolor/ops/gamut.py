"""From (Y', a, b) to (Y', Cb, Cr): the color of a given luma, brought into gamut."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.encoding import LUMA_COEFFICIENTS, Matrix
from pycolor.ops import reference
from pycolor.ops.arguments import check_out, color_planes
from pycolor.ops.native import cuda_module, define, implements, stream, threads, view

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


@implements(reference.yab_to_ycbcr)
def yab_to_ycbcr(yab: Tensor, *, matrix: Matrix = "bt709", out: Tensor | None = None) -> Tensor:
    planes = color_planes("yab", yab)
    if out is None:
        out = torch.empty(tuple(yab.shape), dtype=torch.float32, device=yab.device)
    check_out("out", out, tuple(yab.shape), yab, torch.float32)
    kr, kb = LUMA_COEFFICIENTS[matrix]
    if out.numel() > 0:
        torch.ops.pycolor.yab_to_ycbcr(planes, kr, kb, out.view(planes.shape))
    return out
