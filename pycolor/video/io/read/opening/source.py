"""Opens a film and says what is in it."""

from __future__ import annotations

import re
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import av.container
import av.error
import av.filter
from av.stream import Disposition
from av.video.stream import VideoStream

from pycolor.errors import FilmError
from pycolor.video.io.containers.presets import PIPE
from pycolor.video.io.containers.sequence import sequence_of
from pycolor.video.io.containers.y4m import RatedY4m, without_rate
from pycolor.video.io.frame.film import rational
from pycolor.video.io.read.opening.address import as_address
from pycolor.video.io.read.opening.picture_sequence import SequenceContainer
from pycolor.video.io.read.opening.truncation import missing_bytes

# What a playlist or a film names is read from this machine alone.
_LOCAL = {"protocol_whitelist": "file,crypto,data"}
AV_TIME_BASE = 1_000_000
# Formats of a bare stream of pictures, which has no times.
UNCLOCKED = ("h264", "hevc", "vvc")
_FASTEST = 300  # frames a second
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def open_source(path: Path, rate: Fraction | None = None) -> av.container.InputContainer:
    """Open a film, or a sequence of pictures, for reading.

    Args:
        path: of it.
        rate: frames per second, for a source that does not state it.

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
