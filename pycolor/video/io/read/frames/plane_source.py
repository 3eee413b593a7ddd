"""A film whose frames come as planes from elsewhere: another program's memory, not a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from pycolor.encoding import Encoding
from pycolor.video.io.frame.film import ColorTags, FilmInfo, known_format
from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.frame.pixel_formats import (
    MATRIX_OF_CODE,
    Plane,
    pixel_format,
    plane_view,
)


@dataclass(frozen=True, kw_only=True)
class RawFrame:
    """Planes of one frame.

    Attributes:
        index: its number.
        planes: Y', or Y', Cb and Cr: uint8 or uint16 codes, H×W and h×w.
        interlaced: it holds two fields.
    """

    index: int
    planes: Sequence[Plane]
    interlaced: bool = False


@dataclass(frozen=True, kw_only=True)
class PlaneSource:
    """Some frames of a film that lie in memory; for whom a `FrameSource` is expected.

    Attributes:
        info: of the film.
        frames: gives frames first … stop − 1, in order, as often as it is called.
        path, offset: names and numbers for messages.
    """

    info: FilmInfo
    frames: Callable[[int, int], Iterable[RawFrame]]
    path: Path
    offset: int = 0

    @property
    def seekable(self) -> bool:
        """Frames lie in memory, or are made when they are asked for."""
        return True

    def reader(self, first: int, stop: int) -> PlaneReader:
        """Of frames first … stop − 1."""
        return PlaneReader(self.info, self.frames(first, stop))


class PlaneReader:
    """Iterates over such frames; has of a `Reader` what coloring a film asks for."""

    damages: tuple[()] = ()

    def __init__(self, info: FilmInfo, frames: Iterable[RawFrame]) -> None:
        self.info = info
        self._frames = iter(frames)
        self._reformatter = VideoReformatter()

    def __iter__(self) -> Iterator[Frame]:
        for raw in self._frames:
            yield self._framed(raw)

    def _framed(self, raw: RawFrame) -> Frame:
        info = self.info
        native = av.VideoFrame(info.width, info.height, info.pixel_format)
        for number, plane in enumerate(raw.planes):
            np.copyto(plane_view(native, number, info.description.dtype), plane)
        native.key_frame = True  # type: ignore[misc]  # can be set: it needs no others
        frame = Frame(
            native,
            index=raw.index,
            pts=raw.index,
            time_base=info.time_base,
            description=info.description,
            reformatter=self._reformatter,
        )
        frame.interlaced = raw.interlaced
        return frame

    def close(self) -> None:
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> PlaneReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def planes_format(bits: int, subsampling: str | None) -> str | None:
    """FFmpeg's name of planes of so many bits, gray where there is no chroma; None: it has none."""
    base = "gray" if subsampling is None else f"yuv{subsampling}p"
    name = base if bits == 8 else f"{base}{bits}le"
    return name if pixel_format(name) is not None else None


def planes_info(
    name: str,
    *,
    size: tuple[int, int],
    encoding: Encoding,
    frames: int,
    path: Path,
    rate: Fraction,
    pixel_aspect: Fraction | None = None,
    interlaced: bool = False,
) -> FilmInfo:
    """What is known of such a film.

    Args:
        name: of the pixel format, see `planes_format`.
        size: (height, width).
        encoding: of the codes.
        frames: how many there are.
        path: what messages call it.
        rate: frames per second.
        pixel_aspect: width / height of a pixel.
        interlaced: the first frame holds two fields.
    """
    matrix = next(code for code, known in MATRIX_OF_CODE.items() if known == encoding.matrix)
    return FilmInfo(
        path=path,
        container="planes",
        codec="rawvideo",
        width=size[1],
        height=size[0],
        pixel_format=name,
        encoding=encoding,
        gray=known_format(name).gray,
        tags=ColorTags(matrix=matrix),
        matrix_code=matrix,
        rate=rate,
        time_base=1 / rate,
        frames=frames,
        duration=frames / rate,
        pixel_aspect=pixel_aspect,
        display_matrix=None,
        rotation=0,
        field_order="unknown",
        interlaced=interlaced,
        timecode="",
        streams=(),
        chapters=(),
        metadata={},
        picture_metadata={},
        picture_disposition=frozenset(),
        warnings=(),
    )
