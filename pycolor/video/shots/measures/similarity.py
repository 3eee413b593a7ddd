"""How alike two black-and-white frames are, whatever flicker, grain and motion lie between them.

A frame is reduced to a thumbnail by area means, which takes most of the grain.  Two thumbnails
are compared in blocks: each block of the later one is looked for in the earlier one, within a
few cells, by normalized cross-correlation, which a change of gain or offset does not move.
What no place of the earlier frame explains is the dissimilarity.  It is measured on two scales:
the finer one tells pictures of the same layout apart, the coarser one forgives fine texture
that a fraction of a cell of motion changes beyond recognition.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Thumbnail = npt.NDArray[np.float32]  # h×w, 0 (black) … 255 (white)
Spectrum = npt.NDArray[np.complexfloating]  # h×(w/2 + 1)

WIDTH = 64  # cells; the height follows the picture's shape, in whole blocks
BLOCK = 8  # cells
# Variance that grain leaves in a cell, in squared 8-bit codes: below it, likeness is chance.
NOISE_VARIANCE = 4.0
# A block weighs by its contrast, but no more than this (codes): one hard edge is not the picture.
MAX_WEIGHT = 40.0
# Contrast of a block (codes) under which a pair of frames has too little to differ by.
WEIGHT_FLOOR = 1.0


def thumbnail(
    luma: npt.NDArray[Any], *, black: float = 16.0, white: float = 235.0, width: int = WIDTH
) -> Thumbnail:
    """Area means of a luma plane over a grid of cells.

    Args:
        luma: H×W codes, any integer or float dtype, any strides.
        black: the code of black; it becomes 0.
        white: the code of white; it becomes 255.
        width: cells across; the height keeps the picture's shape, rounded to blocks of 8 cells
            and held between 16 and 64 cells.

    Returns:
        h×w float32; codes outside black … white lie outside 0 … 255.

    Raises:
        ValueError: the plane is not two-dimensional or is empty.
    """
    if luma.ndim != 2 or luma.size == 0:
        raise ValueError(f"a luma plane has two axes and at least one sample, got {luma.shape}")
    H, W = luma.shape
    height = min(64, max(16, round(width * H / W / BLOCK) * BLOCK))
    rows = _edges(H, height)
    columns = _edges(W, width)
    total = np.float64 if luma.dtype.kind == "f" else np.uint64 if luma.itemsize > 1 else np.uint32
    sums = np.add.reduceat(_row_sums(luma, rows, total), columns[:-1], axis=1, dtype=total)
    # reduceat gives the single sample where a cell is empty (a plane smaller than the grid).
    areas = np.outer(np.maximum(np.diff(rows), 1), np.maximum(np.diff(columns), 1))
    means: Thumbnail = ((sums / areas - black) * (255.0 / (white - black))).astype(np.float32)
    return means


def _row_sums(
    luma: npt.NDArray[Any], edges: npt.NDArray[np.int64], total: type[Any]
) -> npt.NDArray[Any]:
    """Sums over the rows of each cell, cells×W; of an empty cell its first row.

    Sums of codes fit into twice their bits where a cell has 257 rows or fewer, and NumPy's narrow
    additions take a tenth of the time of `reduceat` with a cast.
    """
    narrow = {np.dtype(np.uint8): np.uint16, np.dtype(np.uint16): np.uint32}.get(luma.dtype)
    if narrow is None or int(np.diff(edges).max()) > 257:
        return np.asarray(np.add.reduceat(luma, edges[:-1], axis=0, dtype=total))
    sums = np.empty((len(edges) - 1, luma.shape[1]), narrow)
    for cell, (first, stop) in enumerate(pairwise(edges.tolist())):
        np.add.reduce(luma[first : max(stop, first + 1)], axis=0, dtype=narrow, out=sums[cell])
    return sums


@dataclass(frozen=True, eq=False)
class Scales:
    """A thumbnail on two scales.

    Attributes:
        fine: h×w, smoothed once.
        coarse: about h/2 × w/2, padded to whole blocks by its last rows.
    """

    fine: Thumbnail
    coarse: Thumbnail


def scales(thumb: Thumbnail) -> Scales:
    """Both scales of an h×w thumbnail; h and w are even."""
    fine = smooth(thumb)
    half = (fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]) * np.float32(
        0.25
    )
    h, w = half.shape
    coarse = np.pad(half, ((0, -h % BLOCK), (0, -w % BLOCK)), mode="edge")
    return Scales(fine, coarse)


def smooth(values: Thumbnail) -> Thumbnail:
    """Binomial 1-2-1 along both axes: a cell no longer depends on where its edges fall."""
    padded = np.pad(values, 1, mode="edge")
    rows = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    smooth: Thumbnail = (rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]) * np.float32(1 / 16)
    return smooth


def difference(before: Scales, after: Scales) -> float:
    """Unlikeness of two frames on both scales, the whole picture's shift allowed for: 0 … 1."""
    shift = global_shift(before.fine, after.fine)
    half = (round(shift[0] / 2), round(shift[1] / 2))
    least = _on_both_scales(before, after, (0, 0), (0, 0))
    if shift != (0, 0):
        least = min(least, _on_both_scales(before, after, shift, half))
    return least


def _on_both_scales(
    before: Scales, after: Scales, shift: tuple[int, int], half: tuple[int, int]
) -> float:
    fine = block_dissimilarity(before.fine, after.fine, radius=4, shift=shift)
    return 0.5 * (fine + block_dissimilarity(before.coarse, after.coarse, radius=3, shift=half))


def global_shift(before: Thumbnail, after: Thumbnail) -> tuple[int, int]:
    """(rows, columns) by which the picture moved, by phase correlation (Kuglin and Hines, 1975).

    At most 3/8 of the picture; a chance peak is possible where nothing moved as a whole.
    """
    from scipy import fft  # slow to import, and a film of one shot needs it nowhere

    h, w = after.shape
    window = _window(h, w)
    first = fft.rfft2((before - before.mean()) * window)
    second = fft.rfft2((after - after.mean()) * window)
    cross = second * np.conj(first)
    surface = fft.irfft2(cross / (np.abs(cross) + 1e-3 * np.abs(cross).max() + 1e-9), s=(h, w))
    reach_y, reach_x = 3 * h // 8, 3 * w // 8
    surface[reach_y + 1 : h - reach_y] = -np.inf
    surface[:, reach_x + 1 : w - reach_x] = -np.inf
    y, x = np.unravel_index(int(surface.argmax()), surface.shape)
    return int(y - h if y > h // 2 else y), int(x - w if x > w // 2 else x)


def spectrum(thumb: Thumbnail) -> Spectrum:
    """The Fourier transform of an h×w thumbnail that falls to nothing at its edges.

    Amplitudes are replaced by their square roots, so that detail counts beside what is large, and
    scaled so that the picture's energy is 1.
    """
    from scipy import fft

    h, w = thumb.shape
    waves = fft.rfft2((thumb - thumb.mean()) * _window(h, w))
    amplitudes = np.abs(waves)
    waves /= np.sqrt(amplitudes + 1e-2 * amplitudes.max() + 1e-6)
    energy = np.square(fft.irfft2(waves, s=(h, w))).sum()
    whitened: Spectrum = waves / max(float(np.sqrt(energy)), 1e-6)
    return whitened


def phase_correlation_peak(first: Spectrum, second: Spectrum, shape: tuple[int, int]) -> float:
    """The best correlation of two pictures over all shifts of the one against the other.

    Args:
        first: spectrum of an h×w thumbnail.
        second: another's.
        shape: (h, w).

    Returns:
        1 for the same picture, moved (around its edges); 0 for nothing in common.
    """
    from scipy import fft

    return float(fft.irfft2(second * np.conj(first), s=shape).max())


@functools.cache
def _window(h: int, w: int) -> Thumbnail:
    """Hann's, along both axes."""
    window: Thumbnail = np.outer(np.hanning(h + 2)[1:-1], np.hanning(w + 2)[1:-1]).astype("f4")
    return window


def _edges(length: int, cells: int) -> npt.NDArray[np.int64]:
    return np.arange(cells + 1, dtype=np.int64) * length // cells


def _block_sums(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """…×h×w → …×(h/8)×(w/8)."""
    *lead, h, w = values.shape
    blocks = values.reshape(*lead, h // BLOCK, BLOCK, w // BLOCK, BLOCK)
    sums: npt.NDArray[np.float32] = blocks.sum(axis=(-3, -1))
    return sums


def _window_sums(values: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Sums over every `size`×`size` window of an h×w array, by running sums in double."""
    padded = np.pad(values.astype(np.float64), ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    sums = (
        padded[size:, size:]
        - padded[:-size, size:]
        - padded[size:, :-size]
        + padded[:-size, :-size]
    )
    windows: npt.NDArray[np.float32] = sums.astype(np.float32)
    return windows


def block_dissimilarity(
    before: Thumbnail, after: Thumbnail, *, radius: int = 4, shift: tuple[int, int] = (0, 0)
) -> float:
    """The part of `after` that no nearby place of `before` explains.

    Args:
        before: h×w, the earlier thumbnail.
        after: h×w, the later one, of the same shape.
        radius: how far a block is looked for, in cells, up, down, left and right.
        shift: (rows, columns) by which `before` is moved first, as for a pan.

    Returns:
        0 (the same picture under any gain and offset) … 1 (nothing in common).

    Raises:
        ValueError: the shapes differ.
    """
    if before.shape != after.shape:
        raise ValueError(f"thumbnails differ in shape: {before.shape} and {after.shape}")
    h, w = after.shape
    dy, dx = shift
    reach_y, reach_x = radius + abs(dy), radius + abs(dx)
    padded = np.pad(before, ((reach_y, reach_y), (reach_x, reach_x)), mode="edge")
    top, left = abs(dy) - dy, abs(dx) - dx
    padded = padded[top : top + h + 2 * radius, left : left + w + 2 * radius]

    side = 2 * radius + 1
    count = np.float32(BLOCK * BLOCK)
    products = _block_sums(sliding_window_view(padded, (h, w)) * after) / count
    # Block (i, j) at displacement (u, v) starts at padded cell (8 i + u, 8 j + v).
    means = _window_sums(padded, BLOCK) / count
    squares = _window_sums(padded * padded, BLOCK) / count
    grid = np.ix_(range(side), range(side), range(0, h, BLOCK), range(0, w, BLOCK))
    rows, columns = grid[0] + grid[2], grid[1] + grid[3]
    means_before = means[rows, columns]
    variances_before = np.maximum(squares[rows, columns] - means_before**2, 0)
    mean_after = _block_sums(after) / count
    variance_after = np.maximum(_block_sums(after * after) / count - mean_after**2, 0)

    covariances = products - means_before * mean_after
    correlation = covariances / np.sqrt(
        (variances_before + NOISE_VARIANCE) * (variance_after + NOISE_VARIANCE)
    )
    best = np.maximum(correlation.reshape(side * side, *mean_after.shape).max(axis=0), 0)
    contrast = np.sqrt(variances_before[radius, radius] + variance_after)
    weight = np.minimum(contrast, MAX_WEIGHT)
    # Noise alone correlates with nothing; a block as flat as the noise is no evidence.
    weight = np.maximum(weight - np.sqrt(2 * NOISE_VARIANCE), 0)
    return float((weight * (1 - best)).sum() / (weight.sum() + WEIGHT_FLOOR * weight.size))
