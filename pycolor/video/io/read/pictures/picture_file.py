"""One picture file, decoded: by FFmpeg, and where that would be wrong by another library."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import av
import av.error
import numpy as np
from PIL import Image

from pycolor.errors import FilmError
from pycolor.video.io.frame.pixel_formats import Plane, plane_view
from pycolor.video.io.frame.samples import samples_of
from pycolor.video.io.read.pictures.tiff import (
    UnreadTiff,
    layout_of,
    needs_care,
    read_tiff,
    upright,
)

_INVALID = -1094995529  # AVERROR_INVALIDDATA


def decode_picture(path: Path, codec: str) -> av.VideoFrame:
    """Decode a picture file; a TIFF is turned upright.

    Args:
        path: of the file.
        codec: FFmpeg's name of its decoder.

    Raises:
        av.error.InvalidDataError: it is damaged; the message names the file.
        FilmError: it stores what has no codes, or no decoder here reads it.
    """
    with _told(path):
        data = path.read_bytes()
        if not data:
            raise ValueError("is empty (0 bytes)")
        if codec == "tiff" and needs_care(data):
            return _careful_tiff(data, path)
        return _by_ffmpeg(data, codec)


def notes_on_picture(path: Path, codec: str) -> tuple[str, ...]:
    """What decoding a picture costs that its frame does not say; empty for a damaged one."""
    if codec != "tiff":
        return ()
    try:
        data = path.read_bytes()
        if not needs_care(data):
            return ()
        return read_tiff(data, name=path.name).notes
    except (UnreadTiff, FilmError, OSError, ValueError, struct.error):
        return ()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Every kind of damage as FFmpeg's own, with the name of the file."""
    try:
        yield
    except av.error.FFmpegError as error:
        what = error.strerror or str(error)
        raise av.error.InvalidDataError(_INVALID, f"{path.name}: {what}") from error
    except (OSError, ValueError, struct.error, IndexError, KeyError) as error:
        raise av.error.InvalidDataError(_INVALID, f"{path.name}: {error}") from error


def _by_ffmpeg(data: bytes, codec: str) -> av.VideoFrame:
    context = cast(Any, av.CodecContext.create(codec, "r"))
    context.thread_count = 1  # pictures are decoded side by side, each by one
    packet = av.Packet(data)
    frames = [*context.decode(packet), *context.decode(None)]
    if not frames:
        raise ValueError("holds no picture")
    frame: av.VideoFrame = frames[0]
    return frame


def _careful_tiff(data: bytes, path: Path) -> av.VideoFrame:
    try:
        return frame_of(read_tiff(data, name=path.name).samples)
    except UnreadTiff as unread:
        samples = _by_pillow(data)
        if samples is not None:
            return frame_of(samples)
        layout = layout_of(data)
        if layout.tiled:
            raise FilmError(
                f"{path} cannot be decoded: {unread}; expected TIFF in strips, or without "
                "compression."
            ) from unread
        samples = samples_of(_by_ffmpeg(data, "tiff"), str(path))
        return frame_of(cast(Plane, upright(samples, layout.orientation)))


def _by_pillow(data: bytes) -> Plane | None:
    """Of 8 bits, which libtiff decodes whatever its compression, upright; None for others."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.mode not in ("L", "RGB"):
                return None
            samples = np.asarray(image)
            # Pillow turns a TIFF of this kind when it loads it, and forgets the tag then.
            turned = int(image.getexif().get(274, 1))
            return cast(Plane, np.ascontiguousarray(upright(samples, turned)))
    except (OSError, SyntaxError, ValueError):
        return None


def frame_of(samples: Plane) -> av.VideoFrame:
    """A frame of gray or R'G'B' samples, H×W×C in full range; alpha is left out."""
    deep = samples.dtype == np.uint16
    height, width = samples.shape[:2]
    channels = samples.shape[2] if samples.ndim == 3 else 1
    kind = np.dtype("<u2" if deep else "u1")
    if channels <= 2:
        frame = av.VideoFrame(width, height, "gray16le" if deep else "gray")
        gray = samples if samples.ndim == 2 else samples[..., 0]
        np.copyto(plane_view(frame, 0, kind), gray)
        return frame
    frame = av.VideoFrame(width, height, "gbrp16le" if deep else "gbrp")
    for plane, channel in enumerate((1, 2, 0)):
        np.copyto(plane_view(frame, plane, kind), samples[..., channel])
    return frame
