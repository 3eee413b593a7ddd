"""Photographs in, photographs out: PNG, TIFF and JPEG of 8 and 16 bits."""

from __future__ import annotations

import struct
import warnings
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, ImageOps, UnidentifiedImageError

from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError
from pycolor.system.atomic_file import atomic_write

Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
_ORIENTATION = 0x0112


@dataclass(frozen=True, kw_only=True)
class StillInfo:
    """What a picture file says besides its samples; all of it is written again.

    Attributes:
        path: of the file, `kind` PNG, TIFF or JPEG.
        bit_depth: 8 or 16.
        gray: one channel is stored (besides alpha).
        icc_profile: of the stored samples, None if there is none.
        exif: as stored, without the orientation, which is applied on reading.
        dots_per_inch: (horizontal, vertical), None if not stored.
        warnings: sentences about what is left out.
    """

    path: Path
    kind: str
    bit_depth: int
    gray: bool
    icc_profile: bytes | None = None
    exif: bytes | None = None
    dots_per_inch: tuple[float, float] | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StillImage:
    """A picture, upright.

    Attributes:
        pixels: H×W gray or H×W×3 RGB codes, uint8 or uint16, as stored.
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


def read_image(path: str | Path) -> StillImage:
    """Read a picture file and turn it upright.

    Raises:
        FilmError: if it does not exist, is no picture, or stores what pycolor cannot hold.
    """
    path = Path(path)
    if not path.exists():
        raise FilmError(f"{path} does not exist.")
    if path.is_dir():
        raise FilmError(f"{path} is a folder; expected a picture.")
    if not path.stat().st_size:
        raise FilmError(f"{path} is empty (0 bytes).")
    deep = _depth_of_header(path) == 16
    try:
        with warnings.catch_warnings():
            # Scans of plates are larger than what Pillow takes for an attack.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                info = _info(path, image, deep=deep)
                if deep and not image.mode.startswith("I;16"):  # Pillow would keep 8 bits of it
                    turn = int(image.getexif().get(_ORIENTATION, 1))
                    return _split(_turned(_decode_deep(path), turn), info)
                image.load()  # of a TIFF this may already turn it
                return _split(_samples(path, ImageOps.exif_transpose(image)), info)
    except UnidentifiedImageError as error:
        if deep:  # TIFF of 16-bit RGB, which Pillow does not know
            info = StillInfo(path=path, kind="TIFF", bit_depth=16, gray=False)
            return _split(_decode_deep(path), info)
        raise FilmError(f"{path} is no picture that Pillow can read.") from error
    except Image.DecompressionBombError as error:
        raise FilmError(f"{path} is too large: {error}.") from error
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise FilmError(f"{path} is damaged: {error}.") from error


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
        like: the source's info: its profile (if it is one of RGB), EXIF and resolution are
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
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path.name} names no picture; expected one of {', '.join(SUFFIXES)}.")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"expected H×W×3 of uint8 or uint16, got {pixels.shape} of {pixels.dtype}")
    said: list[str] = []
    jpeg = path.suffix.lower() in (".jpg", ".jpeg")
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
    samples = pixels if alpha is None else np.concatenate([pixels, alpha[..., None]], axis=2)
    sources = [like.path] if like else []
    with atomic_write(path, sources=sources, overwrite=overwrite) as part:
        try:
            if samples.dtype == np.uint8:
                _write_shallow(part, cast(Any, samples), info, quality=quality)
            elif path.suffix.lower() == ".png":
                part.write_bytes(_png_with(_encode_deep_png(samples), info))
            else:
                _write_deep_tiff(part, cast(Any, samples), info)
        except OSError as error:
            raise FilmError(f"{path} could not be written: {error}.") from error
    return tuple(said)


# -- reading -----------------------------------------------------------------------------------


def _depth_of_header(path: Path) -> int:
    """Bits of a channel of color as PNG's or TIFF's header says; 8 where it does not matter."""
    with path.open("rb") as file:
        head = file.read(32)
        if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) >= 26:
            return head[24]
        if head[:4] not in (b"II*\0", b"MM\0*"):
            return 8
        order = "<" if head[:2] == b"II" else ">"
        file.seek(struct.unpack(order + "I", head[4:8])[0])
        raw = file.read(2)
        if len(raw) < 2:
            return 8
        for _ in range(struct.unpack(order + "H", raw)[0]):
            entry = file.read(12)
            if len(entry) < 12:
                return 8
            tag, kind, count = struct.unpack(order + "HHI", entry[:8])
            if tag == 258 and kind == 3:  # BitsPerSample, one SHORT a channel
                if count <= 2:
                    return int(struct.unpack(order + "H", entry[8:10])[0])
                file.seek(struct.unpack(order + "I", entry[8:])[0])
                return int(struct.unpack(order + "H", file.read(2))[0])
    return 8


def _decode_deep(path: Path) -> Pixels:
    from pycolor.video.io.read.deep_picture import decode_deep  # PyAV only where Pillow stops

    return decode_deep(path)


def _encode_deep_png(samples: Any) -> bytes:
    from pycolor.video.io.read.deep_picture import encode_deep_png

    return encode_deep_png(samples)


def _info(path: Path, image: Image.Image, *, deep: bool) -> StillInfo:
    said = []
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        said.append(f"it holds {frames} pictures; only the first is read")
    exif = _descriptive(image)
    resolution = image.info.get("dpi")
    return StillInfo(
        path=path,
        kind=image.format or "",
        bit_depth=16 if deep or image.mode.startswith("I;16") else 8,
        gray=image.mode in ("1", "L", "LA", "I;16", "I;16B", "I;16L"),
        icc_profile=image.info.get("icc_profile"),
        exif=exif.tobytes() if len(exif) else None,
        dots_per_inch=(float(resolution[0]), float(resolution[1])) if resolution else None,
        warnings=tuple(said),
    )


# What a TIFF's directory says of the picture rather than of its storage: names, dates, authors,
# rights, and the directories of camera and place.
_DESCRIPTIVE = (269, 270, 271, 272, 305, 306, 315, 316, 33432, 0x8769, 0x8825)


def _descriptive(image: Image.Image) -> Image.Exif:
    """The EXIF to carry over, in a copy: without orientation and storage."""
    kept = Image.Exif()
    if image.format == "TIFF":
        for tag, value in image.getexif().items():
            if tag in _DESCRIPTIVE:
                kept[tag] = image.getexif().get_ifd(tag) if tag in (0x8769, 0x8825) else value
    elif image.info.get("exif"):
        kept.load(image.info["exif"])
        if _ORIENTATION in kept:
            del kept[_ORIENTATION]
    return kept


def _samples(path: Path, image: Image.Image) -> Pixels:
    """H×W×C."""
    mode = image.mode
    if mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif mode == "1":
        image = image.convert("L")
    elif mode in ("CMYK", "YCbCr", "LAB"):
        image = image.convert("RGB")
    elif mode not in ("L", "LA", "RGB", "RGBA", "I;16", "I;16B", "I;16L"):
        raise FilmError(f"{path} stores {mode}; expected gray or RGB of 8 or 16 bits.")
    array = np.asarray(image)
    if array.dtype != np.uint8:
        array = array.astype(np.uint16)
    return cast(Pixels, array[..., None] if array.ndim == 2 else array)


# Of EXIF: how the stored picture is turned to stand upright.
_TURNS = {
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}


def _turned(samples: Pixels, orientation: int) -> Pixels:
    quarters, mirrored = _TURNS.get(orientation, (0, False))
    samples = np.rot90(samples, quarters)
    return np.fliplr(samples) if mirrored else samples


def _split(samples: Pixels, info: StillInfo) -> StillImage:
    channels = samples.shape[2]
    alpha = samples[..., -1] if channels in (2, 4) else None
    pixels = samples[..., 0] if channels <= 2 else samples[..., :3]
    return StillImage(
        pixels=cast(Pixels, np.ascontiguousarray(pixels)),
        alpha=None if alpha is None else cast(Pixels, np.ascontiguousarray(alpha)),
        info=replace(info, gray=channels <= 2),
    )


# -- writing -----------------------------------------------------------------------------------


def _write_shallow(
    path: Path, samples: npt.NDArray[np.uint8], info: StillInfo, *, quality: int
) -> None:
    options: dict[str, Any] = {}
    if info.icc_profile:
        options["icc_profile"] = info.icc_profile
    if info.exif:
        options["exif"] = info.exif
    if info.dots_per_inch:
        options["dpi"] = info.dots_per_inch
    suffix = path.suffix.lower()
    if suffix in (".jpg", ".jpeg"):
        options |= {"quality": quality, "subsampling": "4:4:4"}
    elif suffix != ".png":
        options["compression"] = "tiff_deflate"
    Image.fromarray(samples).save(path, **options)


def _png_with(png: bytes, info: StillInfo) -> bytes:
    """A PNG with profile, resolution and EXIF put behind its header (PNG 3, clause 5.6)."""
    header = 8 + 25  # the signature and IHDR
    added = b""
    if info.icc_profile:
        added += _chunk(b"iCCP", b"icc\0\0" + zlib.compress(info.icc_profile))
    if info.dots_per_inch:
        per_meter = [round(dots / 0.0254) for dots in info.dots_per_inch]
        added += _chunk(b"pHYs", struct.pack(">IIB", *per_meter, 1))
    if info.exif:
        added += _chunk(b"eXIf", info.exif.removeprefix(b"Exif\0\0"))
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


def _write_deep_tiff(path: Path, samples: npt.NDArray[np.uint16], info: StillInfo) -> None:
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
            resolution=info.dots_per_inch or (72.0, 72.0),
            resolutionunit="INCH",
            iccprofile=info.icc_profile,
            software=False,
            metadata=None,
        )
    except struct.error as error:
        raise FilmError(f"{height}×{width} pixels are too large for TIFF; name a .png.") from error


__all__ = ["SUFFIXES", "StillImage", "StillInfo", "read_image", "write_image"]
