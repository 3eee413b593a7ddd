"""Encodes frames whose luma is the source's, and carries over everything else."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.container
import av.error
import numpy as np
from av.video.reformatter import ColorRange, VideoReformatter

from pycolor.encoding import Encoding, Subsampling
from pycolor.errors import FilmError, UsageError
from pycolor.video.io.clock import MILLISECOND, Clock, grid_clock
from pycolor.video.io.encoder import add_picture, choose
from pycolor.video.io.film import FilmInfo, Frame, rational
from pycolor.video.io.formats import Plane, change_codes, plain_name, plane_view
from pycolor.video.io.matroska import with_room, write_pixel_aspect
from pycolor.video.io.reader import Reader
from pycolor.video.io.streams import Dropped, SideStreams, film_metadata, written_language
from pycolor.video.presets import Preset, container_of, preset_for


class Picture:
    """A frame on its way out: the source's luma, and chroma to be written.

    Attributes:
        luma: H×W, as it will be encoded; read-only.
        chroma: (U, V), each h×w of the output's subsampling, writable, uint8 or uint16.  They
            hold the source's chroma, or neutral for a gray source, until they are written.
        index, pts: of the source frame.
    """

    __slots__ = ("chroma", "index", "luma", "native", "pts", "source_duration")

    def __init__(self, native: av.VideoFrame, frame: Frame, dtype: np.dtype[Any]) -> None:
        self.native = native
        self.index = frame.index
        self.pts = frame.pts
        self.source_duration = frame.duration
        self.luma: Plane = plane_view(native, 0, dtype)
        self.luma.flags.writeable = False
        self.chroma: tuple[Plane, Plane] = (
            plane_view(native, 1, dtype),
            plane_view(native, 2, dtype),
        )


class Writer:
    """Writes one film; the header is written at once, so refusals come before any work.

    Args:
        path: of the file to write; its ending names the container.  Write to a temporary name
            and rename (see `pycolor.outfile`): an unfinished Writer leaves no file, but a killed
            one does.
        reader: of the source; its frames' range decides what of the sound is copied.
        preset: what the output is for, None for the container's default.
        codec, options: an encoder in place of the preset's, and options for it.
        chroma: subsampling in place of the source's own (or the preset's choice for gray).
        streams: copy sound, subtitles, attachments and chapters; False for a segment.
        metadata: added to the container's.

    Attributes:
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
    ) -> None:
        self.path = Path(path)
        self.info: FilmInfo = reader.info
        self.written = 0
        self.moved = 0
        self._reader = reader
        self._muxed = 0
        self._last: int | None = None
        self._open = True
        name = container_of(self.path.suffix)
        if not isinstance(preset, Preset):
            preset = preset_for(self.path.suffix, preset)
        recipe = choose(self.info, preset, codec=codec, options=options, chroma=chroma)
        self.encoding: Encoding = recipe.encoding
        self.pixel_format = recipe.description.name
        self._dtype = recipe.description.dtype
        self._reformatter = VideoReformatter()
        self.clock = self._choose_clock(name)
        self._sides: SideStreams | None = None
        self._container = av.open(
            str(self.path), "w", format=name, options=_muxer_options(name, preset, self.clock)
        )
        try:
            self._stream = add_picture(self._container, recipe, self.info, clock=self.clock)
            self._describe(metadata or {})
            if streams:
                self._add_streams()
            self._title = self._stream.metadata.get("title", "")
            if self._patches_aspect:
                self._stream.metadata["title"] = with_room(self._title)
            self._write_header(name)
        except BaseException:
            self.abort()
            raise
        self.dropped: tuple[Dropped, ...] = tuple(self._sides.dropped) if self._sides else ()
        self.warnings: tuple[str, ...] = recipe.warnings + tuple(map(str, self.dropped))

    # -- frames ------------------------------------------------------------------------------

    def picture(self, frame: Frame) -> Picture:
        """A Picture of a frame: luma as decoded, chroma ready to be written.

        The frame's own memory is left alone (it may be a reference of frames to come); views of
        `frame.luma` stay valid.
        """
        luma = frame.luma  # holds the decoder's memory, so the next line copies it
        native = frame.native
        if plain_name(native.format.name) == self.pixel_format == native.format.name:
            native.make_writable()
            return Picture(native, frame, self._dtype)
        # libswscale may touch the depth, range and layout of chroma; what it makes of luma is
        # overwritten below.  It takes gray as full range whatever its tag says.
        shrinks = self.info.encoding.full_range and not self.encoding.full_range
        picture = self._reformatter.reformat(
            native,
            format=self.pixel_format,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG if shrinks else ColorRange.JPEG,
        )
        if picture is native:
            native.make_writable()
        kept = change_codes(luma, self.info.encoding, self.encoding)
        np.copyto(plane_view(picture, 0, self._dtype), kept)
        made = Picture(picture, frame, self._dtype)
        if self.info.gray:
            neutral = self.encoding.chroma_code_range[0]
            for plane in made.chroma:
                plane.fill(neutral)
        return made

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
        pts = self.clock(picture.pts)
        if self._last is not None and pts <= self._last:  # two frames within a millisecond
            pts = self._last + 1
            self.moved += 1
        self._last = pts
        native.pts = pts
        native.dts = None
        native.time_base = self.clock.time_base
        native.duration = self.clock.length(picture.source_duration)
        native.pict_type = 0  # the source's frame types are no advice for this encoder
        native.color_range = self._stream.codec_context.color_range
        native.colorspace = self.info.matrix_code
        native.color_primaries = self.info.tags.primaries
        native.color_trc = self.info.tags.transfer
        try:
            self._mux(self._stream.encode(native))
        except av.error.FFmpegError as error:
            raise self._failure(error) from error
        self.written += 1

    def finish(self) -> None:
        """Flush the encoder, copy what is left of the other streams, close the file.

        Raises:
            FilmError: if not a single frame was written, the disk is full, or the number of
                packets is not that of the frames.  The file is removed then.
        """
        try:
            if not self.written:
                raise FilmError(f"{self.path} would hold no frame.")
            self._mux(self._stream.encode(None))
            if self._sides is not None:
                self._sides.stop = self._reader.stop_time
                self._sides.copy_until(None)
                self._sides.close()
            if self._muxed != self.written:
                raise FilmError(
                    f"{self.path} holds {self._muxed} packets; expected {self.written}, one for "
                    "each frame."
                )
            self._container.close()
            self._open = False
            if self._patches_aspect and self.info.pixel_aspect:
                write_pixel_aspect(self.path, self.info.pixel_aspect, self._title)
        except (av.error.FFmpegError, OSError) as error:
            self.abort()
            raise self._failure(error) from error
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Close and remove the unfinished file."""
        if self._sides is not None:
            self._sides.close()
        with suppress(av.error.FFmpegError, ValueError, OSError):
            self._container.close()  # writes a trailer, which may fail once more
        self._open = False
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._open:
            return
        if kind is None:
            self.finish()
        else:
            self.abort()

    # -- the parts of the header -------------------------------------------------------------

    def _choose_clock(self, container: str) -> Clock:
        start = self._reader.start_time
        shift = start or Fraction(0)
        base = self.info.time_base
        if container in ("matroska", "webm"):
            return Clock(source_base=base, time_base=MILLISECOND, shift=shift)
        return grid_clock(base, rate=self.info.rate, origin=shift, shift=shift)

    def _describe(self, extra: Mapping[str, str]) -> None:
        info, stream = self.info, self._stream
        stream.metadata.update(film_metadata(info.picture_metadata))
        language = info.picture_metadata.get("language", "und")
        if language != "und":
            name = self._container.format.name
            stream.metadata["language"] = written_language(language, name)
        if info.timecode and not self._reader.first:
            stream.metadata["timecode"] = info.timecode
        self._container.metadata.update(film_metadata(info.metadata))
        self._container.metadata.update(extra)

    def _add_streams(self) -> None:
        start = self._reader.start_time
        self._sides = SideStreams(
            self.info.path,
            self._container,
            start=start,
            stop=self._reader.stop_time,
            shift=start or Fraction(0),
        )
        self._sides.carry_chapters()

    @property
    def _patches_aspect(self) -> bool:
        return bool(
            self._container.format.name == "matroska"
            and self.info.pixel_aspect
            and self.info.pixel_aspect != 1
        )

    def _write_header(self, name: str) -> None:
        try:
            self._container.start_encoding()
        except (av.error.FFmpegError, OSError) as error:
            raise self._failure(error) from error
        except ValueError as error:
            raise UsageError(f"{name} refuses this film: {error}.") from error

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        for packet in packets:
            self._muxed += 1
            time = (packet.dts or 0) * rational(packet.time_base) + self.clock.shift
            self._container.mux_one(packet)
            if self._sides is not None:
                self._sides.copy_until(time)

    def _failure(self, error: Exception) -> FilmError:
        reason = getattr(error, "strerror", None) or str(error)
        return FilmError(f"{self.path} could not be written: {reason}.")


def _muxer_options(container: str, preset: Preset, clock: Clock) -> dict[str, str]:
    options = dict(preset.muxer_options)
    if container in ("matroska", "webm"):
        # A decoder's run-in stands before time 0; moving it to 0 would move the whole film.
        return {"avoid_negative_ts": "disabled"}
    if container in ("mp4", "mov"):
        # Without it a matrix is stored only where primaries and transfer are known too.
        options["movflags"] = options.get("movflags", "") + "+write_colr"
        # Edit lists count in this; the default of 1000 would round the film's start.
        options["movie_timescale"] = str(clock.time_base.denominator)
    return options
