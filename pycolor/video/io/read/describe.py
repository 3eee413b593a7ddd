"""What an open film is: its picture, and what stands beside it."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.container
import av.error
import av.filter
from av.video.stream import VideoStream

from pycolor.errors import FilmError
from pycolor.video.io.containers.matroska import chroma_location
from pycolor.video.io.containers.matroska_extras import MatroskaExtras, matroska_extras
from pycolor.video.io.containers.quicktime import clean_aperture
from pycolor.video.io.containers.y4m import siting_of_header
from pycolor.video.io.frame.film import (
    FIELD_ORDERS,
    ColorTags,
    FilmInfo,
    encoding_of,
    is_full_range,
    rational,
)
from pycolor.video.io.frame.pixel_formats import (
    FULL,
    LIMITED,
    MATRIX_NAMES,
    MATRIX_OF_CODE,
    UNSPECIFIED,
    PixelFormat,
    chosen_matrix,
    pixel_format,
)
from pycolor.video.io.read.source import (
    AV_TIME_BASE,
    dispositions,
    frame_rate,
    stored_chapter,
    stream_info,
)
from pycolor.video.io.read.truncation import missing_bytes


def chroma_location_of(stream: VideoStream, frame: av.VideoFrame) -> int:
    """H.273's code plus one, as FFmpeg counts; 0 where none is stored."""
    if hasattr(frame, "chroma_location"):  # PyAV 19
        return int(frame.chroma_location)
    raw = stream.codec_context.codec.canonical_name == "rawvideo"
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="yuv4mpegpipe" if raw else "matroska") as trial:
            trial.add_stream_from_template(stream, opaque=True)
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
    except ValueError:  # a kind of side data that this PyAV has no name for
        return None
    return struct.unpack("<9i", data) if len(data) == 36 else None


def find_timecode(container: av.container.InputContainer, stream: VideoStream) -> str:
    """Of the first frame: MOV keeps it with the picture or its tmcd track, MKV, MXF in the file."""
    owners = [stream.metadata, container.metadata, *(s.metadata for s in container.streams.data)]
    for metadata in owners:
        lowered = {k.lower(): v for k, v in metadata.items()}
        if "timecode" in lowered:
            return lowered["timecode"]
    return ""


def _find_reel(container: av.container.InputContainer, stream: VideoStream) -> str:
    """MOV keeps the reel's name with the timecode's track, others with the picture."""
    owners = [stream.metadata, *(s.metadata for s in container.streams.data)]
    names = ((key.lower(), value) for tags in owners for key, value in tags.items())
    return next((value for key, value in names if key == "reel_name"), "")


def _side_data(frame: av.VideoFrame) -> set[str]:
    """Names of what a frame carries besides its picture."""
    names = set()
    for name in ("A53_CC",):
        try:
            if frame.side_data.get(name) is not None:
                names.add(name)
        except ValueError:  # a kind of side data that this PyAV has no name for
            continue
    return names


def _film_tags(container: av.container.InputContainer, extras: MatroskaExtras) -> dict[str, str]:
    """The tags of the film itself, where others of the same name stand beside them."""
    film = {key.lower(): value for key, value in extras.film.items()}
    return {k: film.get(k.lower(), v) for k, v in container.metadata.items()}


def describe(
    path: Path,
    container: av.container.InputContainer,
    stream: VideoStream,
    first: av.VideoFrame,
    stored: ColorTags,
) -> tuple[FilmInfo, PixelFormat]:
    """All that `FilmInfo` tells, from the open file, its tags, and its first decoded frame.

    Raises:
        FilmError: for a pixel format or a matrix that has no Y'.
    """
    name = first.format.name
    description = pixel_format(name)
    codec = stream.codec_context.codec.canonical_name
    if description is None:
        raise FilmError(
            f"{path} stores {name}; expected Y'CbCr, gray or R'G'B' of 8 to 16 bits: convert it "
            "first, for example to gray16le or yuv444p10le FFV1."
        )
    tags = color_tags(first, chroma_location_of(stream, first), stored)
    warnings: list[str] = []

    code = tags.matrix
    if code == 0 and description.gray:  # PNG and TIFF call gray a kind of RGB
        code = UNSPECIFIED
    if description.rgb:
        code = 1
        warnings.append("R'G'B' is stored; its luma is that of BT.709, in full range")
    if code == UNSPECIFIED:
        code = chosen_matrix(first.height)
        if not description.gray:
            warnings.append(
                f"no matrix is stored; {MATRIX_NAMES[code]} is taken for {first.height} lines"
            )
    if code == 10:
        warnings.append("BT.2020 constant luminance is treated as non-constant")
        code = 9
    if code not in MATRIX_OF_CODE:
        raise FilmError(
            f"{path} is coded in {MATRIX_NAMES.get(code, f'matrix {code}')}; expected Y'CbCr of "
            "BT.601, BT.709, BT.2020, FCC or SMPTE 240M."
        )
    full = is_full_range(description, name, tags.range, codec)
    if not tags.range and description.gray:
        warnings.append(f"no range is stored; {'full' if full else 'limited'} is taken for gray")

    rate = frame_rate(stream)
    time_base = rational(stream.time_base)
    duration = None
    if stream.duration and time_base:
        duration = stream.duration * time_base
    elif container.duration:
        duration = Fraction(container.duration, AV_TIME_BASE)
    lost = missing_bytes(path) if path.is_file() else ""
    if lost:
        warnings.append(f"the file is truncated: {lost}")

    extras = matroska_extras(path) if path.is_file() else MatroskaExtras()
    order = FIELD_ORDERS.get(int(stream.codec_context.field_order), "unknown")
    if first.interlaced_frame and order == "unknown":
        order = frame_fields(first)
    aspect = rational(stream.sample_aspect_ratio)
    matrix = display_matrix(first)
    others = tuple(stream_info(s) for s in container.streams if s.index != stream.index)
    info = FilmInfo(
        path=path,
        container=container.format.name,
        codec=codec,
        width=first.width,
        height=first.height,
        pixel_format=name,
        encoding=encoding_of(description, tags, matrix_code=code, full_range=full, codec=codec),
        gray=description.gray,
        tags=tags,
        matrix_code=code,
        rate=rate,
        time_base=time_base,
        frames=stream.frames or (round(duration * rate) if duration else 0),
        duration=duration,
        pixel_aspect=aspect or None,
        display_matrix=matrix,
        rotation=int(first.rotation) if matrix else 0,
        field_order=order,
        interlaced=bool(first.interlaced_frame) or order not in ("unknown", "progressive"),
        timecode=find_timecode(container, stream),
        streams=others,
        chapters=tuple(map(stored_chapter, container.chapters())),
        metadata=_film_tags(container, extras),
        picture_metadata=dict(stream.metadata),
        picture_disposition=dispositions(stream),
        warnings=tuple(warnings),
        reel=_find_reel(container, stream),
        captions="A53_CC" in _side_data(first),
        clean_aperture=clean_aperture(path, stream.index) if path.is_file() else None,
        unread=tuple(extras.lost),
    )
    return info, description
