"""Frames that are wanted twice, some time apart, and decoded once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from types import TracebackType

from pycolor.system.prefetch import prefetch
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.read.frames.frame_source import FrameSource
from pycolor.video.io.read.reader import Reader

MOST_BYTES = 320 << 20  # of frames that wait for the one behind: 100 of 1080p and 8 bits


class SharedFrames:
    """Frames first … stop − 1 of a film for a reader ahead, and for one behind that follows it.

    The one ahead looks at each frame for a moment (`reader`); the one behind takes it later on
    (`frames`).  In between a frame is held.  Frames that nobody has read ahead, and all of them
    where too many bytes would have to wait, are decoded for the one behind by themselves.  The two
    may run in two threads.

    Args:
        source: the film's frames; stays at hand.
        first: number of the first frame.
        stop: one past the last.
        apart: how many frames lie between the two at most.
        timed: wraps the decoding for the one behind.
        most_bytes: that may wait.
    """

    def __init__(
        self,
        source: FrameSource,
        first: int,
        stop: int,
        *,
        apart: int,
        timed: Callable[[Iterable[Frame]], Iterable[Frame]] = lambda frames: frames,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.offset = source.offset
        self.source = source
        self._source, self._first, self._stop = source, first, stop
        self._apart, self._timed, self._bytes_left = apart, timed, most_bytes
        self._frame_bytes = 0  # of the first frame seen
        self._held: dict[int, Frame] = {}
        self._next = first  # the one behind comes for it
        self._sharing = True
        self._lock = threading.Lock()

    def reader(self, first: int, stop: int) -> ReaderAhead:
        """As `FrameSource.reader`; what it reads is held for the one behind."""
        return ReaderAhead(self._source.reader(first, stop), self._hold)

    def frames(self) -> Generator[Frame, None, None]:
        """The frames in order, each once; for the one behind."""
        own: Generator[Frame, None, None] | None = None
        try:
            for n in range(self._first, self._stop):
                frame = self._take(n)
                if frame is None:
                    own = own or self._decoded(n)
                    frame = next((f for f in own if f.index >= self.offset + n), None)
                    if frame is None:
                        return
                elif own is not None and self._source.timeline is not None:
                    own.close()  # it is opened again where it is needed
                    own = None
                yield frame
                del frame  # large, and not to be held while the next one is waited for
        finally:
            if own is not None:
                own.close()
            with self._lock:
                self._sharing = False
                self._held.clear()

    def _decoded(self, first: int) -> Generator[Frame, None, None]:
        with self._source.reader(first, self._stop) as reader:
            wanted = (frame for frame in reader if frame.index >= self.offset + first)
            waiting = reader.info.frames_waiting
            with closing(prefetch(self._timed(wanted), waiting)) as frames:
                yield from frames

    def _hold(self, frame: Frame) -> None:
        n = frame.index - self.offset
        with self._lock:
            if not self._sharing or not self._next <= n < self._stop or n in self._held:
                return
            if not self._frame_bytes:
                self._frame_bytes = _bytes_of(frame)
                self._sharing = self._apart * self._frame_bytes <= self._bytes_left
            if self._sharing and self._bytes_left >= self._frame_bytes:
                self._held[n] = frame
                self._bytes_left -= self._frame_bytes
            else:  # for good: frames are not decoded again for a few that are held
                self._sharing = False

    def _take(self, n: int) -> Frame | None:
        with self._lock:
            self._next = n + 1
            frame = self._held.pop(n, None)
            if frame is not None:
                self._bytes_left += self._frame_bytes
        return frame


class ReaderAhead:
    """A Reader that lends each frame before it is looked at.

    Args:
        reader: of the frames.
        lend: takes each of them.

    Attributes:
        info: of the film.
    """

    def __init__(self, reader: Reader, lend: Callable[[Frame], None]) -> None:
        self._reader, self._lend = reader, lend
        self.info: FilmInfo = reader.info

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._reader:
            self._lend(frame)
            yield frame
            del frame  # it is large

    def __enter__(self) -> ReaderAhead:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._reader.close()


def _bytes_of(frame: Frame) -> int:
    """Memory of a frame; a luma that is computed of R'G'B' stays beside its planes."""
    planes = sum(plane.line_size * plane.height for plane in frame.native.planes)
    return planes + (frame.luma.nbytes if frame.description.rgb else 0)
