"""Encodes frames whose luma is the source's, and carries over everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import av.error

from pycolor.encoding import Encoding, Subsampling
from pycolor.errors import FilmError
from pycolor.video.io.containers.capacity import (
    stores_siting,
    unsupported_marks,
)
from pycolor.video.io.containers.presets import Preset, container_of, ending_of, preset_for
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.frame.rgb import rgb_frame, rgb_of
from pycolor.video.io.read.integrity.damage import Damage
from pycolor.video.io.read.reader import Reader
from pycolor.video.io.write.container import ContainerWriter
from pycolor.video.io.write.encoder.config import EncoderConfig, as_segment, choose
from pycolor.video.io.write.encoder.field_marks import marked, mode_of_fields
from pycolor.video.io.write.encoder.frame_factory import FrameFactory, Picture
from pycolor.video.io.write.encoder.opening import add_picture
from pycolor.video.io.write.streams.support import UnsupportedStream
from pycolor.video.io.write.timing.clock import Clock


class Writer:
    """Writes one film; the header is written at once, so refusals come before any work.

    Args:
        path: of the file to write; its ending names the container.  A pattern (`a_%06d.png`), or a
            folder where the preset is one of pictures, is a sequence, numbered as the source's or
            by the frames' indices; `-` is y4m to the standard output.  Write to a temporary name
            and rename (see `system.atomic_file`): an unfinished Writer leaves no file, but a killed
            one does.
        reader: of the source; its range of frames decides what of the sound is copied.
        preset: what the output is for, None for the container's default.  With one of pictures and
            an ending of .mkv this is a segment of such an output, for `concat_segments`: its
            pictures are the output's, kept in FFV1.
        codec, options: an encoder in place of the preset's, and options for it.
        chroma: subsampling in place of the source's own (or the preset's choice for gray).
        streams: copy sound, subtitles, attachments and chapters; False for a segment.
        metadata: added to the container's.
        name: what messages call the output, if not by its path (a temporary name).

    Attributes:
        factory: makes this output's pictures.
        encoding: of the planes of every Picture.
        pixel_format: FFmpeg's name for them.
        clock: from the source's ticks to the output's.
        dropped: what of the source the container cannot hold.
        warnings: sentences on what the output costs, `dropped` among them.
        written: frames so far; `moved` of them to the next tick, since the output's clock is too
            coarse to tell them from the frame before.

    Raises:
        UsageError: for an unknown preset, codec, option or ending.
        FilmError: if the container refuses.
    """

    def __init__(
        self,
        path: str | Path,
        reader: Reader,
        *,
        preset: Preset | str | None = None,
        codec: str | None = None,
        options: Mapping[str, str] | None = None,
        chroma: Subsampling | None = None,
        streams: bool = True,
        metadata: Mapping[str, str] | None = None,
        name: Path | None = None,
    ) -> None:
        self.path = Path(path)
        self.info: FilmInfo = reader.info
        self.written = 0
        self.moved = 0
        self._last: int | None = None
        if not isinstance(preset, Preset):
            preset = preset_for(ending_of(self.path, preset), preset)
        container = container_of(ending_of(self.path, preset.name))
        config = choose(self.info, preset, container, codec=codec, options=options, chroma=chroma)
        if preset.pictures_only and self.path.suffix == ".mkv":
            config = as_segment(config)
        config = sited(config, container)
        self.factory = FrameFactory(self.info, config)
        self.encoding: Encoding = self.factory.encoding
        self.pixel_format = self.factory.pixel_format
        self._stored = config.stored
        self._codec = config.canonical_codec
        self._streams = streams
        self._output = ContainerWriter(
            self.path, reader, preset, streams=streams, metadata=metadata or {}, name=name
        )
        self.clock: Clock = self._output.clock
        self._counted = self._output.spec.fixed_rate and not reader.has_holes
        try:
            self._stream = add_picture(self._output.container, config, self.info, clock=self.clock)
            self._fields = mode_of_fields(self.info, config.codec)
            self._output.write_header(self._stream)
        except BaseException:
            self.abort()
            raise
        self.dropped: tuple[UnsupportedStream, ...] = self._output.dropped
        said = [*config.warnings, *map(str, self.dropped), *self._output.lost]
        self.warnings: tuple[str, ...] = (*said, *self._unheld())

    @property
    def damages(self) -> tuple[Damage, ...]:
        """Where the source's other streams were found broken; complete when finished."""
        return self._output.damages

    def _unheld(self) -> Iterator[str]:
        """Sentences on the marks of the picture that the output cannot bear."""
        container, codec = self._output.name, self._codec
        marks = unsupported_marks(self.info, container, codec, self.encoding)
        spec = self._output.spec
        if codec in spec.new_readers and self._streams:  # no segment's
            yield f"{codec} in {container} is read by new programs alone; .mkv by older ones, too"
        if marks:
            where = spec.spoken or f"{codec} in {container}"
            yield f"{where} does not say of the picture: {', '.join(sorted(marks))}"
        if spec.fixed_rate and self._streams:
            off = self._output.drift()
            if off > 1 / (2 * self.info.rate):
                yield (
                    f"the film's rate varies, and {spec.called} has no times: shown at "
                    f"{_spoken_rate(self.info.rate)} frames a second, the picture parts from its "
                    f"times, and from sound, by up to {float(off):.2f} s; .mkv, .mp4 and .mov "
                    "keep the times"
                )

    def picture(self, frame: Frame) -> Picture:
        """`FrameFactory.picture`, of this output's."""
        return self.factory.picture(frame)

    @property
    def target(self) -> Path:
        """What messages call the output."""
        return self._output.target

    def write(self, picture: Picture) -> None:
        """Encode a picture at its source's time.

        Raises:
            FilmError: if the disk is full or the encoder fails.
        """
        native = picture.native
        expected = (self.info.width, self.info.height, self.pixel_format)
        if (native.width, native.height, native.format.name) != expected:
            # PyAV would scale it without a word, luma included.
            raise AssertionError(f"{native} does not fit the stream {expected}")
        pts = self.written if self._counted else self.clock(picture.pts)
        if self._last is not None and pts <= self._last:  # two frames within a millisecond
            pts = self._last + 1
            self.moved += 1
        self._last = pts
        if self._stored != self.pixel_format:
            native = rgb_frame(rgb_of(picture.luma, *picture.chroma, self.encoding), self._stored)
        if self._fields and not native.interlaced_frame:
            native = marked(native, self._fields)
        native.pts = pts
        native.dts = None
        native.time_base = self.clock.time_base
        native.duration = self.clock.length(picture.source_duration)
        native.pict_type = 0  # the source's frame types are no advice for this encoder
        native.color_range = self._stream.codec_context.color_range
        native.colorspace = self._stream.codec_context.colorspace
        native.color_primaries = self.info.tags.primaries
        native.color_trc = self.info.tags.transfer
        self._encode(native)
        self.written += 1

    def finish(self) -> None:
        """Flush the encoder, copy what is left of the other streams, close the file.

        Raises:
            FilmError: if not a single frame was written, the disk is full, or the number of
                packets is not that of the frames.  The file is removed then.
        """
        if not self.written:
            self.abort()
            raise FilmError(f"{self._output.target} would hold no frame.")
        self._encode(None)
        self._output.finish(self.written)

    def abort(self) -> None:
        """Close and remove the unfinished file."""
        self._output.abort()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._output.is_open:
            return
        if kind is None:
            self.finish()
        else:
            self.abort()

    def _encode(self, native: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(native):
                self._output.mux(packet)
        except (av.error.FFmpegError, OSError) as error:
            self.abort()
            raise self._output.failure(error) from error


def _spoken_rate(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def factory_of(
    info: FilmInfo,
    suffix: str,
    *,
    preset: Preset | str | None = None,
    codec: str | None = None,
    options: Mapping[str, str] | None = None,
) -> FrameFactory:
    """What makes the pictures of an output, without an output.

    Args:
        info: of the film.
        suffix: of the output's name.
        preset: see `Writer`.
        codec: see `Writer`.
        options: see `Writer`.

    Raises:
        UsageError: see `Writer`.
    """
    chosen = preset if isinstance(preset, Preset) else preset_for(suffix, preset)
    container = container_of(suffix)
    config = choose(info, chosen, container, codec=codec, options=options)
    return FrameFactory(info, sited(config, container))


def sited(config: EncoderConfig, container: str) -> EncoderConfig:
    """Chroma is made for the siting that readers will take."""
    if stores_siting(container, config.canonical_codec, config.encoding):
        return config
    return replace(config, encoding=replace(config.encoding, chroma_location="left"))
