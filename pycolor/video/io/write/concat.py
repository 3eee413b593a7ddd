"""Joins segments, each encoded alone, into one film: packet by packet, where it has packets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import av.error

from pycolor.errors import FilmError
from pycolor.video.io.containers.presets import Preset, ending_of, preset_for
from pycolor.video.io.read.integrity.damage import Damage
from pycolor.video.io.read.opening.source import open_source, picture_stream
from pycolor.video.io.read.reader import Reader
from pycolor.video.io.write.container import ContainerWriter
from pycolor.video.io.write.packet_times import PacketTimes, presentation_order
from pycolor.video.io.write.writer import Writer


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
    on_frame: Callable[[], None] = lambda: None,
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
        on_frame: called for every frame.

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
    preset = preset if isinstance(preset, Preset) else preset_for(ending_of(path, preset), preset)
    if preset.pictures_only:
        return _write_again(segments, reader, path, timeline, preset, name, on_frame)
    orders = [presentation_order(segment) for segment in segments]
    _check_number(sum(map(len, orders)), timeline, name or path)
    output = ContainerWriter(
        path, reader, preset, streams=True, metadata=metadata or {}, name=name, timeline=timeline
    )
    try:
        _copy_all(segments, orders, output, reader, timeline, on_frame)
    except av.error.FFmpegError as error:
        output.abort()
        raise output.failure(error) from error
    except BaseException:
        output.abort()
        raise
    output.finish(len(timeline))
    (damages if damages is not None else []).extend(output.damages)
    return len(timeline)


def _write_again(
    segments: Sequence[Path],
    reader: Reader,
    path: Path,
    timeline: Sequence[int],
    preset: Preset,
    name: Path | None,
    on_frame: Callable[[], None],
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
                    on_frame()
        _check_number(writer.written, timeline, writer.target)
    return writer.written


def _check_number(found: int, timeline: Sequence[int], path: Path) -> None:
    if found != len(timeline):
        raise FilmError(_wrong_number(path, str(found), len(timeline)))


def _wrong_number(path: Path, found: str, expected: int) -> str:
    return f"the segments of {path} hold {found} frames; expected {expected}, as the source."


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


def _copy_all(
    segments: Sequence[Path],
    orders: Sequence[Sequence[int]],
    output: ContainerWriter,
    reader: Reader,
    timeline: Sequence[int],
    on_frame: Callable[[], None],
) -> None:
    """Write the header, and mux the segments."""
    delay = max(i - rank for order in orders for i, rank in enumerate(order))
    times = PacketTimes(output, reader, timeline, delay)
    stream = _add_picture(output, segments[0])
    output.write_header(stream)
    extradata = stream.codec_context.extradata
    first = 0
    for segment, order in zip(segments, orders, strict=True):
        for _ in _copy(segment, order, first, times, output, stream, extradata):
            on_frame()
        first += len(order)


def _copy(
    segment: Path,
    order: Sequence[int],
    first: int,
    times: PacketTimes,
    output: ContainerWriter,
    stream: Any,
    extradata: bytes | None,
) -> Iterator[None]:
    """Mux a segment whose first frame is the film's frame `first`, step by step."""
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
            yield
