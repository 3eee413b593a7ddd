"""What picture files hold: each kind is read by the library that reads it whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, ImageOps, UnidentifiedImageError

from pycolor.errors import FilmError
from pycolor.image.files.profiles import UnreadProfileError, to_srgb_by_tables
from pycolor.video.io.frame.pixel_formats import Plane
from pycolor.video.io.read.pictures.deep_picture import decode_deep, probe_picture
from pycolor.video.io.read.pictures.tiff import upright

CheckSize = Callable[[int, int], None]
_ORIENTATION = 0x0112
_EXIF, _GPS = 0x8769, 0x8825
# What a TIFF's directory says of the picture rather than of its storage: names, dates, authors,
# rights, and the directories of camera and place.
_TEXTS = (269, 270, 271, 272, 305, 306, 315, 316, 33432)
_DESCRIPTIVE = (*_TEXTS, _EXIF, _GPS)
# Photometric interpretations that are read sample by sample, or refused (32803, 34892: a sensor).
_TIFF_COLORS = (0, 1, 2, 3, 32803, 34892)
# Kinds of which Pillow reads 8 bits, however many there are.
_CUT_BY_PILLOW = ("PPM", "SGI", "JPEG2000", "AVIF")
_SRGB_GAMMA = 0.45455
_bomb_check = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """A picture as its file has it.

    Attributes:
        samples: H×W×C of uint8 or uint16, upright: gray or RGB, and alpha behind them.
        kind: PNG, TIFF, JPEG, …
        profile: ICC profile of the samples.
        gamma: of PNG's gAMA, where it says something else than sRGB and nothing says more.
        exif, texts, dots_per_inch: see `StillInfo`.
        notes: sentences on what reading it cost.
    """

    samples: Plane
    kind: str
    profile: bytes | None = None
    gamma: float | None = None
    exif: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    dots_per_inch: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


def head_of(path: Path) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(32)


def is_tiff(head: bytes) -> bool:
    """Also BigTIFF."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_scan(head: bytes) -> bool:
    """DPX and OpenEXR, which Pillow does not know."""
    return head[:4] in (b"SDPX", b"XPDS", b"v/1\x01")


# -- by FFmpeg ---------------------------------------------------------------------------------


def by_ffmpeg(path: Path, check_size: CheckSize) -> Decoded:
    """A picture of which nothing is known but its samples.

    Raises:
        FilmError: it cannot be decoded.
    """
    probe = probe_picture(path)
    check_size(probe.width, probe.height)
    deep = decode_deep(path)
    return Decoded(samples=deep.samples, kind=probe.codec.upper(), notes=deep.notes)


# -- TIFF --------------------------------------------------------------------------------------


def tiff(path: Path, check_size: CheckSize) -> Decoded:
    """The first picture of a TIFF file.

    Raises:
        FilmError: it cannot be decoded.
        ValueError: it is damaged.
    """
    try:
        with tifffile.TiffFile(path) as opened:
            page = cast(Any, opened.pages[0])
            check_size(int(page.imagewidth), int(page.imagelength))
            pages = len(opened.pages)
            known = page.photometric in _TIFF_COLORS
            profile = page.tags.get(34675)
            marks = Decoded(
                samples=np.empty((0, 0, 1), np.uint8),
                kind="TIFF",
                profile=bytes(profile.value) if profile is not None else None,
                exif=_exif_of_tiff(path, page),
                dots_per_inch=_resolution(page),
                notes=_pages(pages),
            )
    except tifffile.TiffFileError as error:
        raise ValueError(str(error)) from error
    if not known:
        # Inks, CIELAB and JPEG's Y'CbCr: Pillow's libraries know how they are meant.
        try:
            found = by_pillow(path, check_size)
        except UnidentifiedImageError as error:
            raise FilmError(
                f"{path} stores {getattr(page.photometric, 'name', page.photometric)} of "
                f"{page.bitspersample} bits; expected gray or RGB, or 8 bits."
            ) from error
        return replace(found, dots_per_inch=marks.dots_per_inch)
    deep = decode_deep(path)
    return replace(marks, samples=deep.samples, notes=(*marks.notes, *deep.notes))


def _pages(count: int) -> tuple[str, ...]:
    return (f"it holds {count} pictures; only the first is read",) if count > 1 else ()


def _resolution(page: Any) -> tuple[float, float] | None:
    unit = page.tags.get(296)
    inches = {2: 1.0, 3: 2.54}.get(int(unit.value) if unit is not None else 2)
    given = [page.tags.get(number) for number in (282, 283)]
    if inches is None or None in given:
        return None
    values = [tag.value for tag in given if tag is not None]
    found = [float(a) / float(b) * inches if b else 0.0 for a, b in values]
    return (found[0], found[1]) if min(found) > 0 else None


def _exif_of_tiff(path: Path, page: Any) -> bytes | None:
    """Its directory's descriptions; with those of camera and place where Pillow opens the file."""
    try:
        with _any_size(), Image.open(path) as image:
            exif = descriptive(image)
    except (OSError, SyntaxError, ValueError):
        exif = Image.Exif()
        for number in _TEXTS:
            tag = page.tags.get(number)
            if tag is not None and isinstance(tag.value, str) and not _is_of_storage(tag.value):
                exif[number] = tag.value
    return exif.tobytes() if len(exif) else None


# -- Pillow ------------------------------------------------------------------------------------


def by_pillow(path: Path, check_size: CheckSize) -> Decoded:
    """A picture of any other kind.

    Raises:
        UnidentifiedImageError: Pillow does not know it.
        FilmError: it stores what has no codes.
    """
    with _any_size(), Image.open(path) as image:
        check_size(*image.size)
        deep = _is_cut(path, image)
        marks = _marks(image)
        if not deep:
            image.load()  # of a TIFF this may already turn it
            return _by_mode(path, ImageOps.exif_transpose(image), marks)
        turned = int(image.getexif().get(_ORIENTATION, 1))
    found = decode_deep(path)
    samples = np.ascontiguousarray(upright(found.samples, turned))
    return replace(marks, samples=cast(Plane, samples), notes=(*marks.notes, *found.notes))


@contextmanager
def _any_size() -> Iterator[None]:
    """Without Pillow's own limit, which has no way out; the caller has one."""
    with _bomb_check:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _is_cut(path: Path, image: Image.Image) -> bool:
    """Whether Pillow would keep 8 bits of more."""
    if image.mode.startswith("I;16"):
        return False
    if image.format == "PNG":
        return head_of(path)[24] == 16
    if image.format not in _CUT_BY_PILLOW:
        return False
    try:
        return probe_picture(path).bits > 8
    except FilmError:
        return False


def _marks(image: Image.Image) -> Decoded:
    info = image.info
    notes = list(_pages(getattr(image, "n_frames", 1)))
    if info.get("xmp"):
        notes.append("its XMP is left out")
    exif = descriptive(image)
    resolution = info.get("dpi")
    texts = getattr(image, "text", None) or {}
    gamma = info.get("gamma")
    if gamma is not None and ("srgb" in info or gamma <= 0 or abs(gamma - _SRGB_GAMMA) < 0.01):
        gamma = None
    return Decoded(
        samples=np.empty((0, 0, 1), np.uint8),
        kind=image.format or "",
        profile=info.get("icc_profile") or None,
        gamma=None if gamma is None else float(gamma),
        exif=exif.tobytes() if len(exif) else None,
        texts=tuple((str(key), str(value)) for key, value in texts.items() if "xmp" not in key),
        dots_per_inch=(float(resolution[0]), float(resolution[1])) if resolution else None,
        notes=tuple(notes),
    )


def descriptive(image: Image.Image) -> Image.Exif:
    """The EXIF to carry over, in a copy: without orientation and storage."""
    kept = Image.Exif()
    if image.format == "TIFF":
        for tag, value in image.getexif().items():
            if tag in _DESCRIPTIVE and not _is_of_storage(value):
                kept[tag] = image.getexif().get_ifd(tag) if tag in (_EXIF, _GPS) else value
    elif image.info.get("exif"):
        kept.load(image.info["exif"])
        if _ORIENTATION in kept:
            del kept[_ORIENTATION]
    return kept


def _is_of_storage(text: object) -> bool:
    """Whether it is what tifffile writes of its array, whose shape color does not have."""
    return isinstance(text, str) and text.startswith('{"shape": [')


def _by_mode(path: Path, image: Image.Image, marks: Decoded) -> Decoded:
    mode = image.mode
    transparent = "transparency" in image.info
    if mode == "CMYK":
        return _of_inks(image, marks)
    if mode == "P":
        image = image.convert("RGBA" if transparent else "RGB")
    elif mode == "1":
        image = image.convert("L")
    elif mode in ("L", "RGB") and transparent:
        image = image.convert("LA" if mode == "L" else "RGBA")
    elif mode in ("La", "PA"):
        image = image.convert("RGBA" if mode == "PA" else "LA")
    elif mode in ("YCbCr", "LAB", "HSV", "RGBX", "RGBa"):
        image = image.convert("RGBA" if mode == "RGBa" else "RGB")
        marks = replace(marks, profile=None) if mode == "LAB" else marks
    elif mode not in ("L", "LA", "RGB", "RGBA", "I", "I;16", "I;16B", "I;16L", "I;16N"):
        raise FilmError(f"{path} stores {mode}; expected gray or RGB of 8 or 16 bits.")
    array: npt.NDArray[Any] = np.asarray(image)
    if array.dtype != np.uint8:
        if array.size and (array.min() < 0 or array.max() > 65535):
            raise FilmError(
                f"{path} stores samples from {array.min()} to {array.max()}; expected 16 bits."
            )
        array = array.astype(np.uint16)
    samples = cast(Plane, array[..., None] if array.ndim == 2 else array)
    return replace(marks, samples=samples)


def _of_inks(image: Image.Image, marks: Decoded) -> Decoded:
    """CMYK by its profile, or without one as light that is taken away."""
    inks = np.asarray(image)
    why = "it has no profile"
    if marks.profile is not None:
        try:
            made = to_srgb_by_tables(inks, marks.profile, "CMYK")
            said = "CMYK is stored: its profile converts it to sRGB"
            return replace(marks, samples=made, profile=None, notes=(*marks.notes, said))
        except UnreadProfileError as error:
            why = str(error)
    said = f"CMYK is stored and {why}: it is read as R'G'B' without regard to its inks"
    samples = cast(Plane, np.asarray(image.convert("RGB")))
    return replace(marks, samples=samples, profile=None, notes=(*marks.notes, said))
