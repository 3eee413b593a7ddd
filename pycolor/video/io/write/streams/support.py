"""Which of a film's other streams a container holds, in what form, and why not."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error

from pycolor.video.io.containers.spec import spec_of
from pycolor.video.io.frame.film import StreamInfo
from pycolor.video.io.read.describe import stream_info
from pycolor.video.io.read.opening.source import is_cover, open_source, picture_stream
from pycolor.video.io.write.streams.sound import encoder_for, why_not_coded

# Text subtitles that one container family writes one way and the other another: of each kind, what
# it can be made of.
_TEXT_FROM = {"subrip": ("mov_text",), "mov_text": ("subrip", "text")}


@dataclass(frozen=True, kw_only=True)
class UnsupportedStream:
    """A stream that the output cannot hold, and why."""

    stream: StreamInfo
    reason: str

    def __str__(self) -> str:
        return f"{self.stream} is left out: {self.reason}"


def carried_otherwise(stream: Any) -> bool:
    """Timecode tracks travel as metadata, chapter text as chapters."""
    lowered = {k.lower() for k in stream.metadata}
    return "timecode" in lowered or str(stream.name) == "bin_data"


def why_left_out(stream: Any, info: StreamInfo, container: str) -> str | None:
    """Why an output has no place for a stream; None if it has."""
    if spec_of(container).pictures_only:
        return "the output holds pictures only"
    if stream.type == "data":
        return f"{container} does not carry this kind of data"
    if stream.type == "attachment":
        return None if spec_of(container).attachments else f"{container} has no attachments"
    if stream.codec_context is None:
        return "FFmpeg does not know its codec"
    if is_converted(info, container):
        return None
    if coded_again(stream, container):
        return why_not_coded(stream, encoder_for(stream, container))
    return refusal(stream, container)


def is_converted(info: StreamInfo, container: str) -> bool:
    """Is it a track of text that the container holds in another form?"""
    return info.codec in _TEXT_FROM.get(spec_of(container).text, ())


def coded_again(stream: Any, container: str) -> bool:
    """Is it sound of a codec that the container does not hold, while it holds another one?"""
    sound = stream.type == "audio" and bool(encoder_for(stream, container))
    return sound and refusal(stream, container) is not None


def streams_coded_again(path: Path, container: str) -> frozenset[int]:
    """The indices of a film's tracks of sound that are coded again for an output of its."""
    with open_source(path) as source:
        return frozenset(s.index for s in source.streams.audio if coded_again(s, container))


def streams_left_out(path: Path, container: str) -> dict[int, str]:
    """Why which streams of a film, by their index, are not in an output of its."""
    found: dict[int, str] = {}
    with open_source(path) as source:
        picture = picture_stream(source, path)
        for stream in source.streams:
            if stream.index == picture.index:
                continue
            reason = why_left_out(stream, stream_info(stream), container)
            if reason is not None:
                travels = stream.type == "data" and carried_otherwise(stream)
                found[stream.index] = "" if travels else reason
    return found


def refusal(stream: Any, container: str) -> str | None:
    """Why a container cannot hold a stream; None if it can.

    It is asked by writing a header with this one stream into memory: some refusals show only
    there.
    """
    codecs = spec_of(container).sound_codecs
    if stream.type == "audio" and codecs and stream.codec_context.name not in codecs:
        return f"{container} holds {', '.join(codecs)}"
    if is_cover(stream):  # not even MP4, where the mark of synthetic color is among the free keys
        return f"{container} has no place for cover art that FFmpeg would fill"
    try:
        trial = av.open(io.BytesIO(), "w", format=container)
    except (av.error.FFmpegError, ValueError) as error:
        return str(error)
    try:
        if (
            spec_of(container).whole_sound and stream.type != "video"
        ):  # it holds nothing without a picture
            trial.add_stream("mpeg2video", rate=25, width=64, height=64, pix_fmt="yuv420p")
        out: Any = trial.add_stream_from_template(stream, opaque=True)
        out.disposition = stream.disposition
        trial.start_encoding()
    except (av.error.FFmpegError, ValueError) as error:
        return str(getattr(error, "strerror", None) or error)
    finally:
        with suppress(av.error.FFmpegError, ValueError, OSError):
            trial.close()
    return None
