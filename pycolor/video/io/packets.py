"""The packets of one stream, told by digest and time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.error
from av.stream import Discard

from pycolor.video.io.film import rational
from pycolor.video.io.source import open_source
from pycolor.video.io.streams import is_blank


@dataclass(frozen=True, kw_only=True)
class PacketRecord:
    """One packet: SHA-256 of its bytes, its time in seconds (None if it has none).

    Attributes:
        hidden: an edit list keeps it from being shown.
    """

    digest: bytes
    size: int
    time: Fraction | None
    hidden: bool


def packet_records(path: Path, index: int) -> Iterator[PacketRecord]:
    """The packets of stream `index`, in order; one is held at a time."""
    with open_source(path) as container:
        for stream in container.streams:
            if stream.index != index:
                stream.discard = Discard.all
        stream = container.streams[index]
        adts = stream.codec_context is not None and stream.codec_context.codec.name == "aac"
        try:
            for packet in container.demux(stream):
                if not packet.size or is_blank(packet):
                    continue
                data: Any = bytes(packet)
                if adts:
                    data = _without_adts(data)
                ticks = packet.pts if packet.pts is not None else packet.dts
                yield PacketRecord(
                    digest=hashlib.sha256(data).digest(),
                    size=len(data),
                    time=None if ticks is None else ticks * rational(packet.time_base),
                    hidden=bool(packet.is_discard),
                )
        except av.error.FFmpegError:
            return  # the end of a damaged film


def _without_adts(data: bytes) -> bytes:
    """AAC without the ADTS header that MPEG-TS puts before it and MP4 and MKV leave out.

    ISO/IEC 13818-7, 6.2: a sync word of 12 ones, a header of 7 bytes or 9 with a checksum, and
    the length of the whole in 13 bits from bit 30.
    """
    if len(data) < 7 or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    return data[7 if data[1] & 1 else 9 :] if length == len(data) else data
