"""A container being written: its header, its other streams, its end.  Writer and join share it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
from av.video.stream import VideoStream

from pycolor.errors import FilmError, UsageError
from pycolor.video.io.clock import MILLISECOND, Clock, grid_clock
from pycolor.video.io.film import FilmInfo, rational
from pycolor.video.io.matroska import with_room, write_pixel_aspect
from pycolor.video.io.reader import Reader
from pycolor.video.io.streams import Dropped, SideStreams, film_metadata, written_language
from pycolor.video.presets import Preset, container_of


class Output:
    """An open container with the source's metadata, and its other streams if asked for.

    The order of use: add the picture's stream to `container`, `write_header`, `mux` the picture's
    packets, `finish`.  `abort` at any time removes the file.

    Args:
        path: of the file, whose ending names the container.
        reader: of the source.
        preset: for options of the muxer.
    """

    def __init__(self, path: Path, reader: Reader, preset: Preset) -> None:
        self.path = path
        self.info: FilmInfo = reader.info
        self.name = container_of(path.suffix)
        self.start = reader.start_time
        self.clock = self._choose_clock()
        self.packets = 0
        self.is_open = True
        self._reader = reader
        self._sides: SideStreams | None = None
        self._title = ""
        options = _muxer_options(self.name, preset, self.clock)
        self.container = av.open(str(path), "w", format=self.name, options=options)

    @property
    def dropped(self) -> tuple[Dropped, ...]:
        """What of the source the container cannot hold."""
        return tuple(self._sides.dropped) if self._sides else ()

    def write_header(
        self, stream: VideoStream, *, streams: bool, metadata: Mapping[str, str]
    ) -> None:
        """Describe the picture, add the other streams, and write the header.

        Raises:
            FilmError, UsageError: if the container refuses.
        """
        info = self.info
        stream.metadata.update(film_metadata(info.picture_metadata))
        language = info.picture_metadata.get("language", "und")
        if language != "und":
            stream.metadata["language"] = written_language(language, self.name)
        if info.timecode and not self._reader.first:
            stream.metadata["timecode"] = info.timecode
        if info.display_matrix:
            stream.set_display_matrix(info.display_matrix)
        self.container.metadata.update(film_metadata(info.metadata))
        self.container.metadata.update(metadata)
        if streams and (info.streams or info.chapters):
            self._sides = SideStreams(
                info.path,
                self.container,
                start=self.start,
                stop=self._reader.stop_time,
                shift=self.start or Fraction(0),
            )
            self._sides.carry_chapters()
        self._title = stream.metadata.get("title", "")
        if self._patches_aspect:
            stream.metadata["title"] = with_room(self._title)
        try:
            self.container.start_encoding()
        except (av.error.FFmpegError, OSError) as error:
            raise self.failure(error) from error
        except ValueError as error:
            raise UsageError(f"{self.name} refuses this film: {error}.") from error

    def mux(self, packet: av.Packet[Any]) -> None:
        """Write a packet of the picture, and what of the other streams comes before it."""
        self.packets += 1
        time = (packet.dts or 0) * rational(packet.time_base) + self.clock.shift
        self.container.mux_one(packet)
        if self._sides is not None:
            self._sides.copy_until(time)

    def finish(self, expected: int) -> None:
        """Copy what is left of the other streams and close the file.

        Args:
            expected: packets that the picture must have.

        Raises:
            FilmError: if it has another number, or the disk is full.  The file is removed then.
        """
        try:
            if self._sides is not None:
                self._sides.stop = self._reader.stop_time
                self._sides.copy_until(None)
                self._sides.close()
            if self.packets != expected:
                raise FilmError(
                    f"{self.path} holds {self.packets} packets; expected {expected}, one for "
                    "each frame."
                )
            self.container.close()
            self.is_open = False
            if self._patches_aspect and self.info.pixel_aspect:
                write_pixel_aspect(self.path, self.info.pixel_aspect, self._title)
        except (av.error.FFmpegError, OSError) as error:
            self.abort()
            raise self.failure(error) from error
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Close and remove the unfinished file."""
        if self._sides is not None:
            self._sides.close()
        with suppress(av.error.FFmpegError, ValueError, OSError):
            self.container.close()  # writes a trailer, which may fail once more
        self.is_open = False
        self.path.unlink(missing_ok=True)

    def failure(self, error: Exception) -> FilmError:
        reason = getattr(error, "strerror", None) or str(error)
        return FilmError(f"{self.path} could not be written: {reason}.")

    @property
    def _patches_aspect(self) -> bool:
        return bool(
            self.name == "matroska" and self.info.pixel_aspect and self.info.pixel_aspect != 1
        )

    def _choose_clock(self) -> Clock:
        shift = self.start or Fraction(0)
        base = self.info.time_base
        if self.name in ("matroska", "webm"):
            return Clock(source_base=base, time_base=MILLISECOND, shift=shift)
        return grid_clock(base, rate=self.info.rate, origin=shift, shift=shift)


def _muxer_options(container: str, preset: Preset, clock: Clock) -> dict[str, str]:
    options = dict(preset.muxer_options)
    if container in ("matroska", "webm"):
        # A decoder's run-in stands before time 0; moving it to 0 would move the whole film.
        options["avoid_negative_ts"] = "disabled"
        # No random identifiers: the same run gives the same bytes.
        options["fflags"] = "+bitexact"
    if container in ("mp4", "mov"):
        # Without it a matrix is stored only where primaries and transfer are known too.
        options["movflags"] = options.get("movflags", "") + "+write_colr"
        # Edit lists count in this; the default of 1000 would round the film's start.
        options["movie_timescale"] = str(clock.time_base.denominator)
    return options
