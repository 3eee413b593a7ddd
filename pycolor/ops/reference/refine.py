"""Filters that bring chroma onto the edges of the lightness."""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor.ops.reference.arguments import give


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
    return give(total / weight, out)


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


def upsample_at(
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
    return give(upsample_at(chroma, guide_low, guide, *arguments), out)
