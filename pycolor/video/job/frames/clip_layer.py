"""The chroma of a film in color for the frames of a clip, in any order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError, counted
from pycolor.video.io import Frame, FrameSource, Reader, scan
from pycolor.video.io.frame.pixel_formats import Plane
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.master.blocks import fold, unfolded

AHEAD = 48  # a frame up to so many after the last one is reached by reading on


class ClipLayer:
    """A film's Cb and Cr, frame by frame; its luma is not looked at.

    Args:
        path: of the film.
        offset: number of its frame that is the clip's first.

    Raises:
        UsageError: it has no Cb and Cr.
        FilmError: it cannot be read.
    """

    def __init__(self, path: Path, *, offset: int = 0) -> None:
        if offset < 0:
            raise UsageError(f"offset must be 0 or more, got {offset}.")
        timeline = scan(path)
        self._source = FrameSource(path=path, offset=offset, timeline=timeline)
        self._offset, self.path = offset, path
        with Reader(path) as reader:
            self.info = reader.info
        if self.info.gray or self.info.description.rgb:
            what = "gray" if self.info.gray else "R'G'B'"
            raise UsageError(f"{path} is {what}; expected a film with Cb and Cr.")
        self.frames = len(timeline) if timeline is not None else self.info.frames
        self._lock = threading.Lock()
        self._stream: Any = None
        self._next = 0

    def check(self, *, frames: int, size: tuple[int, int], encoding: Encoding) -> None:
        """Make sure that the film fits a clip.

        Raises:
            UsageError: it does not.
        """
        info, own = self.info, self.info.encoding
        if (info.height, info.width) != size:
            raise UsageError(
                f"{self.path} is {info.width}×{info.height}; expected {size[1]}×{size[0]}, as the "
                "clip is."
            )
        if self.frames and self.frames < self._offset + frames:
            raise UsageError(
                f"{self.path} has {counted(self.frames, 'frame')}; expected "
                f"{self._offset + frames} or more for this clip."
            )
        if own.matrix != encoding.matrix:
            raise UsageError(
                f"{self.path} is coded in {own.matrix}, and the clip in {encoding.matrix}; "
                "expected one: std.SetFrameProps(_Matrix=...) says what the clip is."
            )
        if any(a < b for a, b in zip(encoding.shifts, own.shifts, strict=True)):
            raise UsageError(
                f"{self.path} has chroma of {own.subsampling}; expected at least the clip's "
                f"{encoding.subsampling}."
            )

    def render(
        self,
        n: int,
        luma: Plane,
        chroma: tuple[Plane, Plane],
        encoding: Encoding,
        *,
        interlaced: bool = False,
    ) -> bool:
        """Write the chroma of a frame; see `ClipColor.render`.

        Raises:
            FilmError: the film cannot be read, or ends before.
        """
        with self._lock:
            frame = self._frame(n)
        planes = chroma_planes(frame)
        if planes is None:
            raise FilmError(f"{self.path} has no chroma in frame {frame.index}.")
        own = self.info.encoding
        for plane, out in zip(planes, chroma, strict=True):
            full = plane
            if plane.shape != luma.shape:
                full = unfolded(plane, luma.shape, own, interlaced=frame.interlaced)
            fold(full, out, replace(own, subsampling="444"), encoding, interlaced=interlaced)
        return True

    def close(self) -> None:
        """Stop reading."""
        with self._lock:
            self._stop()

    def _frame(self, n: int) -> Frame:
        if self._stream is None or not self._next <= n < self._next + AHEAD:
            self._stop()
            self._stream, self._next = self._from(n), n
        try:
            while True:
                frame: Frame | None = next(self._stream, None)
                if frame is None:
                    raise FilmError(f"{self.path} ends before frame {self._offset + n}.")
                self._next += 1
                if frame.index == self._offset + n:
                    return frame
        except BaseException:
            self._stop()
            raise

    def _from(self, n: int) -> Iterator[Frame]:
        with closing(self._source.reader(n, max(self.frames - self._offset, n + 1))) as reader:
            yield from (f for f in reader if f.index >= self._offset + n)

    def _stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
