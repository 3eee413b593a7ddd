"""A palette: the chroma bins that a classifier chooses from.

The 313 bins of Zhang et al. 2016 are made from first principles; soft encoding, the prior and the
rebalancing weights follow section 2.2 of that paper.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

GRID = 10  # ab units between neighboring bins (Zhang et al. 2016, section 2.1)
BINS = 313
# The least and the largest b of the bins at a = −90, −80 … 100; `derived_bins` tells whence.
_B_OF_A = (
    *((50, 90), (20, 90), (0, 90), (-20, 90), (-30, 100), (-40, 100), (-50, 100), (-50, 100)),
    *((-60, 100), (-70, 100), (-80, 90), (-80, 90), (-90, 90), (-100, 90), (-100, 80), (-110, 80)),
    *((-110, 80), (-110, 70), (-110, 70), (-90, 0)),
)
# SHA-256 of the bins as little-endian int64, N×2, sorted by a, then b.
BINS_SHA256 = "2a39983ed60d5b52b717842d56d5f766982289e6d5a609582155f437cecc1045"

# IEC 61966-2-1 (D65) and CIE 15 constants, in float64: this file must not depend on the kernels.
_RGB_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def _srgb_to_ab(rgb: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _RGB_TO_XYZ.T / _RGB_TO_XYZ.sum(axis=1)
    delta = 6 / 29
    f = np.where(xyz > delta**3, np.cbrt(xyz), xyz / (3 * delta**2) + 4 / 29)
    return np.stack([500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@functools.cache
def gamut_bins() -> npt.NDArray[np.int64]:
    """The 313 bins of Zhang et al. 2016, Q×2 (a, b), sorted by a, then b: `derived_bins`."""
    bins = [
        (a, b)
        for a, (low, high) in zip(range(-90, 101, GRID), _B_OF_A, strict=True)
        for b in range(low, high + 1, GRID)
    ]
    return _frozen(np.array(bins))


def derived_bins() -> npt.NDArray[np.int64]:
    """The same bins, from first principles.

    They are the multiples of 10 within the convex hull of the sRGB gamut in ab, widened by one
    grid step in each direction.  The twelve edges of the RGB cube span that hull.

    Raises:
        RuntimeError: the arithmetic of this machine gives another set.
    """
    from scipy.spatial import ConvexHull  # slow to import

    t = np.linspace(0, 1, 257)
    edges = []
    for axis in range(3):
        for corner in range(4):
            edge = np.empty((t.size, 3))
            edge[:, axis] = t
            edge[:, (axis + 1) % 3] = corner & 1
            edge[:, (axis + 2) % 3] = corner >> 1
            edges.append(edge)
    ab = _srgb_to_ab(np.concatenate(edges))
    square = np.array([[-GRID, -GRID], [-GRID, GRID], [GRID, -GRID], [GRID, GRID]])
    hull = ConvexHull((ab[:, None] + square).reshape(-1, 2))
    steps = np.arange(-110, 111, GRID)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    normals, offsets = hull.equations[:, :2], hull.equations[:, 2]
    inside = (grid @ normals.T + offsets <= 0).all(axis=1)
    return _frozen(grid[inside])


def _frozen(found: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    bins = found.astype("<i8")
    if len(bins) != BINS or hashlib.sha256(bins.tobytes()).hexdigest() != BINS_SHA256:
        raise RuntimeError(f"the palette must be the {BINS} published bins, got {len(bins)} others")
    bins.setflags(write=False)
    return np.asarray(bins, dtype=np.int64)


def nearest(ab: Tensor, palette: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Squared distances and indices of the k nearest palette entries.

    Args:
        ab: M×2 chroma.
        palette: Q×2.
        k: neighbors.

    Returns:
        M×k squared distances, ascending, and M×k indices.
    """
    # |x − c|² without x²: the order is the same and one matrix product does it.
    score = torch.addmm((palette * palette).sum(1), ab, palette.T, alpha=-2)
    value, index = _least(score, k) if score.is_cuda else score.topk(k, dim=1, largest=False)
    return value + (ab * ab).sum(1, keepdim=True), index


def _least(score: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k least of each row and where they are: k passes, many short rows' fastest way on a GPU.

    Args:
        score: M×Q, is written over.
        k: Q or less.
    """
    found: list[tuple[Tensor, Tensor]] = []
    for _ in range(k):
        value, index = score.min(1, keepdim=True)
        found.append((value, index))
        score.scatter_(1, index, torch.inf)
    values, indices = zip(*found, strict=True)
    return torch.cat(values, 1), torch.cat(indices, 1)


def soft_encode(
    ab: Tensor, palette: Tensor, k: int = 5, sigma: float = 5.0
) -> tuple[Tensor, Tensor]:
    """Soft assignment of chroma to bins (Zhang et al. 2016, section 2.2: 5 neighbors, σ = 5).

    Args:
        ab: M×2 chroma.
        palette: Q×2.
        k: neighbors that share the weight.
        sigma: of the Gaussian, in ab units.

    Returns:
        M×k weights that sum to 1, and M×k bin indices, nearest first.
    """
    distance, index = nearest(ab, palette, k)
    return torch.softmax(distance / (-2 * sigma**2), dim=1), index


def histogram(ab: Tensor) -> npt.NDArray[np.float64]:
    """Counts of M×2 chroma on the grid of whole units −128 … 127, 256×256 (a, b)."""
    code = (ab.round().long() + 128).clamp_(0, 255)
    counts = torch.bincount(code[:, 0] * 256 + code[:, 1], minlength=65536)
    return counts.reshape(256, 256).cpu().numpy().astype(np.float64)


def prior_from_histogram(
    counts: npt.NDArray[np.float64], palette: npt.NDArray[np.int64], sigma: float = 5.0
) -> npt.NDArray[np.float64]:
    """The smoothed empirical prior over bins (Zhang et al. 2016, section 2.2, p̃).

    Args:
        counts: 256×256, from `histogram`.
        palette: Q×2.
        sigma: of the Gaussian that smooths the histogram, in ab units.

    Returns:
        Q probabilities that sum to 1.

    Raises:
        ValueError: the histogram is empty.
    """
    from scipy.ndimage import gaussian_filter  # only training needs it

    if counts.sum() <= 0:
        raise ValueError("a prior needs at least one pixel, the histogram is empty")
    smooth = gaussian_filter(counts, sigma, mode="constant")
    prior = smooth[palette[:, 0] + 128, palette[:, 1] + 128]
    return np.asarray(prior / prior.sum(), dtype=np.float64)


def rebalancing_weights(
    prior: npt.NDArray[np.float64], uniform: float = 0.5
) -> npt.NDArray[np.float64]:
    """Class weights w ∝ ((1 − λ) p̃ + λ / Q)⁻¹ with E[w] = 1 (Zhang et al. 2016, eq. 4).

    Args:
        prior: Q probabilities.
        uniform: λ, the share of the uniform distribution.
    """
    weights = 1 / ((1 - uniform) * prior + uniform / prior.size)
    return np.asarray(weights / (prior * weights).sum(), dtype=np.float64)
