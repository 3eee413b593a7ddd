"""The times of copied packets: they rise, and sound's lie on its samples."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

from av.packet import Packet

from pycolor.video.io.frame.film import rational
from pycolor.video.io.write.timing.clock import MILLISECOND


class RisingTimes:
    """Keeps the times of each stream rising, which every muxer asks for."""

    def __init__(self) -> None:
        self._last: dict[int, Fraction] = {}

    def keep(self, packet: Packet[Any], index: int) -> Fraction | None:
        """Move a packet of stream `index` up to the one before; its old time if that was done."""
        base = rational(packet.time_base)
        ticks = packet.dts if packet.dts is not None else packet.pts
        last = self._last.get(index)
        if ticks is None or not base:
            return None
        found = None
        if last is not None and ticks * base < last:
            found, moved = ticks * base, ceil(last / base)
            packet.dts = moved
            packet.pts = moved if packet.pts is None else max(packet.pts, moved)
            ticks = moved
        self._last[index] = ticks * base
        return found


class SoundTimes:
    """Gives sound its durations, and on a millisecond clock its place in the samples.

    Matroska rounds the times of packets that follow each other without a gap; an MP4 made of those
    would have gaps and overlaps of a few samples.

    Args:
        exact: the output counts in samples.
    """

    def __init__(self, *, exact: bool) -> None:
        self._exact = exact
        self._last_pts: dict[int, int] = {}
        self._next_sample: dict[int, Fraction] = {}

    def place(self, packet: Packet[Any]) -> None:
        context: Any = packet.stream.codec_context
        index, pts = packet.stream.index, packet.pts
        rate, size = context.sample_rate, context.frame_size
        base = rational(packet.time_base)
        if pts is None:
            return
        # MP4 hides a last packet of no duration; the step before it is the best guess.
        packet.duration = packet.duration or pts - self._last_pts.get(index, pts)
        self._last_pts[index] = pts
        if not (self._exact and base == MILLISECOND and size and rate):
            return
        time = pts * base
        expected = self._next_sample.get(index)
        if expected is None or abs(expected / rate - time) > base:
            expected = Fraction(round(time * rate))
        packet.time_base = Fraction(1, rate)
        packet.pts = packet.dts = int(expected)
        packet.duration = size
        self._next_sample[index] = expected + size


def start_of(packet: Packet[Any]) -> Fraction:
    """When a packet is decoded, seconds."""
    ticks = packet.dts if packet.dts is not None else packet.pts
    if ticks is None:
        return Fraction(0)
    return ticks * rational(packet.time_base)
