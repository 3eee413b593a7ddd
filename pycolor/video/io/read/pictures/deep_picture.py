"""Pictures that Pillow cannot read or write as they are: 16 bits a channel, DPX, OpenEXR, TIFF."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.error
import numpy as np
import numpy.typing as npt

from pycolor.errors import FilmError
from pycolor.video.io.containers.codecs.scan_header import HEADER_BYTES, scan_header
from pycolor.video.io.frame.pixel_formats import Plane
from pycolor.video.io.frame.samples import samples_of
from pycolor.video.io.frame.unpack import notes_on
from pycolor.video.io.read.pictures.picture_file import decode_picture
from pycolor.video.io.read.pictures.tiff import UnreadTiff, read_tiff


@dataclass(frozen=True, kw_only=True)
class DeepPicture:
    """A decoded picture.

    Attributes:
        samples: H×W×C of uint8 or uint16 in full range: gray or R'G'B', and alpha behind them.
        notes: sentences on what reading it cost.
    """

    samples: Plane
    notes: tuple[str, ...] = ()


def decode_deep(path: Path) -> DeepPicture:
    """Decode a picture; a TIFF is upright then, another kind as it is stored.

    Raises:
        FilmError: if it cannot be decoded or stores something else.
    """
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        try:
            tiff = read_tiff(path, name=str(path))
            return DeepPicture(samples=tiff.samples, notes=tiff.notes)
        except UnreadTiff as unread:
            try:
                return _decoded(path, head)
            except FilmError:
                raise FilmError(f"{path} cannot be decoded: {unread}.") from unread
    return _decoded(path, head)


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What FFmpeg sees of a picture before it is decoded: its decoder, size, bits a sample."""

    codec: str
    width: int
    height: int
    bits: int


def probe_picture(path: Path) -> Probe:
    """Raises FilmError where FFmpeg does not know the picture."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise FilmError(f"{path} holds no picture.")
            context = container.streams.video[0].codec_context
            form = context.format
            return Probe(
                codec=context.codec.canonical_name,
                width=context.width,
                height=context.height,
                bits=form.components[0].bits if form is not None else 8,
            )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise FilmError(f"{path} cannot be decoded as a picture ({what}).") from error


def _decoded(path: Path, head: bytes) -> DeepPicture:
    codec = probe_picture(path).codec
    try:
        frame = decode_picture(path, codec)
    except av.error.FFmpegError as error:
        what = (error.strerror or str(error)).removeprefix(f"{path.name}: ")
        raise FilmError(f"{path} cannot be decoded as a picture ({what}).") from error
    linear = codec == "exr"
    notes = (*scan_header(head).notes, *notes_on(frame.format.name, linear=linear, alpha=False))
    return DeepPicture(samples=samples_of(frame, str(path), linear=linear), notes=notes)


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
