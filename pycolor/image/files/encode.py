"""PNG, TIFF and JPEG of 8 and 16 bits, with what else their source said."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, PngImagePlugin

from pycolor.errors import FilmError
from pycolor.video.io.frame.pixel_formats import Plane
from pycolor.video.io.read.pictures.deep_picture import encode_deep_png


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What is written beside the samples; see `StillInfo`."""

    icc_profile: bytes | None = None
    exif: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    dots_per_inch: tuple[float, float] | None = None


def write(path: Path, samples: Plane, marks: Marks, *, quality: int) -> None:
    """Write H×W×3 or H×W×4 samples; the name's ending chooses the format.

    Raises:
        OSError: it cannot be written.
        FilmError: the format does not hold so large a picture.
    """
    if samples.dtype == np.uint8:
        _write_shallow(path, cast(Any, samples), marks, quality=quality)
    elif path.suffix.lower() == ".png":
        path.write_bytes(_png_with(encode_deep_png(cast(Any, samples)), marks))
    else:
        _write_deep_tiff(path, cast(Any, samples), marks)


def _write_shallow(
    path: Path, samples: npt.NDArray[np.uint8], marks: Marks, *, quality: int
) -> None:
    options: dict[str, Any] = {}
    if marks.icc_profile:
        options["icc_profile"] = marks.icc_profile
    if marks.exif:
        options["exif"] = marks.exif
    if marks.dots_per_inch:
        options["dpi"] = marks.dots_per_inch
    suffix = path.suffix.lower()
    if suffix in (".jpg", ".jpeg"):
        options |= {"quality": quality, "subsampling": "4:4:4"}
    elif suffix != ".png":
        options["compression"] = "tiff_deflate"
    elif marks.texts:
        texts = PngImagePlugin.PngInfo()
        for keyword, text in marks.texts:
            texts.add_itxt(keyword, text)
        options["pnginfo"] = texts
    Image.fromarray(samples).save(path, **options)


def _png_with(png: bytes, marks: Marks) -> bytes:
    """A PNG with profile, resolution, EXIF and texts put behind its header (PNG 3, clause 5.6)."""
    header = 8 + 25  # the signature and IHDR
    added = b""
    if marks.icc_profile:
        added += _chunk(b"iCCP", b"icc\0\0" + zlib.compress(marks.icc_profile))
    if marks.dots_per_inch:
        per_meter = [round(dots / 0.0254) for dots in marks.dots_per_inch]
        added += _chunk(b"pHYs", struct.pack(">IIB", *per_meter, 1))
    if marks.exif:
        added += _chunk(b"eXIf", marks.exif.removeprefix(b"Exif\0\0"))
    for keyword, text in marks.texts:
        name = keyword.encode("latin-1", "replace")
        added += _chunk(b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8"))
    kept, position = b"", header
    while position < len(png):
        length = struct.unpack(">I", png[position : position + 4])[0] + 12
        if png[position + 4 : position + 8] != b"pHYs":  # FFmpeg writes one of its own
            kept += png[position : position + length]
        position += length
    return png[:header] + added + kept


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def _write_deep_tiff(path: Path, samples: npt.NDArray[np.uint16], marks: Marks) -> None:
    """A TIFF of 16-bit H×W×3 or H×W×4, deflated; Pillow writes 8 bits only."""
    height, width, channels = samples.shape
    try:
        tifffile.imwrite(
            path,
            samples,
            photometric="rgb",
            extrasamples=["unassalpha"] if channels == 4 else None,
            compression="zlib",
            predictor=True,
            rowsperstrip=max(1, (1 << 18) // (width * channels * 2)),  # strips of 256 KiB
            resolution=marks.dots_per_inch or (72.0, 72.0),
            resolutionunit="INCH",
            iccprofile=marks.icc_profile,
            software=False,
            metadata=None,
            extratags=_texts_of(marks.exif),
        )
    except struct.error as error:
        raise FilmError(f"{height}×{width} pixels are too large for TIFF; name a .png.") from error


def _texts_of(exif: bytes | None) -> list[tuple[int, int, int, str, bool]]:
    """The texts of EXIF's first directory as tifffile's extra tags; code, type, count, value."""
    kept = Image.Exif()
    if exif:
        kept.load(exif)
    return [
        (tag, 2, 0, value, True)
        for tag, value in kept.items()
        if isinstance(value, str) and value.isascii()
    ]
