"""Opens a film and says what is in it."""

from __future__ import annotations

import hashlib
import io
import math
import re
import struct
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import av.container
import av.error
import av.filter
from av.stream import Disposition
from av.video.stream import VideoStream

from pycolor.encoding import TagOverride
from pycolor.errors import FilmError, UsageError
from pycolor.video.io.containers.matroska import chroma_location
from pycolor.video.io.containers.matroska_extras import MatroskaExtras, matroska_extras
from pycolor.video.io.containers.presets import PIPE
from pycolor.video.io.containers.quicktime import clean_aperture
from pycolor.video.io.containers.sequence import sequence_of
from pycolor.video.io.containers.y4m import RatedY4m, siting_of_header, without_rate
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
    FULL,
    LIMITED,
    MATRIX_NAMES,
    MATRIX_OF_CODE,
    UNSPECIFIED,
    PixelFormat,
    chosen_matrix,
    pixel_format,
)
from pycolor.video.io.frame.unpack import READ_AS, notes_on
from pycolor.video.io.read.picture_sequence import SequenceContainer
from pycolor.video.io.read.truncation import missing_bytes

# What a playlist or a film names is read from this machine alone.
_LOCAL = {"protocol_whitelist": "file,crypto,data"}
AV_TIME_BASE = 1_000_000
# Formats of a bare stream of pictures, which has no times.
UNCLOCKED = ("h264", "hevc", "vvc")
_FASTEST = 300  # frames a second
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def as_address(path: Path) -> str:
    """FFmpeg's address of a file: a name with a colon, as `reel1:a.mkv`, is no protocol's."""
    return f"file:{path}"


def open_source(path: Path, rate: Fraction | None = None) -> av.container.InputContainer:
    """Open a film, or a sequence of pictures, for reading.

    Args:
        path: of it.
        rate: frames per second, for what does not tell.

    Raises:
        FilmError: in a sentence, if there is no such file or FFmpeg cannot read it.
    """
    if str(path) == PIPE:
        return _open_pipe()
    sequence = sequence_of(path)
    if sequence is not None:  # it behaves as a container where it is read from
        return cast(av.container.InputContainer, SequenceContainer(sequence, path, rate))
    if not path.exists():
        raise FilmError(f"{path} does not exist.")
    try:
        if path.stat().st_size == 0:
            raise FilmError(f"{path} is empty (0 bytes).")
        if rate is not None and without_rate(path):
            rated = cast(BinaryIO, RatedY4m(path, rate))
            return av.open(rated, "r", format="yuv4mpegpipe")
        options = {"framerate": str(rate)} if rate else {}
        return av.open(as_address(path), "r", options=options | _LOCAL)
    except PermissionError as error:
        raise FilmError(f"{path} may not be read: permission denied.") from error
    except av.error.EOFError as error:
        raise FilmError(f"{path} ends inside its header: no stream could be read.") from error
    except av.error.FFmpegError as error:
        what = missing_bytes(path) if path.is_file() else ""
        if what:
            raise FilmError(f"{path} is truncated: {what}.") from error
        raise FilmError(
            f"{path} is not a film that FFmpeg can read ({error.strerror or error})."
        ) from error
    except (UnicodeDecodeError, OSError) as error:
        raise FilmError(f"{path} could not be read: {error}.") from error


def refuse_unreadable(path: Path, error: Exception) -> None:
    """A film that is broken ends where it breaks; one that cannot be read is no film.

    Raises:
        FilmError: if the error is one of the machine: a disk that fails, a file that is gone.
    """
    if isinstance(error, OSError) and not isinstance(error, BlockingIOError):
        reason = error.strerror or error
        raise FilmError(f"{path} cannot be read to its end: {reason}.") from error


def _open_pipe() -> av.container.InputContainer:
    if sys.stdin.isatty():
        raise FilmError("the standard input is a terminal; expected y4m from a program or a file.")
    try:
        return av.open(sys.stdin.buffer, "r", format="yuv4mpegpipe")
    except (av.error.FFmpegError, ValueError) as error:
        raise FilmError(f"the standard input is no y4m ({error}).") from error


def is_cover(stream: Any) -> bool:
    """Cover art: a single picture that a container calls a video stream."""
    return bool(stream.disposition & Disposition.attached_pic)


def picture_stream(container: av.container.InputContainer, path: Path) -> VideoStream:
    """The stream to color: the first moving picture, or the one marked as default."""
    pictures = [s for s in container.streams.video if not is_cover(s)]
    if not pictures:
        found = sorted({"cover art" if s.type == "video" else s.type for s in container.streams})
        what = f"only {', '.join(found)}" if found else "no stream at all"
        raise FilmError(f"{path} holds no moving picture: it has {what}.")
    default = [s for s in pictures if s.disposition & Disposition.default]
    stream = (default or pictures)[0]
    if stream.codec_context is None:
        raise FilmError(f"{path} holds a picture stream that FFmpeg has no decoder for.")
    return stream


def frame_rate(stream: VideoStream) -> Fraction:
    """Nominal frames per second: FFmpeg's guess, which survives odd time bases."""
    told = [stream.guessed_rate, stream.average_rate, stream.base_rate]
    if stream.container.format.name in UNCLOCKED:  # there FFmpeg may take fields for frames
        told.insert(0, stream.codec_context.framerate)
    rates = [rate for rate in map(rational, told) if 0 < rate <= 1000]
    # Where frames vary and no rate is told, FFmpeg's guess is the clock's.
    return next((rate for rate in rates if rate <= _FASTEST), rates[0] if rates else Fraction(25))


def origin_of(container: av.container.InputContainer) -> Fraction:
    """The time where a film begins, seconds: MPEG's clocks run before it does."""
    if container.format.name not in ("mpegts", "mpeg"):
        return Fraction(0)
    streams = (s for s in container.streams if s.type in ("video", "audio"))
    begins = [s.start_time * rational(s.time_base) for s in streams if s.start_time is not None]
    return min(begins, default=Fraction(0))


def declared_end(stream: VideoStream) -> Fraction | None:
    """When the picture ends by what its header says, seconds; None if it does not say."""
    base = rational(stream.time_base)
    start = (stream.start_time or 0) * base
    # A statistic of Matroska's muxers; FFmpeg would give the picture the length of the whole file.
    lowered = {k.lower().split("-")[0]: v for k, v in stream.metadata.items()}
    match = _CLOCK.fullmatch(lowered.get("duration", ""))
    if match is None:
        return start + stream.duration * base if stream.duration else None
    hours, minutes, seconds = int(match[1]), int(match[2]), Fraction(match[3])
    return (hours * 60 + minutes) * 60 + seconds


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
    stored_as = first.format.name
    name = READ_AS.get(stored_as, stored_as)
    description = pixel_format(name)
    if description is None:
        raise FilmError(
            f"{path} stores {stored_as}; expected Y'CbCr, gray or R'G'B' of 8 to 32 bits: convert "
            "it first, for example to gray16le or yuv444p10le FFV1."
        )
    override = override or TagOverride()
    tags = color_tags(first, chroma_location_of(stream, first), stored)
    tags, said = overridden(tags, override, description, first.height, path)
    warnings: list[str] = notes_on(stored_as, linear=codec == "exr")
    warnings += getattr(container, "notes", ())
    warnings += said
    if description.rgb and description.alpha:
        warnings.append("the alpha channel is left out")

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
    if override.full_range is not None:
        full = override.full_range
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
