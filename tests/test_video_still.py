"""Photographs: every kind in, every kind out, nothing lost on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageCms

from pycolor.errors import FilmError, UsageError
from pycolor.image.files.picture_files import StillInfo, read_image, write_image


def samples(*shape: int, deep: bool) -> Any:
    random = np.random.default_rng(3)
    kind = np.uint16 if deep else np.uint8
    return random.integers(0, np.iinfo(kind).max + 1, shape).astype(kind)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff"])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 301)])
def test_color_round_trips(
    tmp_path: Path, suffix: str, alpha: bool, deep: bool, size: tuple[int, int]
) -> None:
    pixels = samples(*size, 3, deep=deep)
    opacity = samples(*size, deep=deep) if alpha else None
    assert write_image(tmp_path / f"a{suffix}", pixels, alpha=opacity) == ()
    image = read_image(tmp_path / f"a{suffix}")
    assert np.array_equal(image.pixels, pixels)
    assert image.pixels.dtype == pixels.dtype
    assert (image.alpha is not None) == alpha
    if opacity is not None and image.alpha is not None:
        assert np.array_equal(image.alpha, opacity)
    assert not image.info.gray
    assert image.info.bit_depth == (16 if deep else 8)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_gray_is_read_as_stored(tmp_path: Path, suffix: str, deep: bool) -> None:
    pixels = samples(9, 13, deep=deep)
    Image.fromarray(pixels).save(tmp_path / f"a{suffix}")
    image = read_image(tmp_path / f"a{suffix}")
    assert np.array_equal(image.pixels, pixels)
    assert image.info.gray
    assert image.info.bit_depth == (16 if deep else 8)


def test_a_wide_tiff_in_strips_is_what_others_read(tmp_path: Path) -> None:
    """The writer is ours; FFmpeg is the judge."""
    pixels = samples(200, 900, 3, deep=True)
    write_image(tmp_path / "a.tif", pixels)
    with av.open(str(tmp_path / "a.tif")) as container:
        frame = next(container.decode(video=0))
    assert frame.format.name == "rgb48le"
    assert np.array_equal(frame.to_ndarray(), pixels)


def test_jpeg(tmp_path: Path) -> None:
    y, x = np.mgrid[:64, :64]
    smooth = np.stack([x * 3, y * 3, 255 - x], axis=2).astype(np.uint8)
    assert write_image(tmp_path / "a.jpg", smooth) == ()
    back = read_image(tmp_path / "a.jpg").pixels
    assert np.abs(back.astype(int) - smooth).max() < 12
    said = write_image(tmp_path / "b.jpg", smooth.astype(np.uint16) * 257)
    assert "rounded" in said[0]
    assert np.array_equal(read_image(tmp_path / "b.jpg").pixels, back)
    gray = tmp_path / "gray.jpg"
    Image.fromarray(smooth[..., 0]).save(gray)
    assert read_image(gray).info.gray


# TIFF 6.0, Orientation: where the stored rows and columns lie in the picture.
UPRIGHT: dict[int, Any] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.swapaxes(a, 0, 1)[:, ::-1],
    7: lambda a: np.swapaxes(a, 0, 1)[::-1, ::-1],
    8: lambda a: np.swapaxes(a, 0, 1)[::-1],
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_a_turned_picture_is_read_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    block = np.kron(samples(2, 3, deep=False) // 2 + 60, np.ones((16, 16), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Ernemann"
    path = tmp_path / f"a{suffix}"
    Image.fromarray(block).save(path, exif=exif.tobytes())
    with Image.open(path) as stored:
        # Pillow 13 takes the rows of an uncompressed TIFF for those of the picture turned.
        decoded = block if suffix == ".tif" else np.asarray(stored)
    wanted = UPRIGHT[orientation](decoded)
    image = read_image(path)
    assert np.array_equal(image.pixels, wanted)
    color: Any = np.repeat(image.pixels[..., None], 3, axis=2)
    write_image(tmp_path / f"b{suffix}", color, like=image.info)
    again = read_image(tmp_path / f"b{suffix}")
    assert again.pixels.shape == color.shape
    with Image.open(tmp_path / f"b{suffix}") as written:
        assert written.getexif().get(0x0112, 1) == 1
        assert written.getexif()[0x010F] == "Ernemann"


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_profile_and_resolution_are_carried(tmp_path: Path, suffix: str, deep: bool) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    info = StillInfo(
        path=tmp_path / "source.png",
        kind="PNG",
        bit_depth=16,
        gray=False,
        icc_profile=profile,
        dots_per_inch=(600.0, 300.0),
    )
    path = tmp_path / f"a{suffix}"
    write_image(path, samples(8, 8, 3, deep=deep), like=info)
    back = read_image(path).info
    assert back.icc_profile == profile
    assert back.dots_per_inch == pytest.approx((600, 300), abs=0.02)


def test_a_gray_profile_is_not_put_on_color(tmp_path: Path) -> None:
    profile = b"\0" * 16 + b"GRAY" + b"\0" * 108
    path = tmp_path / "s.png"
    info = StillInfo(path=path, kind="PNG", bit_depth=8, gray=True, icc_profile=profile)
    said = write_image(tmp_path / "a.png", samples(4, 4, 3, deep=False), like=info)
    assert "profile" in said[0]
    assert read_image(tmp_path / "a.png").info.icc_profile is None


def test_other_modes_become_gray_or_color(tmp_path: Path) -> None:
    Image.new("1", (5, 4), 1).save(tmp_path / "bits.png")
    assert read_image(tmp_path / "bits.png").pixels.tolist() == [[255] * 5] * 4
    Image.new("P", (5, 4)).save(tmp_path / "palette.png")
    assert read_image(tmp_path / "palette.png").pixels.shape == (4, 5, 3)
    Image.new("CMYK", (5, 4)).save(tmp_path / "print.jpg")
    assert read_image(tmp_path / "print.jpg").pixels.shape == (4, 5, 3)


def test_bad_pictures(tmp_path: Path) -> None:
    good = samples(40, 40, 3, deep=False)
    write_image(tmp_path / "good.png", good)
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not a picture " * 20)
    (tmp_path / "cut.png").write_bytes((tmp_path / "good.png").read_bytes()[:900])
    Image.new("F", (4, 4), 3.5).save(tmp_path / "float.tif")
    for name, words in {
        "no.png": "does not exist",
        ".": "is a folder",
        "empty.png": "is empty",
        "text.png": "no picture",
        "cut.png": "is damaged",
        "float.tif": r"floats up to 3\.5; expected 0",
    }.items():
        with pytest.raises(FilmError, match=words):
            read_image(tmp_path / name)
    write_image(tmp_path / "deep.png", samples(40, 40, 3, deep=True))
    (tmp_path / "cut16.png").write_bytes((tmp_path / "deep.png").read_bytes()[:900])
    with pytest.raises(FilmError, match=r"cut16\.png"):
        read_image(tmp_path / "cut16.png")


def test_outputs_that_are_refused(tmp_path: Path) -> None:
    good = samples(4, 4, 3, deep=False)
    write_image(tmp_path / "a.png", good)
    before = (tmp_path / "a.png").read_bytes()
    info = read_image(tmp_path / "a.png").info
    with pytest.raises(UsageError, match="exists"):
        write_image(tmp_path / "a.png", good)
    with pytest.raises(UsageError, match="is the source"):
        write_image(tmp_path / "a.png", good, like=info, overwrite=True)
    with pytest.raises(UsageError, match=r"expected one of \.png"):
        write_image(tmp_path / "a.gif", good)
    with pytest.raises(ValueError, match="H×W×3"):
        write_image(tmp_path / "b.png", good[..., 0])
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == before
