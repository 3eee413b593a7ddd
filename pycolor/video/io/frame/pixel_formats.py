"""Pixel formats and color tags: what FFmpeg calls them, and what they mean here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import av
import av.video.format
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from pycolor.encoding import (
    LUMA_COEFFICIENTS,
    SUBSAMPLING_SHIFTS,
    ChromaLocation,
    Encoding,
    Matrix,
    Subsampling,
)

Plane = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

# ITU-T H.273 MatrixCoefficients.  2 is "unspecified", 0 is R'G'B'.
MATRIX_OF_CODE: dict[int, Matrix] = {
    1: "bt709",
    4: "fcc",
    5: "bt601",
    6: "bt601",
    7: "smpte240m",
    9: "bt2020",
}
MATRIX_NAMES = {
    0: "RGB",
    1: "BT.709",
    2: "unspecified",
    4: "FCC",
    5: "BT.470BG",
    6: "SMPTE 170M",
    7: "SMPTE 240M",
    8: "YCgCo",
    9: "BT.2020",
    10: "BT.2020 constant luminance",
    14: "ICtCp",
}
UNSPECIFIED = 2
LIMITED, FULL = 1, 2

CHROMA_LOCATIONS: dict[int, ChromaLocation] = {
    1: "left",
    2: "center",
    3: "topleft",
    4: "top",
    5: "bottomleft",
    6: "bottom",
}

# Luma of these packed formats: bytes before the first sample; one sample every two bytes.
_PACKED_LUMA_OFFSET = {"yuyv422": 0, "yvyu422": 0, "uyvy422": 1}

# These keep their samples in the upper bits of a word.
_HIGH_BITS = ("p010", "p012", "p210", "p212", "p410", "p412")


@dataclass(frozen=True, kw_only=True)
class PixelFormat:
    """What a pixel format holds.

    Attributes:
        name: FFmpeg's name.
        bit_depth: significant bits of a luma sample.
        subsampling: of chroma, None where the format has no chroma.
        rgb, alpha, planar, big_endian: as they say; `planar` means each of Y', Cb and Cr has
            a plane of its own.
        shift: bits below the sample in its word (6 for p010).
    """

    name: str
    bit_depth: int
    subsampling: Subsampling | None
    rgb: bool
    alpha: bool
    planar: bool
    big_endian: bool
    shift: int

    @property
    def gray(self) -> bool:
        return self.subsampling is None and not self.rgb

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a stored sample."""
        if self.bit_depth <= 8:
            return np.dtype(np.uint8)
        return np.dtype(">u2" if self.big_endian else "<u2")


@lru_cache(maxsize=256)
def pixel_format(name: str) -> PixelFormat | None:
    """Describe a pixel format; None if its luma samples do not lie in a plane of whole words.

    Most of those that give None are laid out by `unpack` first.
    """
    try:
        raw = av.video.format.VideoFormat(name, 64, 64)
    except ValueError:
        return None
    components = raw.components
    if not components or raw.has_palette or raw.is_bit_stream or raw.is_bayer:
        return None
    # Floats and formats of other than 8 to 16 bits have no codes of H.273.
    bits = components[0].bits
    if not 8 <= bits <= 16 or "f16" in name or "f32" in name or name.startswith("xyz"):
        return None
    opaque = [c for c in components if not c.is_alpha]
    alpha = len(opaque) < len(components)
    if name.endswith(("msble", "msbbe")) or (alpha and len(opaque) == 1):
        return None  # see `unpack`
    if name.startswith(("x2rgb", "x2bgr", "gbrap")) and bits > 8:
        return None
    subsampling: Subsampling | None = None
    if not raw.is_rgb and len(opaque) >= 3:
        width, height = opaque[1].width, opaque[1].height
        shifts = ((64 // height).bit_length() - 1, (64 // width).bit_length() - 1)
        names = {v: k for k, v in SUBSAMPLING_SHIFTS.items()}
        if shifts not in names:
            return None
        subsampling = names[shifts]
    planes = {c.plane for c in opaque}
    planar = len(planes) == len(opaque)
    semi_planar = not raw.is_rgb and len(opaque) == 3 and len(planes) == 2
    if not raw.is_rgb and not planar and not semi_planar and name not in _PACKED_LUMA_OFFSET:
        return None
    return PixelFormat(
        name=name,
        bit_depth=bits,
        subsampling=subsampling,
        rgb=raw.is_rgb,
        alpha=alpha,
        planar=planar,
        big_endian=raw.is_big_endian,
        shift=16 - bits if name.startswith(_HIGH_BITS) else 0,
    )


def plain_name(name: str) -> str:
    """Drop the JPEG spelling: yuvj420p is yuv420p whose range is tagged full."""
    return name.replace("yuvj", "yuv") if name.startswith("yuvj") else name


def plane_view(frame: av.VideoFrame, index: int, dtype: np.dtype[Any]) -> Plane:
    """A writable view of plane `index`, valid until the frame's buffers are replaced."""
    plane = frame.planes[index]
    flat = np.frombuffer(cast(Any, plane), dtype=dtype)
    stride = plane.line_size // dtype.itemsize
    rows = np.lib.stride_tricks.as_strided(
        flat, (plane.height, plane.width), (plane.line_size, dtype.itemsize)
    )
    if stride < plane.width or flat.size < (plane.height - 1) * stride + plane.width:
        raise AssertionError(f"plane {index} of {frame} is smaller than its picture")
    return cast(Plane, rows)


def luma_view(frame: av.VideoFrame, description: PixelFormat) -> Plane:
    """The Y' samples of a decoded frame, H×W, read-only where it is the frame's own memory.

    The view owns a reference to the memory, so it outlives the frame and any
    `make_writable()` of it.
    """
    if description.name in _PACKED_LUMA_OFFSET:
        plane = frame.planes[0]
        packed = np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)
        start = _PACKED_LUMA_OFFSET[description.name]
        return packed[: frame.height, start : start + 2 * frame.width : 2].copy()
    if description.big_endian or description.shift:
        stored = plane_view(frame, 0, description.dtype)
        return (stored.astype(np.uint16) >> description.shift).astype(np.uint16)
    return cast(Plane, np.from_dlpack(cast(Any, frame.planes[0])))


def rgb_luma(
    frame: av.VideoFrame, description: PixelFormat, reformatter: VideoReformatter, matrix: Matrix
) -> Plane:
    """A matrix's Y' of a frame of R'G'B' in full range, at its depth, rounded to the nearest code.

    Where R' = G' = B', as in a scan of black-and-white film, it is that value.
    """
    bits = description.bit_depth
    planar = reformatter.reformat(frame, format="gbrp" if bits == 8 else f"gbrp{bits}le", threads=1)
    dtype = np.dtype("u1" if bits == 8 else "<u2")
    green, blue, red = (plane_view(planar, i, dtype).astype(np.uint32) for i in range(3))
    kr, kb = (round(10_000 * k) for k in LUMA_COEFFICIENTS[matrix])  # all have four decimals
    luma = (kr * red + (10_000 - kr - kb) * green + kb * blue + 5000) // 10_000
    return cast(Plane, luma.astype(dtype))


def change_codes(luma: Plane, before: Encoding, after: Encoding) -> Plane:
    """The same Y' in another depth or range: black to black, white to white, nearest code.

    To more bits in the same limited range this is a shift, and to more bits it can always be
    undone.  The plane itself comes back where nothing changes.
    """
    same = before.bit_depth == after.bit_depth and before.full_range == after.full_range
    if same:
        return luma
    table = _code_table(
        before.bit_depth, before.luma_code_range, after.bit_depth, after.luma_code_range
    )
    return cast(Plane, np.take(table, luma, mode="clip"))


@lru_cache(maxsize=8)
def _code_table(
    bits: int, codes: tuple[int, int], new_bits: int, new_codes: tuple[int, int]
) -> npt.NDArray[Any]:
    span, new_span = codes[1] - codes[0], new_codes[1] - new_codes[0]
    distance = np.arange(1 << bits, dtype=np.int64) - codes[0]
    table = (2 * distance * new_span + span) // (2 * span) + new_codes[0]  # rounds half up
    kind = np.uint8 if new_bits <= 8 else np.uint16
    return np.clip(table, 0, (1 << new_bits) - 1).astype(kind)


def chosen_matrix(height: int) -> int:
    """The H.273 matrix code for a film that names none: by its number of lines."""
    if height == 576:
        return 5
    return 6 if height in (480, 486) else 1
