"""From a chroma field and a luma plane to the planes of a frame."""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.encoding import Encoding
from pycolor.ops.reference.arguments import give
from pycolor.ops.reference.color import ycbcr_to_rgb
from pycolor.ops.reference.decode import annealed_mean
from pycolor.ops.reference.gamut import yab_to_ycbcr
from pycolor.ops.reference.luma import lightness_of, mean_lightness, site_luma
from pycolor.ops.reference.refine import upsample_at


def _refined(
    field: Tensor, luma: Tensor, encoding: Encoding, sigma_range: float, floor: float
) -> Tensor:
    """(Y', Cb, Cr) at the chroma samples, N×3×hc×wc, float64."""
    (h, w), (height, width) = field.shape[-2:], luma.shape[-2:]
    guide_low = mean_lightness(luma, (h, w), encoding=encoding).double()
    site = site_luma(luma, encoding).unsqueeze(1)
    (cy, cx), (v, s) = encoding.chroma_center(), encoding.shifts
    hc, wc = encoding.chroma_shape(height, width)
    rows = (cy + 0.5 + torch.arange(hc, dtype=torch.float64) * (1 << v)) * h / height - 0.5
    columns = (cx + 0.5 + torch.arange(wc, dtype=torch.float64) * (1 << s)) * w / width - 0.5
    guide = lightness_of(site)
    ab = upsample_at(
        field.double().nan_to_num(0, 0, 0),
        guide_low,
        guide,
        rows,
        columns,
        sigma_range,
        floor,
        None,
        1.0,
    )
    return yab_to_ycbcr(torch.cat((site, ab), dim=1), matrix=encoding.matrix)


def render_chroma(
    field: Tensor,
    luma: Tensor,
    *,
    encoding: Encoding,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    out: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor]:
    """Chroma field + luma plane → the frame's chroma planes; the luma is only read.

    `joint_bilateral_upsample` of the field to the chroma samples, the luma's lightness as guide
    (low: `mean_lightness` over the field's cells; high: of the mean luma in a box of one chroma
    sample's size around its site), then `yab_to_ycbcr` and the codes of the encoding.

    NaN and ∞ in the field count as 0.

    Args:
        field: N×2×h×w, a and b.
        luma: N×H×W codes, uint8 at 8 bits and uint16 above.
        encoding: of the frame.
        sigma_range: of the refinement, in L*; ∞ gives plain interpolation.
        floor: of the refinement.
        out: (u, v), where to write: N×hc×wc each, dtype of the luma, any strides.

    Returns:
        (u, v): Cb and Cr codes, N×hc×wc with (hc, wc) = encoding.chroma_shape(H, W).
    """
    neutral, span = encoding.chroma_code_range
    _, cb, cr = _refined(field, luma, encoding, sigma_range, floor).unbind(1)
    top = (1 << encoding.bit_depth) - 1
    u = (neutral + span * cb).round().clamp(0, top).int().to(luma.dtype)
    v = (neutral + span * cr).round().clamp(0, top).int().to(luma.dtype)
    return (u, v) if out is None else (give(u, out[0]), give(v, out[1]))


def render_rgb(
    field: Tensor,
    luma: Tensor,
    *,
    encoding: Encoding,
    sigma_range: float = 6.0,
    floor: float = 0.01,
    out: Tensor | None = None,
) -> Tensor:
    """Chroma field + luma plane → R'G'B' codes of a still, 0 … 2^bit_depth − 1.

    The same as `render_chroma` at 4:4:4 (the encoding's subsampling is not looked at), taken to
    R'G'B' before rounding.

    Args:
        field: N×2×h×w, a and b.
        luma: N×H×W codes, uint8 at 8 bits and uint16 above.
        encoding: of the luma.
        sigma_range: of the refinement, in L*.
        floor: of the refinement.
        out: where to write, N×H×W×3, dtype of the luma, any strides.

    Returns:
        N×H×W×3, interleaved.
    """
    full = Encoding(
        bit_depth=encoding.bit_depth,
        full_range=encoding.full_range,
        matrix=encoding.matrix,
        subsampling="444",
    )
    ycbcr = _refined(field, luma, full, sigma_range, floor)
    top = (1 << encoding.bit_depth) - 1
    rgb = (ycbcr_to_rgb(ycbcr, matrix=encoding.matrix) * top).round().clamp(0, top)
    return give(rgb.int().to(luma.dtype).movedim(1, -1).contiguous(), out)


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
    """`annealed_mean`, then `render_chroma`: logits + luma plane → the frame's chroma planes.

    Args:
        logits: N×Q×h×w.
        palette: Q×2.
        luma: N×H×W codes, uint8 at 8 bits and uint16 above.
        encoding: of the frame.
        temperature: of the annealed mean.
        sigma_range: of the refinement, in L*.
        floor: of the refinement.
        out: (u, v), where to write.

    Returns:
        (u, v): Cb and Cr codes.
    """
    field = annealed_mean(logits, palette, temperature)
    return render_chroma(
        field, luma, encoding=encoding, sigma_range=sigma_range, floor=floor, out=out
    )
