"""Chroma in OpenEXR, half floats: red holds Cr, green the mid-gray Y', blue Cb.

Y' is 0 … 1 and Cb, Cr are −0.5 … 0.5 (ITU-R BT.601-7, 2.5.2 before quantization); neutral is 0.
A half tells the codes of 12 bits in limited range apart (its steps below 0.5 are 2⁻¹², half of
which is less than half of 1/3584).
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from pycolor.encoding import Encoding
from pycolor.errors import FilmError
from pycolor.video.io.frame.pixel_formats import Plane

# What pictures are read as, and the largest span of codes that comes back from them.
READ_AS = Encoding(bit_depth=16, full_range=False, subsampling="444")
EXACT_SPAN = 3584
GRAY = 0.5

Halves = npt.NDArray[np.float16]


def chroma_halves(codes: Plane, encoding: Encoding) -> Halves:
    """Codes of chroma as half floats, −0.5 … 0.5, rounded to the nearest.

    The rounding is NumPy's: FFmpeg's encoder cuts off.
    """
    neutral, span = encoding.chroma_code_range
    halves: Halves = ((codes.astype(np.float64) - neutral) / span).astype(np.float16)
    return halves


class ChromaExrWriter:
    """Writes pictures of chroma, one file each.

    Args:
        height, width: of every picture.
        rate: frames per second, for the files' headers.
    """

    def __init__(self, height: int, width: int, rate: Fraction) -> None:
        self.height, self.width, self.rate = height, width, rate

    def write(self, path: Path, cb: Halves, cr: Halves) -> None:
        """Write one picture.

        Args:
            path: of the file.
            cb: H×W.
            cr: H×W.

        Raises:
            FilmError: it cannot be written.
        """
        frame = av.VideoFrame(self.width, self.height, "gbrpf32le")
        contents: tuple[Any, ...] = (GRAY, cb, cr)
        for plane, content in zip(frame.planes, contents, strict=True):
            buffer: Any = plane
            rows = np.frombuffer(buffer, np.float32).reshape(-1, plane.line_size // 4)
            rows[: self.height, : self.width] = content
        encoder: Any = av.CodecContext.create("exr", "w")
        encoder.width, encoder.height, encoder.pix_fmt = self.width, self.height, "gbrpf32le"
        encoder.time_base, encoder.framerate = 1 / self.rate, self.rate
        encoder.options = {"format": "half", "compression": "zip16"}
        packets = [*encoder.encode(frame), *encoder.encode(None)]
        try:
            path.write_bytes(b"".join(bytes(packet) for packet in packets))
        except OSError as e:
            raise FilmError(f"{path} could not be written: {e.strerror}.") from None


def read_chroma_exr(path: Path) -> tuple[Plane, Plane]:
    """Cb and Cr of a picture as codes of `READ_AS`, H×W each.

    Raises:
        FilmError: it cannot be read, or is no R'G'B' picture of floats.
    """
    try:
        decoder: Any = av.CodecContext.create("exr", "r")
        frames = decoder.decode(av.Packet(path.read_bytes())) + decoder.decode(None)
    except (av.error.FFmpegError, OSError) as e:
        raise FilmError(f"{path} could not be read: {e.strerror}.") from None
    name = frames[0].format.name if frames else "nothing"
    kinds = {"gbrpf16le": np.float16, "gbrapf16le": np.float16}
    kinds |= {"gbrpf32le": np.float32, "gbrapf32le": np.float32}  # type: ignore[dict-item]
    if name not in kinds:
        raise FilmError(f"{path} holds {name}; expected red, green and blue of half floats.")
    kind: Any = np.dtype(kinds[name])
    planes = []
    for index in (1, 2):
        plane = frames[0].planes[index]
        rows = np.frombuffer(plane, kind).reshape(-1, plane.line_size // kind.itemsize)
        planes.append(_codes(rows[: plane.height, : plane.width]))
    return planes[0], planes[1]


def _codes(values: npt.NDArray[np.floating[Any]]) -> Plane:
    neutral, span = READ_AS.chroma_code_range
    codes = np.rint(np.nan_to_num(values.astype(np.float64)) * span + neutral)
    found: npt.NDArray[np.uint16] = codes.clip(0, (1 << READ_AS.bit_depth) - 1).astype(np.uint16)
    return found
