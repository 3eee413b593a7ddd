"""What a display shows of a picture's planes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pycolor.encoding import Encoding
from pycolor.video.io import Plane

BAND = 64  # rows: what a processor's cache holds


def shown_codes(
    luma: Plane, chroma: tuple[Plane, Plane], encoding: Encoding
) -> npt.NDArray[np.uint8]:
    """A picture as H×W×3 R'G'B' of 8 bits: chroma linear between its samples, in float32.

    Codes of up to 16 bits fit float32 with 8 bits to spare, so a code differs from the one that
    float64 gives only where that lies within 0.001 of the middle between two codes.

    Args:
        luma: H×W codes.
        chroma: Cb and Cr, each h×w codes.
        encoding: of the planes.
    """
    black, white = encoding.luma_code_range
    neutral, span = encoding.chroma_code_range
    kr, kb = encoding.luma_coefficients
    to_blue, to_red = 2 * (1 - kb), 2 * (1 - kr)  # H.273: B' = Y' + 2 (1 − Kb) Cb, likewise R'
    height, width = luma.shape
    blue, red = (
        _between(plane.astype(np.float32) - np.float32(neutral), 1, range(width), encoding)
        * np.float32(255 * factor / span)
        for plane, factor in zip(chroma, (to_blue, to_red), strict=True)
    )
    of_red, of_blue = np.float32(kr / (1 - kr - kb)), np.float32(kb / (1 - kr - kb))
    shown = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, BAND):  # by NumPy: many threads would wait for each other here
        rows = range(top, min(top + BAND, height))
        y = luma[top : rows.stop].astype(np.float32)
        y -= np.float32(black)
        y *= np.float32(255 / (white - black))
        b, r = (_between(plane, 0, rows, encoding) for plane in (blue, red))
        green = y - r * of_red - b * of_blue
        for channel, codes in enumerate((y + r, green, y + b)):
            shown[top : rows.stop, :, channel] = np.rint(codes.clip(0, 255, out=codes), out=codes)
    return shown


def on_luma(
    chroma: Tensor, shape: Sequence[int], encoding: Encoding, rows: range | None = None
) -> Tensor:
    """A chroma plane h×w at the luma's samples, H×W: linear between its own, by its siting.

    Args:
        chroma: the plane.
        shape: H, W.
        encoding: of the planes.
        rows: of the luma; None: all of them.
    """
    for axis in (0, 1):
        wanted = rows if rows is not None and axis == 0 else range(shape[axis])
        chroma = _at_samples(chroma, axis, wanted, encoding)
    return chroma


def _at_samples(chroma: Tensor, axis: int, wanted: range, encoding: Encoding) -> Tensor:
    """A chroma plane at some of the luma's rows (axis 0) or columns (1), linear between its own."""
    if not encoding.shifts[axis]:
        return chroma.narrow(axis, wanted.start, len(wanted))
    first, second, share = (
        torch.from_numpy(x) for x in _places(chroma.shape, axis, wanted, encoding)
    )
    share = share.to(chroma.dtype)
    share = share.reshape(-1, 1) if axis == 0 else share
    low, high = chroma.index_select(axis, first), chroma.index_select(axis, second)
    return low + share * (high - low)


def _between(
    chroma: npt.NDArray[np.float32], axis: int, wanted: range, encoding: Encoding
) -> npt.NDArray[np.float32]:
    """The same of an array."""
    if not encoding.shifts[axis]:
        return chroma[wanted.start : wanted.stop] if axis == 0 else chroma
    first, second, share = _places(chroma.shape, axis, wanted, encoding)
    low, between = chroma.take(first, axis), chroma.take(second, axis)
    between -= low
    between *= (share[:, None] if axis == 0 else share).astype(np.float32)
    between += low
    return between


def _places(
    shape: Sequence[int], axis: int, wanted: range, encoding: Encoding
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Between which two samples of a plane some rows or columns lie, and how near the second."""
    at = np.arange(wanted.start, wanted.stop, dtype=np.float64)
    center, shift = encoding.chroma_center()[axis], encoding.shifts[axis]
    place = ((at - center) / (1 << shift)).clip(0, shape[axis] - 1)
    first = np.minimum(np.floor(place).astype(np.int64), max(shape[axis] - 2, 0))
    return first, np.minimum(first + 1, shape[axis] - 1), place - first
