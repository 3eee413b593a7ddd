"""From luma codes to lightness, at full size and by cells."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.encoding import Encoding
from pycolor.ops import reference
from pycolor.ops.arguments import check_out, check_size, expect, luma_planes
from pycolor.ops.native import (
    cuda_module,
    define,
    encoding_numbers,
    frame_code,
    implements,
    stream,
    threads,
    view,
)

define(
    "luma_to_lightness(Tensor luma, float[] code, Tensor(a!) out) -> ()",
    lambda luma, code, out: _C.luma_to_lightness(
        view(luma), luma.dtype == torch.uint16, frame_code(code), out.data_ptr(), threads()
    ),
    lambda luma, code, out: cuda_module().luma_to_lightness(
        view(luma), luma.dtype == torch.uint16, frame_code(code), out.data_ptr(), *stream(luma)
    ),
)
define(
    "mean_lightness(Tensor luma, float[] code, Tensor(a!) out) -> ()",
    lambda luma, code, out: _C.mean_lightness(
        view(luma), luma.dtype == torch.uint16, frame_code(code), view(out), threads()
    ),
    lambda luma, code, out: cuda_module().mean_lightness(
        view(luma), luma.dtype == torch.uint16, frame_code(code), view(out), *stream(luma)
    ),
)


@implements(reference.luma_to_lightness)
def luma_to_lightness(luma: Tensor, *, encoding: Encoding, out: Tensor | None = None) -> Tensor:
    """The luma is N×H×W, and `out` contiguous."""
    codes = luma_planes(luma, encoding)
    if out is None:
        out = torch.empty(tuple(luma.shape), dtype=torch.float32, device=luma.device)
    check_out("out", out, tuple(luma.shape), luma, torch.float32)
    expect(out.is_contiguous(), "out must be contiguous")
    torch.ops.pycolor.luma_to_lightness(codes, encoding_numbers(encoding), out)
    return out


@implements(reference.mean_lightness)
def mean_lightness(
    luma: Tensor, size: tuple[int, int], *, encoding: Encoding, out: Tensor | None = None
) -> Tensor:
    """The rows of `out` are contiguous."""
    codes = luma_planes(luma, encoding)
    shape = (luma.shape[0], 1, *check_size(size))
    if out is None:
        out = torch.empty(shape, dtype=torch.float32, device=luma.device)
    check_out("out", out, shape, luma, torch.float32)
    expect(out.stride(3) == 1, "out must have contiguous rows")
    torch.ops.pycolor.mean_lightness(codes, encoding_numbers(encoding), out)
    return out
