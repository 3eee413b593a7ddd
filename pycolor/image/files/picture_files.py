"""Photographs in, photographs out, of 8 and 16 bits a sample, in sRGB."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError
from pycolor.image.files import decode, encode, profiles
from pycolor.image.files.decode import Decoded
from pycolor.system.atomic_file import atomic_write

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")  # that are written
READABLE = (
    *SUFFIXES,
    *(".dpx", ".exr", ".bmp", ".webp", ".gif", ".jp2", ".j2k", ".jpx", ".avif"),
    *(".pgm", ".ppm", ".pnm", ".pbm", ".tga", ".sgi", ".psd"),
)
# Twice this is where Pillow takes a picture for an attack on the memory.
MOST_MEGAPIXELS = 180.0


@dataclass(frozen=True, kw_only=True)
class StillInfo:
    """What a picture file says besides its samples; all of it is written again.

    Attributes:
        path: of the file, `kind` PNG, TIFF, JPEG, DPX, …
        bit_depth: 8 or 16.
        gray: one channel is stored (besides alpha).
        icc_profile: of the samples as they are now, None for sRGB without one.
        exif: as stored, without the orientation, which is applied on reading.
        texts: PNG's chunks of text, by keyword.
        dots_per_inch: (horizontal, vertical), None if not stored.
        warnings: sentences about what is converted or left out.
    """

    path: Path
    kind: str
    bit_depth: int
    gray: bool
    icc_profile: bytes | None = None
    exif: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    dots_per_inch: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StillImage:
    """A picture, upright.

    Attributes:
        pixels: H×W gray or H×W×3 RGB codes, uint8 or uint16: as stored where they are of sRGB or
            say of no space, converted to it where they say of another.
        alpha: H×W of the same type, None if there is none.
        info: what else its file says.
    """

    pixels: Pixels
    alpha: Pixels | None
    info: StillInfo


def encoding_of(image: StillImage) -> Encoding:
    """Full-range BT.601 luma, as JFIF (ITU-T T.871) defines it for stills."""
    return Encoding(
        bit_depth=image.info.bit_depth, full_range=True, matrix="bt601", subsampling="444"
    )


def luma_of(image: StillImage) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Luma codes H×W: those of a gray picture as they are, those of a color one by its matrix."""
    if image.pixels.ndim == 2:
        return image.pixels
    kr, kb = encoding_of(image).luma_coefficients
    weights = np.array([kr, 1 - kr - kb, kb], dtype=np.float32)
    luma = (image.pixels @ weights).round()
    return luma.astype(np.uint8) if image.info.bit_depth == 8 else luma.astype(np.uint16)


def read_image(path: str | Path, *, most_megapixels: float = MOST_MEGAPIXELS) -> StillImage:
    """Read a picture file, turn it upright and bring it to sRGB.

    Args:
        path: of the file.
        most_megapixels: a picture of more pixels is refused before it is decoded.

    Raises:
        FilmError: if it does not exist, is no picture, is too large, or stores what pycolor cannot
            hold.
    """
    path = Path(path)
    if not path.exists():
        raise FilmError(f"{path} does not exist.")
    if path.is_dir():
        raise FilmError(f"{path} is a folder; expected a picture.")
    if not path.stat().st_size:
        raise FilmError(f"{path} is empty (0 bytes).")

    def check_size(width: int, height: int) -> None:
        if width * height > most_megapixels * 1e6:
            raise FilmError(
                f"{path} has {width * height / 1e6:.0f} megapixels; expected {most_megapixels:g} "
                "at most: --most-megapixels allows more."
            )

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _finished(path, _decoded(path, check_size))
    except UnidentifiedImageError as error:
        raise FilmError(f"{path} is no picture that Pillow or FFmpeg can read.") from error
    except MemoryError as error:
        raise FilmError(f"{path} does not fit into the memory.") from error
    except (OSError, SyntaxError, ValueError, struct.error, KeyError, IndexError) as error:
        raise FilmError(f"{path} is damaged: {error}.") from error


def _decoded(path: Path, check_size: Callable[[int, int], None]) -> Decoded:
    head = decode.head_of(path)
    if decode.is_tiff(head):
        return decode.tiff(path, check_size)
    if decode.is_scan(head):
        return decode.by_ffmpeg(path, check_size)
    try:
        return decode.by_pillow(path, check_size)
    except UnidentifiedImageError:
        try:
            return decode.by_ffmpeg(path, check_size)
        except FilmError:
            pass
        raise


def _finished(path: Path, found: Decoded) -> StillImage:
    """Alpha apart, in sRGB."""
    channels = found.samples.shape[2]
    alpha = found.samples[..., -1] if channels in (2, 4) else None
    pixels = found.samples[..., 0] if channels <= 2 else found.samples[..., :3]
    pixels, profile, said = _in_srgb(pixels, found)
    info = StillInfo(
        path=path,
        kind=found.kind,
        bit_depth=8 if found.samples.dtype == np.uint8 else 16,
        gray=channels <= 2,
        icc_profile=profile,
        exif=found.exif,
        texts=found.texts,
        dots_per_inch=found.dots_per_inch,
        warnings=(*found.notes, *said),
    )
    return StillImage(
        pixels=cast(Pixels, np.ascontiguousarray(pixels)),
        alpha=None if alpha is None else cast(Pixels, np.ascontiguousarray(alpha)),
        info=info,
    )


def _in_srgb(pixels: Pixels, found: Decoded) -> tuple[Pixels, bytes | None, list[str]]:
    """The pixels in sRGB, their profile then, and what was done."""
    gray = pixels.ndim == 2
    if found.profile is None:
        if found.gamma is None:
            return pixels, None, []
        said = [f"the file says gamma {found.gamma:.4g}: the samples are converted to sRGB"]
        return profiles.to_srgb(pixels, profiles.gamma_profile(found.gamma, gray=gray)), None, said
    said = ["the samples are converted from the file's color profile to sRGB"]
    try:
        profile = profiles.parse_profile(found.profile)
        if (profile.matrix is None) != gray:
            raise profiles.UnreadProfileError("it does not fit the picture")
        if profile.is_srgb:
            return pixels, None if gray else found.profile, []
        return profiles.to_srgb(pixels, profile), profiles.srgb_profile(), said
    except profiles.UnreadProfileError as error:
        reason = str(error)
    try:
        if gray:
            raise profiles.UnreadProfileError(reason)
        shallow = pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)
        made = profiles.to_srgb_by_tables(
            cast("npt.NDArray[np.uint8]", shallow), found.profile, "RGB"
        )
        if pixels.dtype == np.uint16:
            said.append("a profile of tables works on 8 bits: the lower 8 of 16 are made up")
            made = made.astype(np.uint16) * 257
        return made, profiles.srgb_profile(), said
    except profiles.UnreadProfileError as error:
        return pixels, None, [f"the file's color profile is not used: {error}; sRGB is assumed"]


def _fitted(
    path: Path, suffix: str, pixels: Pixels, alpha: Pixels | None, like: StillInfo | None
) -> tuple[Pixels, Pixels | None, StillInfo, list[str]]:
    """Pixels, alpha and marks as the format holds them, and sentences on what it does not."""
    said: list[str] = []
    jpeg = suffix in (".jpg", ".jpeg")
    if jpeg and pixels.dtype == np.uint16:
        pixels = ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
        said.append("JPEG holds 8 bits: the 16 bits are rounded")
    if jpeg and alpha is not None:
        alpha = None
        said.append("JPEG holds no alpha channel: it is left out")
    profile = like.icc_profile if like else None
    if profile is not None and profile[16:20] != b"RGB ":
        profile = None
        said.append("the source's profile is one of gray: sRGB is assumed for the result")
    info = replace(
        like or StillInfo(path=path, kind="", bit_depth=8, gray=False), icc_profile=profile
    )
    if info.texts and suffix != ".png":
        names = ", ".join(keyword for keyword, _ in info.texts)
        said.append(f"{suffix[1:].upper()} holds no texts by keyword: {names} left out")
    return pixels, alpha, info, said


def write_image(
    path: str | Path,
    pixels: Pixels,
    *,
    like: StillInfo | None = None,
    alpha: Pixels | None = None,
    quality: int = 95,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Write H×W×3 RGB codes as PNG, TIFF or JPEG, by the name's ending; complete or not at all.

    Args:
        path: of the file.
        pixels: uint8 or uint16; JPEG rounds 16 bits to 8.
        like: the source's info: its profile (if it is one of RGB), EXIF, texts and resolution are
            carried over.
        alpha: H×W of the same type.
        quality: of JPEG.
        overwrite: replace an existing file.

    Returns:
        Sentences about what the format could not hold.

    Raises:
        UsageError: for an unknown ending, or an output that is the source or exists.
        FilmError: if it cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"{path.name} names no picture; expected one of {', '.join(SUFFIXES)}.")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected H×W×3 of uint8 or uint16, got {pixels.shape} of {pixels.dtype}")
    pixels, alpha, info, said = _fitted(path, suffix, pixels, alpha, like)
    samples = pixels if alpha is None else np.concatenate([pixels, alpha[..., None]], axis=2)
    sources = [like.path] if like else []
    with atomic_write(path, sources=sources, overwrite=overwrite) as part:
        try:
            encode.write(
                part,
                samples,
                encode.Marks(
                    icc_profile=info.icc_profile,
                    exif=info.exif,
                    texts=info.texts,
                    dots_per_inch=info.dots_per_inch,
                ),
                quality=quality,
            )
        except OSError as error:
            raise FilmError(f"{path} could not be written: {error}.") from error
    return tuple(said)


__all__ = ["READABLE", "SUFFIXES", "StillImage", "StillInfo", "read_image", "write_image"]
