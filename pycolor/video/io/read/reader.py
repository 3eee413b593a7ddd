"""Decodes a film, frame after frame, and notes what is damaged."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.video.reformatter import VideoReformatter

from pycolor.encoding import Matrix, TagOverride
from pycolor.errors import FilmError, UsageError
from pycolor.video.io.containers.timecode import later_timecode
from pycolor.video.io.containers.y4m import without_rate
from pycolor.video.io.frame.film import rational
from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.frame.unpack import unpacked
from pycolor.video.io.read.decode.film_range import FilmRange, bounds
from pycolor.video.io.read.decode.pulldown import find_pulldown
from pycolor.video.io.read.decode.timeline import scan
from pycolor.video.io.read.describe import describe
from pycolor.video.io.read.integrity import completeness
from pycolor.video.io.read.integrity.continuity import Continuity
from pycolor.video.io.read.integrity.damage import Damage, DamageLog
from pycolor.video.io.read.opening.source import UNCLOCKED, declared_end, frame_rate, origin_of
from pycolor.video.io.read.pictures.picture_tags import stored_tags

# Of these FFmpeg counts the frames.
_WITHOUT_TIMES = ("image2", "yuv4mpegpipe", *UNCLOCKED)


class Reader:
    """Iterates over the frames of a film's first moving picture, once.

    Args:
        path: of the film; or a folder of pictures, or a pattern of them such as `a_%05d.png`; or
            `-`, y4m from the standard input.
        frames: read only these, (first, stop) or a slice without a step; stop may be None.
        timeline: pts of all frames in order, as `scan` or an earlier Reader told them; spares a
            range in a long film the scan for where it begins.
        rate: frames per second of a sequence of pictures (None: 24) or of a raw stream that does
            not tell (None: 25).
        rgb_matrix: whose Y' is taken for the luma of a film of R'G'B'.
        override: range and matrix in place of what the film says, or does not.

    Attributes:
        info: the FilmInfo.
        delivered: number of frames delivered so far.
        first: index of the first frame asked for; `stop` one past the last, None for the end.
        begin: time of the first frame delivered, seconds.
        origin: time where the film as a whole begins, seconds: 0 but of MPEG's streams.
        declared_end: seconds, when the picture ends by what its header says; None if it does not.
        start_time, stop_time: seconds, of the range asked for; None where the film decides.

    Raises:
        FilmError: if the file cannot be read or has no picture that can be decoded.
        UsageError: for a range that is empty or begins behind the end, or a rate for a film that
            tells another.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        frames: slice | tuple[int, int | None] | None = None,
        timeline: Sequence[int] | None = None,
        rate: Fraction | None = None,
        rgb_matrix: Matrix = "bt709",
        override: TagOverride | None = None,
    ) -> None:
        self.path = Path(path)
        self._rgb_matrix: Matrix = rgb_matrix
        self._rate = rate
        self._reformatter = VideoReformatter()
        self.first, self.stop = bounds(frames)
        self.delivered = 0
        self._log = DamageLog()
        self._range = FilmRange(
            self.path, self.first, self.stop, rate=rate, timeline=timeline, damages=self._log
        )
        try:
            self._refuse_other_rate()
            stored = stored_tags(self._range.stream)
            self._frames = self._range.frames()
            native, index, pts = self._peek()
            stream = self._range.stream
            self.info, self._description = describe(
                self.path, self._range.container, stream, native, stored, override
            )
            self._aspect = rational(stream.codec_context.sample_aspect_ratio)
            self.declared_end = declared_end(stream)
            self.origin = origin_of(self._range.container)
            self._note_rate()
            if completeness.without_length(self._range.container, self.declared_end):
                said = "its header tells no length: whether its end is missing cannot be known"
                self.info = replace(self.info, warnings=(*self.info.warnings, said))
            besides = self.info.chapters or self.info.streams
            if self.stop is not None and self._range.timeline is None and besides:
                self._range.timeline = scan(self.path, rate)  # how far of them the range reaches
        except BaseException:
            self._range.container.close()
            raise
        self._pending: tuple[av.VideoFrame, int, int] | None = (native, index, pts)
        self._time_base = self._range.time_base
        self.begin = pts * self._time_base
        due = None
        # AVI counts its packets as they are decoded: its first frame may stand later than 0.
        if not self.first and stream.start_time is not None and self.info.container != "avi":
            due = stream.start_time * self._time_base
        self._continuity = Continuity(step=1 / self.info.rate, tick=self._time_base, due=due)
        self.start_time = self.begin if self.first else None

    @property
    def damages(self) -> list[Damage]:
        """What was found broken so far, or the first of it."""
        return self._log.damages

    @property
    def damage_count(self) -> int:
        """How much was found broken so far."""
        return self._log.count

    @property
    def stop_time(self) -> Fraction | None:
        """End of the range asked for, seconds; known before it is read only with a timeline."""
        if self.stop is None:
            return None
        timeline = self._range.timeline
        if timeline is not None and self.stop < len(timeline):
            return timeline[self.stop] * self._time_base
        return self._range.end

    @property
    def timecode(self) -> str:
        """Of the first frame delivered; empty if there is none, or if it cannot be counted on."""
        told = self.info.timecode
        if not told or not self.first:
            return told
        frames = self.first
        timeline = self._range.timeline
        if timeline is not None:  # by its time, so that a varying rate keeps its clock
            frames = round((self.begin - timeline[0] * self._time_base) * self.info.rate)
        return later_timecode(told, frames, self.info.rate) or ""

    def timeline(self) -> Sequence[int] | None:
        """The pts of all frames of the range, in order, without decoding.

        None where packets do not tell, or where frames are equally long by their nature.
        """
        found = self._range
        if found.timeline is None and not self.info.container.startswith(_WITHOUT_TIMES):
            found.timeline = scan(self.path, self._rate)
        return None if found.timeline is None else found.timeline[self.first : self.stop]

    @property
    def first_number(self) -> int:
        """The number of the first picture delivered, counted as the source's files are."""
        sequence = self._range.sequence
        if sequence is None:
            return self.first
        return sequence.first_number + sequence.ticks[self.first]

    def picture_file(self, ticks: int) -> Path | None:
        """Of numbered pictures, the file shown `ticks` frames after the first; None in a hole."""
        sequence = self._range.sequence
        if sequence is None:
            return None
        wanted = sequence.ticks[self.first] + ticks
        place = bisect_left(sequence.ticks, wanted)
        there = place < len(sequence.ticks) and sequence.ticks[place] == wanted
        return sequence.paths[place] if there else None

    @property
    def has_holes(self) -> bool:
        """Whether pictures are missing in a sequence: their places stay empty."""
        sequence = self._range.sequence
        return sequence is not None and sequence.ticks[-1] + 1 > len(sequence.ticks)

    def __iter__(self) -> Iterator[Frame]:
        while True:
            if self._pending is not None:
                found: tuple[av.VideoFrame, int, int] | None = self._pending
                self._pending = None
            else:
                found = next(self._frames, None)
            if found is None:
                self._conclude()
                return
            native, index, pts = found
            native = unpacked(native, self._reformatter, linear=self.info.codec == "exr")
            self._check(native, pts)
            lasting = int(native.duration or 0) * self._time_base
            self._continuity.add(pts * self._time_base, lasting)
            frame = Frame(
                native,
                index=index,
                pts=pts,
                time_base=self._time_base,
                description=self._description,
                reformatter=self._reformatter,
                matrix=self._rgb_matrix,
            )
            frame.corrupt = frame.corrupt or pts in self._range.decoder.broken
            if frame.corrupt:
                self._log.add(frame.time, f"frame {index} is damaged")
            self.delivered += 1
            del native, found  # the caller decides how long a frame lives
            yield frame

    def close(self) -> None:
        self._frames.close()
        self._range.container.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _refuse_other_rate(self) -> None:
        told = frame_rate(self._range.stream)
        if self._rate is not None and told != self._rate:
            raise UsageError(
                f"{self.path} tells that it has {told} frames per second; a rate is for numbered "
                f"pictures and for raw streams that do not tell, got {self._rate}."
            )

    def _note_rate(self) -> None:
        """The note on the rate that the film states, or does not state."""
        info, said = self.info, ""
        if self._rate is None and self.path.is_file() and without_rate(self.path):
            said = f"its header tells no rate; {info.rate} frames per second is taken (--rate)"
        pulldown = find_pulldown(self.path, info.container, info.codec)
        if pulldown is not None:
            said = str(pulldown)
            self.info = replace(info, rate=pulldown.rate or info.rate)
        if said:
            self.info = replace(self.info, warnings=(*info.warnings, said))

    def _peek(self) -> tuple[av.VideoFrame, int, int]:
        found = next(self._frames, None)
        if found is None:
            if self.first:
                raise UsageError(f"{self.path} ends before frame {self.first}.")
            reason = f" ({self.damages[0]})" if self.damages else ""
            raise FilmError(f"{self.path} holds no picture that can be decoded{reason}.")
        native, index, pts = found
        return native, index, pts

    def _check(self, native: av.VideoFrame, pts: int) -> None:
        info = self.info
        now = (native.width, native.height, native.format.name)
        if now != (info.width, info.height, info.pixel_format):
            raise FilmError(
                f"{self.path} changes at {float(pts * self._time_base):.3f} s from "
                f"{info.width}×{info.height} {info.pixel_format} to {now[0]}×{now[1]} {now[2]}; "
                "expected one format throughout: cut it there."
            )
        aspect = rational(self._range.stream.codec_context.sample_aspect_ratio)
        if aspect and aspect != self._aspect:
            before, after = (f"{a.numerator}:{a.denominator}" for a in (self._aspect, aspect))
            what = f"the pixel aspect changes from {before} to {after}; an output tells one for all"
            self._log.add(pts * self._time_base, what)
            self._aspect = aspect

    def _conclude(self) -> None:
        """Note what is missing, now that all is read that there is; once."""
        continuity, self._continuity = (
            self._continuity,
            Continuity(step=Fraction(0), tick=Fraction(0)),
        )
        completeness.note_gaps(continuity, self._log)
        if self._range.end is not None:  # a range that ended before the film
            return
        decoder = self._range.decoder
        cut = completeness.is_cut(self._range.stream, decoder.hidden, self.info.rate)
        completeness.note_early_end(continuity, self.declared_end, self._log, cut=cut)
        if not self.first:
            declared = self._range.stream.frames - decoder.hidden
            completeness.note_lost(declared, self.delivered, self._log)
        if self.info.container == "yuv4mpegpipe" and self.path.is_file():
            rest = completeness.bytes_left_over(self.path, decoder.read_to, self._rate)
            if rest:
                what = f"{rest} bytes at the end of the file are no whole frame"
                self._log.add(continuity.last, what)
