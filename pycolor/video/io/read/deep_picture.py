"""Pictures of 16 bits a channel, which Pillow cannot read or write in color."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.error
import numpy as np
import numpy.typing as npt

from pycolor.errors import FilmError
from pycolor.video.io.read.source import open_source

# Channels of FFmpeg's packed formats of 16 bits.
_CHANNELS = {
    "gray16": 1,
    "ya16": 2,
    "rgb48": 3,
    "rgba64": 4,
}


def decode_deep(path: Path) -> npt.NDArray[np.uint16]:
    """H×W×C samples of a picture of 16 bits: gray, gray and alpha, RGB or RGBA.

    Raises:
        FilmError: if it cannot be decoded or stores something else.
    """
    with open_source(path) as container:
        try:
            frame = next(container.decode(video=0))
        except (StopIteration, IndexError, av.error.FFmpegError) as error:
            raise FilmError(f"{path} cannot be decoded as a picture ({error}).") from error
        name = frame.format.name
        channels = _CHANNELS.get(name[:-2])
        if channels is None:
            raise FilmError(f"{path} stores {name}; expected gray or RGB of 8 or 16 bits.")
        plane = frame.planes[0]
        dtype = np.dtype(">u2" if name.endswith("be") else "<u2")
        rows = np.frombuffer(cast(Any, plane), dtype).reshape(-1, plane.line_size // 2)
        picture = rows[: frame.height, : frame.width * channels]
        return picture.reshape(frame.height, frame.width, channels).astype(np.uint16)


def encode_deep_png(pixels: npt.NDArray[np.uint16]) -> bytes:
    """A PNG of H×W×3 or H×W×4 samples."""
    height, width, channels = pixels.shape
    name = {3: "rgb48be", 4: "rgba64be"}[channels]
    frame = av.VideoFrame(width, height, name)
    plane = frame.planes[0]
    rows = np.frombuffer(cast(Any, plane), ">u2").reshape(-1, plane.line_size // 2)
    rows[:height, : width * channels] = pixels.reshape(height, width * channels)
    context: Any = av.CodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt = width, height, name
    context.time_base = Fraction(1)
    context.options = {"pred": "mixed"}
    packets = [*context.encode(frame), *context.encode(None)]
    return b"".join(bytes(packet) for packet in packets)
