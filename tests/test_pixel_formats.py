"""Every pixel format that the shipped FFmpeg has: read exactly, converted and said, or refused."""

from __future__ import annotations

from typing import Any, cast

import av
import av.video.format
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from pycolor.video.io.frame.frame import Frame
from pycolor.video.io.frame.pixel_formats import pixel_format
from pycolor.video.io.frame.planes import chroma_planes, rgb_planes
from pycolor.video.io.frame.unpack import READ_AS, notes_on, unpacked

WIDTH, HEIGHT = 24, 6
# No memory that a program can read, or the samples of a sensor behind its color filters.
REFUSED = {
    *("amf", "cuda", "d3d11", "d3d11va_vld", "d3d12", "drm_prime", "dxva2_vld", "mediacodec"),
    *("mmal", "ohcodec", "opencl", "qsv", "vaapi", "vdpau", "videotoolbox_vld", "vulkan"),
    *(f"bayer_{order}8" for order in ("bggr", "gbrg", "grbg", "rggb")),
    *(f"bayer_{o}16{e}" for o in ("bggr", "gbrg", "grbg", "rggb") for e in ("le", "be")),
}
NAMES: list[str] = sorted(cast(Any, av.video.format).names)

# Where FFmpeg's libavutil/pixfmt.h says that the samples of packed Y'CbCr lie: bytes of a word,
# words a pixel, the places of Y', Cb and Cr among them, bits below a sample.
PACKED: dict[str, tuple[int, int, tuple[int, ...], int]] = {
    "ayuv": (1, 4, (1, 2, 3), 0),
    "vuya": (1, 4, (2, 1, 0), 0),
    "vuyx": (1, 4, (2, 1, 0), 0),
    "uyva": (1, 4, (1, 0, 2), 0),
    "vyu444": (1, 3, (1, 2, 0), 0),
    "ayuv64": (2, 4, (1, 2, 3), 0),
    "xv36": (2, 4, (1, 0, 2), 4),
    "xv48": (2, 4, (1, 0, 2), 0),
}


def filled(name: str) -> av.VideoFrame:
    """A frame of noise; floats lie in 0 … 1, and unused bits are what they are."""
    frame = av.VideoFrame(WIDTH, HEIGHT, name)
    random = np.random.default_rng(len(name))
    for plane in frame.planes:
        data = random.integers(0, 256, plane.buffer_size, dtype=np.uint8)
        for kind in ("f16", "f32"):
            if kind in name:
                order = ">" if name.endswith("be") else "<"
                size = int(kind[1:]) // 8
                unit = random.random(plane.buffer_size // size)
                data = unit.astype(f"{order}f{size}").view(np.uint8)
        depth = frame.format.components[0].bits
        if 8 < depth < 16 and "msb" not in name and (is_planar(frame) or "nv20" in name):
            order = ">u2" if name.endswith("be") else "<u2"
            data = (data.view(order) & ((1 << depth) - 1)).astype(order).view(np.uint8)
        plane.update(np.pad(data, (0, plane.buffer_size - data.size)).tobytes())
    return frame


def is_planar(frame: av.VideoFrame) -> bool:
    return len({c.plane for c in frame.format.components}) == len(frame.format.components)


def rows_of(frame: av.VideoFrame, index: int, kind: str) -> Any:
    """A plane's samples with its padding."""
    order = ">" if frame.format.name.endswith("be") else "<"
    plane = frame.planes[index]
    data = np.frombuffer(cast(Any, plane), np.uint8)[: plane.height * plane.line_size]
    rows = data.reshape(plane.height, plane.line_size)
    size = int(kind[1:])
    return rows[:, : plane.line_size // size * size].view(order + kind)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_read_converted_or_refused(name: str) -> None:
    readable = pixel_format(name) is not None
    assert readable + (name in READ_AS) + (name in REFUSED) == 1
    if name in READ_AS:
        target = pixel_format(READ_AS[name])
        assert target is not None
        stored = av.video.format.VideoFormat(name, 64, 64).components[0].bits
        # What costs something is said: fewer bits, alpha, a palette, other primaries.
        alpha = any(c.is_alpha for c in av.video.format.VideoFormat(name, 64, 64).components)
        costs = stored < 8 or stored > target.bit_depth or alpha or "f16" in name
        costs = costs or name == "pal8" or name.startswith("xyz")
        assert bool(notes_on(name)) == costs


@pytest.mark.parametrize("name", [n for n in NAMES if n not in REFUSED and n != "pal8"])
def test_luma_is_what_is_stored(name: str) -> None:
    stored = filled(name)
    reformatter = VideoReformatter()
    native = unpacked(stored, reformatter)
    description = pixel_format(native.format.name)
    assert description is not None
    frame = Frame(
        native,
        index=0,
        pts=0,
        time_base=cast(Any, 1),
        description=description,
        reformatter=reformatter,
    )
    wanted = expected(stored)
    if wanted is None:  # X'Y'Z' alone: another space, by FFmpeg
        assert name.startswith("xyz")
        return
    if description.rgb:
        found = rgb_planes(frame)
        assert found is not None
        for plane, code in zip(found, wanted, strict=True):
            assert np.array_equal(plane, code)
        return
    assert np.array_equal(frame.luma, wanted[0])
    chroma = chroma_planes(frame)
    assert (chroma is None) == description.gray
    for plane, code in zip(chroma or (), wanted[1:], strict=True):
        assert np.array_equal(plane, code)


def expected(frame: av.VideoFrame) -> list[Any] | None:
    """Y', Cb and Cr, or R', G' and B', by the layout that FFmpeg documents."""
    name = frame.format.name
    stem = name[:-2] if name.endswith(("le", "be")) else name
    parts = [c for c in frame.format.components if not c.is_alpha]
    bits = parts[0].bits
    word = "u1" if bits <= 8 else "u2"
    if stem.startswith("xyz"):
        return None
    if stem in PACKED:
        size, count, places, low = PACKED[stem]
        words = rows_of(frame, 0, f"u{size}")[:, : WIDTH * count].reshape(HEIGHT, WIDTH, count)
        return [words[..., p] >> low for p in places]
    if stem in ("y210", "y212", "y216"):
        words = rows_of(frame, 0, "u2")[:, : WIDTH * 2] >> (16 - bits)
        return [words[:, ::2], words[:, 1::4], words[:, 3::4]]
    if stem in ("yuyv422", "yvyu422", "uyvy422"):
        words = rows_of(frame, 0, "u1")[:, : WIDTH * 2]
        y, u, v = {"yuyv422": (0, 1, 3), "yvyu422": (0, 3, 1), "uyvy422": (1, 0, 2)}[stem]
        return [words[:, y::2], words[:, u::4], words[:, v::4]]
    if stem == "uyyvyy411":
        words = rows_of(frame, 0, "u1")[:, : WIDTH * 3 // 2].reshape(HEIGHT, -1, 6)
        return [words[..., [1, 2, 4, 5]].reshape(HEIGHT, WIDTH), words[..., 0], words[..., 3]]
    if stem in ("xv30", "v30x", "x2rgb10", "x2bgr10"):
        words = rows_of(frame, 0, "u4")[:, :WIDTH]
        lows = {"xv30": (10, 0, 20), "v30x": (12, 2, 22), "x2rgb10": (20, 10, 0)}
        return [words >> low & 1023 for low in lows.get(stem, (0, 10, 20))]
    if stem in ("monow", "monob"):
        words = np.unpackbits(rows_of(frame, 0, "u1"), axis=1)[:, :WIDTH]
        return [words * 255 if stem == "monob" else 255 - words * 255]
    if frame.format.is_rgb and bits < 8:
        return small_rgb(frame, stem)
    if "f16" in stem or "f32" in stem or bits == 32:
        kind = "f" if "f16" in stem or "f32" in stem else "u"
        return [wide_codes(p) for p in separate(frame, f"{kind}{bits // 8}", parts)]
    planes = separate(frame, word, parts)
    if "msb" in stem or stem.startswith(("p010", "p012", "p210", "p212", "p410", "p412")):
        planes = [p >> (16 - bits) for p in planes]
    return planes


def separate(frame: av.VideoFrame, kind: str, parts: list[Any]) -> list[Any]:
    """The samples of components that lie in planes, pairs or packed pixels of whole words."""
    stem = frame.format.name.removesuffix("le").removesuffix("be")
    alpha = any(c.is_alpha for c in frame.format.components)
    shared = [sum(d.plane == c.plane for d in parts) for c in parts]
    planes = []
    for number, part in enumerate(parts):
        rows = rows_of(frame, part.plane, kind)
        if shared[number] == 1 and not (len(parts) == 1 and alpha):
            planes.append(rows[:, : part.width])
        elif frame.format.is_rgb:  # the name says the order: rgb24, bgra64, 0rgb
            letters = "".join(c for c in stem.partition("f")[0] if c in "rgba") or stem
            if "0" in (stem[0], stem[-1]) and not stem[-2:].isdigit():
                letters = stem
            planes.append(rows[:, letters.index("rgb"[number]) :: len(letters)][:, : part.width])
        elif len(parts) == 1:  # gray and alpha
            planes.append(rows[:, ::2][:, : part.width])
        else:  # chroma in pairs; nv21 and nv42 begin with Cr
            swapped = stem in ("nv21", "nv42")
            planes.append(rows[:, (number - 1) ^ swapped :: 2][:, : part.width])
    return planes


def small_rgb(frame: av.VideoFrame, stem: str) -> list[Any]:
    widths = {"565": (5, 6, 5), "555": (5, 5, 5), "444": (4, 4, 4), "8": (3, 3, 2), "4": (1, 2, 1)}
    digits = stem[3:].removesuffix("_byte")
    sizes = widths[digits]
    letters = stem[:3]  # from the highest bit down
    if letters == "bgr" and digits == "8":
        sizes = (2, 3, 3)
    rows = rows_of(frame, 0, "u2" if len(digits) == 3 else "u1")
    if stem in ("rgb4", "bgr4"):
        rows = np.stack([rows >> 4, rows & 15], axis=2).reshape(HEIGHT, -1)
    rows = rows[:, :WIDTH].astype(int)
    low = sum(sizes)
    found = {}
    for letter, size in zip(letters, sizes, strict=True):
        low -= size
        codes = rows >> low & ((1 << size) - 1)
        found[letter] = np.floor(codes * 255 / ((1 << size) - 1) + 0.5)
    return [found[c] for c in "rgb"]


def wide_codes(samples: Any) -> Any:
    if samples.dtype.kind == "u":
        return np.floor(samples.astype(np.float64) * 65535 / (2**32 - 1) + 0.5)
    return np.rint(samples.astype(np.float64) * 65535)


def test_palette() -> None:
    frame = av.VideoFrame(WIDTH, HEIGHT, "pal8")
    random = np.random.default_rng(2)
    places = random.integers(0, 256, (HEIGHT, frame.planes[0].line_size), dtype=np.uint8)
    colors = random.integers(0, 256, (256, 4), dtype=np.uint8)  # B G R A in memory
    frame.planes[0].update(np.resize(places, frame.planes[0].buffer_size).tobytes())
    frame.planes[1].update(colors.tobytes())
    native = unpacked(frame, VideoReformatter())
    assert native.format.name == "gbrp"
    for plane, channel in ((0, 1), (1, 0), (2, 2)):
        rows = np.frombuffer(cast(Any, native.planes[plane]), np.uint8)
        rows = rows.reshape(-1, native.planes[plane].line_size)[:HEIGHT, :WIDTH]
        assert np.array_equal(rows, colors[places[:, :WIDTH], channel])
