"""How a picture is to be shown: color tags, fields and rotation, of container and frame."""

from __future__ import annotations

import io
import math
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.container
import av.error
import av.filter
from av.video.stream import VideoStream

from pycolor.encoding import TagOverride
from pycolor.errors import UsageError
from pycolor.video.io.containers.matroska.header import chroma_location
from pycolor.video.io.containers.y4m import siting_of_header
from pycolor.video.io.frame.film import ColorTags
from pycolor.video.io.frame.pixel_formats import (
    FULL,
    LIMITED,
    MATRIX_NAMES,
    MATRIX_OF_CODE,
    UNSPECIFIED,
    PixelFormat,
    chosen_matrix,
)


def chroma_location_of(stream: VideoStream, frame: av.VideoFrame) -> int:
    """H.273's code plus one, as FFmpeg counts; 0 where none is stored."""
    if hasattr(frame, "chroma_location"):  # PyAV 19
        return int(frame.chroma_location)
    raw = stream.codec_context.codec.canonical_name == "rawvideo"
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="yuv4mpegpipe" if raw else "matroska") as trial:
            trial.add_stream_from_template(getattr(stream, "native", stream), opaque=True)
            trial.start_encoding()
        header.seek(0)
        return siting_of_header(header) if raw else chroma_location(header)
    except (av.error.FFmpegError, ValueError):
        return 0  # a codec that Matroska does not hold


def stored_tags(stream: VideoStream) -> ColorTags:
    """As the container tells them, before a frame is decoded: that overwrites them."""
    context = stream.codec_context
    return ColorTags(
        range=int(context.color_range) if int(context.color_range) in (LIMITED, FULL) else 0,
        matrix=int(context.colorspace),
        primaries=int(context.color_primaries) or UNSPECIFIED,
        transfer=int(context.color_trc) or UNSPECIFIED,
    )


def color_tags(frame: av.VideoFrame, location: int, stored: ColorTags) -> ColorTags:
    """As the decoder read them (containers know less, and sometimes otherwise), or as `stored`."""
    found = int(frame.colorspace), int(frame.color_primaries), int(frame.color_trc)
    # A reserved 0 is no code of primaries or of a transfer; of a matrix it is R'G'B'.
    matrix, primaries, transfer = found[0], found[1] or UNSPECIFIED, found[2] or UNSPECIFIED
    return ColorTags(
        range=int(frame.color_range) if int(frame.color_range) in (LIMITED, FULL) else stored.range,
        matrix=stored.matrix if matrix == UNSPECIFIED else matrix,
        primaries=stored.primaries if primaries == UNSPECIFIED else primaries,
        transfer=stored.transfer if transfer == UNSPECIFIED else transfer,
        chroma_location=location,
    )


def overridden(
    tags: ColorTags, override: TagOverride, description: PixelFormat, height: int, path: Path
) -> tuple[ColorTags, list[str]]:
    """The tags with what the user says in place of their own, and where that differs.

    Raises:
        UsageError: the film is of R'G'B'.
    """
    if override == TagOverride():
        return tags, []
    if description.rgb:
        raise UsageError(
            f"{path} stores R'G'B', which has no matrix and is read in full range; --range and "
            "--matrix are for Y'CbCr and gray."
        )
    said = []
    if override.full_range is not None:
        wanted = FULL if override.full_range else LIMITED
        if tags.range not in (0, wanted):
            names = {LIMITED: "limited", FULL: "full"}
            said.append(f"{names[tags.range]} range is stored; {names[wanted]} is taken, as asked")
        tags = replace(tags, range=wanted)
    if override.matrix is not None:
        codes = [code for code, name in MATRIX_OF_CODE.items() if name == override.matrix]
        code = chosen_matrix(height) if chosen_matrix(height) in codes else codes[-1]
        code = tags.matrix if tags.matrix in codes else code
        if tags.matrix not in (0, UNSPECIFIED, code):
            names = MATRIX_NAMES
            said.append(
                f"{names.get(tags.matrix, tags.matrix)} is stored; {names[code]} is taken, as asked"
            )
        tags = replace(tags, matrix=code)
    return tags, said


def frame_fields(frame: av.VideoFrame) -> str:
    """The order of a frame's fields: tt, bb, or progressive.

    PyAV tells that a frame is interlaced, but not which field is first; a filter of FFmpeg's does.
    """
    if not frame.interlaced_frame:
        return "progressive"
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
    )
    chosen = graph.add("select", r"eq(interlace_type\,BOTTOMFIRST)")
    sink = graph.add("buffersink")
    source.link_to(chosen)
    chosen.link_to(sink)
    graph.configure()
    graph.push(frame)
    try:
        graph.pull()
    except (av.error.BlockingIOError, av.error.EOFError):
        return "tt"
    return "bb"


def display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    try:
        data = bytes(cast(Any, frame.side_data.get("DISPLAYMATRIX", b"")))
    except ValueError:  # the frame has a kind of side data that this PyAV has no name for, as EXIF
        return _turned_by(frame.rotation)
    return struct.unpack("<9i", data) if len(data) == 36 else None


def _turned_by(degrees: float) -> tuple[int, ...] | None:
    """FFmpeg's matrix for a turn counterclockwise, in 16.16 fixed point; None for no turn."""
    if not degrees:
        return None
    cosine, sine = (
        round(65536 * part)
        for part in (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    )
    return cosine, -sine, 0, sine, cosine, 0, 0, 0, 1 << 30
