"""Pixel formats whose samples do not lie in planes of whole words: laid out so, exactly.

`READ_AS` names, for each of FFmpeg's formats that is read as another, that other one.  No sample
changes where both have the same depth.  Where the depth changes, codes are mapped black to black
and white to white, to the nearest code; floats are taken as display-encoded in 0 … 1, but for
OpenEXR's, which are linear light and are given the transfer curve of sRGB (IEC 61966-2-1).
Layouts: libavutil/pixfmt.h of FFmpeg 8.
"""

from __future__ import annotations

from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from pycolor.video.io.frame.pixel_formats import plane_view

Samples = npt.NDArray[Any]

# Packed Y'CbCr: the format of planes, bytes of a word, bits below a sample in it, and the words'
# order; Y stands for several lumas where chroma is shared, X for what is left out.
_PACKED: dict[str, tuple[str, int, int, str]] = {
    "ayuv": ("yuv444p", 1, 0, "XYUV"),
    "vuya": ("yuv444p", 1, 0, "VUYX"),
    "vuyx": ("yuv444p", 1, 0, "VUYX"),
    "uyva": ("yuv444p", 1, 0, "UYVX"),
    "vyu444": ("yuv444p", 1, 0, "VYU"),
    "uyyvyy411": ("yuv411p", 1, 0, "UYYVYY"),
    "ayuv64": ("yuv444p16le", 2, 0, "XYUV"),
    "xv36": ("yuv444p12le", 2, 4, "UYVX"),
    "xv48": ("yuv444p16le", 2, 0, "UYVX"),
    "y210": ("yuv422p10le", 2, 6, "YUYV"),
    "y212": ("yuv422p12le", 2, 4, "YUYV"),
    "y216": ("yuv422p16le", 2, 0, "YUYV"),
}
# Three samples of ten bits in a word of four bytes: the lowest bit of U, Y and V.
_TENS = {"xv30": (0, 10, 20), "v30x": (2, 12, 22)}
# Likewise of G', B' and R'.
_RGB_TENS = {"x2rgb10": (10, 0, 20), "x2bgr10": (10, 20, 0)}
# Planes with a fourth of alpha.  libswscale of FFmpeg 8.1 drops that of more than 8 bits for whole
# groups of 16 columns alone and leaves the columns behind them as memory was.
_PLANES = {f"gbrap{bits}": f"gbrp{bits}le" for bits in (10, 12, 14, 16)}
# R'G'B' of less than a byte each: bytes of a pixel, then (lowest bit, bits) of R', G' and B'.
_SMALL = {
    "rgb565": (2, ((11, 5), (5, 6), (0, 5))),
    "bgr565": (2, ((0, 5), (5, 6), (11, 5))),
    "rgb555": (2, ((10, 5), (5, 5), (0, 5))),
    "bgr555": (2, ((0, 5), (5, 5), (10, 5))),
    "rgb444": (2, ((8, 4), (4, 4), (0, 4))),
    "bgr444": (2, ((0, 4), (4, 4), (8, 4))),
    "rgb8": (1, ((5, 3), (2, 3), (0, 2))),
    "bgr8": (1, ((0, 3), (3, 3), (6, 2))),
    "rgb4_byte": (1, ((3, 1), (1, 2), (0, 1))),
    "bgr4_byte": (1, ((0, 1), (1, 2), (3, 1))),
    "rgb4": (1, ((3, 1), (1, 2), (0, 1))),
    "bgr4": (1, ((0, 1), (1, 2), (3, 1))),
}
# Floats and integers of 32 bits: the kind of a sample; channels of a packed pixel, 0 for planes.
_WIDE = {
    "grayf16": ("f2", 1, "gray16le"),
    "grayf32": ("f4", 1, "gray16le"),
    "gray32": ("u4", 1, "gray16le"),
    "yaf16": ("f2", 2, "gray16le"),
    "yaf32": ("f4", 2, "gray16le"),
    "rgbf16": ("f2", 3, "gbrp16le"),
    "rgbf32": ("f4", 3, "gbrp16le"),
    "rgbaf16": ("f2", 4, "gbrp16le"),
    "rgbaf32": ("f4", 4, "gbrp16le"),
    "rgb96": ("u4", 3, "gbrp16le"),
    "rgba128": ("u4", 4, "gbrp16le"),
    "gbrpf16": ("f2", 0, "gbrp16le"),
    "gbrpf32": ("f4", 0, "gbrp16le"),
    "gbrapf16": ("f2", 0, "gbrp16le"),
    "gbrapf32": ("f4", 0, "gbrp16le"),
    "gbrap32": ("u4", 0, "gbrp16le"),
}
_ALPHA = ("ayuv", "vuya", "uyva", "ya", "gbrap", "rgba")


def _stem(name: str) -> str:
    """A format's name without its order of bytes."""
    return name[:-2] if name.endswith(("le", "be")) else name


def _targets() -> dict[str, str]:
    plain = {stem: entry[0] for stem, entry in _PACKED.items()}
    plain |= dict.fromkeys(_TENS, "yuv444p10le")
    plain |= dict.fromkeys(_SMALL, "gbrp")
    plain |= {stem: entry[2] for stem, entry in _WIDE.items()}
    plain |= {"ya8": "gray", "ya16": "gray16le", "monow": "gray", "monob": "gray", "pal8": "gbrp"}
    plain |= {"xyz12": "gbrp16le"} | dict.fromkeys(_RGB_TENS, "gbrp10le") | _PLANES
    plain |= {"yuv444p10msb": "yuv444p10le", "yuv444p12msb": "yuv444p12le"}
    plain |= {"gbrp10msb": "gbrp10le", "gbrp12msb": "gbrp12le"}
    return {stem + end: target for stem, target in plain.items() for end in ("", "le", "be")}


# By FFmpeg's name, with and without the order of bytes that it has there.
READ_AS: dict[str, str] = _targets()


def unpacked(
    native: av.VideoFrame, reformatter: VideoReformatter, *, linear: bool = False
) -> av.VideoFrame:
    """The frame in planes of whole words; itself where it is in such.

    Args:
        native: a decoded frame.
        reformatter: lays frames out; not shared between threads.
        linear: floats are linear light, as OpenEXR's.
    """
    name = native.format.name
    target = READ_AS.get(name)
    if target is None:
        return native
    if _stem(name) == "xyz12":
        return reformatter.reformat(native, format=target, threads=1)
    planes = _planes(native, name, target, linear=linear)
    if name in _RESCALED:  # what FFmpeg lays out keeps every mark of the frame, fields among them
        made = reformatter.reformat(native, format=target, threads=1)
    else:
        made = av.VideoFrame(native.width, native.height, target)
        made.pts, made.dts = native.pts, native.dts
        if native.time_base:
            made.time_base = native.time_base
        made.duration = native.duration
        made.color_primaries, made.color_trc = native.color_primaries, native.color_trc
    made.color_range, made.colorspace = native.color_range, native.colorspace
    kind = np.dtype("<u2" if target.endswith("le") else "u1")
    for index, plane in enumerate(planes):
        np.copyto(plane_view(made, index, kind), plane, casting="unsafe")
    return made


def notes_on(name: str, *, linear: bool = False, alpha: bool = True) -> list[str]:
    """Sentences on what reading a format as another costs; none where it costs nothing.

    Args:
        name: FFmpeg's, of the stored format.
        linear: see `unpacked`.
        alpha: whether to speak of alpha that is left out, of gray among it.
    """
    target, stem = READ_AS.get(name), _stem(name)
    if target is None:
        return []
    lost = stem.startswith(_ALPHA) and (alpha or stem not in ("ya8", "ya16"))
    dropped = ["the alpha channel is left out"] if lost else []
    if stem == "xyz12":
        return ["X'Y'Z' of digital cinema is stored: it is read as R'G'B' of BT.709 in 16 bits"]
    if stem in _WIDE and _WIDE[stem][0] != "u4":
        what = (
            "linear light is stored: it is read with the curve of sRGB in 16 bits"
            if linear
            else "floats are stored: they are read as codes of 16 bits"
        )
        return [f"{what}, what lies outside of 0 to 1 is clipped", *dropped]
    if stem in _WIDE:
        return ["32 bits a sample are stored: they are read in 16 bits", *dropped]
    if stem == "pal8":
        return ["a palette is stored: its colors are read as R'G'B'"]
    if stem in _SMALL:
        return [f"{stem} is stored: it is read as R'G'B' of 8 bits"]
    if stem in ("monow", "monob"):
        return ["1 bit a pixel is stored: it is read as gray of 8 bits"]
    return dropped


def _plane_bytes(native: av.VideoFrame, index: int, kind: str) -> Samples:
    """A plane's rows as samples of a kind, padding and all."""
    plane = native.planes[index]
    order = ">" if native.format.name.endswith("be") else "<"
    kind = kind if kind == "u1" else order + kind
    rows = np.frombuffer(cast(Any, plane), "u1")
    rows = rows[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)
    size = np.dtype(kind).itemsize
    return rows[:, : plane.line_size // size * size].view(kind)


def _planes(native: av.VideoFrame, name: str, target: str, *, linear: bool) -> list[Samples]:
    """In the order of the target's planes: Y', Cb, Cr; or G', B', R'; or gray alone."""
    stem, width = _stem(name), native.width
    if stem in _PACKED:
        return _packed(native, stem)
    if stem in _TENS:
        words = _plane_bytes(native, 0, "u4")[:, :width]
        u, y, v = (words >> low & 1023 for low in _TENS[stem])
        return [y, u, v]
    if stem in _RGB_TENS:
        words = _plane_bytes(native, 0, "u4")[:, :width]
        return [words >> low & 1023 for low in _RGB_TENS[stem]]
    if stem in _PLANES:
        return [_plane_bytes(native, k, "u2")[:, :width] for k in range(3)]
    if stem in _SMALL:
        return _small(native, stem)
    if stem in _WIDE:
        return _wide(native, stem, linear=linear)
    if stem.endswith("msb"):
        shift = 16 - int(target.removesuffix("le")[-2:])
        return [_plane_bytes(native, k, "u2")[:, :width] >> shift for k in range(3)]
    if stem in ("ya8", "ya16"):
        return [_plane_bytes(native, 0, "u1" if stem == "ya8" else "u2")[:, : 2 * width : 2]]
    if stem in ("monow", "monob"):
        bits = np.unpackbits(_plane_bytes(native, 0, "u1"), axis=1)[:, :width]
        return [(bits if stem == "monob" else 1 - bits) * 255]
    assert stem == "pal8", name
    palette = np.frombuffer(cast(Any, native.planes[1]), "<u4")[:256]  # A R G B, A the highest
    pixels = palette[_plane_bytes(native, 0, "u1")[:, :width]]
    return [pixels >> low & 255 for low in (8, 0, 16)]


def _packed(native: av.VideoFrame, stem: str) -> list[Samples]:
    _, size, shift, order = _PACKED[stem]
    words = _plane_bytes(native, 0, f"u{size}")
    lumas = order.count("Y")
    groups = -(-native.width // lumas)
    words = words[:, : groups * len(order)].reshape(len(words), groups, len(order)) >> shift
    places = {letter: [i for i, o in enumerate(order) if o == letter] for letter in "YUV"}
    luma = words[..., places["Y"]].reshape(len(words), groups * lumas)[:, : native.width]
    return [luma, words[..., places["U"][0]], words[..., places["V"][0]]]


def _small(native: av.VideoFrame, stem: str) -> list[Samples]:
    size, fields = _SMALL[stem]
    words = _plane_bytes(native, 0, f"u{size}")
    if stem in ("rgb4", "bgr4"):  # two pixels a byte, the first in the upper half
        words = np.stack([words >> 4, words & 15], axis=2).reshape(len(words), -1)
    words = words[:, : native.width].astype(np.uint32)
    found = []
    for low, bits in fields:
        top = (1 << bits) - 1
        found.append(((words >> low & top) * 510 + top) // (2 * top))
    red, green, blue = found
    return [green, blue, red]


def _wide(native: av.VideoFrame, stem: str, *, linear: bool) -> list[Samples]:
    kind, channels, target = _WIDE[stem]
    width = native.width
    if channels:
        rows = _plane_bytes(native, 0, kind)[:, : width * channels]
        pixels = rows.reshape(len(rows), width, channels)
        planes = [pixels[..., k] for k in ((1, 2, 0) if target != "gray16le" else (0,))]
    else:
        planes = [_plane_bytes(native, k, kind)[:, :width] for k in range(3)]
    if kind == "u4":
        return [
            (plane.astype(np.uint64) * 65535 + (1 << 31)) // ((1 << 32) - 1) for plane in planes
        ]
    return [codes_of(plane, linear=linear) for plane in planes]


def codes_of(values: Samples, *, linear: bool) -> npt.NDArray[np.uint16]:
    """Codes of 16 bits in full range of floats in 0 … 1; what is no number is black.

    Args:
        values: of any shape.
        linear: of light; they are given the curve of sRGB (IEC 61966-2-1).
    """
    unit = np.nan_to_num(values.astype(np.float64), nan=0, posinf=1, neginf=0).clip(0, 1)
    if linear:
        unit = np.where(unit <= 0.0031308, unit * 12.92, 1.055 * unit ** (1 / 2.4) - 0.055)
    codes: npt.NDArray[np.uint16] = np.rint(unit * 65535).astype(np.uint16)
    return codes


# Those of them that libswscale of FFmpeg 8 lays out (its samples are overwritten).
_RESCALED = frozenset(
    name
    for name in READ_AS
    if _stem(name) in (*_PACKED, *_TENS, "ya8", "ya16", "monow", "monob", "pal8")
    and not (_stem(name) in ("y210", "y212", "y216", "xv30", "v30x") and name.endswith("be"))
)
