"""Pictures as an encoder takes them, made of a film's frames."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from pycolor.encoding import Encoding
from pycolor.errors import FilmError
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.frame.pixel_formats import Plane, change_codes, plane_view
from pycolor.video.io.write.encoder.config import EncoderConfig


class Picture:
    """A frame on its way out: the source's luma, and chroma to be written.

    Attributes:
        luma: H×W, as it will be encoded; read-only.
        chroma: (U, V), each h×w of the output's subsampling, writable, uint8 or uint16.  They
            hold the source's chroma, or neutral for a gray source, until they are written.
        index, pts: of the source frame.
        interlaced: it holds two fields; chroma of 4:2:0 belongs to rows 0, 2, … and 1, 3, … apart.
        uploaded: `luma` on a GPU, 1×H×W, where the frame's is there and has the same codes.
    """

    __slots__ = (
        "chroma",
        "index",
        "interlaced",
        "luma",
        "native",
        "pts",
        "source_duration",
        "uploaded",
    )

    def __init__(self, native: av.VideoFrame, frame: Frame, dtype: np.dtype[Any]) -> None:
        self.native = native
        self.index = frame.index
        self.pts = frame.pts
        self.interlaced = frame.interlaced
        self.source_duration = frame.duration
        self.uploaded: Any = None
        self.luma: Plane = plane_view(native, 0, dtype)
        self.luma.flags.writeable = False
        self.chroma: tuple[Plane, Plane] = (
            plane_view(native, 1, dtype),
            plane_view(native, 2, dtype),
        )

    def fill_luma(self, code: int | Plane) -> None:
        """Put one code, or a plane of them, in place of the source's luma."""
        plane_view(self.native, 0, self.luma.dtype)[:] = code
        self.uploaded = None


class FrameFactory:
    """Makes pictures for one encoder; it opens and writes nothing.

    Args:
        info: of the film whose frames come.
        config: of the encoder.

    Attributes:
        encoding: of the planes of every Picture.
        pixel_format: FFmpeg's name for them.
    """

    def __init__(self, info: FilmInfo, config: EncoderConfig) -> None:
        self.info = info
        self.encoding: Encoding = config.encoding
        self.pixel_format = config.description.name
        self._dtype = config.description.dtype
        self._reformatter = VideoReformatter()

    def picture(self, frame: Frame) -> Picture:
        """A Picture of a frame: luma as decoded, chroma ready to be written.

        The frame's own memory is left alone (it may be a reference of frames to come); views of
        `frame.luma` stay valid.
        """
        luma = frame.luma  # holds the decoder's memory, so make_writable copies it
        native = frame.native
        before, after = self.info.encoding.full_range, self.encoding.full_range
        if native.format.name == self.pixel_format and before == after:
            native.make_writable()
            made = Picture(native, frame, self._dtype)
            made.uploaded = frame.uploaded
            return made
        # libswscale may touch the depth, range and layout of chroma; what it makes of luma is
        # overwritten below.  It takes gray as full range whatever its tag says.
        picture = self._reformatter.reformat(
            native,
            format=self.pixel_format,
            dst_colorspace=Colorspace.ITU709 if self.info.description.rgb else None,
            src_color_range=ColorRange.MPEG if after and not before else ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG if before and not after else ColorRange.JPEG,
            threads=1,  # more write into each other's rows, see `chroma_planes`
        )
        if picture is native:
            native.make_writable()
        kept = change_codes(luma, self.info.encoding, self.encoding)
        np.copyto(plane_view(picture, 0, self._dtype), kept)
        made = Picture(picture, frame, self._dtype)
        made.uploaded = frame.uploaded if kept is luma else None
        if self.info.gray:
            neutral = self.encoding.chroma_code_range[0]
            for plane in made.chroma:
                plane.fill(neutral)
        return made

    def picture_from_segment(self, frame: Frame, *, index: int, pts: int) -> Picture:
        """A Picture of a frame of a segment, which holds it as `picture` made it.

        Args:
            frame: of the segment.
            index: of the source's frame.
            pts: its time in the source's ticks.
        """
        if frame.native.format.name != self.pixel_format:
            raise FilmError(
                f"a segment holds pictures in {frame.native.format.name}; "
                f"expected {self.pixel_format}."
            )
        made = Picture(frame.native, frame, self._dtype)
        made.index, made.pts, made.source_duration = index, pts, 0
        return made
