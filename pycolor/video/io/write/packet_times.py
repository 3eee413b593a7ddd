"""When each packet of segments that are joined is decoded and shown."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from pycolor.errors import FilmError
from pycolor.video.io.read.opening.source import open_source, picture_stream
from pycolor.video.io.read.reader import Reader
from pycolor.video.io.write.container import ContainerWriter

# Of these the header tells when the picture ends; for others FFmpeg estimates it.
_TELLS_ITS_END = ("mov", "matroska")


def presentation_order(segment: Path) -> Sequence[int]:
    """For each packet, in the order of decoding, its rank in the order of showing."""
    with open_source(segment) as container:
        stream = picture_stream(container, segment)
        times = [packet.pts for packet in container.demux(stream) if packet.size]
    if not times or any(time is None for time in times):
        raise FilmError(f"{segment} is no segment: its packets have no times.")
    known: list[Any] = times
    rank = {time: n for n, time in enumerate(sorted(known))}
    if len(rank) != len(known):
        raise FilmError(f"{segment} is damaged: two of its frames have one time.")
    return array("q", (rank[time] for time in known))


class PacketTimes:
    """When each packet of the result is decoded and shown, and for how long, in its ticks.

    Args:
        output: the result.
        reader: of the source.
        timeline: pts of the source's frames.
        delay: frames that the decoder holds back at most, to put them into the order of showing.
    """

    def __init__(
        self, output: ContainerWriter, reader: Reader, timeline: Sequence[int], delay: int
    ) -> None:
        # Each frame for the same time, or a muxer that knows gaps (AVI) would leave them.
        counted = output.spec.fixed_rate and not reader.has_holes
        times = range(len(timeline)) if counted else (output.clock(pts) for pts in timeline)
        self._shown = _rising(times)
        self._delay = delay
        rate = output.rate or output.info.rate
        self._frame = max(1, round(1 / rate / output.clock.time_base))
        self._last = self._frame if output.rate else self._last_of_varying(output, reader)

    def _last_of_varying(self, output: ContainerWriter, reader: Reader) -> int:
        """How long the last frame is shown: until the range ends, or the source's header says."""
        # A reader that has not come to the end of its range finds it by the packets' times.
        known = reader.stop is None or reader.timeline() is not None
        end = reader.stop_time
        if end is None and known and output.info.container.startswith(_TELLS_ITS_END):
            end = reader.declared_end
        if end is not None:
            ticks = round((end - output.clock.shift) / output.clock.time_base) - self._shown[-1]
            if ticks > 0:
                return ticks
        return self._shown[-1] - self._shown[-2] if len(self._shown) > 1 else self._frame

    def shown(self, frame: int) -> int:
        return self._shown[frame]

    def decoded(self, number: int) -> int:
        """Of the n-th packet: the time of the n-th frame shown, `delay` frames earlier.

        It is never later than the packet's own time, and always rises.  Before the first frame it
        goes down frame by frame: MP4 makes these steps durations.
        """
        rank = number - self._delay
        return self._shown[rank] if rank >= 0 else self._shown[0] + rank * self._frame

    def length(self, frame: int) -> int:
        if frame + 1 < len(self._shown):
            return self._shown[frame + 1] - self._shown[frame]
        return self._last


def _rising(times: Iterable[int]) -> Sequence[int]:
    """Ticks that rise where the output's clock is too coarse to tell two frames apart."""
    return array("q", accumulate(times, lambda last, time: max(time, last + 1)))
