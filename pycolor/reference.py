"""The specification of the ops: plain PyTorch, the same names and signatures as `pycolor.ops`.

Written to be read and checked, not to be fast.  Float64 input is computed in float64; the search
for the in-gamut color of a given luma is float64 whatever comes in.  `N` frames, `Q` palette
entries, `h×w` network output, `H×W` frame; L in 0…100, a and b in about ±110.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.encoding import LUMA_COEFFICIENTS, Encoding, Matrix

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


# ---- color conversions: the channel axis is the last but two, N×3×H×W ---------------------------


def _matmul(matrix: Tensor, x: Tensor) -> Tensor:
    return torch.einsum("ij,...jhw->...ihw", matrix.to(x), x)


def _lab_f(t: Tensor) -> Tensor:
    linear = t / (3 * LAB_KNEE**2) + 4 / 29
    return torch.where(t > LAB_KNEE**3, t.clamp_min(LAB_KNEE**3).pow(1 / 3), linear)


def _lab_f_inverse(t: Tensor) -> Tensor:
    return torch.where(t > LAB_KNEE, t**3, 3 * LAB_KNEE**2 * (t - 4 / 29))


def rgb_to_linear(rgb: Tensor) -> Tensor:
    """Display-encoded sRGB → linear light (IEC 61966-2-1).  N×3×H×W, both 0…1.

    Below 0 the linear part of the curve goes on, above 1 the power.
    """
    power = ((rgb.clamp_min(0.04045) + 0.055) / 1.055).pow(2.4)
    return torch.where(rgb > 0.04045, power, rgb / 12.92)


def linear_to_rgb(linear: Tensor) -> Tensor:
    """Linear light → display-encoded sRGB (IEC 61966-2-1).  N×3×H×W, both 0…1."""
    power = 1.055 * linear.clamp_min(SRGB_KNEE).pow(1 / 2.4) - 0.055
    return torch.where(linear > SRGB_KNEE, power, 12.92 * linear)


def linear_to_xyz(linear: Tensor) -> Tensor:
    """Linear sRGB → CIE XYZ, Y of white = 1.  N×3×H×W."""
    return _matmul(LINEAR_TO_XYZ, linear)


def xyz_to_linear(xyz: Tensor) -> Tensor:
    """CIE XYZ → linear sRGB, not clipped.  N×3×H×W."""
    return _matmul(XYZ_TO_LINEAR, xyz)


def xyz_to_lab(xyz: Tensor) -> Tensor:
    """CIE XYZ → CIE 1976 L*a*b* under D65 (CIE 15:2018, 8.2.1).  N×3×H×W."""
    x, y, z = xyz.unbind(-3)
    fx, fy, fz = _lab_f(x / WHITE_XYZ[0]), _lab_f(y), _lab_f(z / WHITE_XYZ[2])
    return torch.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), dim=-3)


def lab_to_xyz(lab: Tensor) -> Tensor:
    """CIE 1976 L*a*b* → CIE XYZ.  N×3×H×W.  Negative X and Z are kept."""
    lightness, a, b = lab.unbind(-3)
    fy = (lightness + 16) / 116
    x = WHITE_XYZ[0] * _lab_f_inverse(fy + a / 500)
    z = WHITE_XYZ[2] * _lab_f_inverse(fy - b / 200)
    return torch.stack((x, _lab_f_inverse(fy), z), dim=-3)


def xyz_to_luv(xyz: Tensor) -> Tensor:
    """CIE XYZ → CIE 1976 L*u*v* under D65 (CIE 15:2018, 8.2.2).  N×3×H×W.  Black has u = v = 0."""
    x, y, z = xyz.unbind(-3)
    lightness = 116 * _lab_f(y) - 16
    denominator = x + 15 * y + 3 * z
    black = denominator.abs() < 1e-12
    safe = torch.where(black, 1.0, denominator)
    u = torch.where(black, 0.0, 13 * lightness * (4 * x / safe - WHITE_UV[0]))
    v = torch.where(black, 0.0, 13 * lightness * (9 * y / safe - WHITE_UV[1]))
    return torch.stack((lightness, u, v), dim=-3)


def luv_to_xyz(luv: Tensor) -> Tensor:
    """CIE 1976 L*u*v* → CIE XYZ.  N×3×H×W.  L = 0 is black whatever u and v."""
    lightness, u, v = luv.unbind(-3)
    black = lightness.abs() < 1e-6
    safe = torch.where(black, 1.0, 13 * lightness)
    up, vp = u / safe + WHITE_UV[0], v / safe + WHITE_UV[1]
    vp = torch.where(vp.abs() < 1e-12, 1e-12, vp)
    y = _lab_f_inverse((lightness + 16) / 116)
    x = y * 9 * up / (4 * vp)
    z = y * (12 - 3 * up - 20 * vp) / (4 * vp)
    return torch.stack((x, y, z), dim=-3) * torch.where(black, 0.0, 1.0).unsqueeze(-3)


def rgb_to_xyz(rgb: Tensor) -> Tensor:
    """Display-encoded sRGB → CIE XYZ.  N×3×H×W."""
    return linear_to_xyz(rgb_to_linear(rgb))


def xyz_to_rgb(xyz: Tensor) -> Tensor:
    """CIE XYZ → display-encoded sRGB, not clipped.  N×3×H×W."""
    return linear_to_rgb(xyz_to_linear(xyz))


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Display-encoded sRGB → L*a*b*.  N×3×H×W."""
    return xyz_to_lab(rgb_to_xyz(rgb))


def lab_to_rgb(lab: Tensor) -> Tensor:
    """L*a*b* → display-encoded sRGB, not clipped.  N×3×H×W."""
    return xyz_to_rgb(lab_to_xyz(lab))


def rgb_to_luv(rgb: Tensor) -> Tensor:
    """Display-encoded sRGB → L*u*v*.  N×3×H×W."""
    return xyz_to_luv(rgb_to_xyz(rgb))


def luv_to_rgb(luv: Tensor) -> Tensor:
    """L*u*v* → display-encoded sRGB, not clipped.  N×3×H×W."""
    return xyz_to_rgb(luv_to_xyz(luv))


def lab_to_luv(lab: Tensor) -> Tensor:
    """L*a*b* → L*u*v*.  N×3×H×W."""
    return xyz_to_luv(lab_to_xyz(lab))


def luv_to_lab(luv: Tensor) -> Tensor:
    """L*u*v* → L*a*b*.  N×3×H×W."""
    return xyz_to_lab(luv_to_xyz(luv))


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


# ---- luma --------------------------------------------------------------------------------------


def _luma_value(codes: Tensor, encoding: Encoding) -> Tensor:
    """Codes (whole or averaged) → Y' in 0…1; codes beyond black and white are clipped."""
    black, white = encoding.luma_code_range
    return ((codes - black) / (white - black)).clamp(0, 1)


def _lightness(luma: Tensor) -> Tensor:
    """Y' in 0…1 → L* of the neutral color with that Y'."""
    return 116 * _lab_f(rgb_to_linear(luma)) - 16


def luma_to_lightness(luma: Tensor, *, encoding: Encoding, out: Tensor | None = None) -> Tensor:
    """L* (0…100) of the neutral color that has each luma code.

    Args:
        luma: codes of any shape, uint8 at 8 bits and uint16 above.
        encoding: depth and range of the codes; codes beyond black and white are clipped.
        out: where to write, the same shape, float32.
    """
    return _give(_lightness(_luma_value(luma.double(), encoding)).float(), out)


def _area_weights(cells: int, samples: int) -> Tensor:
    """cells×samples, float64: the share of each sample in the mean over each of `cells` parts."""
    edges = torch.arange(cells + 1, dtype=torch.float64) * samples / cells
    position = torch.arange(samples, dtype=torch.float64)
    low = torch.maximum(edges[:-1, None], position)
    high = torch.minimum(edges[1:, None], position + 1)
    return (high - low).clamp_min(0) * cells / samples


def mean_lightness(
    luma: Tensor, size: tuple[int, int], *, encoding: Encoding, out: Tensor | None = None
) -> Tensor:
    """L* of the mean luma of each cell: the low guide of the refinement, the network's input.

    Cells cut the frame into h×w equal parts; samples on an edge count by the share inside.

    Args:
        luma: N×H×W codes.
        size: (h, w), larger than the frame too.
        encoding: depth and range of the codes.
        out: where to write, N×1×h×w float32.

    Returns:
        N×1×h×w, float32, 0…100.
    """
    rows = _area_weights(size[0], luma.shape[1])
    columns = _area_weights(size[1], luma.shape[2])
    mean = rows @ luma.double() @ columns.T
    return _give(_lightness(_luma_value(mean, encoding)).float().unsqueeze(1), out)


def _site_weights(count: int, samples: int, center: float, shift: int) -> Tensor:
    """count×samples, float64: mean over a box of 2^shift samples around each chroma sample.

    The box has the chroma sample in its middle, so co-sited samples weigh (1, 2, 1)/4 and
    midway ones (1, 1)/2.  Beyond the frame its edge sample is repeated.
    """
    size = 1 << shift
    middle = center + size * torch.arange(count, dtype=torch.float64)
    first = -2 * size
    position = torch.arange(first, samples + 3 * size)
    low = torch.maximum(middle[:, None] - size / 2, position - 0.5)
    high = torch.minimum(middle[:, None] + size / 2, position + 0.5)
    overlap = (high - low).clamp_min(0) / size
    weights = torch.zeros(count, samples, dtype=torch.float64)
    index = position.clamp(0, samples - 1).expand(count, -1)
    return weights.scatter_add_(1, index, overlap)


def _site_luma(luma: Tensor, encoding: Encoding) -> Tensor:
    """Mean luma under each chroma sample, Y' in 0…1, N×hc×wc, float64."""
    height, width = luma.shape[1:]
    (v, h), (cy, cx) = encoding.shifts, encoding.chroma_center()
    hc, wc = encoding.chroma_shape(height, width)
    rows, columns = _site_weights(hc, height, cy, v), _site_weights(wc, width, cx, h)
    return _luma_value(rows @ luma.double() @ columns.T, encoding)


# ---- from (Y', a, b) to (Cb, Cr) ---------------------------------------------------------------


def _linear_of(fy: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Linear R, G, B of the Lab color with f(Y) = fy; 3×M."""
    x = WHITE_XYZ[0] * _lab_f_inverse(fy + a / 500)
    z = WHITE_XYZ[2] * _lab_f_inverse(fy - b / 200)
    return XYZ_TO_LINEAR @ torch.stack((x, _lab_f_inverse(fy), z))


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


def yab_to_ycbcr(yab: Tensor, *, matrix: Matrix = "bt709") -> Tensor:
    """(Y', a, b) → (Y', Cb, Cr): the color of that luma, hue and chroma, brought into gamut.

    Of the colors (L, s·a, s·b) whose luma is exactly Y', the one with the largest s ≤ 1 whose
    R'G'B' lies in 0…1: luma and hue are kept, chroma is reduced as little as possible.  Y' is
    clipped to 0…1 first, where only the neutral color remains.  NaN and ∞ in a or b count as 0.

    Args:
        yab: N×3×H×W; Y' in 0…1.
        matrix: gives Y', Cb and Cr their meaning.

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
    return torch.stack((y, cb, cr)).reshape(3, *yab.select(-3, 0).shape).movedim(0, -3).to(yab)


def ycbcr_to_yab(ycbcr: Tensor, *, matrix: Matrix = "bt709") -> Tensor:
    """(Y', Cb, Cr) → (Y', a, b) of that color.  N×3×H×W."""
    lab = rgb_to_lab(ycbcr_to_rgb(ycbcr, matrix=matrix))
    return torch.cat((ycbcr.narrow(-3, 0, 1), lab.narrow(-3, 1, 2)), dim=-3)


# ---- decoding and refinement -------------------------------------------------------------------


def annealed_mean(
    logits: Tensor, palette: Tensor, temperature: float = 0.38, *, out: Tensor | None = None
) -> Tensor:
    """Mean color of the re-sharpened distribution (Zhang et al. 2016, equation 5).

    Σ_q p_q^(1/T) c_q / Σ_q p_q^(1/T) with p = softmax(logits): T = 1 is the mean, T → 0 the mode
    (the mean of the modes where several tie).  A NaN or +∞ logit, or −∞ in all, gives NaN.

    Args:
        logits: N×Q×h×w.
        palette: Q×2, the (a, b) of each entry.
        temperature: T > 0.
        out: where to write, N×2×h×w.

    Returns:
        N×2×h×w in the dtype of the logits, at least float32.
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    weights = torch.softmax(logits / temperature, dim=1)
    return _give(torch.einsum("nqhw,qc->nchw", weights, palette.to(weights)), out)


def joint_bilateral(
    chroma: Tensor,
    guide: Tensor,
    *,
    radius: int = 4,
    sigma_space: float = 3.0,
    sigma_range: float = 6.0,
    out: Tensor | None = None,
) -> Tensor:
    """Edge-aware smoothing of the chroma with the lightness as guide, the exact windowed sum.

    out(p) = Σ_q w chroma(q) / Σ_q w,  w = exp(−|p−q|²/2σ_s²) exp(−(guide(p)−guide(q))²/2σ_r²),
    over the disk |p−q| ≤ radius.  The window is cut at the border.  (Cheng et al. 2015, III-B-4;
    Petschnigg et al. 2004, equation 4.)

    Args:
        chroma: N×C×H×W.
        guide: N×1×H×W, in the unit of `sigma_range`.
        radius: of the disk in pixels; 0 gives the chroma back.
        sigma_space: in pixels, > 0, ∞ allowed.
        sigma_range: in guide units, > 0, ∞ allowed.
        out: where to write, N×C×H×W.

    Returns:
        N×C×H×W.
    """
    height, width = chroma.shape[-2:]
    total, weight = torch.zeros_like(chroma), torch.zeros_like(guide)
    for dy in range(-min(radius, height - 1), min(radius, height - 1) + 1):
        for dx in range(-min(radius, width - 1), min(radius, width - 1) + 1):
            if dy * dy + dx * dx > radius * radius:
                continue
            here = (..., _overlap(height, -dy), _overlap(width, -dx))
            there = (..., _overlap(height, dy), _overlap(width, dx))
            difference = guide[there] - guide[here]
            w = torch.exp(
                -(dy * dy + dx * dx) / (2 * sigma_space**2) - difference**2 / (2 * sigma_range**2)
            )
            total[here] += w * chroma[there]
            weight[here] += w
    return _give(total / weight, out)


def _overlap(size: int, offset: int) -> slice:
    return slice(max(0, offset), size + min(0, offset))


def _spline_taps(position: Tensor, radius: int | None, sigma_space: float) -> list[Tensor]:
    """[(index, weight)…] of the samples around each position, as one list of pairs.

    `radius=None`: the quadratic B-spline, three taps that sum to 1.  Otherwise a Gaussian over
    2·radius + 1 samples.
    """
    nearest = torch.floor(position + 0.5)
    taps = []
    for k in range(-1, 2) if radius is None else range(-radius, radius + 1):
        distance = (position - nearest - k).abs()
        if radius is not None:
            weight = torch.exp(-(distance**2) / (2 * sigma_space**2))
        elif k == 0:
            weight = 0.75 - distance**2
        else:
            weight = 0.5 * (1.5 - distance) ** 2
        taps += [nearest + k, weight]
    return taps


def _upsample_at(
    chroma: Tensor,
    guide_low: Tensor,
    guide: Tensor,
    rows: Tensor,
    columns: Tensor,
    sigma_range: float,
    floor: float,
    radius: int | None,
    sigma_space: float,
) -> Tensor:
    """The refinement at given low-resolution coordinates; beyond the field its edge repeats."""
    height, width = chroma.shape[-2:]
    total, weight = torch.zeros_like(guide), torch.zeros_like(guide)
    row_taps = _spline_taps(rows.to(chroma), radius, sigma_space)
    column_taps = _spline_taps(columns.to(chroma), radius, sigma_space)
    for y, wy in zip(row_taps[::2], row_taps[1::2], strict=True):
        for x, wx in zip(column_taps[::2], column_taps[1::2], strict=True):
            iy, ix = y.clamp(0, height - 1).long()[:, None], x.clamp(0, width - 1).long()
            difference = guide - guide_low[..., iy, ix]
            w = (wy[:, None] * wx) * (floor + torch.exp(-(difference**2) / (2 * sigma_range**2)))
            total = total + w * chroma[..., iy, ix]
            weight = weight + w
    return total / weight


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
    """Upsample the chroma field along the edges of the guide (Kopf et al. 2007, equation 4).

    out(p) = Σ_q w chroma(q) / Σ_q w over low-resolution samples q near p, with
    w = space(p, q) · (floor + exp(−(guide(p) − guide_low(q))²/2σ_r²)).  The floor falls back to
    plain interpolation where no sample resembles the pixel.  `space` is the quadratic B-spline
    (3×3 samples) or, given a radius, a Gaussian in low-resolution pixels.

    Args:
        chroma: N×C×h×w.
        guide_low: N×1×h×w.
        guide: N×1×H×W; both guides in the unit of `sigma_range`.
        sigma_range: > 0; ∞ gives plain interpolation.
        floor: ≥ 0.
        radius: None for the B-spline, else the Gaussian's window in low-resolution pixels.
        sigma_space: of that Gaussian.
        out: where to write, N×C×H×W.

    Returns:
        N×C×H×W.
    """
    (h, w), (height, width) = chroma.shape[-2:], guide.shape[-2:]
    rows = (torch.arange(height, dtype=torch.float64) + 0.5) * h / height - 0.5
    columns = (torch.arange(width, dtype=torch.float64) + 0.5) * w / width - 0.5
    arguments = (rows, columns, sigma_range, floor, radius, sigma_space)
    return _give(_upsample_at(chroma, guide_low, guide, *arguments), out)


# ---- rendering ---------------------------------------------------------------------------------


def _refined(
    field: Tensor, luma: Tensor, encoding: Encoding, sigma_range: float, floor: float
) -> Tensor:
    """(Y', Cb, Cr) at the chroma samples, N×3×hc×wc, float64."""
    (h, w), (height, width) = field.shape[-2:], luma.shape[-2:]
    guide_low = mean_lightness(luma, (h, w), encoding=encoding).double()
    site = _site_luma(luma, encoding).unsqueeze(1)
    (cy, cx), (v, s) = encoding.chroma_center(), encoding.shifts
    hc, wc = encoding.chroma_shape(height, width)
    rows = (cy + 0.5 + torch.arange(hc, dtype=torch.float64) * (1 << v)) * h / height - 0.5
    columns = (cx + 0.5 + torch.arange(wc, dtype=torch.float64) * (1 << s)) * w / width - 0.5
    guide = _lightness(site)
    ab = _upsample_at(
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
    return (u, v) if out is None else (_give(u, out[0]), _give(v, out[1]))


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
    return _give(rgb.int().to(luma.dtype).movedim(1, -1).contiguous(), out)


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


def _give(result: Tensor, out: Tensor | None) -> Tensor:
    return result if out is None else out.copy_(result)


# ---- motion ------------------------------------------------------------------------------------


def motion_search(
    guide: Tensor,
    reference: Tensor,
    start: Tensor | None = None,
    *,
    radius: int = 2,
    penalty: int = 16,
) -> tuple[Tensor, Tensor]:
    """See `pycolor.ops.motion_search`."""
    n, _, height, width = guide.shape
    h, w = height // 4, width // 4
    if start is None:
        start = torch.zeros(n, 2, h, w)
    start = start.nan_to_num(0).clamp(-8192, 8192)
    begin = (start.abs() + 0.5).floor() * start.sign()
    rows = (torch.arange(h) * 4 - 2)[:, None] + torch.arange(8)  # h×8
    columns = (torch.arange(w) * 4 - 2)[:, None] + torch.arange(8)

    def blocks(image: Tensor, dy: Tensor, dx: Tensor) -> Tensor:
        """N×h×w×8×8, of whole numbers; dy and dx are N×h×w."""
        y = (rows[None, :, None, :] + dy[..., None].long()).clamp(0, height - 1)  # N×h×w×8
        x = (columns[None, None, :, :] + dx[..., None].long()).clamp(0, width - 1)
        frame = torch.arange(n)[:, None, None, None, None]
        return image[frame, 0, y[..., :, None], x[..., None, :]].long()

    zero = torch.zeros(n, h, w)
    mine = blocks(guide, zero, zero)
    best = torch.full((n, h, w), 1 << 30)
    flow = torch.zeros(n, 2, h, w)
    cost = torch.zeros(n, 1, h, w)
    for step_y in range(-radius, radius + 1):
        for step_x in range(-radius, radius + 1):
            dy, dx = begin[:, 0] + step_y, begin[:, 1] + step_x
            difference = (mine - blocks(reference, dy, dx)).abs().sum((-1, -2))
            score = difference + penalty * (abs(step_y) + abs(step_x))
            better = score < best
            best = torch.where(better, score, best)
            flow = torch.where(better[:, None], torch.stack([dy, dx], 1), flow)
            cost = torch.where(better[:, None], difference[:, None] / 64, cost)
    return flow, cost


def carry_chroma(
    chroma: Tensor,
    flow: Tensor,
    cost: Tensor,
    weight: Tensor,
    *,
    sigma: float = 20.0,
    floor: float = 0.02,
    growth: float = 1.6,
) -> Tensor:
    """See `pycolor.ops.carry_chroma`."""
    k, _, h, w = chroma.shape
    y = (torch.arange(h)[:, None] + flow[:, 0]).nan_to_num(0).clamp(0, h - 1)  # K×h×w
    x = (torch.arange(w) + flow[:, 1]).nan_to_num(0).clamp(0, w - 1)
    top, left = y.floor().long(), x.floor().long()
    down, right = (top + 1).clamp_max(h - 1), (left + 1).clamp_max(w - 1)
    fy, fx = (y - top)[:, None], (x - left)[:, None]
    frame = torch.arange(k)[:, None, None]

    def at(rows: Tensor, columns: Tensor) -> Tensor:
        return chroma[frame, :, rows, columns].movedim(-1, 1)  # K×2×h×w

    upper = (1 - fx) * at(top, left) + fx * at(top, right)
    lower = (1 - fx) * at(down, left) + fx * at(down, right)
    color = (1 - fy) * upper + fy * lower
    weights = weight.to(cost)[:, None, None, None] * ((-(cost**2) / (2 * sigma**2)).exp() + floor)
    mean = (weights * color).sum(0) / weights.sum(0)
    length = (weights * color.norm(dim=1, keepdim=True)).sum(0) / weights.sum(0)
    own = mean.norm(dim=0, keepdim=True)
    scale = torch.where(own > 0, length / own.clamp_min(1e-30), 1.0)
    return (mean * scale.clamp_max(growth))[None]
