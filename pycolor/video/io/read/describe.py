"""What a film is: all that `FilmInfo` holds, from the open file and its first frame."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
import av.filter
from av.stream import Disposition
from av.video.stream import VideoStream

from pycolor.encoding import TagOverride
from pycolor.errors import FilmError
from pycolor.video.io.containers.matroska.extras import MatroskaExtras, matroska_extras
from pycolor.video.io.containers.quicktime import clean_aperture
from pycolor.video.io.frame.film import (
    FIELD_ORDERS,
    Chapter,
    ColorTags,
    FilmInfo,
    StreamInfo,
    encoding_of,
    is_full_range,
    rational,
)
from pycolor.video.io.frame.pixel_formats import (
    MATRIX_NAMES,
    MATRIX_OF_CODE,
    UNSPECIFIED,
    PixelFormat,
    chosen_matrix,
    pixel_format,
)
from pycolor.video.io.frame.unpack import READ_AS, notes_on
from pycolor.video.io.read.opening.source import AV_TIME_BASE, frame_rate, is_cover
from pycolor.video.io.read.opening.truncation import missing_bytes
from pycolor.video.io.read.pictures.picture_tags import (
    chroma_location_of,
    color_tags,
    display_matrix,
    frame_fields,
    overridden,
)


def stream_info(stream: Any) -> StreamInfo:
    codec = stream.codec_context.codec.canonical_name if stream.codec_context else ""
    kind = "cover art" if stream.type == "video" and is_cover(stream) else stream.type
    title = stream.metadata.get("title") or stream.metadata.get("name") or ""
    if stream.type in ("attachment", "data"):
        title = stream.metadata.get("filename") or title
        codec = codec or str(stream.name or "")
    language = stream.metadata.get("language", "")
    return StreamInfo(
        index=stream.index,
        kind=kind,
        codec=codec,
        language="" if language == "und" else language,
        title=title,
        disposition=dispositions(stream),
        metadata=dict(stream.metadata),
        digest=hashlib.sha256(stream.data or b"").hexdigest() if kind == "attachment" else "",
    )


def dispositions(stream: Any) -> frozenset[str]:
    """Names of the flags that a stream carries."""
    return frozenset(str(bit.name) for bit in Disposition if stream.disposition & bit)


def stored_chapter(stored: Any) -> Chapter:
    """A chapter as PyAV tells it."""
    base = rational(stored["time_base"])
    title = stored["metadata"].get("title", "")
    return Chapter(start=stored["start"] * base, end=stored["end"] * base, title=title)


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


def _matrix_code(
    path: Path, description: PixelFormat, tags: ColorTags, height: int
) -> tuple[int, list[str]]:
    """H.273's code of the matrix that the film is read with, and what is to be said of that.

    Raises:
        FilmError: for a matrix that has no Y'.
    """
    code, said = tags.matrix, []
    if code == 0 and description.gray:  # PNG and TIFF call gray a kind of RGB
        code = UNSPECIFIED
    if description.rgb:
        code = 1
        said.append("R'G'B' is stored; its luma is that of BT.709, in full range")
    if code == UNSPECIFIED:
        code = chosen_matrix(height)
        if not description.gray:
            said.append(f"no matrix is stored; {MATRIX_NAMES[code]} is taken for {height} lines")
    if code == 10:
        said.append("BT.2020 constant luminance is treated as non-constant")
        code = 9
    if code not in MATRIX_OF_CODE:
        raise FilmError(
            f"{path} is coded in {MATRIX_NAMES.get(code, f'matrix {code}')}; expected Y'CbCr of "
            "BT.601, BT.709, BT.2020, FCC or SMPTE 240M."
        )
    return code, said


def _format_of(path: Path, first: av.VideoFrame) -> tuple[str, PixelFormat]:
    """The pixel format that a frame is read as: FFmpeg's name and what it means.

    Raises:
        FilmError: none that has a Y'.
    """
    stored_as = first.format.name
    name = READ_AS.get(stored_as, stored_as)
    description = pixel_format(name)
    if description is None:
        raise FilmError(
            f"{path} stores {stored_as}; expected Y'CbCr, gray or R'G'B' of 8 to 32 bits: convert "
            "it first, for example to gray16le or yuv444p10le FFV1."
        )
    return name, description


def _duration(container: av.container.InputContainer, stream: VideoStream) -> Fraction | None:
    """Of the picture in seconds, or of the film where the picture's is not stored."""
    if stream.duration and stream.time_base:
        return stream.duration * rational(stream.time_base)
    return Fraction(container.duration, AV_TIME_BASE) if container.duration else None


def _field_order(stream: VideoStream, first: av.VideoFrame) -> str:
    """As the container has it; as the first frame has it where the container knows of no fields.

    Matroska says "progressive" of every film whose muxer was told nothing.
    """
    order = FIELD_ORDERS.get(int(stream.codec_context.field_order), "unknown")
    untold = order in ("unknown", "progressive")
    return frame_fields(first) if first.interlaced_frame and untold else order


def _alpha_left_out(stream: VideoStream, description: PixelFormat) -> list[str]:
    """A note on alpha beside R'G'B', and on Matroska's of VP8 and VP9, which is not decoded."""
    beside = stream.metadata.get("alpha_mode") == "1" and not description.alpha
    lost = beside or (description.rgb and description.alpha)
    return ["the alpha channel is left out"] if lost else []


def _truncation(path: Path) -> list[str]:
    lost = missing_bytes(path) if path.is_file() else None
    return [f"the file is truncated: {lost}"] if lost else []


def _meaning(
    path: Path,
    name: str,
    description: PixelFormat,
    tags: ColorTags,
    override: TagOverride,
    height: int,
    codec: str,
) -> tuple[ColorTags, int, bool, list[str]]:
    """The tags, H.273's code of the matrix, whether the range is full, and what to say of that."""
    tags, said = overridden(tags, override, description, height, path)
    notes = [*said]
    code, said = _matrix_code(path, description, tags, height)
    notes += said
    full = is_full_range(description, name, tags.range, codec)
    if override.full_range is not None:
        full = override.full_range
    if not tags.range and description.gray:
        notes.append(f"no range is stored; {'full' if full else 'limited'} is taken for gray")
    return tags, code, full, notes


def _told_by_container(
    path: Path, container: av.container.InputContainer, stream: VideoStream
) -> dict[str, Any]:
    """What is in the container besides the coded picture: fields of `FilmInfo`, by name."""
    extras = matroska_extras(path) if path.is_file() else MatroskaExtras()
    return {
        "timecode": find_timecode(container, stream),
        "reel": _find_reel(container, stream),
        "streams": tuple(stream_info(s) for s in container.streams if s.index != stream.index),
        "chapters": tuple(map(stored_chapter, container.chapters())),
        "metadata": _film_tags(container, extras),
        "unread": tuple(extras.lost),
        "clean_aperture": clean_aperture(path, stream.index) if path.is_file() else None,
    }


def describe(
    path: Path,
    container: av.container.InputContainer,
    stream: VideoStream,
    first: av.VideoFrame,
    stored: ColorTags,
    override: TagOverride | None = None,
) -> tuple[FilmInfo, PixelFormat]:
    """All that `FilmInfo` tells, from the open file, its tags, and its first decoded frame.

    Args:
        path: of the film.
        container: of the film.
        stream: its picture.
        first: its first frame, as decoded.
        stored: the tags of its container.
        override: tags in place of the film's own.

    Raises:
        FilmError: for a pixel format or a matrix that has no Y'.
        UsageError: an override is for R'G'B', which has no matrix and is of full range.
    """
    codec = stream.codec_context.codec.canonical_name
    name, description = _format_of(path, first)
    tags = color_tags(first, chroma_location_of(stream, first), stored)
    tags, code, full, said = _meaning(
        path, name, description, tags, override or TagOverride(), first.height, codec
    )
    told = notes_on(first.format.name, linear=codec == "exr")
    notes = *getattr(container, "notes", ()), *_alpha_left_out(stream, description)
    warnings = (*told, *notes, *said, *_truncation(path))
    rate, duration = frame_rate(stream), _duration(container, stream)
    order, matrix = _field_order(stream, first), display_matrix(first)
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
        time_base=rational(stream.time_base),
        frames=stream.frames or (round(duration * rate) if duration else 0),
        duration=duration,
        pixel_aspect=rational(stream.sample_aspect_ratio) or None,
        display_matrix=matrix,
        rotation=int(first.rotation) if matrix else 0,
        field_order=order,
        interlaced=bool(first.interlaced_frame) or order not in ("unknown", "progressive"),
        picture_metadata=dict(stream.metadata),
        picture_disposition=dispositions(stream),
        warnings=warnings,
        captions="A53_CC" in _side_data(first),
        **_told_by_container(path, container, stream),
    )
    return info, description
