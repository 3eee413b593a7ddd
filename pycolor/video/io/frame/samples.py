"""A decoded frame as samples of 8 or 16 bits, pixel by pixel."""

from __future__ import annotations

from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from pycolor.errors import FilmError
from pycolor.video.io.frame.pixel_formats import Plane, luma_view, pixel_format, plane_view
from pycolor.video.io.frame.unpack import unpacked

# Channels of FFmpeg's packed formats, whose alpha is kept.
_CHANNELS = {
    "gray": 1,
    "ya8": 2,
    "rgb24": 3,
    "rgba": 4,
    "gray16": 1,
    "ya16": 2,
    "rgb48": 3,
    "rgba64": 4,
}


def samples_of(frame: av.VideoFrame, name: str, *, linear: bool = False) -> Plane:
    """H×W×C codes in full range: gray or R'G'B', and alpha behind them where it is packed there.

    Codes of 9 to 15 bits become those of 16, white white, to the nearest.

    Args:
        frame: a decoded picture.
        name: what messages call it.
        linear: floats are linear light, see `unpacked`.

    Raises:
        FilmError: it is Y'CbCr or a sensor's, which is no picture's own.
    """
    stored = frame.format.name
    stem = stored[:-2] if stored.endswith(("le", "be")) else stored
    if stem in _CHANNELS:
        return _packed(frame, _CHANNELS[stem])
    reformatter = VideoReformatter()
    frame = unpacked(frame, reformatter, linear=linear)
    form = pixel_format(frame.format.name)
    if form is None or not (form.gray or form.rgb):
        raise FilmError(f"{name} stores {stored}; expected gray or R'G'B'.")
    if form.gray:
        return _full(luma_view(frame, form)[..., None], form.bit_depth)
    end = "" if form.bit_depth == 8 else f"{form.bit_depth}le"
    planar = reformatter.reformat(frame, format=f"gbr{'a' * form.alpha}p{end}", threads=1)
    kind = np.dtype("u1" if form.bit_depth == 8 else "<u2")
    planes = [plane_view(planar, k, kind) for k in (2, 0, 1, 3)[: 3 + form.alpha]]
    return _full(np.stack(planes, axis=2), form.bit_depth)


def _packed(frame: av.VideoFrame, channels: int) -> Plane:
    plane = frame.planes[0]
    deep = frame.format.components[0].bits > 8
    kind = np.dtype((">u2" if frame.format.is_big_endian else "<u2") if deep else "u1")
    rows = np.frombuffer(cast(Any, plane), kind).reshape(-1, plane.line_size // kind.itemsize)
    picture = rows[: frame.height, : frame.width * channels]
    shaped = picture.reshape(frame.height, frame.width, channels)
    return cast(Plane, shaped.astype(np.uint16 if deep else np.uint8))


def _full(codes: npt.NDArray[Any], bits: int) -> Plane:
    """Codes of 9 to 15 bits in 16: white to white, to the nearest."""
    if bits in (8, 16):
        return cast(Plane, np.array(codes, np.uint8 if bits == 8 else np.uint16))
    top = (1 << bits) - 1
    return cast(Plane, ((codes.astype(np.uint32) * 131070 + top) // (2 * top)).astype(np.uint16))
