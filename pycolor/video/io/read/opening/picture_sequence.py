"""Numbered pictures as if they were a container: what `Reader` asks of one of PyAV's.

FFmpeg's own reader of sequences ends at the first hole in the numbers, sorts a folder by letters,
and cannot say which file is broken.  Here each picture is decoded by itself, some ahead of their
turn, and shown at the time that its number says.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import av.error

from pycolor.errors import FilmError
from pycolor.video.io.containers.codecs.scan_header import HEADER_BYTES, ScanHeader, scan_header
from pycolor.video.io.containers.sequence import DEFAULT_RATE, PictureSequence
from pycolor.video.io.containers.timecode import later_timecode
from pycolor.video.io.read.opening.address import as_address
from pycolor.video.io.read.pictures.picture_file import decode_picture, notes_on_picture

_AHEAD = min(4, os.cpu_count() or 1)  # pictures decoded before they are asked for
_NO_RATE = f"numbered pictures tell no rate; {DEFAULT_RATE} frames per second is taken"


class PicturePacket:
    """A picture file that is not decoded yet; like PyAV's Packet where a Reader looks at it."""

    is_discard = False
    pos = None

    def __init__(self, container: SequenceContainer, index: int) -> None:
        ticks = container.sequence.ticks
        self.pts = self.dts = ticks[index]
        self.time_base = 1 / container.rate
        self.duration = ticks[index + 1] - self.pts if index + 1 < len(ticks) else 1
        self.size = 1  # a packet of 0 bytes would be the end
        self._container = container
        self._index = index

    def __bytes__(self) -> bytes:
        try:
            return self._container.sequence.paths[self._index].read_bytes()
        except OSError:
            return b""

    def decode(self) -> list[av.VideoFrame]:
        """The picture.

        Raises:
            av.error.InvalidDataError: it is damaged.
        """
        frame = self._container.decoded(self._index)
        frame.pts = self.pts
        frame.time_base = self.time_base
        frame.duration = self.duration
        return [frame]


class PictureStream:
    """The pictures' stream: FFmpeg's of one of them, in the time of them all."""

    def __init__(self, native: Any, container: SequenceContainer) -> None:
        self.native = native
        self.guessed_rate = self.average_rate = self.base_rate = container.rate
        self.time_base = 1 / container.rate
        self.start_time = 0
        self.duration = container.sequence.ticks[-1] + 1
        self.frames = len(container.sequence.paths)
        self.metadata = {"timecode": container.timecode} if container.timecode else {}
        self.thread_type = "AUTO"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.native, name)


class SequenceContainer:
    """See the module.

    Args:
        sequence: the pictures.
        path: what was asked for, a folder or a pattern.
        rate: frames per second; None: what the pictures' header says, or 24.

    Attributes:
        rate: in force.
        timecode: of the first picture, empty if it has none.
        notes: sentences on what is assumed and what is missing.
        streams, metadata, duration, format: as PyAV's containers have them.

    Raises:
        FilmError: no picture can be read.
    """

    def __init__(self, sequence: PictureSequence, path: Path, rate: Fraction | None) -> None:
        self.sequence = sequence
        self._native, first = _open_any(sequence.paths, path)
        codec = self._native.streams.video[0].codec_context
        self._codec: str = codec.codec.canonical_name
        header = _header_of(first)
        self.rate = rate or header.rate or DEFAULT_RATE
        self.timecode = header.timecode if first == sequence.paths[0] else ""
        self.notes = [*sequence.notes, *header.notes, *notes_on_picture(first, self._codec)]
        said = f"the pictures' headers say {header.rate} frames per second"
        if rate is None:
            self.notes.append(said if header.rate else _NO_RATE)
        elif header.rate and rate != header.rate:
            self.notes.append(f"{said}; {rate} is taken, as asked for")
        self._check_timecode(header)
        self.metadata = dict(header.metadata)
        self.duration = None
        self.format = SimpleNamespace(name="image2")
        stream = PictureStream(self._native.streams.video[0], self)
        self.streams: Any = _Streams([stream])
        self._next = 0
        self._pool = ThreadPoolExecutor(_AHEAD, thread_name_prefix="picture")
        self._waiting: dict[int, Future[av.VideoFrame]] = {}

    def chapters(self) -> list[Any]:
        """None: pictures have no chapters."""
        return []

    def demux(self, _: Any = None) -> Iterator[PicturePacket]:
        """The pictures from where the sequence stands, undecoded."""
        while self._next < len(self.sequence.paths):
            self._next += 1
            yield PicturePacket(self, self._next - 1)

    def decode(self, stream: Any = None, *, video: int = 0) -> Iterator[av.VideoFrame]:
        """The pictures, decoded."""
        for packet in self.demux(stream or video):
            yield from packet.decode()

    def seek(self, pts: int, *, stream: Any = None) -> None:
        """Go on with the first picture that is not shown before `pts`."""
        self._next = bisect_left(self.sequence.ticks, pts)
        self._drop()

    def decoded(self, index: int) -> av.VideoFrame:
        """A picture; those behind it are decoded meanwhile."""
        for ahead in range(index, min(index + 1 + _AHEAD, len(self.sequence.paths))):
            if ahead not in self._waiting:
                path = self.sequence.paths[ahead]
                self._waiting[ahead] = self._pool.submit(decode_picture, path, self._codec)
        for passed in [k for k in self._waiting if k < index]:
            del self._waiting[passed]
        return self._waiting.pop(index).result()

    def close(self) -> None:
        self._drop()
        self._pool.shutdown(wait=True)
        self._native.close()

    def __enter__(self) -> SequenceContainer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _drop(self) -> None:
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    def _check_timecode(self, header: ScanHeader) -> None:
        """Says where the pictures' timecodes do not count as their numbers do."""
        paths, ticks = self.sequence.paths, self.sequence.ticks
        if len(paths) < 2:
            self.timecode = self.timecode if header.certain else ""
            return
        second, last = _header_of(paths[1]).timecode, _header_of(paths[-1]).timecode
        if not header.certain:
            counted = later_timecode(self.timecode, ticks[1], self.rate) if self.timecode else None
            if counted is None or second != counted:
                self.timecode = ""
            return
        if not self.timecode and second == later_timecode("00:00:00:00", ticks[1], self.rate):
            self.timecode = "00:00:00:00"  # which others write who know of none
        if not self.timecode:
            return
        counted = later_timecode(self.timecode, ticks[-1], self.rate)
        if last and counted is not None and last != counted:
            self.notes.append(
                f"the timecodes in the headers do not count on from {self.timecode}: the last "
                f"says {last} in place of {counted}"
            )


class _Streams(list[Any]):
    """The streams of a container: one, of pictures."""

    @property
    def video(self) -> list[Any]:
        return list(self)

    @property
    def data(self) -> list[Any]:
        return []

    audio = subtitles = attachments = data


def _header_of(path: Path) -> ScanHeader:
    try:
        with path.open("rb") as file:
            return scan_header(
                file.read(1 << 16 if path.suffix.lower() == ".exr" else HEADER_BYTES)
            )
    except OSError:
        return ScanHeader()


def _open_any(paths: tuple[Path, ...], path: Path) -> tuple[Any, Path]:
    """The first picture that can be opened, and its path."""
    reason: Exception | None = None
    for candidate in paths:
        try:
            container = av.open(as_address(candidate), "r")
            if container.streams.video:
                return container, candidate
            container.close()
        except PermissionError as error:
            raise FilmError(f"{candidate} may not be read: permission denied.") from error
        except (av.error.FFmpegError, OSError) as error:
            reason = reason or error
    what = getattr(reason, "strerror", None) or reason
    raise FilmError(f"{path} holds no picture that FFmpeg can read ({what}).")
