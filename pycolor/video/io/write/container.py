"""A container being written: its header, its other streams, its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
from av.video.stream import VideoStream

from pycolor.errors import FilmError, UsageError, counted
from pycolor.video.io.containers.codecs.scan_header import SCAN_TAGS
from pycolor.video.io.containers.matroska.header import complete_header, with_room
from pycolor.video.io.containers.presets import PIPE, Preset, container_of, ending_of
from pycolor.video.io.containers.sequence import address_of, numbered, picture_name
from pycolor.video.io.containers.spec import ContainerSpec, spec_of
from pycolor.video.io.containers.y4m import Y4mFile
from pycolor.video.io.frame.film import FilmInfo, rational
from pycolor.video.io.read.integrity.damage import Damage
from pycolor.video.io.read.opening.address import as_address
from pycolor.video.io.read.reader import Reader
from pycolor.video.io.write.streams.copier import StreamCopier
from pycolor.video.io.write.streams.metadata import (
    TagSupport,
    carry_tags,
    film_metadata,
    flags_of,
    supported_tags,
)
from pycolor.video.io.write.streams.support import UnsupportedStream
from pycolor.video.io.write.timing.clock import MILLISECOND, drift, grid_of
from pycolor.video.io.write.timing.muxing import (
    beginning,
    muxer_options,
    output_clock,
    refuse_rate,
    with_scan_header,
)


class ContainerWriter:
    """An open container with the source's metadata, and its other streams if asked for.

    The order of use: add the picture's stream to `container`, `write_header`, `mux` the picture's
    packets, `finish`.  `abort` at any time removes the file.

    Args:
        path: of the file, whose ending names the container; a pattern or a folder for numbered
            pictures, `-` for the standard output.
        reader: of the source.
        preset: for options of the muxer.
        streams: copy sound, subtitles, attachments and chapters.
        metadata: added to the container's.
        name: what messages call the file, if not by its path.
        timeline: pts of all the source's frames that will be written, where they are known: a film
            of constant rate is then written as one, whatever its clock made of its times.

    Attributes:
        rate: frames a second, 0 where it is known to vary.
        name: FFmpeg's, of the container; `spoken` what messages call it.
        dropped: streams that the container cannot hold.
        lost: sentences on what else of the source it cannot, once the header is written.
    """

    def __init__(
        self,
        path: Path,
        reader: Reader,
        preset: Preset,
        *,
        streams: bool,
        metadata: Mapping[str, str],
        name: Path | None = None,
        timeline: Sequence[int] | None = None,
    ) -> None:
        suffix = ending_of(path, preset.name)
        self.name = container_of(suffix)
        self.spec: ContainerSpec = spec_of(self.name)
        self.spoken = self.spec.called
        self.path = numbered(path, suffix) if self.name == "image2" else path
        self.target = name or path
        self._reader = reader
        self.info: FilmInfo = reader.info
        refuse_rate(self.info.rate, self.spec)
        self.start = beginning(reader, self.name)
        grid = grid_of(timeline, self.info.time_base, self.info.rate) if timeline else None
        self.rate = self.info.rate
        if timeline is not None and not self.spec.fixed_rate:
            self.rate = grid.rate if grid is not None and grid.constant else Fraction(0)
        self.clock = output_clock(reader, self.spec, grid, shift=self.start)
        self.packets = 0
        self.is_open = True
        self.lost: list[str] = []
        self._streams = streams
        self._sides: StreamCopier | None = None
        self._title = ""
        self._first_number = self._last_number = reader.first_number
        self._tags = film_metadata(self.info.metadata, self.name) | dict(metadata)
        self._file: Y4mFile | None = None
        self._is_dpx = False
        self._makes_folder = False
        fate = supported_tags(self._tags, self.name) if streams else TagSupport()
        lost = [key for key in fate.lost if not (preset.codec == "dpx" and key in SCAN_TAGS)]
        if lost:
            keys = ", ".join(lost)
            self.lost.append(f"{self.spoken} does not hold the film's tags: {keys}")
        options = muxer_options(reader, self.name, preset, self.clock, free_keys=fate.free_keys)
        try:
            self.container = self._open(options)
        except (av.error.FFmpegError, OSError) as error:
            raise self.failure(error) from error

    def _open(self, options: dict[str, str]) -> av.container.OutputContainer:
        if self.name == "yuv4mpegpipe":
            self._file = Y4mFile(self.path, self.info.pixel_aspect)
            file: Any = self._file
            return av.open(file, "w", format=self.name, options=options)
        address = as_address(self.path)
        if self.name == "image2":
            self._makes_folder = not self.path.parent.exists()
            self.path.parent.mkdir(exist_ok=True)
            address = as_address(Path(address_of(self.path)))
        return av.open(address, "w", format=self.name, options=options)

    def drift(self) -> Fraction:
        """How far the source's frames are at most from its rate, seconds."""
        timeline = self._reader.timeline()
        return drift(timeline, self.info.time_base, self.info.rate) if timeline else Fraction(0)

    @property
    def dropped(self) -> tuple[UnsupportedStream, ...]:
        """What of the source the container cannot hold."""
        return tuple(self._sides.dropped) if self._sides else ()

    @property
    def damages(self) -> tuple[Damage, ...]:
        """Where the source's other streams were found broken."""
        return tuple(self._sides.damages) if self._sides else ()

    def write_header(self, stream: VideoStream) -> None:
        """Describe the picture, add the other streams, and write the header.

        Raises:
            FilmError, UsageError: if the container refuses.
        """
        info = self.info
        self._mark_picture(stream)
        self._is_dpx = self.name == "image2" and stream.codec_context.name == "dpx"
        self.container.metadata.update(self._tags)
        if self._streams and (info.streams or info.chapters):
            self._sides = StreamCopier(
                info.path,
                self.container,
                start=self._reader.start_time,
                stop=self._reader.stop_time,
                shift=self.start,
            )
            self._sides.carry_chapters()
            self.lost += self._sides.lost
        if self._streams and info.unread:
            self.lost.append(
                f"the film's container also holds, and no output: {', '.join(info.unread)}"
            )
        self._title = stream.metadata.get("title", "")
        if self._completes_header:
            stream.metadata["title"] = with_room(self._title)
        try:
            self.container.start_encoding()
        except (av.error.FFmpegError, OSError) as error:
            if isinstance(error, av.error.ArgumentError | av.error.PermissionError):
                raise UsageError(
                    f"{self.name} refuses this film ({error.strerror}); "
                    "name an output with .mkv, which holds any."
                ) from error
            raise self.failure(error) from error
        except ValueError as error:
            raise UsageError(f"{self.name} refuses this film: {error}.") from error

    def _mark_picture(self, stream: VideoStream) -> None:
        """Give the picture's stream its tags, flags, timecode and rotation."""
        info = self.info
        lost = carry_tags(
            stream,
            info.picture_metadata,
            info.picture_disposition,
            container=self.name,
            film=self._tags,
        )
        if lost and self._streams:
            self.lost.append(f"{self.spoken} does not hold of the picture: {', '.join(lost)}")
        with suppress(ValueError):  # a name that this PyAV does not know
            stream.disposition = flags_of(info.picture_disposition)
        if self._reader.timecode:
            stream.metadata["timecode"] = self._reader.timecode
        elif info.timecode:
            self.lost.append(
                f"the timecode {info.timecode} cannot be counted on to the first frame of the "
                "range at this rate: it is left out"
            )
        if info.reel and self.spec.reel and info.timecode:
            stream.metadata["reel_name"] = info.reel
        if info.display_matrix:
            stream.set_display_matrix(info.display_matrix)

    def mux(self, packet: av.Packet[Any]) -> None:
        """Write a packet of the picture, and what of the other streams comes before it."""
        self.packets += 1
        time = (packet.dts or 0) * rational(packet.time_base) + self.clock.shift
        if self._is_dpx:
            packet = with_scan_header(packet, self._reader)
        if self.name == "image2" and self._reader.has_holes:
            packet.pts = (packet.pts or 0) + self._first_number
            self._last_number = packet.pts
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
                if self.spec.whole_sound:
                    self._sides.fill_with_silence(self.packets / self.info.rate)
                self._sides.close()
            if self.packets != expected:
                raise FilmError(
                    f"{self.target} holds {counted(self.packets, 'packet')}; expected "
                    f"{expected}, one for each frame."
                )
            self.container.close()
            if self._file is not None:
                self._file.close()
            self.is_open = False
            if self._completes_header:
                complete_header(self.path, self._aspect, self._title)
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
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        self.is_open = False
        self._remove()

    def failure(self, error: Exception) -> FilmError:
        reason = getattr(error, "strerror", None) or str(error)
        target = "the standard output" if str(self.target) == PIPE else self.target
        return FilmError(f"{target} could not be written: {reason}.")

    def _remove(self) -> None:
        """Remove what was written.  What cannot be removed does not hide why that is done."""
        written = [] if str(self.path) == PIPE else [self.path]
        if self.name == "image2":
            last = max(self._last_number, self._first_number + self.packets)
            written = [picture_name(self.path, n) for n in range(self._first_number, last + 1)]
        for path in written:
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):  # another program may have put something there
            if self._makes_folder:
                self.path.parent.rmdir()

    @property
    def _aspect(self) -> Fraction | None:
        aspect = self.info.pixel_aspect
        return aspect if aspect and aspect != 1 else None

    @property
    def _completes_header(self) -> bool:
        if self.spec.clock != MILLISECOND:  # Matroska and its kin
            return False
        return self._aspect is not None or (self._streams and self.name == "matroska")
