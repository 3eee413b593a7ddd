"""Joins segments, each encoded alone, into one film: packet by packet, where it has packets."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
import av.error

from pycolor.errors import FilmError
from pycolor.video.io.containers.presets import Preset, ending_of, preset_for
from pycolor.video.io.read.integrity.damage import Damage
from pycolor.video.io.read.reader import Reader
from pycolor.video.io.read.source import open_source, picture_stream
from pycolor.video.io.write.container import ContainerWriter
from pycolor.video.io.write.writer import Writer

# Of these the header tells when the picture ends; for others FFmpeg estimates it.
_TELLS_ITS_END = ("mov", "matroska")


def concat_segments(
    segments: Sequence[Path],
    reader: Reader,
    path: str | Path,
    *,
    timeline: Sequence[int],
    preset: Preset | str | None = None,
    metadata: Mapping[str, str] | None = None,
    name: Path | None = None,
    damages: list[Damage] | None = None,
) -> int:
    """Write the segments' packets one after the other, at the times of the source's frames.

    A segment's own times serve only to order its frames: the n-th frame of all is given the
    n-th time of `timeline`, so neither rounding nor a container's start adds up.

    Args:
        segments: files that a Writer made of consecutive ranges of the source, with equal options
            and `streams=False`.
        reader: of the source, opened with the range that all segments cover together; its other
            streams, chapters and tags go into the result.
        path: of the result (a temporary name, to be renamed).
        timeline: pts of the source's frames in that range, in order.
        preset: as of the segments, for the muxer's options; one of pictures writes pictures.
        metadata: added to the container's.
        name: what messages call the result, if not by its path.
        damages: extended by where the source's other streams were found broken.

    Returns:
        The number of frames written.

    Raises:
        FilmError: if a segment is missing, damaged or coded otherwise than the first, if there
            are more or fewer frames than times, or if the result cannot be written.  No file is
            left then.
    """
    path = Path(path)
    if not segments:
        raise FilmError(f"{name or path} cannot be joined: there is no segment.")
    if not isinstance(preset, Preset):
        preset = preset_for(ending_of(path, preset), preset)
    if preset.pictures_only:
        return _write_again(segments, reader, path, timeline, preset, name)
    orders = [_presentation_order(segment) for segment in segments]
    total = sum(len(order) for order in orders)
    if total != len(timeline):
        raise FilmError(_wrong_number(name or path, str(total), len(timeline)))
    delay = max(i - rank for order in orders for i, rank in enumerate(order))
    output = ContainerWriter(
        path, reader, preset, streams=True, metadata=metadata or {}, name=name, timeline=timeline
    )
    times = _Times(output, reader, timeline, delay)
    try:
        stream = _add_picture(output, segments[0])
        output.write_header(stream)
        extradata = stream.codec_context.extradata
        first = 0
        for segment, order in zip(segments, orders, strict=True):
            _copy(segment, order, first, times, output, stream, extradata)
            first += len(order)
    except av.error.FFmpegError as error:
        output.abort()
        raise output.failure(error) from error
    except BaseException:
        output.abort()
        raise
    output.finish(total)
    if damages is not None:
        damages += output.damages
    return total


def _write_again(
    segments: Sequence[Path],
    reader: Reader,
    path: Path,
    timeline: Sequence[int],
    preset: Preset,
    name: Path | None,
) -> int:
    """Pictures in files of their own, or in a pipe, are no packets: the segments are decoded."""
    with Writer(path, reader, preset=preset, name=name) as writer:
        for segment in segments:
            with Reader(segment) as pictures:
                for frame in pictures:
                    if writer.written == len(timeline):
                        raise FilmError(_wrong_number(writer.target, "more", len(timeline)))
                    index, pts = writer.written, timeline[writer.written]
                    writer.write(
                        writer.factory.picture_from_segment(
                            frame, index=reader.first + index, pts=pts
                        )
                    )
        if writer.written != len(timeline):
            raise FilmError(_wrong_number(writer.target, str(writer.written), len(timeline)))
    return writer.written


def _wrong_number(path: Path, found: str, expected: int) -> str:
    return f"the segments of {path} hold {found} frames; expected {expected}, as the source."


def _presentation_order(segment: Path) -> Sequence[int]:
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


class _Times:
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
        self._shown = _rising(output.clock(pts) for pts in timeline)
        self._delay = delay
        rate = output.rate or output.info.rate
        self._frame = max(1, round(1 / rate / output.clock.time_base))
        self._last = self._frame if output.rate else self._last_of_varying(output, reader)

    def _last_of_varying(self, output: ContainerWriter, reader: Reader) -> int:
        """How long the last frame is shown: until the range ends, or the source's header says."""
        end = reader.stop_time
        if end is None and output.info.container.startswith(_TELLS_ITS_END):
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


def _add_picture(output: ContainerWriter, segment: Path) -> Any:
    """A stream like the segments'."""
    with open_source(segment) as container:
        template = picture_stream(container, segment)
        stream: Any = output.container.add_stream_from_template(template, opaque=True)
    info, context = output.info, stream.codec_context
    stream.time_base = output.clock.time_base
    context.framerate = output.rate  # none where it varies: Matroska would state a duration
    if info.pixel_aspect:
        context.sample_aspect_ratio = info.pixel_aspect
    return stream


def _copy(
    segment: Path,
    order: Sequence[int],
    first: int,
    times: _Times,
    output: ContainerWriter,
    stream: Any,
    extradata: bytes | None,
) -> None:
    """Mux a segment whose first frame is the film's frame `first`."""
    with open_source(segment) as container:
        source = picture_stream(container, segment)
        if source.codec_context.extradata != extradata:
            raise FilmError(
                f"{segment} was coded with other settings than the first segment; "
                "expected the same encoder and options for all."
            )
        number = 0
        for packet in container.demux(source):
            if not packet.size:
                continue
            frame = first + order[number]
            packet.time_base = output.clock.time_base
            packet.pts, packet.dts = times.shown(frame), times.decoded(first + number)
            packet.duration = times.length(frame)
            packet.stream = stream
            output.mux(packet)
            number += 1
