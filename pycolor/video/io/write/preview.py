"""A film made to be looked at: RGB frames, H.264."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from pycolor.errors import FilmError
from pycolor.video.io.containers.presets import container_of
from pycolor.video.io.read.opening.address import as_address


class PreviewWriter:
    """Writes 8-bit RGB frames as an H.264 film of BT.709.

    Args:
        path: of the film, .mp4, .mov or .mkv.
        height, width: of every frame; odd ones lose their last line or column.
        time_base: of the times given to `write`, seconds a tick.
        rate: nominal frames a second.
        name: what messages call the film, if not by its path.

    Raises:
        FilmError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        height: int,
        width: int,
        *,
        time_base: Fraction,
        rate: Fraction,
        name: Path | None = None,
    ) -> None:
        self._name = name or path
        try:
            container = container_of(path.suffix)
            self._container = av.open(as_address(path), "w", format=container)
        except (av.error.FFmpegError, ValueError, OSError) as e:
            raise FilmError(f"{self._name} cannot be written: {e}.") from None
        stream: Any = self._container.add_stream("libx264", rate=rate, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = width & ~1, height & ~1, "yuv420p"
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.colorspace = stream.codec_context.color_primaries = 1  # BT.709
        stream.codec_context.color_trc, stream.codec_context.color_range = 1, 1
        self._stream = stream
        self._time_base = time_base

    def write(self, rgb: npt.NDArray[np.uint8], pts: int) -> None:
        """Add a frame, H×W×3, at a time."""
        height, width = self._stream.height, self._stream.width
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[:height, :width]), "rgb24")
        # More threads write into each other's rows, see `chroma_planes`.
        frame = frame.reformat(format="yuv420p", dst_colorspace=1, threads=1)
        frame.pts, frame.time_base = pts, self._time_base
        self._encode(frame)

    def __enter__(self) -> PreviewWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._encode(None)
        finally:
            self._container.close()

    def _encode(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except av.error.FFmpegError as e:
            raise FilmError(f"{self._name} cannot be written: {e.strerror or e}.") from None
