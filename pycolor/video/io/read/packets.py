"""The packets of one stream, told by their bytes and times."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error
import numpy as np
from av.packet import Packet
from av.stream import Discard

from pycolor.video.io.frame.film import rational
from pycolor.video.io.read.opening.source import open_source, refuse_unreadable


@dataclass(frozen=True, kw_only=True)
class PacketRecord:
    """One packet.

    Attributes:
        data: its bytes.
        time: in seconds, None if it has none.
        hidden: an edit list keeps it from being shown.
        lasting: seconds, 0 if it does not state it.
    """

    data: bytes
    time: Fraction | None
    hidden: bool
    lasting: Fraction = Fraction(0)


def packet_records(path: Path, index: int, *, plain_text: bool = False) -> Iterator[PacketRecord]:
    """The packets of stream `index`, in order; one is held at a time.

    Args:
        path: of the film.
        index: of the stream in it.
        plain_text: of subtitles as MP4 stores them, take the words alone: what a conversion to or
            from them keeps.
    """
    with open_source(path) as container:
        for stream in container.streams:
            if stream.index != index:
                stream.discard = Discard.all
        stream = container.streams[index]
        adts = stream.codec_context is not None and stream.codec_context.codec.name == "aac"
        boxed = plain_text and stream.name == "mov_text"
        try:
            for packet in container.demux(stream):
                if not packet.size or is_blank(packet):
                    continue
                data = bytes(packet)
                if adts:
                    data = _without_adts(data)
                if boxed:
                    data = data[2 : 2 + int.from_bytes(data[:2], "big")]
                ticks = packet.pts if packet.pts is not None else packet.dts
                yield PacketRecord(
                    data=data,
                    time=None if ticks is None else ticks * rational(packet.time_base),
                    hidden=bool(packet.is_discard),
                    lasting=(packet.duration or 0) * rational(packet.time_base),
                )
        except av.error.FFmpegError as error:
            refuse_unreadable(path, error)  # else the end of a damaged film


def packets_digest(path: Path) -> str:
    """SHA-256 of all packets of all streams: their bytes and times, in the order of the file.

    Raises:
        FilmError: the film cannot be read.
    """
    digest = hashlib.sha256()
    with open_source(path) as container:
        try:
            for packet in container.demux():
                times = (packet.pts, packet.dts, packet.duration, packet.is_keyframe)
                digest.update(repr((packet.stream.index, times, packet.size)).encode())
                digest.update(bytes(packet))
        except av.error.FFmpegError as error:
            refuse_unreadable(path, error)  # else the end of a damaged film
    return digest.hexdigest()


def sample_digest(path: Path, index: int, start: Fraction | None, stop: Fraction | None) -> str:
    """SHA-256 of the samples of a track, decoded, of the packets that begin in a range."""
    digest = hashlib.sha256()
    with open_source(path) as container:
        stream: Any = container.streams[index]
        try:
            for packet in container.demux(stream):
                time = None if packet.pts is None else packet.pts * rational(packet.time_base)
                outside = time is not None and (
                    (start is not None and time < start) or (stop is not None and time >= stop)
                )
                if outside:
                    continue
                for frame in packet.decode():
                    digest.update(np.ascontiguousarray(frame.to_ndarray()).data)
        except av.error.FFmpegError as error:
            refuse_unreadable(path, error)  # else the end of a damaged film
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Two streams of bytes beside each other.

    Attributes:
        same: bytes that both have; `differ` where they then go on differently.
        missing: bytes that only the first has, after its equal beginning.
        added: bytes that only the second has; `silent` if all of them are 0.
    """

    same: int
    differ: bool
    missing: int
    added: int
    silent: bool


def compare_joined(ones: Iterable[PacketRecord], others: Iterable[PacketRecord]) -> Joined:
    """Compare the bytes of two streams, however they are cut into packets."""
    first, second = (r.data for r in ones), (r.data for r in others)
    one = other = b""
    same = 0
    while True:
        one, other = one or next(first, b""), other or next(second, b"")
        if not one or not other:
            break
        size = min(len(one), len(other))
        if one[:size] != other[:size]:
            return Joined(same=same, differ=True, missing=0, added=0, silent=False)
        same += size
        one, other = one[size:], other[size:]
    missing = len(one) + sum(map(len, first))
    silent, added = True, 0
    for data in (other, *second):
        added += len(data)
        silent = silent and not any(data)
    return Joined(same=same, differ=False, missing=missing, added=added, silent=silent)


def _without_adts(data: bytes) -> bytes:
    """AAC without the ADTS header that MPEG-TS puts before it and MP4 and MKV leave out.

    ISO/IEC 13818-7, 6.2: a sync word of 12 ones, a header of 7 bytes or 9 with a checksum, and
    the length of the whole in 13 bits from bit 30.
    """
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    return data[7 if data[1] & 1 else 9 :] if length == len(data) else data


def is_blank(packet: Packet[Any]) -> bool:
    """MP4 fills the time between two titles with empty ones; the muxer makes its own."""
    return bool(packet.size == 2 and packet.stream.name == "mov_text" and bytes(packet) == b"\0\0")
