"""TIFF as scanners write it: tiles, packed samples, floats, either sense of gray, any side up.

FFmpeg 8 decodes tiles as zeros and turns nothing; Pillow 13 keeps 8 bits of 16-bit R'G'B' and
leaves 16-bit gray in which white is zero a negative.  TIFF 6.0 (1992), TIFF Technical Note 2
and Adobe's note 3 (floats).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import tifffile

from pycolor.errors import FilmError
from pycolor.video.io.frame.pixel_formats import Plane
from pycolor.video.io.frame.unpack import codes_of

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _SEPARATED = 0, 1, 2, 3, 5
_KNOWN = (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _SEPARATED)
_UNSIGNED, _FLOAT = 1, 3
_ORIENTATION = 274

# Quarter turns counterclockwise, then mirrored left to right: what makes a picture upright.
_TURNS = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}


@dataclass(frozen=True, kw_only=True)
class TiffPicture:
    """The first picture of a TIFF file, upright.

    Attributes:
        samples: H×W×C, uint8 up to 8 bits and uint16 above, full range, black is zero: gray or
            R'G'B', and alpha behind them.
        notes: sentences on what reading it cost.
    """

    samples: Plane
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TiffLayout:
    """Whether a TIFF's samples lie in tiles, and which way it is up (1 to 8)."""

    tiled: bool
    orientation: int


class UnreadTiff(Exception):  # noqa: N818 - caught by whoever has another decoder
    """Neither tifffile nor this module decodes the samples; `str` says why."""


def upright(samples: npt.NDArray[Any], orientation: int) -> npt.NDArray[Any]:
    """H×W×… samples, turned as the Orientation tag of TIFF and EXIF (1 to 8) says."""
    quarters, mirrored = _TURNS.get(orientation, (0, False))
    samples = np.rot90(samples, quarters)
    return np.fliplr(samples) if mirrored else samples


def needs_care(data: bytes) -> bool:
    """Whether FFmpeg would decode a TIFF otherwise than it is meant."""
    with _opened(data) as page:
        deep = page.compression == 1 and _bits(page) not in (1, 8, 16)
        return bool(
            page.is_tiled
            or _orientation(page) != 1
            or page.sampleformat != _UNSIGNED
            or (page.photometric in _KNOWN and deep)
        )


def layout_of(data: bytes) -> TiffLayout:
    """How a TIFF's first picture lies in it."""
    with _opened(data) as page:
        return TiffLayout(tiled=bool(page.is_tiled), orientation=_orientation(page))


def read_tiff(source: Path | bytes, *, name: str) -> TiffPicture:
    """Decode the first picture of a TIFF.

    Args:
        source: a file, or its bytes.
        name: what messages call it.

    Raises:
        FilmError: for what has no gray or R'G'B' codes: sensor data, signed integers, floats
            beyond 1.
        UnreadTiff: for a compression or a color space that another decoder may know.
    """
    with _opened(source) as page:
        if page.photometric not in _KNOWN:
            kind = getattr(page.photometric, "name", page.photometric)
            if kind in ("CFA", "LINEAR_RAW"):
                raise FilmError(
                    f"{name} stores the samples of a camera's sensor ({kind}); expected gray or "
                    "R'G'B': develop it first."
                )
            raise UnreadTiff(f"its colors are {kind}")
        raw = _samples(page)
        raw = raw[..., None] if raw.ndim == 2 else raw
        if raw.ndim != 3:
            raise FilmError(f"{name} holds a picture of {raw.ndim} dimensions; expected two.")
        notes: list[str] = []
        codes = _codes(raw, page, name, notes)
        codes = _colors(codes, page, notes)
        turned = _orientation(page)
    return TiffPicture(
        samples=cast(Plane, np.ascontiguousarray(upright(codes, turned))), notes=tuple(notes)
    )


@contextmanager
def _opened(source: Path | bytes) -> Iterator[Any]:
    """The first page; what is wrong with the file is a ValueError."""
    file: Any = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with tifffile.TiffFile(file) as opened:
            if not len(opened.pages):
                raise ValueError("it holds no picture")
            yield opened.pages[0]
    except tifffile.TiffFileError as error:
        raise ValueError(str(error)) from error


def _orientation(page: Any) -> int:
    tag = page.tags.get(_ORIENTATION)
    return int(tag.value) if tag is not None else 1


def _bits(page: Any) -> int:
    bits = page.bitspersample
    return int(bits[0] if isinstance(bits, tuple) else bits)


def _samples(page: Any) -> npt.NDArray[Any]:
    """H×W or H×W×C, as stored."""
    if page.compression == 1 and not page.is_tiled and page.planarconfig == 1:
        bits = _bits(page)
        if page.sampleformat == _UNSIGNED and bits in (2, 4, 6, 10, 12, 14):
            return _unpack(page, bits)
    try:
        found: npt.NDArray[Any] = page.asarray()
    except (NotImplementedError, ValueError) as error:
        if "imagecodecs" in str(error):
            what = str(error).partition("requires")[0].strip()
            raise UnreadTiff(f"decoding {what} needs the package imagecodecs") from error
        raise
    if page.planarconfig == 2 and found.ndim == 3:
        found = np.moveaxis(found, 0, 2)
    return found


def _unpack(page: Any, bits: int) -> npt.NDArray[np.uint16]:
    """Samples of which several share a byte, most significant bit first; rows begin with one."""
    height, width = int(page.imagelength), int(page.imagewidth)
    channels = int(page.samplesperpixel)
    a_row = -(-width * channels * bits // 8)
    file = page.parent.filehandle
    parts = []
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(offset)
        parts.append(file.read(count))
    stored = np.frombuffer(b"".join(parts), np.uint8)
    if stored.size < height * a_row:
        raise ValueError(f"it holds {stored.size} of {height * a_row} bytes of samples")
    rows = np.unpackbits(stored[: height * a_row].reshape(height, a_row), axis=1)
    fields = rows[:, : width * channels * bits].reshape(height, width, channels, bits)
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    return cast("npt.NDArray[np.uint16]", fields.astype(np.uint16) @ weights)


def _codes(raw: npt.NDArray[Any], page: Any, name: str, notes: list[str]) -> npt.NDArray[Any]:
    """In full range of 8 or 16 bits; those of a palette are left as they are."""
    if raw.dtype.kind == "f":
        top = float(np.nanmax(raw)) if raw.size else 0.0
        if top > 1:
            raise FilmError(
                f"{name} stores floats up to {top:g}; expected 0 (black) to 1 (white): scale it "
                "first."
            )
        notes.append("floats are stored: they are read as codes of 16 bits, black 0 and white 1")
        return codes_of(raw, linear=False)
    if raw.dtype.kind == "i":
        raise FilmError(f"{name} stores signed integers; expected unsigned ones.")
    bits = 1 if raw.dtype.kind == "b" else _bits(page)
    if page.photometric == _PALETTE:
        return raw.astype(np.uint16)
    if bits > 16:
        notes.append(f"{bits} bits a sample are stored: they are read in 16 bits")
    if bits in (8, 16):
        return raw
    top, new = (1 << bits) - 1, 255 if bits < 8 else 65535
    wide = raw.astype(np.uint64)
    return ((wide * (2 * new) + top) // (2 * top)).astype(np.uint8 if bits < 8 else np.uint16)


def _colors(codes: npt.NDArray[Any], page: Any, notes: list[str]) -> npt.NDArray[Any]:
    """Gray or R'G'B', black zero, with alpha behind it."""
    photometric = page.photometric
    if photometric == _PALETTE:
        table = np.asarray(page.colormap, np.uint16).T  # 2^n × 3
        table = (table >> 8).astype(np.uint8) if _is_shallow(table) else table
        if (table[:, :1] == table).all():
            table = table[:, :1]
        looked: npt.NDArray[Any] = table[codes[..., 0].clip(0, len(table) - 1)]
        return looked
    channels = {_RGB: 3, _SEPARATED: 4}.get(photometric, 1)
    alpha, extra = _alpha(codes, page, channels)
    if extra:
        notes.append(f"{extra} of its {codes.shape[2]} channels are left out")
    top = np.iinfo(codes.dtype).max
    colors = codes[..., :channels]
    if photometric == _WHITE_IS_ZERO:
        colors = top - colors
    if photometric == _SEPARATED:
        notes.append("CMYK is stored: it is read as R'G'B' without regard to its inks")
        white = (top - colors).astype(np.uint32)
        colors = ((white[..., :3] * white[..., 3:] + top // 2) // top).astype(codes.dtype)
    return colors if alpha is None else np.concatenate([colors, alpha], axis=2)


def _alpha(
    codes: npt.NDArray[Any], page: Any, channels: int
) -> tuple[npt.NDArray[Any] | None, int]:
    """The opacity, H×W×1, and how many other channels there are."""
    extra = codes.shape[2] - channels
    for place, meaning in enumerate(page.extrasamples[:extra]):
        if int(meaning) in (1, 2):
            return codes[..., channels + place, None], extra - 1
    return None, extra


def _is_shallow(table: npt.NDArray[np.uint16]) -> bool:
    """A palette whose entries are codes of 8 bits, times 256 or 257."""
    low = table & 255
    return bool((low == 0).all() or (low == table >> 8).all())
