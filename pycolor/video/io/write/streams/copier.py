"""Copies everything of a film but its picture: sound, subtitles, attachments, by packet."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av.container
import av.error
from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.stream import Discard

from pycolor.errors import FilmError, counted
from pycolor.video.io.containers.spec import spec_of
from pycolor.video.io.frame.film import StreamInfo, rational
from pycolor.video.io.read.describe import dispositions, stream_info
from pycolor.video.io.read.integrity.damage import MOST_DAMAGES, Damage
from pycolor.video.io.read.opening.source import (
    is_cover,
    open_source,
    picture_stream,
    refuse_unreadable,
)
from pycolor.video.io.read.packets import is_blank
from pycolor.video.io.write.streams.chapters import carry_chapters
from pycolor.video.io.write.streams.metadata import carry_tags
from pycolor.video.io.write.streams.sound import SoundEncoder, encoder_for, name_layout
from pycolor.video.io.write.streams.support import (
    UnsupportedStream,
    carried_otherwise,
    coded_again,
    is_converted,
    why_left_out,
)
from pycolor.video.io.write.streams.times import RisingTimes, SoundTimes, start_of

_PCM_BYTES = {"pcm_s16le": 2, "pcm_s24le": 3}  # of a sample, all that MXF holds
# An edit list may hide sound before the start.  Where the output has none, what lies farther
# before it than a decoder needs to run in is left out.
_RUN_IN = Fraction(1, 10)
# Sound and picture that part by more than this are seen to (EBU R 37: 40 ms early, 60 ms late).
_AUDIBLE = Fraction(1, 50)


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
        self._bytes: dict[int, int] = {}
        self._filters: dict[int, BitStreamFilterContext] = {}
        self._encoders: dict[int, SoundEncoder] = {}
        self._waiting: Packet[Any] | None = None
        self._hides = spec_of(output.format.name).edit_list
        self._rising = RisingTimes()
        self._sound_times = SoundTimes(exact=self._hides)
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
        if stream.type == "audio":
            reason = self._late_sound(stream, name)
            if reason is not None:
                return reason
        out = self._output_stream(stream, info, name)
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

    def _output_stream(self, stream: Any, info: StreamInfo, name: str) -> Any:
        """The output's stream for one of the source's: converted, coded again or copied."""
        if is_converted(info, name):
            out: Any = self._output.add_mux_stream(spec_of(name).text)
            out.time_base = stream.time_base
            self._filters[stream.index] = BitStreamFilterContext(
                spec_of(name).text_filter, in_stream=stream
            )
            return out
        if coded_again(stream, name):
            encoder = SoundEncoder(self._output, stream, encoder_for(stream, name))
            self._encoders[stream.index] = encoder
            self.lost.append(f"{name} does not hold {info}: {encoder}")
            return encoder.stream
        out = self._output.add_stream_from_template(stream, opaque=True)
        if stream.type == "audio":
            name_layout(out)
        return out

    def _late_sound(self, stream: Any, name: str) -> str | None:
        """Some containers begin all their tracks together, and end them with the picture."""
        if not spec_of(name).whole_sound:
            return None
        late = (stream.start_time or 0) * rational(stream.time_base) - self._shift
        if self._start is None and abs(late) > _AUDIBLE:
            return f"it begins {float(late):+.3f} s from the picture, which {name} cannot say"
        said = (
            f"{name} ends sound with the picture: what is longer is cut, and what is shorter is "
            "filled with silence"
        )
        if said not in self.lost:
            self.lost.append(said)
        return None

    def carry_chapters(self) -> None:
        """Set the source's chapters in the output, cut to the range."""
        self.lost += carry_chapters(
            self._container, self._output, start=self._start, stop=self.stop, shift=self._shift
        )

    def copy_until(self, time: Fraction | None) -> None:
        """Mux what comes before `time` (seconds of the source; None: all the rest)."""
        while True:
            packet = self._waiting or next(self._source, None)
            self._waiting = None
            if packet is None:
                self._end_sound()
                return
            if time is not None and start_of(packet) > time:
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
        begin = start_of(packet)
        if self._start is not None and begin < self._start:
            return False
        if self.stop is not None and begin >= self.stop:
            return False
        return self._hides or not packet.is_discard or begin >= -_RUN_IN

    def _mux(self, packet: Packet[Any]) -> None:
        index = packet.stream.index
        if packet.stream.type == "audio":
            self._sound_times.place(packet)
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
            for time, change in encoder.changes:
                what = f"the sound of stream {index} changes {change}: it is converted back"
                self._damage(Fraction(time) + self._shift, what)
            if encoder.damaged:
                what = f"{counted(encoder.damaged, 'packet')} of stream {index} cannot be decoded"
                self._damage(None, what)

    def _put(self, packet: Packet[Any], index: int) -> None:
        moved = self._rising.keep(packet, index)
        if moved is not None:
            what = f"a timestamp of stream {index} does not rise; its packet is moved up"
            self._damage(moved + self._shift, what)
        self._bytes[index] = self._bytes.get(index, 0) + packet.size
        packet.stream = self.copied[index]
        self._output.mux_one(packet)
        self.packets += 1

    def _damage(self, time: Fraction | None, what: str) -> None:
        self.damage_count += 1
        if len(self.damages) < MOST_DAMAGES:
            self.damages.append(Damage(time=time, what=what))
