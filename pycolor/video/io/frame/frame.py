"""One frame of a film."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation, VideoReformatter

from pycolor.encoding import Matrix
from pycolor.video.io.frame.pixel_formats import (
    PixelFormat,
    Plane,
    luma_view,
    plane_view,
    rgb_luma,
)


class Frame:
    """One decoded frame.

    Attributes:
        index: its rank in the film, from 0.
        pts: its time in ticks of `FilmInfo.time_base`.
        time: the same in seconds, exact.
        duration: ticks it is shown for, 0 if unknown.
        corrupt: the decoder found damage in it.
        interlaced: it holds two fields.
        luma: the Y' plane, H×W, uint8 up to 8 bits and uint16 above; of R'G'B', the Y' of the
            Reader's `rgb_matrix` in full range, rounded to the nearest code.  Read-only, since it
            is the decoder's own memory.  `torch.from_dlpack(frame)` is the same plane as a tensor,
            without a copy; do not write to it.
        uploaded: `luma` as a tensor on a GPU, once `tensors.luma_on` has put it there.
    """

    __slots__ = (
        "_luma",
        "_matrix",
        "_reformatter",
        "corrupt",
        "description",
        "duration",
        "index",
        "interlaced",
        "native",
        "pts",
        "time",
        "uploaded",
    )

    def __init__(
        self,
        native: av.VideoFrame,
        *,
        index: int,
        pts: int,
        time_base: Fraction,
        description: PixelFormat,
        reformatter: VideoReformatter,
        matrix: Matrix = "bt709",
    ) -> None:
        self.native = native
        self.index = index
        self.pts = pts
        self.time = pts * time_base
        self.duration = int(native.duration or 0)
        self.corrupt = bool(native.is_corrupt)
        self.interlaced = bool(native.interlaced_frame)
        self.description = description
        self._reformatter = reformatter
        self._matrix: Matrix = matrix
        self._luma: Plane | None = None
        self.uploaded: Any = None

    @property
    def luma(self) -> Plane:
        if self._luma is None:
            if self.description.rgb:
                self._luma = rgb_luma(
                    self.native, self.description, self._reformatter, self._matrix
                )
            else:
                self._luma = luma_view(self.native, self.description)
        return self._luma

    def thumbnail(self, height: int = 24, width: int = 32) -> npt.NDArray[np.uint8]:
        """Y', Cb and Cr of a small copy, 3×h×w, of whatever pixel format the frame is."""
        small = self._reformatter.reformat(
            self.native, width, height, "yuv444p", interpolation=Interpolation.AREA, threads=1
        )
        planes = [plane_view(small, k, np.dtype(np.uint8)) for k in range(3)]
        return np.stack(planes)

    def __dlpack__(self, **arguments: Any) -> Any:
        if self.luma.flags.writeable:  # made for this frame: not a plane of the decoder's
            return self.luma.__dlpack__(**arguments)
        arguments = {k: v for k, v in arguments.items() if k == "stream"}
        return self.native.planes[0].__dlpack__(**arguments)

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # kDLCPU

    def __repr__(self) -> str:
        return f"<Frame {self.index} at {float(self.time):.3f} s>"
