"""Filters that bring chroma onto the edges of the lightness."""

from __future__ import annotations

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.ops.arguments import (
    check_out,
    check_refinement,
    expect,
    floats,
    positive,
    same_device,
    sizes_of,
)
from pycolor.ops.native import cuda_module, define, stream, threads, view

define(
    "joint_bilateral(Tensor chroma, Tensor guide, int radius, float sigma_space, "
    "float sigma_range, Tensor(a!) out) -> ()",
    lambda chroma, guide, radius, space, range_, out: _C.joint_bilateral(
        view(chroma), view(guide), radius, space, range_, view(out), threads()
    ),
    lambda chroma, guide, radius, space, range_, out: cuda_module().joint_bilateral(
        view(chroma), view(guide), radius, space, range_, view(out), *stream(chroma)
    ),
)
define(
    "joint_bilateral_upsample(Tensor chroma, Tensor guide_low, Tensor guide, float sigma_range, "
    "float floor, int radius, float sigma_space, Tensor(a!) out) -> ()",
    lambda chroma, low, guide, range_, floor, radius, space, out: _C.joint_bilateral_upsample(
        view(chroma), view(low), view(guide), range_, floor, radius, space, view(out),
        threads(),
    ),
    lambda chroma, low, guide, range_, floor, radius, space, out: (
        cuda_module().joint_bilateral_upsample(
            view(chroma), view(low), view(guide), range_, floor, radius, space, view(out),
            *stream(chroma),
        )
    ),
)  # fmt: skip


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
    Petschnigg et al. 2004, equation 4.)  Values must be finite and the guide below 1e9.

    Args:
        chroma: N×C×H×W.
        guide: N×1×H×W, in the unit of `sigma_range`.
        radius: of the disk in pixels; 0 gives the chroma back.
        sigma_space: in pixels, > 0, ∞ allowed.
        sigma_range: in guide units, > 0, ∞ allowed.
        out: where to write, N×C×H×W float32; not the chroma itself.

    Returns:
        N×C×H×W, float32.
    """
    chroma = floats("chroma", chroma, "N×C×H×W")
    guide = floats("guide", guide, "N×1×H×W")
    n, _, height, width = chroma.shape
    expect(
        tuple(guide.shape) == (n, 1, height, width),
        f"guide must be {n}×1×{height}×{width} as the chroma is {sizes_of(chroma)}, "
        f"got {sizes_of(guide)}",
    )
    same_device("guide", guide, chroma)
    expect(radius >= 0, f"radius must be 0 or more, got {radius}")
    positive("sigma_space", sigma_space)
    positive("sigma_range", sigma_range)
    if out is None:
        out = torch.empty(tuple(chroma.shape), dtype=torch.float32, device=chroma.device)
    check_out("out", out, tuple(chroma.shape), chroma, torch.float32)
    if out.numel() > 0:
        torch.ops.pycolor.joint_bilateral(chroma, guide, radius, sigma_space, sigma_range, out)
    return out


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
        floor: ≥ 1e-6, which keeps the sum of the weights away from 0.
        radius: None for the B-spline, else the Gaussian's window in low-resolution pixels.
        sigma_space: of that Gaussian.
        out: where to write, N×C×H×W float32.

    Returns:
        N×C×H×W, float32.
    """
    chroma = floats("chroma", chroma, "N×C×h×w")
    guide_low = floats("guide_low", guide_low, "N×1×h×w")
    guide = floats("guide", guide, "N×1×H×W")
    n, c, h, w = chroma.shape
    expect(
        tuple(guide_low.shape) == (n, 1, h, w) and h > 0 and w > 0,
        f"guide_low must be {n}×1×{h}×{w} as the chroma is {sizes_of(chroma)}, and not empty, "
        f"got {sizes_of(guide_low)}",
    )
    expect(guide.shape[:2] == (n, 1), f"guide must be {n}×1×H×W, got {sizes_of(guide)}")
    same_device("guide_low", guide_low, chroma)
    same_device("guide", guide, chroma)
    check_refinement(sigma_range, floor)
    expect(radius is None or radius >= 0, f"radius must be None or 0 or more, got {radius}")
    positive("sigma_space", sigma_space)
    shape = (n, c, guide.shape[2], guide.shape[3])
    if out is None:
        out = torch.empty(shape, dtype=torch.float32, device=chroma.device)
    check_out("out", out, shape, chroma, torch.float32)
    if out.numel() > 0:
        window = -1 if radius is None else radius
        torch.ops.pycolor.joint_bilateral_upsample(
            chroma, guide_low, guide, sigma_range, floor, window, sigma_space, out
        )
    return out
