"""Every kind of still that scanners and cameras write: exact, converted and said, or refused."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, PngImagePlugin

from pycolor.errors import FilmError, UsageError
from pycolor.image.colorize import color_stills
from pycolor.image.files import profiles
from pycolor.image.files.picture_files import StillInfo, read_image, write_image
from pycolor.options import PredictOptions

HEIGHT, WIDTH = 37, 53
# TIFF 6.0, Orientation: where the stored rows and columns lie in the picture.
UPRIGHT: dict[int, Callable[[Any], Any]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.swapaxes(a, 0, 1)[:, ::-1],
    7: lambda a: np.swapaxes(a, 0, 1)[::-1, ::-1],
    8: lambda a: np.swapaxes(a, 0, 1)[::-1],
}


def noise(bits: int = 8, *channels: int) -> Any:
    kind = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    random = np.random.default_rng(bits)
    return random.integers(0, 1 << bits, (HEIGHT, WIDTH, *channels), dtype=np.uint64).astype(kind)


def codes(samples: Any, bits: int) -> Any:
    """What samples of some bits are in 8 or 16: white is white, to the nearest."""
    top = 255 if bits <= 8 else 65535
    return np.floor(samples.astype(np.float64) * top / ((1 << bits) - 1) + 0.5)


def packed_tiff(path: Path, samples: Any, bits: int, photometric: int = 1) -> None:
    """An uncompressed TIFF of samples of any bits, most significant bit first."""
    flat = samples.reshape(HEIGHT, -1)
    wide = (flat[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    data = np.packbits(wide.reshape(HEIGHT, -1).astype(np.uint8), axis=1).tobytes()
    tags = [(256, 3, WIDTH), (257, 3, HEIGHT), (258, 3, bits), (259, 3, 1), (262, 3, photometric)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 3, HEIGHT), (279, 4, len(data))]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    end = struct.pack("<H", len(tags)) + entries + bytes(4)
    data += bytes(len(data) % 2)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + end)


@pytest.mark.parametrize("white_is_zero", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8, 10, 12, 14, 16])
def test_bits_of_gray_tiff(tmp_path: Path, bits: int, white_is_zero: bool) -> None:
    samples = noise(bits)
    packed = samples.astype("<u2").view(np.uint8).reshape(HEIGHT, -1) if bits == 16 else samples
    packed_tiff(tmp_path / "a.tif", packed, 8 if bits == 16 else bits, 0 if white_is_zero else 1)
    if bits == 16:  # words are little-endian, as the file
        data = bytearray((tmp_path / "a.tif").read_bytes())
        place = data.index(struct.pack("<HHII", 258, 3, 1, 8))
        data[place + 8] = 16
        (tmp_path / "a.tif").write_bytes(data)
    image = read_image(tmp_path / "a.tif")
    wanted = codes(samples, bits)
    top = 255 if bits <= 8 else 65535
    assert np.array_equal(image.pixels, top - wanted if white_is_zero else wanted)
    assert image.info.bit_depth == (8 if bits <= 8 else 16)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("layout", ["strips", "tiles", "deflate"])
def test_orientation_of_tiff(
    tmp_path: Path, layout: str, channels: tuple[int, ...], bits: int, orientation: int
) -> None:
    options: dict[str, Any] = {"strips": {}, "tiles": {"tile": (16, 16)}}.get(
        layout, {"compression": "zlib", "predictor": True}
    )
    stored = noise(bits, *channels)
    extra = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(tmp_path / "a.tif", stored, extratags=extra, metadata=None, **options)
    assert np.array_equal(read_image(tmp_path / "a.tif").pixels, UPRIGHT[orientation](stored))


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "group4"])
def test_compressions_of_tiff(tmp_path: Path, compression: str, orientation: int) -> None:
    """Pillow writes them, by libtiff."""
    bilevel = compression == "group4"
    kinds = ["1"] if bilevel else ["L", "RGB", "I;16"]
    for mode in kinds:
        bits = {"I;16": 16, "1": 1}.get(mode, 8)
        stored = noise(bits, *([3] if mode == "RGB" else []))
        picture = Image.fromarray(stored * 255).convert("1") if bilevel else Image.fromarray(stored)
        tags: dict[int, Any] = {274: orientation} if orientation != 1 else {}
        picture.save(tmp_path / "a.tif", compression=compression, tiffinfo=tags)
        wanted = UPRIGHT[orientation](stored * 255 if bilevel else stored)
        assert np.array_equal(read_image(tmp_path / "a.tif").pixels, wanted), mode


def test_other_kinds_of_tiff(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    planar = noise(16, 3)
    tifffile.imwrite(path, np.moveaxis(planar, 2, 0), planarconfig="separate", photometric="rgb")
    assert np.array_equal(read_image(path).pixels, planar)
    four = noise(16, 4)
    tifffile.imwrite(path, four, photometric="rgb", extrasamples=["unassalpha"], bigtiff=True)
    image = read_image(path)
    assert np.array_equal(image.pixels, four[..., :3])
    assert image.alpha is not None
    assert np.array_equal(image.alpha, four[..., 3])
    wide = noise(32)
    tifffile.imwrite(path, wide, photometric="minisblack")
    image = read_image(path)
    assert np.array_equal(image.pixels, codes(wide, 32))
    assert "32 bits" in image.info.warnings[0]
    unit = np.random.default_rng(0).random((HEIGHT, WIDTH)).astype(np.float32)
    tifffile.imwrite(path, unit, photometric="minisblack")
    image = read_image(path)
    assert np.array_equal(image.pixels, np.rint(unit.astype(np.float64) * 65535))
    assert "floats" in image.info.warnings[0]
    tifffile.imwrite(path, unit * 255, photometric="minisblack")
    with pytest.raises(FilmError, match=r"floats up to 25\d\.\d*; expected 0 \(black\) to 1"):
        read_image(path)
    tifffile.imwrite(path, noise(8).astype(np.int8), photometric="minisblack")
    with pytest.raises(FilmError, match="signed integers"):
        read_image(path)
    tifffile.imwrite(path, noise(16), photometric="cfa", extratags=[(33422, 1, 4, bytes(4), True)])
    with pytest.raises(FilmError, match="camera's sensor"):
        read_image(path)
    palette = noise(16, 3)[:8, :32].reshape(256, 3)
    tifffile.imwrite(path, noise(8), photometric="palette", colormap=palette.T)
    assert np.array_equal(read_image(path).pixels, palette[noise(8)])


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("kind", [0, 2, 3, 4, 6])
def test_png(tmp_path: Path, kind: int, bits: int) -> None:
    """Every color type and depth of PNG 3, table 8, written here."""
    if bits not in {0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(kind, (8, 16)):
        return
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
    samples = noise(bits, channels)
    shifts = np.arange(bits - 1, -1, -1)
    wide = (samples.astype(int)[..., None] >> shifts & 1).reshape(HEIGHT, -1).astype(np.uint8)
    rows = np.pad(np.packbits(wide, axis=1), ((0, 0), (1, 0))).tobytes()
    palette = noise(8, 3)[:8, :32].reshape(256, 3)[: 1 << bits]

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, kind, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + (chunk(b"PLTE", palette.tobytes()) if kind == 3 else b"")
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    image = read_image(tmp_path / "a.png")
    if kind == 3:
        assert np.array_equal(image.pixels, palette[samples[..., 0]])
        return
    colors = codes(samples[..., : channels - (kind in (4, 6))], bits)
    assert np.array_equal(image.pixels, colors[..., 0] if kind in (0, 4) else colors)
    assert (image.alpha is not None) == (kind in (4, 6))
    if image.alpha is not None:
        assert np.array_equal(image.alpha, samples[..., -1])


@pytest.mark.parametrize("ending", ["bmp", "tga", "gif", "webp", "jp2", "pgm", "sgi", "png"])
def test_kinds_that_pillow_writes(tmp_path: Path, ending: str) -> None:
    lossless: dict[str, Any] = {"webp": {"lossless": True}}
    stored = noise(8)
    Image.fromarray(stored).save(tmp_path / f"a.{ending}", **lossless.get(ending, {}))
    pixels = read_image(tmp_path / f"a.{ending}").pixels
    gray = pixels if pixels.ndim == 2 else pixels[..., 1]
    assert np.array_equal(gray, stored)
    assert pixels.ndim == 2 or (pixels == gray[..., None]).all()


@pytest.mark.parametrize("color", [False, True])
def test_sixteen_bits_of_pnm_and_jpeg_2000(tmp_path: Path, color: bool) -> None:
    stored = noise(16, *([3] if color else []))
    head = f"P{6 if color else 5} {WIDTH} {HEIGHT} 65535\n".encode()
    (tmp_path / "a.ppm").write_bytes(head + stored.astype(">u2").tobytes())
    assert np.array_equal(read_image(tmp_path / "a.ppm").pixels, stored)
    if not color:
        Image.fromarray(stored).save(tmp_path / "a.jp2")
        assert np.array_equal(read_image(tmp_path / "a.jp2").pixels, stored)


def by_ffmpeg(path: Path, codec: str, name: str, planes: list[Any]) -> None:
    frame = av.VideoFrame(WIDTH, HEIGHT, name)
    for plane, samples in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // samples.itemsize), samples.dtype)
        rows[:, : samples.shape[1]] = samples
        plane.update(rows.tobytes())
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream: Any = container.add_stream(codec, width=WIDTH, height=HEIGHT, pix_fmt=name, rate=1)
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("name", "bits"), [("gray", 8), ("gbrp10le", 10), ("gbrp12le", 12), ("rgb48le", 16)]
)
def test_dpx(tmp_path: Path, name: str, bits: int) -> None:
    samples = noise(bits).astype(np.uint8 if bits == 8 else "<u2")
    if name == "rgb48le":
        planes = [np.repeat(samples, 3, axis=1)]
    else:
        planes = [samples] * (1 if name == "gray" else 3)
    by_ffmpeg(tmp_path / "a.dpx", "dpx", name, planes)
    image = read_image(tmp_path / "a.dpx")
    gray = image.pixels if bits == 8 else image.pixels[..., 0]
    assert np.array_equal(gray, codes(samples, bits))
    assert image.info.kind == "DPX"


def test_exr_is_linear_light(tmp_path: Path) -> None:
    light = np.random.default_rng(1).random((HEIGHT, WIDTH)).astype("<f4") * 1.1
    by_ffmpeg(tmp_path / "a.exr", "exr", "grayf32le", [light])
    image = read_image(tmp_path / "a.exr")
    unit = light.astype(np.float64).clip(0, 1)
    curve = np.where(unit <= 0.0031308, 12.92 * unit, 1.055 * unit ** (1 / 2.4) - 0.055)
    assert np.abs(image.pixels - curve * 65535).max() <= 0.5 + 1e-6
    assert "linear light" in image.info.warnings[0]


# -- color profiles ----------------------------------------------------------------------------


def icc(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of version 2, by ICC.1:2001-04."""
    table, body = b"", b""
    first = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", first + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    content = struct.pack(">I", len(tags)) + table + body
    head = struct.pack(
        ">I4xI4s4s4s12x4s", 128 + len(content), 0x02200000, b"mntr", space, b"XYZ ", b"acsp"
    )
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + content


def xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in (x, y, z)))


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


DESC = b"desc\0\0\0\0" + struct.pack(">I", 4) + b"own\0" + bytes(80)
WHITE = xyz(0.9642, 1, 0.8249)
# Adobe RGB (1998), 4.3.5 adapted to D50; ROMM RGB (ISO 22028-2).
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
ROMM = ((0.7976749, 0.2880402, 0.0), (0.1351917, 0.7118741, 0.0), (0.0313534, 0.0000857, 0.82521))


def rgb_profile(columns: Any, g: float) -> bytes:
    tags = {b"desc": DESC, b"cprt": b"text\0\0\0\0own\0", b"wtpt": WHITE}
    tags |= {c + b"XYZ": xyz(*v) for c, v in zip((b"r", b"g", b"b"), columns, strict=True)}
    return icc(b"RGB ", tags | {c + b"TRC": gamma(g) for c in (b"r", b"g", b"b")})


def gray_profile(g: float) -> bytes:
    tags = {b"desc": DESC, b"cprt": b"text\0\0\0\0own\0", b"wtpt": WHITE, b"kTRC": gamma(g)}
    return icc(b"GRAY", tags)


@pytest.mark.parametrize("ending", ["png", "tif", "jpg"])
@pytest.mark.parametrize("columns", [ADOBE, ROMM])
def test_a_color_profile_is_converted_as_littlecms_does(
    tmp_path: Path, columns: Any, ending: str
) -> None:
    profile = rgb_profile(columns, 1.8 if columns is ROMM else 2.19921875)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    mild = np.stack([90 + x, 120 + y, 150 - x // 2], axis=2).astype(np.uint8)
    path = tmp_path / f"a.{ending}"
    options: dict[str, Any] = {"quality": 100} if ending == "jpg" else {}
    Image.fromarray(mild).save(path, icc_profile=profile, **options)
    image = read_image(path)
    with Image.open(path) as stored:
        wanted = ImageCms.profileToProfile(
            stored,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    assert np.abs(image.pixels.astype(int) - np.asarray(wanted)).max() <= 1
    assert image.info.icc_profile == profiles.srgb_profile()
    assert "converted" in image.info.warnings[0]
    write_image(tmp_path / "b.png", image.pixels, like=image.info)
    again = read_image(tmp_path / "b.png")
    assert np.array_equal(again.pixels, image.pixels)
    assert again.info.warnings == ()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("g", [1.0, 1.8, 2.2])
def test_a_gray_curve_keeps_its_tone(tmp_path: Path, g: float, bits: int) -> None:
    """The light of each sample (x to the power of gamma) is that of its sRGB code."""
    stored = noise(bits)
    Image.fromarray(stored).save(tmp_path / "a.png", icc_profile=gray_profile(g))
    image = read_image(tmp_path / "a.png")
    top = (1 << bits) - 1
    light = (stored / top) ** (round(g * 256) / 256)
    code = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(image.pixels - code * top).max() <= (0.6 if bits == 8 else 12)
    assert image.info.gray


def test_profiles_that_say_nothing_new_or_nothing(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert profiles.parse_profile(srgb).is_srgb
    assert not profiles.parse_profile(rgb_profile(ADOBE, 2.2)).is_srgb
    assert profiles.srgb_profile() == profiles.srgb_profile()
    assert profiles.parse_profile(profiles.srgb_profile()).is_srgb
    stored = noise(8, 3)
    for broken in (b"none", srgb[:200], b"\0" * 300, rgb_profile(ADOBE, 2.2)[:-40]):
        Image.fromarray(stored).save(tmp_path / "a.png", icc_profile=broken)
        image = read_image(tmp_path / "a.png")
        assert np.array_equal(image.pixels, stored)
        assert "is not used" in image.info.warnings[0]
    gray = gray_profile(1.8)  # on a picture of color
    Image.fromarray(stored).save(tmp_path / "a.png", icc_profile=gray)
    assert "is not used" in read_image(tmp_path / "a.png").info.warnings[0]


def test_png_gamma_and_texts(tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Die Straße", zip=True)
    texts.add_itxt("Author", "Lumière")
    texts.add(b"gAMA", struct.pack(">I", 100_000))
    stored = noise(8)
    Image.fromarray(stored).save(tmp_path / "a.png", pnginfo=texts, dpi=(300, 300))
    image = read_image(tmp_path / "a.png")
    assert dict(image.info.texts) == {"Title": "Die Straße", "Author": "Lumière"}
    assert "gamma 1:" in image.info.warnings[0]
    assert np.abs(image.pixels - profiles.encode_srgb(stored / 255) * 255).max() <= 0.6
    for bits in (8, 16):
        color = noise(bits, 3)
        info: StillInfo = image.info
        assert write_image(tmp_path / f"b{bits}.png", color, like=info) == ()
        with Image.open(tmp_path / f"b{bits}.png") as written:
            assert written.text == {"Title": "Die Straße", "Author": "Lumière"}  # type: ignore[attr-defined]
            assert written.info["dpi"] == pytest.approx((300, 300), abs=0.1)
            assert "gamma" not in written.info
        said = write_image(tmp_path / f"b{bits}.tif", color, like=info)
        assert "Title, Author" in said[0]


def test_tiff_of_sixteen_bits_keeps_what_it_says(tmp_path: Path) -> None:
    """Pillow does not open it; tifffile wrote it."""
    tifffile.imwrite(
        tmp_path / "a.tif",
        noise(16, 3),
        photometric="rgb",
        resolution=(400, 200),
        resolutionunit="INCH",
        description="plate 12",
        iccprofile=profiles.srgb_profile(),
        extratags=[(315, 2, 0, "Ottomar Anschütz".encode("ascii", "ignore"), True)],
        metadata=None,
    )
    image = read_image(tmp_path / "a.tif")
    assert image.info.dots_per_inch == pytest.approx((400, 200))
    assert image.info.icc_profile == profiles.srgb_profile()
    for name in ("b.tif", "b.png"):
        write_image(tmp_path / name, image.pixels, like=image.info)
        back = read_image(tmp_path / name)
        assert back.info.icc_profile == profiles.srgb_profile()
        assert back.info.dots_per_inch == pytest.approx((400, 200), abs=0.1)
    with tifffile.TiffFile(tmp_path / "b.tif") as written:
        first: Any = written.pages[0]
        assert first.tags[270].value == "plate 12"
        assert first.tags[315].value == "Ottomar Anschtz"


def test_the_shape_that_tifffile_writes_is_not_carried_to_another(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", noise(8))
    tifffile.imwrite(tmp_path / "b.tif", noise(16, 3), photometric="rgb")  # Pillow opens it not
    for name in ("a.tif", "b.tif"):
        with tifffile.TiffFile(tmp_path / name) as source:
            assert source.is_shaped
        color_stills(tmp_path / name, tmp_path / f"c{name}", PredictOptions(short_side=16))
        with tifffile.TiffFile(tmp_path / f"c{name}") as written:
            assert not written.is_shaped
            assert written.asarray().shape == (HEIGHT, WIDTH, 3)


# -- folders, and what is too large --------------------------------------------------------------


def test_a_large_picture_needs_leave(tmp_path: Path) -> None:
    Image.new("L", (2000, 1000)).save(tmp_path / "a.png")
    Image.new("L", (2000, 1000)).save(tmp_path / "a.tif")
    for name in ("a.png", "a.tif"):
        with pytest.raises(FilmError, match=r"has 2 megapixels; expected 1\.9 at most"):
            read_image(tmp_path / name, most_megapixels=1.9)
        assert read_image(tmp_path / name, most_megapixels=2).pixels.shape == (1000, 2000)


def test_what_a_folder_holds_besides_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.bmp", "c.webp"):
        Image.fromarray(noise(8)).save(folder / name)
    by_ffmpeg(folder / "d.dpx", "dpx", "gray", [noise(8)])
    (folder / "sub").mkdir()
    (folder / "notes.txt").write_text("x")
    said: list[str] = []
    options = PredictOptions(short_side=16)
    written = color_stills(folder, tmp_path / "out", options, say=said.append)
    assert [p.name for p in written] == ["a.png", "b.png", "c.png", "d.tif"]
    assert all(p.exists() for p in written)
    assert any("2 of its files are no pictures: notes.txt, sub (a folder)" in s for s in said)
    Image.fromarray(noise(8)).save(folder / "b.png")
    with pytest.raises(UsageError, match=r"b\.bmp and b\.png would both be written as b\.png"):
        color_stills(folder, tmp_path / "out2", options)


def test_a_picture_of_one_column(tmp_path: Path) -> None:
    Image.fromarray(noise(8)[:, :1]).save(tmp_path / "a.png")
    color_stills(tmp_path / "a.png", tmp_path / "b.png", PredictOptions(short_side=16))
    assert read_image(tmp_path / "b.png").pixels.shape == (HEIGHT, 1, 3)
