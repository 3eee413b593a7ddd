"""The chroma of a film in color for the frames of a clip, in any order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError
from pycolor.video.io import Frame, FrameSource, Reader, scan
from pycolor.video.io.frame.pixel_formats import Plane
from pycolor.video.io.frame.planes import chroma_planes

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
                f"{self.path} has {self.frames} frames; expected {self._offset + frames} or more "
                "for this clip."
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
        for plane, out in zip(planes, chroma, strict=True):
            fields = interlaced and encoding.shifts[0] > self.info.encoding.shifts[0]
            for first, step in ((0, 2), (1, 2)) if fields and out.shape[0] > 1 else ((0, 1),):
                lines = out[first::step]
                lines[:] = block_means(
                    plane[first::step], self.info.encoding, encoding, lines.shape
                )
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


def block_means(
    plane: Plane, master: Encoding, clip: Encoding, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """Chroma codes at a clip's subsampling, depth and range: the mean of the samples of each block.

    Args:
        plane: h×w codes of the master.
        master: encoding of them.
        clip: the clip's.
        shape: of the clip's plane; where blocks do not divide evenly, the last are smaller.
    """
    v, h = (a - b for a, b in zip(clip.shifts, master.shifts, strict=True))
    plane = plane[: shape[0] << v, : shape[1] << h]
    codes: Any = plane
    if v or h:
        rows, columns = (
            np.arange(0, size, 1 << k) for size, k in zip(plane.shape, (v, h), strict=True)
        )
        total = np.add.reduceat(np.add.reduceat(plane.astype(np.int64), rows, 0), columns, 1)
        sizes = [
            np.diff([*starts, size])
            for starts, size in zip((rows, columns), plane.shape, strict=True)
        ]
        codes = total / np.outer(*sizes)
    (neutral, span), (new, new_span) = master.chroma_code_range, clip.chroma_code_range
    if (neutral, span) != (new, new_span):
        codes = (codes - float(neutral)) * new_span / span + new
    top = (1 << clip.bit_depth) - 1
    return np.asarray(np.rint(codes).clip(0, top), np.uint8 if clip.bit_depth <= 8 else np.uint16)
