"""Copies everything of a film but its picture: sound, subtitles, attachments, by packet."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.stream import Discard

from pycolor.errors import FilmError
from pycolor.video.io.containers.spec import spec_of
from pycolor.video.io.frame.film import Chapter, StreamInfo, rational
from pycolor.video.io.read.describe import dispositions, stored_chapter, stream_info
from pycolor.video.io.read.integrity.damage import MOST_DAMAGES, Damage
from pycolor.video.io.read.packets import is_blank
from pycolor.video.io.read.source import is_cover, open_source, picture_stream, refuse_unreadable
from pycolor.video.io.write.clock import MILLISECOND
from pycolor.video.io.write.metadata import carry_tags, film_metadata
from pycolor.video.io.write.sound import SoundEncoder, encoder_for, why_not_coded

# Text subtitles that one container family writes one way and the other another: of each kind, what
# it can be made of.
_TEXT_FROM = {"subrip": ("mov_text",), "mov_text": ("subrip", "text")}
_PCM_BYTES = {"pcm_s16le": 2, "pcm_s24le": 3}  # of a sample, all that MXF holds
# An edit list may hide sound before the start.  Where the output has none, what lies farther
# before it than a decoder needs to run in is left out.
_RUN_IN = Fraction(1, 10)
# Sound and picture that part by more than this are seen to (EBU R 37: 40 ms early, 60 ms late).
_AUDIBLE = Fraction(1, 50)


def cut_chapter(
    chapter: Chapter, *, start: Fraction | None, stop: Fraction | None, shift: Fraction
) -> Chapter | None:
    """A chapter in an output of the range from `start` to `stop`, `shift` seconds earlier.

    None if it lies outside.
    """
    if start is not None and chapter.end <= start:
        return None
    if stop is not None and chapter.start >= stop:
        return None
    begin = chapter.start if start is None else max(chapter.start, start)
    return Chapter(start=begin - shift, end=chapter.end - shift, title=chapter.title)


@dataclass(frozen=True, kw_only=True)
class UnsupportedStream:
    """A stream that the output cannot hold, and why."""

    stream: StreamInfo
    reason: str

    def __str__(self) -> str:
        return f"{self.stream} is left out: {self.reason}"


class StreamCopier:
    """The other streams of a film on their way into an output.

    It reads the source a second time, just ahead of the picture, so no packet waits for
    frames that are still being worked on, and memory stays flat.

    Args:
        path: of the source.
        output: the container, before its header is written.
        start, stop: seconds; packets that begin outside are left out (None: no limit).
        shift: seconds taken off every timestamp.

    Attributes:
        dropped: streams that the output cannot hold; `lost` sentences on what of the others it
            cannot.
        damages: where a stream's times did not rise; `damage_count` counts them all.
        copied: the streams of the source that are copied, by source index.

    Raises:
        FilmError: if the output cannot hold a sound track.
    """

    def __init__(
        self,
        path: Path,
        output: av.container.OutputContainer,
        *,
        start: Fraction | None = None,
        stop: Fraction | None = None,
        shift: Fraction = Fraction(0),
    ) -> None:
        self.dropped: list[UnsupportedStream] = []
        self.lost: list[str] = []
        self.copied: dict[int, Any] = {}
        self.packets = 0
        self.stop = stop
        self._start = start
        self._shift = shift
        self._output = output
        self.damages: list[Damage] = []
        self.damage_count = 0
        self._last_time: dict[int, Fraction] = {}
        self._bytes: dict[int, int] = {}
        self._last_pts: dict[int, int] = {}
        self._next_sample: dict[int, Fraction] = {}
        self._filters: dict[int, BitStreamFilterContext] = {}
        self._encoders: dict[int, SoundEncoder] = {}
        self._waiting: Packet[Any] | None = None
        self._hides = spec_of(output.format.name).edit_list
        self._path = path
        self._container = open_source(path)
        try:
            self._add_streams(path)
        except BaseException:
            self._container.close()
            raise
        self._source = self._demux()

    def _add_streams(self, path: Path) -> None:
        picture = picture_stream(self._container, path)
        name = self._output.format.name
        for stream in self._container.streams:
            if stream.index == picture.index:
                stream.discard = Discard.all
                continue
            info = stream_info(stream)
            reason = self._add(stream, info, name)
            if reason is None:
                continue
            stream.discard = Discard.all
            if stream.type == "data" and carried_otherwise(stream):
                continue
            if stream.type == "audio" and not spec_of(name).pictures_only:
                raise FilmError(
                    f"{path}: {name} cannot hold {info} ({reason}); name an output with .mkv."
                )
            self.dropped.append(UnsupportedStream(stream=info, reason=reason))

    def _add(self, stream: Any, info: StreamInfo, name: str) -> str | None:
        """Add a stream to the output; the reason if it cannot hold it."""
        reason = why_left_out(stream, info, name)
        if reason is not None:
            return reason
        if stream.type == "attachment":
            # A template of an attachment has no codec, and Matroska wants its MIME type.
            added: Any = self._output.add_stream_from_template(stream)
            added.metadata.update(stream.metadata)
            return None
        if spec_of(name).whole_sound and stream.type == "audio":
            reason = self._late_for_mxf(stream)
            if reason is not None:
                return reason
        if is_converted(info, name):
            out: Any = self._output.add_mux_stream(spec_of(name).text)
            out.time_base = stream.time_base
            self._filters[stream.index] = BitStreamFilterContext(
                spec_of(name).text_filter, in_stream=stream
            )
        elif coded_again(stream, name):
            encoder = SoundEncoder(self._output, stream, encoder_for(stream, name))
            self._encoders[stream.index] = encoder
            self.lost.append(f"{name} does not hold {info}: {encoder}")
            out = encoder.stream
        else:
            out = self._output.add_stream_from_template(stream, opaque=True)
            if stream.type == "audio":
                _name_layout(out)
        out.disposition = stream.disposition
        if stream.type == "video" and "timecode" in stream.metadata and not is_cover(stream):
            if self._start is None:
                out.codec_context.framerate = stream.average_rate  # which MOV counts by
                out.metadata["timecode"] = stream.metadata["timecode"]
            else:
                self.lost.append(f"the timecode of {info} counts from its first frame: left out")
        lost = carry_tags(
            out,
            stream.metadata,
            dispositions(stream),
            container=name,
            film=self._container.metadata,
        )
        if lost:
            self.lost.append(f"{name} does not hold of {info}: {', '.join(lost)}")
        self.copied[stream.index] = out
        return None

    def _late_for_mxf(self, stream: Any) -> str | None:
        """MXF begins all its tracks together, and ends them with the picture."""
        late = (stream.start_time or 0) * rational(stream.time_base) - self._shift
        if self._start is None and abs(late) > _AUDIBLE:
            return f"it begins {float(late):+.3f} s from the picture, which mxf cannot say"
        said = (
            "mxf ends sound with the picture: what is longer is cut, and what is shorter is filled "
            "with silence"
        )
        if said not in self.lost:
            self.lost.append(said)
        return None

    def carry_chapters(self) -> None:
        """Set the source's chapters in the output, cut to the range."""
        name, chapters = self._output.format.name, []
        for chapter in self._container.chapters():
            base = rational(chapter["time_base"])
            cut = cut_chapter(
                stored_chapter(chapter), start=self._start, stop=self.stop, shift=self._shift
            )
            if cut is None:
                continue
            chapter["start"], chapter["end"] = round(cut.start / base), round(cut.end / base)
            chapters.append(chapter)
            told = film_metadata(chapter["metadata"])
            lost = [key for key in told if key != "title" and not spec_of(name).chapter_tags]
            if lost and spec_of(name).chapters:
                self.lost.append(f"{name} does not hold of a chapter: tag {', tag '.join(lost)}")
        if chapters and not spec_of(name).chapters:
            self.lost.append(
                f"the output holds no chapters: the film's {len(chapters)} are left out"
            )
        elif chapters:
            self._output.set_chapters(chapters)

    def copy_until(self, time: Fraction | None) -> None:
        """Mux what comes before `time` (seconds of the source; None: all the rest)."""
        while True:
            packet = self._waiting or next(self._source, None)
            self._waiting = None
            if packet is None:
                self._end_sound()
                return
            if time is not None and _start_of(packet) > time:
                self._waiting = packet
                return
            self._mux(packet)

    def fill_with_silence(self, until: Fraction) -> None:
        """Bring every track of PCM up to a time: MXF drops the pictures behind its shortest one."""
        for index, out in self.copied.items():
            if out.type != "audio":
                continue
            context: Any = out.codec_context
            frame_bytes = context.layout.nb_channels * _PCM_BYTES[context.codec.name]
            done = self._bytes.get(index, 0) // frame_bytes
            lacking = round(until * context.sample_rate) - done
            if lacking > 0:
                packet: Packet[Any] = Packet(bytes(lacking * frame_bytes))
                packet.time_base = Fraction(1, context.sample_rate)
                packet.pts = packet.dts = done
                packet.duration = lacking
                packet.stream = out
                self._output.mux_one(packet)

    def close(self) -> None:
        self._source.close()
        self._container.close()

    def _demux(self) -> Generator[Packet[Any], None, None]:
        streams = [self._container.streams[i] for i in self.copied]
        if not streams:
            return
        try:
            for packet in self._container.demux(*streams):
                if packet.size and not is_blank(packet) and self._belongs(packet):
                    yield packet
        except av.error.FFmpegError as error:
            refuse_unreadable(self._path, error)  # the picture's Reader reports other damage

    def _belongs(self, packet: Packet[Any]) -> bool:
        begin = _start_of(packet)
        if self._start is not None and begin < self._start:
            return False
        if self.stop is not None and begin >= self.stop:
            return False
        return self._hides or not packet.is_discard or begin >= -_RUN_IN

    def _mux(self, packet: Packet[Any]) -> None:
        index = packet.stream.index
        if packet.stream.type == "audio":
            self._time_sound(packet)
        if self._shift:
            ticks = round(self._shift / rational(packet.time_base))
            packet.pts = None if packet.pts is None else packet.pts - ticks
            packet.dts = None if packet.dts is None else packet.dts - ticks
        for ready in self._converted(packet, index):
            self._put(ready, index)

    def _converted(self, packet: Packet[Any], index: int) -> Iterable[Packet[Any]]:
        if index in self._filters:
            return self._filters[index].filter(packet)
        if index in self._encoders:
            return self._encoders[index].encode(packet)
        return (packet,)

    def _end_sound(self) -> None:
        """Mux what the encoders still hold."""
        while self._encoders:
            index, encoder = self._encoders.popitem()
            for ready in encoder.finish():
                self._put(ready, index)
            if encoder.damaged:
                what = f"{encoder.damaged} packets of stream {index} cannot be decoded"
                self._damage(None, what)

    def _put(self, packet: Packet[Any], index: int) -> None:
        self._raise(packet, index)
        self._bytes[index] = self._bytes.get(index, 0) + packet.size
        packet.stream = self.copied[index]
        self._output.mux_one(packet)
        self.packets += 1

    def _raise(self, packet: Packet[Any], index: int) -> None:
        """Keep the times of a stream rising, which every muxer asks for."""
        base = rational(packet.time_base)
        ticks = packet.dts if packet.dts is not None else packet.pts
        last = self._last_time.get(index)
        if ticks is None or not base:
            return
        if last is not None and ticks * base < last:
            moved = ceil(last / base)
            what = f"a timestamp of stream {index} does not rise; its packet is moved up"
            self._damage(ticks * base + self._shift, what)
            packet.dts = moved
            packet.pts = moved if packet.pts is None else max(packet.pts, moved)
            ticks = moved
        self._last_time[index] = ticks * base

    def _damage(self, time: Fraction | None, what: str) -> None:
        self.damage_count += 1
        if len(self.damages) < MOST_DAMAGES:
            self.damages.append(Damage(time=time, what=what))

    def _time_sound(self, packet: Packet[Any]) -> None:
        """Give a packet its duration, and on a millisecond clock its place in the samples.

        Matroska rounds the times of packets that follow each other without a gap; an MP4 made
        of those would have gaps and overlaps of a few samples.
        """
        context, index = packet.stream.codec_context, packet.stream.index
        rate, size = context.sample_rate, context.frame_size
        base = rational(packet.time_base)
        if packet.pts is not None:
            # MP4 hides a last packet of no duration; the step before it is the best guess.
            packet.duration = packet.duration or packet.pts - self._last_pts.get(index, packet.pts)
            self._last_pts[index] = packet.pts
        if not (self._hides and base == MILLISECOND and size and rate) or packet.pts is None:
            return
        time = packet.pts * base
        expected = self._next_sample.get(index)
        if expected is None or abs(expected / rate - time) > base:
            expected = Fraction(round(time * rate))
        packet.time_base = Fraction(1, rate)
        packet.pts = packet.dts = int(expected)
        packet.duration = size
        self._next_sample[index] = expected + size


def _name_layout(out: Any) -> None:
    """PCM of one or two channels is often stored without saying that it is mono or stereo."""
    layout = out.codec_context.layout
    if layout.nb_channels <= 2 and layout.name not in ("mono", "stereo", "downmix"):
        out.codec_context.layout = "mono" if layout.nb_channels == 1 else "stereo"


def _start_of(packet: Packet[Any]) -> Fraction:
    ticks = packet.dts if packet.dts is not None else packet.pts
    if ticks is None:
        return Fraction(0)
    return ticks * rational(packet.time_base)


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
    if is_cover(stream) and not spec_of(container).cover_art:
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
