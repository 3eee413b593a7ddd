"""A film that stays open: the next frame takes no opening and no seeking."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from pycolor.errors import FilmError
from pycolor.video.io import FilmInfo, Frame, FrameSource, Reader

NEAR = 12  # frames further on that are decoded on the way rather than sought
MOST = 8  # frames that were passed and may still be asked for


class Decoder:
    """Gives frames of a film, each to one who may write into it; for one thread at a time.

    Args:
        source: the film.
        frames: how many it has.
    """

    def __init__(self, source: FrameSource, frames: int) -> None:
        self._source, self._stop = source, frames
        self._reader: Reader | None = None
        self._rest: Iterator[Frame] = iter(())
        self._next = 0
        self._passed: OrderedDict[int, tuple[Frame, bool]] = OrderedDict()

    def take(self, n: int, *, own_color: bool = False) -> tuple[Frame, FilmInfo]:
        """A frame, and what the film is.

        Args:
            n: its number.
            own_color: with the color that the film has there; else another's may be in its place.

        Raises:
            FilmError: it cannot be read.
        """
        found, recolored = self._passed.pop(n, (None, False))
        if own_color and recolored:
            found = None
        if self._reader is None or (found is None and not self._next <= n < self._next + NEAR):
            self._open(n)
        assert self._reader is not None
        try:
            while found is None:
                frame = next(self._rest, None)
                if frame is None:
                    raise FilmError(f"{self._source.path} ends before frame {n}.")
                self._next = frame.index + 1
                if frame.index == n:
                    found = frame
                else:
                    self.put_back(frame)
        except BaseException:
            self.close()
            raise
        return found, self._reader.info

    def put_back(self, frame: Frame, *, recolored: bool = False) -> None:
        """This frame may be taken again.

        Args:
            frame: was taken; its luma is as it was.
            recolored: another color was written into it.
        """
        self._passed[frame.index] = frame, recolored
        while len(self._passed) > MOST:
            self._passed.popitem(last=False)

    def close(self) -> None:
        """Close the film; it is opened again when a frame is asked for."""
        self._passed.clear()
        self._rest = iter(())
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _open(self, n: int) -> None:
        self.close()
        self._reader = self._source.reader(n, self._stop)
        self._rest, self._next = iter(self._reader), n
