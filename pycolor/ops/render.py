"""From a chroma field and a luma plane to the planes of a frame, in one pass."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.encoding import Encoding
from pycolor.ops import reference
from pycolor.ops.arguments import (
    check_out,
    check_refinement,
    expect,
    floats,
    luma_planes,
    same_device,
)
from pycolor.ops.decode import check_scores
from pycolor.ops.gamut import gamut_table
from pycolor.ops.native import (
    View,
    cuda_module,
    define,
    encoding_numbers,
    frame_code,
    implements,
    stream,
    threads,
    view,
)


def _render_cuda(
    field: Tensor,
    luma: Tensor,
    code: list[float],
    sigma_range: float,
    floor: float,
    planes: list[View],
    rgb: bool,
) -> None:
    n, _, h, w = field.shape
    guide_low = torch.empty(n, 1, h, w, dtype=torch.float32, device=field.device)
    cuda_module().render(
        view(field),
        view(luma),
        luma.dtype == torch.uint16,
        frame_code(code),
        sigma_range,
        floor,
        gamut_table(code[5], code[6], luma.device),
        view(guide_low),
        planes,
        rgb,
        *stream(luma),
    )


define(
    "render_chroma(Tensor field, Tensor luma, float[] code, float sigma_range, float floor, "
    "Tensor(a!) u, Tensor(b!) v) -> ()",
    lambda field, luma, code, sigma, floor, u, v: _C.render(
        view(field), view(luma), luma.dtype == torch.uint16, frame_code(code), sigma, floor,
        [view(u), view(v)], False, threads(),
    ),
    lambda field, luma, code, sigma, floor, u, v: _render_cuda(
        field, luma, code, sigma, floor, [view(u), view(v)], False
    ),
)  # fmt: skip
define(
    "render_rgb(Tensor field, Tensor luma, float[] code, float sigma_range, float floor, "
    "Tensor(a!) out) -> ()",
    lambda field, luma, code, sigma, floor, out: _C.render(
        view(field), view(luma), luma.dtype == torch.uint16, frame_code(code), sigma, floor,
        [view(out[..., c].unsqueeze(1)) for c in range(3)], True, threads(),
    ),
    lambda field, luma, code, sigma, floor, out: _render_cuda(
        field, luma, code, sigma, floor, [view(out[..., c].unsqueeze(1)) for c in range(3)], True
    ),
)  # fmt: skip


def _fused_cuda(
    logits: Tensor,
    palette: Tensor,
    temperature: float,
    luma: Tensor,
    code: list[float],
    sigma_range: float,
    floor: float,
    planes: list[View],
) -> None:
    n, _, h, w = logits.shape
    field = torch.empty(n, 2, h, w, dtype=torch.float32, device=logits.device)
    torch.ops.pycolor.annealed_mean(logits, palette, temperature, field)
    _render_cuda(field, luma, code, sigma_range, floor, planes, False)


define(
    "fused_frame(Tensor logits, Tensor palette, float temperature, Tensor luma, float[] code, "
    "float sigma_range, float floor, Tensor(a!) u, Tensor(b!) v) -> ()",
    lambda logits, palette, temperature, luma, code, sigma, floor, u, v: _C.fused_frame(
        view(logits), palette.data_ptr(), temperature, view(luma), luma.dtype == torch.uint16,
        frame_code(code), sigma, floor, [view(u), view(v)], threads(),
    ),
    lambda logits, palette, temperature, luma, code, sigma, floor, u, v: _fused_cuda(
        logits, palette, temperature, luma, code, sigma, floor, [view(u), view(v)]
    ),
)  # fmt: skip


def _check_render(
    field: Tensor, luma: Tensor, encoding: Encoding, sigma_range: float, floor: float
) -> tuple[Tensor, Tensor]:
    """Field and luma as the kernels take them."""
    codes = luma_planes(luma, encoding)
    field = floats("field", field, "N×2×h×w")
    n, c, h, w = field.shape
    expect(
        n == luma.shape[0] and c == 2 and h > 0 and w > 0,
        "field must be {}×2×h×w as the luma is {}, got {}",
        luma.shape[0],
        luma,
        field,
    )
    same_device("field", field, luma)
    check_refinement(sigma_range, floor)
    return field, codes


def _planes(
    luma: Tensor, encoding: Encoding, out: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor]:
    """Where the chroma planes go: `out`, checked, or memory of their own."""
    shape = (luma.shape[0], *encoding.chroma_shape(luma.shape[1], luma.shape[2]))
    if out is None:
        u = torch.empty(shape, device=luma.device, dtype=luma.dtype)
        v = torch.empty(shape, device=luma.device, dtype=luma.dtype)
    else:
        u, v = out
    check_out("out[0]", u, shape, luma, luma.dtype)
    check_out("out[1]", v, shape, luma, luma.dtype)
    return u, v


@implements(reference.render_chroma)
def render_chroma(
    field: Tensor,
    luma: Tensor,
    *,
    encoding: Encoding,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    out: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """The luma may have any row stride, and `out` any strides (NV12: the two halves of the
    interleaved plane); the floor must be 1e-6 or more.
    """
    field, codes = _check_render(field, luma, encoding, sigma_range, floor)
    u, v = _planes(luma, encoding, out)
    if u.numel() > 0:
        torch.ops.pycolor.render_chroma(
            field,
            codes,
            encoding_numbers(encoding),
            sigma_range,
            floor,
            u.unsqueeze(1),
            v.unsqueeze(1),
        )
    return u, v


@implements(reference.render_rgb)
def render_rgb(
    field: Tensor,
    luma: Tensor,
    *,
    encoding: Encoding,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    out: Tensor | None = None,
) -> Tensor:
    """The floor must be 1e-6 or more."""
    field, codes = _check_render(field, luma, encoding, sigma_range, floor)
    shape = (*luma.shape, 3)
    if out is None:
        out = torch.empty(shape, device=luma.device, dtype=luma.dtype)
    check_out("out", out, shape, luma, luma.dtype)
    code = encoding_numbers(encoding)
    code[7:] = [0.0] * 4  # 4:4:4
    if out.numel() > 0:
        torch.ops.pycolor.render_rgb(field, codes, code, sigma_range, floor, out)
    return out


@implements(reference.fused_frame)
def fused_frame(
    logits: Tensor,
    palette: Tensor,
    luma: Tensor,
    *,
    encoding: Encoding,
    temperature: float = 0.38,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    out: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """`out` as in `render_chroma`; the floor must be 1e-6 or more."""
    logits, palette = check_scores(logits, palette, temperature)
    codes = luma_planes(luma, encoding)
    expect(
        logits.shape[0] == luma.shape[0] and logits.shape[2] > 0 and logits.shape[3] > 0,
        "logits must be {}×Q×h×w as the luma is {}, got {}",
        luma.shape[0],
        luma,
        logits,
    )
    same_device("logits", logits, luma)
    check_refinement(sigma_range, floor)
    u, v = _planes(luma, encoding, out)
    if u.numel() > 0:
        torch.ops.pycolor.fused_frame(
            logits,
            palette,
            temperature,
            codes,
            encoding_numbers(encoding),
            sigma_range,
            floor,
            u.unsqueeze(1),
            v.unsqueeze(1),
        )
    return u, v
