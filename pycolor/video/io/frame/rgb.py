"""R'G'B' whose luma is the given one, for files that hold nothing else."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import numpy.typing as npt

from pycolor.encoding import Encoding
from pycolor.video.io.frame.pixel_formats import Plane, plane_view


def rgb_of(luma: Plane, cb: Plane, cr: Plane, encoding: Encoding) -> npt.NDArray[Any]:
    """H×W×3 codes of full range whose luma, rounded, is `luma` again.

    ITU-R BT.601-7 and BT.709-6, inverted.  A color outside of the gamut moves towards the gray of
    its luma until it is inside; cutting it off would change the luma.

    Args:
        luma: H×W codes in full range.
        cb: of its chroma, as many (4:4:4).
        cr: likewise.
        encoding: their depth and matrix.
    """
    kr, kb = encoding.luma_coefficients
    top = (1 << encoding.bit_depth) - 1
    neutral = encoding.chroma_code_range[0]
    kind: Any = np.float32 if encoding.bit_depth <= 12 else np.float64
    y = luma.astype(kind)
    red = (cr.astype(kind) - neutral) * kind(2 * (1 - kr))
    blue = (cb.astype(kind) - neutral) * kind(2 * (1 - kb))
    green = (red * kind(-kr) + blue * kind(-kb)) / kind(1 - kr - kb)
    highest = np.maximum(np.maximum(red, green), blue)
    lowest = np.minimum(np.minimum(red, green), blue)
    tiny = kind(2.0**-20)  # far below any distance of codes
    share = np.minimum((top - y) / np.maximum(highest, tiny), y / np.maximum(-lowest, tiny))
    share = np.minimum(share, 1)
    codes = np.empty((*luma.shape, 3), luma.dtype)
    for channel, distance in enumerate((red, green, blue)):
        codes[..., channel] = np.clip(np.rint(y + share * distance), 0, top)
    return codes


def rgb_frame(codes: npt.NDArray[Any], name: str) -> av.VideoFrame:
    """A frame of FFmpeg's format `name`: rgb24, rgb48be, rgb48le or one of gbrp."""
    height, width, _ = codes.shape
    frame = av.VideoFrame(width, height, name)
    if name.startswith("gbrp"):
        for plane, channel in enumerate((1, 2, 0)):
            np.copyto(plane_view(frame, plane, codes.dtype), codes[..., channel])
        return frame
    kind = np.dtype({"rgb24": "u1", "rgb48be": ">u2", "rgb48le": "<u2"}[name])
    stored = frame.planes[0]
    buffer: Any = stored
    rows = np.frombuffer(buffer, kind).reshape(-1, stored.line_size // kind.itemsize)
    rows[:height, : 3 * width] = codes.reshape(height, 3 * width)
    return frame
