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
        _at_samples(torch.from_numpy(p.astype(np.float32) - neutral), 1, range(width), encoding)
        * (255 * factor / span)
        for p, factor in zip(chroma, (to_blue, to_red), strict=True)
    )
    shown = torch.empty(height, width, 3, dtype=torch.uint8)
    for top in range(0, height, BAND):
        rows = range(top, min(top + BAND, height))
        y = torch.from_numpy(luma[top : rows.stop].astype(np.float32))
        y = (y - black) * (255 / (white - black))
        b, r = (_at_samples(p, 0, rows, encoding) for p in (blue, red))
        green = y - r * (kr / (1 - kr - kb)) - b * (kb / (1 - kr - kb))
        for channel, codes in enumerate((y + r, green, y + b)):
            shown[top : rows.stop, :, channel] = codes.clamp_(0, 255).round_()
    return shown.numpy()


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
    at = torch.arange(wanted.start, wanted.stop, dtype=torch.float64)
    center, shift = encoding.chroma_center()[axis], encoding.shifts[axis]
    place = ((at - center) / (1 << shift)).clamp(0, chroma.shape[axis] - 1)
    first = place.floor().long().clamp_max(max(chroma.shape[axis] - 2, 0))
    second = (first + 1).clamp_max(chroma.shape[axis] - 1)
    share = (place - first).to(chroma.dtype)
    share = share.reshape(-1, 1) if axis == 0 else share
    low, high = chroma.index_select(axis, first), chroma.index_select(axis, second)
    return low + share * (high - low)
