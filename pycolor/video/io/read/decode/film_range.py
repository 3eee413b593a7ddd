"""A range of a film's frames, sought by time or counted from the start, each with its index."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av

from pycolor.errors import UsageError, counted
from pycolor.video.io.containers.presets import PIPE
from pycolor.video.io.containers.sequence import PictureSequence
from pycolor.video.io.frame.film import rational
from pycolor.video.io.read.decode.decoder import Decoder
from pycolor.video.io.read.decode.timeline import scan
from pycolor.video.io.read.integrity.damage import DamageLog
from pycolor.video.io.read.opening.source import open_source, picture_stream

# (frame, index, pts)
Numbered = Generator[tuple[av.VideoFrame, int, int], None, None]


def bounds(frames: slice | tuple[int, int | None] | None) -> tuple[int, int | None]:
    """First frame and one past the last (None: to the end) of a range as a caller gives it.

    Raises:
        UsageError: it is empty, negative or has a step.
    """
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


class FilmRange:
    """An open film, and the frames of a range of it.

    Args:
        path: of the film.
        first: index of the first frame.
        stop: one past the last; None: to the end.
        rate: of numbered pictures and raw streams.
        timeline: pts of all frames in order, where it is known.
        damages: where damage is noted.

    Attributes:
        container, stream: what is read, which is opened anew where seeking fails.
        time_base: of the stream, seconds.
        sequence: the numbered pictures that the film is, or None.
        decoder: of the stream.
        timeline: as given or found.
        end: seconds, where the frame after the range begins; None before it is reached.

    Raises:
        FilmError: the file cannot be read or has no moving picture.
    """

    def __init__(
        self,
        path: Path,
        first: int,
        stop: int | None,
        *,
        rate: Fraction | None,
        timeline: Sequence[int] | None,
        damages: DamageLog,
    ) -> None:
        self.path = path
        self.first, self.stop = first, stop
        self.timeline = timeline
        self.end: Fraction | None = None
        self._rate = rate
        self._damages = damages
        self._open()
        self.sequence: PictureSequence | None = getattr(self.container, "sequence", None)

    def _open(self) -> None:
        self.container = open_source(self.path, self._rate)
        try:
            self.stream = picture_stream(self.container, self.path)
            self.stream.thread_type = "AUTO"
            self.time_base = rational(self.stream.time_base)
            self.decoder = Decoder(self.path, self.container, self.stream, self._damages)
        except BaseException:
            self.container.close()
            raise

    def frames(self) -> Numbered:
        """The frames of the range; decoding begins with the first.

        Raises:
            UsageError: the range begins behind the film's end.
        """
        if not self.first:
            return self._counted(self.decoder, 0)
        if self.timeline is None and str(self.path) != PIPE:
            self.timeline = scan(self.path, self._rate)
        if self.timeline is None:  # no usable timestamps: count from the start
            return self._counted(self.decoder, 0)
        if self.first >= len(self.timeline):
            raise UsageError(
                f"{self.path} has {counted(len(self.timeline), 'frame')}; "
                f"a range from frame {self.first} is behind its end."
            )
        return self._sought(self.timeline)

    def _counted(self, natives: Iterable[tuple[av.VideoFrame, int]], index: int) -> Numbered:
        for native, pts in natives:
            if self.stop is not None and index >= self.stop:
                self.end = pts * self.time_base
                return
            if index >= self.first:
                yield native, index, pts
            index += 1

    def _sought(self, timeline: Sequence[int]) -> Numbered:
        """Frames of the range, by their time; a film that does not seek is read from the start."""
        start = timeline[self.first]
        end = timeline[self.stop] if self.stop and self.stop < len(timeline) else None
        self.container.seek(start, stream=self.stream)
        arrived = False
        for native, pts in self.decoder:
            if not arrived and pts > start:
                break  # landed behind the target: MPEG streams seek by guess
            arrived = arrived or pts == start
            if end is not None and pts >= end:
                self.end = pts * self.time_base
                return
            if arrived:
                yield native, bisect_left(timeline, pts), pts
        if arrived:
            return
        self.container.close()
        self._open()
        yield from self._counted(self.decoder, 0)
