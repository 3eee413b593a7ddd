"""What is known of a film before its frames are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from pycolor.encoding import ChromaLocation, Encoding
from pycolor.video.io.frame.pixel_formats import (
    CHROMA_LOCATIONS,
    FULL,
    MATRIX_NAMES,
    MATRIX_OF_CODE,
    PixelFormat,
    pixel_format,
)

FIELD_ORDERS = {0: "unknown", 1: "progressive", 2: "tt", 3: "bb", 4: "tb", 5: "bt"}


@dataclass(frozen=True, kw_only=True)
class StreamInfo:
    """A stream beside the picture.

    Attributes:
        index: in its container.
        kind: audio, subtitle, video (a second one, or cover art), data or attachment.
        codec: FFmpeg's name, empty where there is none.
        language: ISO 639 code, empty where unknown.
        title: as its author named it, often empty.
        disposition: names of FFmpeg's flags: default, forced, hearing_impaired, ...
        metadata: all its tags.
        digest: SHA-256 of an attachment, empty for other kinds.
    """

    index: int
    kind: str
    codec: str
    language: str
    title: str
    disposition: frozenset[str] = frozenset()
    metadata: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""

    def __str__(self) -> str:
        words = [self.kind, f"stream {self.index}"]
        words += [f"({', '.join(w for w in (self.codec, self.language, self.title) if w)})"]
        return " ".join(words)


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A part of a film with a title (often empty), from `start` to `end` in seconds."""

    start: Fraction
    end: Fraction
    title: str


@dataclass(frozen=True, kw_only=True)
class ColorTags:
    """H.273 code points as stored; 2 (range and chroma location: 0) means "not stored"."""

    range: int = 0
    matrix: int = 2
    primaries: int = 2
    transfer: int = 2
    chroma_location: int = 0


@dataclass(frozen=True, kw_only=True)
class FilmInfo:
    """A film's picture stream and what stands beside it.

    Attributes:
        path: of the file, `container` its format, `codec` the picture's.
        width, height: of the stored picture, before rotation and pixel aspect.
        pixel_format: FFmpeg's name.
        encoding: how Y' is stored; a gray film has none of chroma, so its subsampling and
            siting are placeholders (ask the Writer for those of the output).
        gray: no chroma is stored.
        tags: the color tags as stored, `matrix_code` the matrix in force (chosen by the number of
            lines where none is stored).
        rate: nominal frames per second; the timestamps rule.
        time_base: seconds per tick of the timestamps.
        frames: how many the container promises, or an estimate; 0 if unknown.
        duration: seconds the container promises, None if unknown.
        pixel_aspect: width / height of a pixel, None if not stored.
        display_matrix: FFmpeg's 9 integers, None for an upright picture; `rotation` its angle,
            degrees counterclockwise.
        field_order: unknown, progressive, tt, bb, tb or bt (FFmpeg's names).
        interlaced: the first frame or the stream says so.
        timecode: of the first frame, empty if none.
        streams: the other streams.
        chapters: in their order.
        metadata: of the container; `picture_metadata` of the picture's stream, and
            `picture_disposition` the names of its flags.
        warnings: sentences about what is assumed or damaged.
        reel: name of the reel that the timecode belongs to, empty if none.
        captions: the first frame carries captions (CTA-708, ATSC A/53).
        clean_aperture: (width, height) of what is meant to be seen, None for all.
        unread: phrases on what the container holds that FFmpeg does not report.
    """

    path: Path
    container: str
    codec: str
    width: int
    height: int
    pixel_format: str
    encoding: Encoding
    gray: bool
    tags: ColorTags
    matrix_code: int
    rate: Fraction
    time_base: Fraction
    frames: int
    duration: Fraction | None
    pixel_aspect: Fraction | None
    display_matrix: tuple[int, ...] | None
    rotation: int
    field_order: str
    interlaced: bool
    timecode: str
    streams: tuple[StreamInfo, ...]
    chapters: tuple[Chapter, ...]
    metadata: dict[str, str]
    picture_metadata: dict[str, str]
    picture_disposition: frozenset[str]
    warnings: tuple[str, ...]
    reel: str = ""
    captions: bool = False
    clean_aperture: tuple[Fraction, Fraction] | None = None
    unread: tuple[str, ...] = ()

    @property
    def description(self) -> PixelFormat:
        """What the pixel format holds."""
        return known_format(self.pixel_format)

    @property
    def frames_waiting(self) -> int:
        """How many frames may wait between two threads: some 36 MB of them, 2 to 6."""
        luma = self.height * self.width * (2 if self.encoding.bit_depth > 8 else 1)
        chroma = 0 if self.gray else 2 * luma >> sum(self.encoding.shifts)
        return max(2, min(6, (36 << 20) // (luma + chroma)))

    @property
    def turns(self) -> int:
        """Quarter turns counterclockwise that bring the stored picture upright, 0 to 3."""
        return round(self.rotation / 90) % 4

    @property
    def upright_size(self) -> tuple[int, int]:
        """(height, width) of the picture turned upright, in stored pixels."""
        size = self.height, self.width
        return size[::-1] if self.turns % 2 else size

    @property
    def upright_aspect(self) -> Fraction:
        """Width / height of a pixel of the upright picture, 1 if it is not stored."""
        aspect = self.pixel_aspect or Fraction(1)
        return 1 / aspect if self.turns % 2 else aspect

    @property
    def matrix_name(self) -> str:
        return MATRIX_NAMES.get(self.matrix_code, str(self.matrix_code))


def known_format(name: str) -> PixelFormat:
    """`pixel_format` for a name that a Reader accepted."""
    description = pixel_format(name)
    if description is None:
        raise AssertionError(f"no Reader delivers {name}")
    return description


def rational(value: Any) -> Fraction:
    """A Fraction of PyAV's rational or None; 0 where it is not set."""
    if not value:
        return Fraction(0)
    return Fraction(value.numerator, value.denominator)


def encoding_of(
    description: PixelFormat, tags: ColorTags, *, matrix_code: int, full_range: bool, codec: str
) -> Encoding:
    # JPEG and MPEG-1 put chroma between the luma samples, everyone after them beside one.
    usual: ChromaLocation = "center" if codec in ("mjpeg", "mpeg1video") else "left"
    return Encoding(
        bit_depth=description.bit_depth,
        full_range=full_range,
        matrix=MATRIX_OF_CODE[matrix_code],
        subsampling=description.subsampling or "444",
        chroma_location=CHROMA_LOCATIONS.get(tags.chroma_location, usual),
    )


def is_full_range(description: PixelFormat, name: str, stored_range: int, codec: str) -> bool:
    """The range in force; where none is stored, limited for Y'CbCr and full for bare gray.

    MPEG's codecs define "not stored" as limited, for gray too; elsewhere FFmpeg and the tools
    built on it take gray as full.
    """
    if description.rgb:
        return True
    if stored_range or name.startswith("yuvj"):
        return stored_range == FULL or name.startswith("yuvj")
    return description.gray and codec not in MPEG_CODECS


MPEG_CODECS = ("h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vp9", "av1", "prores")
