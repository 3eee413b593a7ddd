"""Single frames of a film, by their number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType

from pycolor.errors import FilmError
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.read.frames.frame_source import FrameSource

READ_ON = 128  # frames, instead of seeking


class SingleFrames:
    """Opens a film where it is asked to; used as a context.

    Where frames cannot be sought, and over short ways where they need those before, the film is
    read on from the last one, so rising numbers take one pass.

    Args:
        source: the film's frames.
        stop: one past the last that may be asked for.
    """

    def __init__(self, source: FrameSource, stop: int) -> None:
        self._source, self._stop = source, stop
        self._open = ExitStack()
        self._rest: Iterator[Frame] | None = None
        self._next = 0
        self._needs_others = False  # the last frame was decoded from others

    def __call__(self, n: int) -> tuple[Frame, FilmInfo]:
        """Frame n of the range.

        Raises:
            FilmError: the film cannot be read, or has no such frame any more.
        """
        way = READ_ON if self._needs_others else 0
        behind = n < self._next or (self._source.seekable and n >= self._next + way)
        if self._rest is None or behind:
            self._open.close()
            reader = self._open.enter_context(self._source.reader(n, self._stop))
            self._rest, self._info = iter(reader), reader.info
        for frame in self._rest:
            if frame.index >= self._source.offset + n:
                self._next = n + 1
                self._needs_others = not frame.native.key_frame
                return frame, self._info
        raise FilmError(
            f"{self._source.path} has no frame {n + self._source.offset}, which was there when it "
            "was analyzed; expected a film that does not change while it is colored."
        )

    def __enter__(self) -> SingleFrames:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()
