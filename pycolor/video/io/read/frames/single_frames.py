"""Single frames of a film, by their number."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType

from pycolor.errors import FilmError
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.read.frames.frame_source import FrameSource


class SingleFrames:
    """Opens a film where it is asked to; used as a context.

    Where frames cannot be sought the film is read on from the last one, so rising numbers take one
    pass.

    Args:
        source: the film's frames.
        stop: one past the last that may be asked for.
    """

    def __init__(self, source: FrameSource, stop: int) -> None:
        self._source, self._stop = source, stop
        self._open = ExitStack()
        self._rest: Iterator[Frame] | None = None
        self._next = 0

    def __call__(self, n: int) -> tuple[Frame, FilmInfo]:
        """Frame n of the range.

        Raises:
            FilmError: the film cannot be read, or has no such frame any more.
        """
        if self._source.seekable or self._rest is None or n < self._next:
            self._open.close()
            stop = n + 1 if self._source.seekable else self._stop
            reader = self._open.enter_context(self._source.reader(n, stop))
            self._rest, self._info = iter(reader), reader.info
        for frame in self._rest:
            if frame.index >= self._source.offset + n:
                self._next = n + 1
                return frame, self._info
        raise FilmError(
            f"{self._source.path} has no frame {n + self._source.offset}, which was there when it "
            "was surveyed; expected a film that does not change while it is colored."
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
