"""What a display shows of a picture's planes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pycolor.encoding import Encoding
from pycolor.ops import reference
from pycolor.video.io import Plane

BAND = 64  # rows


def shown_codes(
    luma: Plane, chroma: tuple[Plane, Plane], encoding: Encoding
) -> npt.NDArray[np.uint8]:
    """A picture as H×W×3 R'G'B' of 8 bits.

    Args:
        luma: H×W codes.
        chroma: Cb and Cr, each h×w codes.
        encoding: of the planes.
    """
    black, white = encoding.luma_code_range
    neutral, span = encoding.chroma_code_range
    planes = [torch.from_numpy(plane.astype(np.float64)) for plane in chroma]
    shown = np.empty((*luma.shape, 3), np.uint8)
    for top in range(0, len(luma), BAND):  # what a processor's cache holds
        rows = range(top, min(top + BAND, len(luma)))
        y = (torch.from_numpy(luma[top : rows.stop].astype(np.float64)) - black) / (white - black)
        c = [(on_luma(plane, luma.shape, encoding, rows) - neutral) / span for plane in planes]
        rgb = reference.ycbcr_to_rgb(torch.stack([y, *c]), matrix=encoding.matrix)
        codes = (rgb.clamp(0, 1) * 255).round().byte()
        shown[top : rows.stop] = codes.permute(1, 2, 0).numpy()
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
        at = torch.arange(wanted.start, wanted.stop, dtype=torch.float64)
        center, shift = encoding.chroma_center()[axis], encoding.shifts[axis]
        place = ((at - center) / (1 << shift)).clamp(0, chroma.shape[axis] - 1)
        first = place.floor().long().clamp_max(max(chroma.shape[axis] - 2, 0))
        second = (first + 1).clamp_max(chroma.shape[axis] - 1)
        share = (place - first).reshape(-1, 1) if axis == 0 else place - first
        low, high = chroma.index_select(axis, first), chroma.index_select(axis, second)
        chroma = low + share * (high - low)
    return chroma
