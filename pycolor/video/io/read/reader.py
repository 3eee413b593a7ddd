"""Decodes a film, frame after frame, and notes what is damaged."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import TracebackType

import av
import av.error
from av.video.reformatter import VideoReformatter

from pycolor.encoding import Matrix, TagOverride
from pycolor.errors import FilmError, UsageError
from pycolor.video.io.containers.codecs.ffv1 import SliceChecks
from pycolor.video.io.containers.codecs.mjpeg import EndMarkers
from pycolor.video.io.containers.presets import PIPE
from pycolor.video.io.containers.sequence import PictureSequence
from pycolor.video.io.containers.timecode import later_timecode
from pycolor.video.io.containers.y4m import RatedY4m, without_rate
from pycolor.video.io.frame.film import Frame, rational
from pycolor.video.io.frame.unpack import unpacked
from pycolor.video.io.read.describe import describe
from pycolor.video.io.read.integrity.continuity import Continuity
from pycolor.video.io.read.integrity.damage import MOST_DAMAGES, Damage
from pycolor.video.io.read.pictures.picture_tags import stored_tags
from pycolor.video.io.read.pulldown import find_pulldown
from pycolor.video.io.read.source import (
    UNCLOCKED,
    declared_end,
    frame_rate,
    open_source,
    origin_of,
    picture_stream,
    refuse_unreadable,
)

# What a packet says of itself, where decoders do not tell when it is broken.
_CHECKS: dict[str, type[SliceChecks | EndMarkers]] = {"ffv1": SliceChecks, "mjpeg": EndMarkers}
# Of these FFmpeg counts the frames.
_WITHOUT_TIMES = ("image2", "yuv4mpegpipe", *UNCLOCKED)
# (frame, index, pts)
Numbered = Generator[tuple[av.VideoFrame, int, int], None, None]


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
        damages: what was found broken so far; `damage_count` counts them all.
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
        self.first, self.stop = _bounds(frames)
        self.damages: list[Damage] = []
        self.damage_count = 0
        self.delivered = 0
        self._broken: set[int | None] = set()  # pts of packets known to be damaged
        self._hidden = 0  # packets that an edit list keeps from being shown
        self._timeline = timeline
        self._container = open_source(self.path, rate)
        self._sequence: PictureSequence | None = getattr(self._container, "sequence", None)
        try:
            self._stream = picture_stream(self._container, self.path)
            self._stream.thread_type = "AUTO"
            self._time_base = rational(self._stream.time_base)
            self._refuse_other_rate()
            stored = stored_tags(self._stream)
            self._frames = self._open_range()
            native, index, pts = self._peek()
            self.info, self._description = describe(
                self.path, self._container, self._stream, native, stored, override
            )
            self._aspect = rational(self._stream.codec_context.sample_aspect_ratio)
            self.declared_end = declared_end(self._stream)
            self.origin = origin_of(self._container)
            self._note_rate()
            besides = self.info.chapters or self.info.streams
            if self.stop is not None and self._timeline is None and besides:
                self._timeline = scan(self.path, rate)  # how far of them the range reaches
        except BaseException:
            self._container.close()
            raise
        self._pending: tuple[av.VideoFrame, int, int] | None = (native, index, pts)
        self.begin = pts * self._time_base
        due = None
        # AVI counts its packets as they are decoded: its first frame may stand later than 0.
        if not self.first and self._stream.start_time is not None and self.info.container != "avi":
            due = self._stream.start_time * self._time_base
        self._continuity = Continuity(step=1 / self.info.rate, tick=self._time_base, due=due)
        self.start_time = self.begin if self.first else None

    @property
    def stop_time(self) -> Fraction | None:
        """End of the range asked for, seconds; known before it is read only with a timeline."""
        if self.stop is None:
            return None
        if self._timeline is not None and self.stop < len(self._timeline):
            return self._timeline[self.stop] * self._time_base
        return self._end

    _end: Fraction | None = None
    _read_to = 0

    @property
    def timecode(self) -> str:
        """Of the first frame delivered; empty if there is none, or if it cannot be counted on."""
        told = self.info.timecode
        if not told or not self.first:
            return told
        frames = self.first
        if self._timeline is not None:  # by its time, so that a varying rate keeps its clock
            frames = round((self.begin - self._timeline[0] * self._time_base) * self.info.rate)
        return later_timecode(told, frames, self.info.rate) or ""

    def timeline(self) -> Sequence[int] | None:
        """The pts of all frames of the range, in order, without decoding.

        None where packets do not tell, or where frames are equally long by their nature.
        """
        if self._timeline is None and not self.info.container.startswith(_WITHOUT_TIMES):
            self._timeline = scan(self.path, self._rate)
        return None if self._timeline is None else self._timeline[self.first : self.stop]

    @property
    def first_number(self) -> int:
        """The number of the first picture delivered, counted as the source's files are."""
        sequence = self._sequence
        if sequence is None:
            return self.first
        return sequence.first_number + sequence.ticks[self.first]

    @property
    def has_holes(self) -> bool:
        """Whether pictures are missing in a sequence: their places stay empty."""
        sequence = self._sequence
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
            frame.corrupt = frame.corrupt or pts in self._broken
            if frame.corrupt:
                self._damage(frame.time, f"frame {index} is damaged")
            self.delivered += 1
            del native, found  # the caller decides how long a frame lives
            yield frame

    def close(self) -> None:
        self._frames.close()
        self._container.close()

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
        told = frame_rate(self._stream)
        if self._rate is not None and told != self._rate:
            raise UsageError(
                f"{self.path} tells that it has {told} frames per second; a rate is for numbered "
                f"pictures and for raw streams that do not tell, got {self._rate}."
            )

    def _note_rate(self) -> None:
        """What is to be said of the rate that the film tells, or does not tell."""
        info, said = self.info, ""
        if self._rate is None and self.path.is_file() and without_rate(self.path):
            said = f"its header tells no rate; {info.rate} frames per second is taken (--rate)"
        pulldown = find_pulldown(self.path, info.container, info.codec)
        if pulldown is not None:
            said = str(pulldown)
            self.info = replace(info, rate=pulldown.rate or info.rate)
        if said:
            self.info = replace(self.info, warnings=(*info.warnings, said))

    # -- the range ---------------------------------------------------------------------------

    def _open_range(self) -> Numbered:
        if not self.first:
            return self._numbered(self._decode(), 0)
        if self._timeline is None and str(self.path) != PIPE:
            self._timeline = scan(self.path, self._rate)
        if self._timeline is None:  # no usable timestamps: count from the start
            return self._numbered(self._decode(), 0)
        if self.first >= len(self._timeline):
            raise UsageError(
                f"{self.path} has {len(self._timeline)} frames; "
                f"a range from frame {self.first} is behind its end."
            )
        return self._sought(self._timeline)

    def _peek(self) -> tuple[av.VideoFrame, int, int]:
        found = next(self._frames, None)
        if found is None:
            if self.first:
                raise UsageError(f"{self.path} ends before frame {self.first}.")
            reason = f" ({self.damages[0]})" if self.damages else ""
            raise FilmError(f"{self.path} holds no picture that can be decoded{reason}.")
        native, index, pts = found
        return native, index, pts

    def _numbered(self, natives: Iterator[tuple[av.VideoFrame, int]], index: int) -> Numbered:
        for native, pts in natives:
            if self.stop is not None and index >= self.stop:
                self._end = pts * self._time_base
                return
            if index >= self.first:
                yield native, index, pts
            index += 1

    def _sought(self, timeline: Sequence[int]) -> Numbered:
        """Frames of the range, by their time; a film that does not seek is read from the start."""
        start = timeline[self.first]
        end = timeline[self.stop] if self.stop and self.stop < len(timeline) else None
        self._container.seek(start, stream=self._stream)
        arrived = False
        natives = self._decode()
        for native, pts in natives:
            if not arrived and pts > start:
                break  # landed behind the target: MPEG streams seek by guess
            arrived = arrived or pts == start
            if end is not None and pts >= end:
                self._end = pts * self._time_base
                return
            if arrived:
                yield native, bisect_left(timeline, pts), pts
        if arrived:
            return
        self._container.close()
        self._container = open_source(self.path, self._rate)
        self._stream = picture_stream(self._container, self.path)
        self._stream.thread_type = "AUTO"
        yield from self._numbered(self._decode(), 0)

    # -- decoding ----------------------------------------------------------------------------

    def _decode(self) -> Iterator[tuple[av.VideoFrame, int]]:
        """(frame, pts) in order, pts rising; damage is noted and passed over."""
        last: int | None = None
        step = due = Fraction(0)  # ticks; the rate is known once a frame is decoded
        # AVI numbers packets as they are decoded, and FFmpeg guesses the rest wrongly where
        # H.264 puts them into another order; a frame of AVI is as long as the next.
        guessed = self._container.format.name == "avi" and self._codec in ("h264", "hevc")
        for native in self._natives():
            step = step or max(Fraction(1), 1 / frame_rate(self._stream) / self._time_base)
            told = native.pts if last is None or not guessed else None
            pts = told
            if pts is None:  # a raw stream has no clock: its frames follow the nominal rate
                pts = round(due)
            elif last is not None and pts <= last:
                self._damage(
                    pts * self._time_base,
                    "a timestamp does not rise; its frame is moved one tick behind the last",
                )
                pts = last + 1
            last = pts
            due = step + (due if told is None else pts)
            yield native, pts

    @property
    def _codec(self) -> str:
        return str(self._stream.codec_context.codec.canonical_name)

    def _natives(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        time: Fraction | None = None
        kind = _CHECKS.get(self._codec)
        checks = None if kind is None else kind()
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as error:
                refuse_unreadable(self.path, error)
                self._damage(time, f"reading stopped ({error.strerror or error})")
                packet = None
            if packet is None:
                return
            if packet.pts is not None:
                time = packet.pts * self._time_base
            self._hidden += packet.is_discard and packet.size > 0
            wrong = checks.add(bytes(packet)) if checks is not None and packet.size else ""
            if wrong:
                self._damage(time, wrong)
                self._broken.add(packet.pts)
            if packet.size and packet.pos is not None:
                self._read_to = packet.pos + packet.size
            # Frame threads report an error late, and the flush packet may have several.
            for _ in range(1 if packet.size else 64):
                try:
                    yield from packet.decode()
                    break
                except av.error.EOFError:
                    break
                except av.error.FFmpegError as error:
                    self._damage(time, f"a packet cannot be decoded ({error.strerror or error})")

    @property
    def _left_over(self) -> int:
        """Bytes of a y4m behind its last frame: its demuxer leaves half a frame without a word."""
        if self.info.container != "yuv4mpegpipe" or not self.path.is_file():
            return 0
        size = self.path.stat().st_size
        if self._rate is not None and without_rate(self.path):
            size += RatedY4m(self.path, self._rate).growth
        return max(0, size - self._read_to)

    def _check(self, native: av.VideoFrame, pts: int) -> None:
        info = self.info
        now = (native.width, native.height, native.format.name)
        if now != (info.width, info.height, info.pixel_format):
            raise FilmError(
                f"{self.path} changes at {float(pts * self._time_base):.3f} s from "
                f"{info.width}×{info.height} {info.pixel_format} to {now[0]}×{now[1]} {now[2]}; "
                "expected one format throughout: cut it there."
            )
        aspect = rational(self._stream.codec_context.sample_aspect_ratio)
        if aspect and aspect != self._aspect:
            before, after = (f"{a.numerator}:{a.denominator}" for a in (self._aspect, aspect))
            what = f"the pixel aspect changes from {before} to {after}; an output tells one for all"
            self._damage(pts * self._time_base, what)
            self._aspect = aspect

    def _conclude(self) -> None:
        """Say what is missing, now that all is read that there is."""
        continuity, self._continuity = (
            self._continuity,
            Continuity(step=Fraction(0), tick=Fraction(0)),
        )
        for gap in continuity.gaps():
            self._damage(gap.time, str(gap))
        if self._end is not None:  # a range that ended before the film
            return
        promised = self.declared_end
        missing = continuity.shortfall(promised) if promised is not None else 0
        if missing:
            what = f"the film ends before its header says ({missing} frames missing)"
            self._damage(continuity.last, what)
        self._count()
        if self._left_over:
            what = f"{self._left_over} bytes at the end of the file are no whole frame"
            self._damage(continuity.last, what)

    def _count(self) -> None:
        """A container that counts its frames knows of those that are lost without a trace."""
        promised = self._stream.frames - self._hidden
        lost = promised - self.delivered
        # Some count fields, two to a frame.
        if not self.first and not self.damage_count and lost > 0 and promised != 2 * self.delivered:
            self._damage(
                None, f"{lost} of the {promised} frames that its header counts are not there"
            )

    def _damage(self, time: Fraction | None, what: str) -> None:
        self.damage_count += 1
        if len(self.damages) < MOST_DAMAGES:
            self.damages.append(Damage(time=time, what=what))


def scan(path: str | Path, rate: Fraction | None = None) -> Sequence[int] | None:
    """The pts of a film's frames, in order, read from its packets without decoding.

    None if its packets do not tell (raw streams, field-coded AVI).
    """
    path = Path(path)
    with open_source(path, rate) as container:
        stream = picture_stream(container, path)
        found = array("q")
        try:
            for packet in container.demux(stream):
                if not packet.size or packet.is_discard:
                    continue
                if packet.pts is None:
                    return None
                found.append(packet.pts)
        except av.error.FFmpegError as error:
            refuse_unreadable(path, error)  # of a truncated film, what was found counts
    found = array("q", sorted(found))
    return None if any(b <= a for a, b in pairwise(found)) else found


def _bounds(frames: slice | tuple[int, int | None] | None) -> tuple[int, int | None]:
    if frames is None:
        return 0, None
    if isinstance(frames, slice):
        if frames.step not in (None, 1):
            raise UsageError(f"a range of frames has no step; got {frames.step}.")
        first, stop = frames.start or 0, frames.stop
    else:
        first, stop = frames
    if first < 0 or (stop is not None and stop <= first):
        raise UsageError(
            f"a range of frames is FIRST:STOP with 0 ≤ FIRST < STOP; got {first}:{stop}."
        )
    return first, stop
