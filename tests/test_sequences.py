"""Films that are pictures: their order, their holes, their headers, and what is broken."""

from __future__ import annotations

import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from pycolor.errors import FilmError
from pycolor.video.io import Reader
from pycolor.video.io.containers.codecs.scan_header import nearest_rate, scan_header
from pycolor.video.io.containers.sequence import natural_order, sequence_of
from pycolor.video.verify import verify
from tests.films import colorize
from tests.test_video_luma import failures

ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def gray(value: int) -> Any:
    """A picture whose every sample says which it is."""
    picture = np.full((20, 32), value, np.uint8)
    picture[::2] += 3
    return picture


def save(folder: Path, names: dict[str, int]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, value in names.items():
        Image.fromarray(gray(value)).save(folder / name)
    return folder


def values(path: Path, **options: Any) -> list[int]:
    with Reader(path, **options) as reader:
        return [int(frame.luma[1, 0]) for frame in reader]


def dpx(codes: Any, *, rate: float, timecode: str, number: int = 0, **header: Any) -> bytes:
    """An 8-bit gray DPX with the header that the standard asks for: 2048 bytes, undefined ones."""
    height, width = codes.shape
    head = bytearray(b"\xff" * 2048)
    head[0:36] = struct.pack(
        ">4sI8sIIIII", b"SDPX", 2048, b"V2.0", 2048 + codes.size, 1, 1664, 384, 0
    )
    for start, size in ((36, 624), (1432, 124), (1556, 64), (1664, 384)):
        head[start : start + size] = bytes(size) if start < 1664 else b"\xff" * size
    head[768:780] = struct.pack(">HHII", header.get("turned", 0), 1, width, height)
    head[780:820] = struct.pack(
        ">IIfIfBBBBHHIII", 0, 0, 0, 255, 2, 6, header.get("transfer", 6), 6, 8, 0, 0, 2048, 0, 0
    )
    head[1664:1764] = bytes(100)
    head[1712:1736] = struct.pack(">IIIffI", number, 100, 1, rate, 180.0, 0)
    text = header.get("project", "").encode()
    head[260 : 260 + len(text)] = text
    head[1920:1924] = bytes(int(part, 16) for part in timecode.split(":"))
    head[1940:1944] = struct.pack(">f", header.get("television", rate))
    pixels: bytes = codes.tobytes()
    return bytes(head) + pixels


def test_numbers_count_as_numbers(tmp_path: Path) -> None:
    folder = save(tmp_path / "a", {f"frame{n}.png": n for n in range(1, 13)})
    assert values(folder) == list(range(1, 13))
    assert values(folder / "frame%d.png") == list(range(1, 13))
    assert values(folder, frames=(8, 10)) == [9, 10]
    assert sorted(["b10", "a2", "b9", "a10"], key=lambda n: natural_order(Path(n))) == [
        *("a2", "a10", "b9", "b10")
    ]
    colorize(folder, tmp_path / "out.mkv")
    assert failures(verify(folder, tmp_path / "out.mkv")) == []
    assert values(tmp_path / "out.mkv") == list(range(1, 13))


@pytest.mark.parametrize("pattern", [True, False])
def test_a_hole_is_kept_and_named(tmp_path: Path, pattern: bool) -> None:
    numbers = [n for n in range(7, 27) if n not in (12, 20, 21)]
    folder = save(tmp_path / "a", {f"s_{n:04}.png": n for n in numbers})
    source = folder / "s_%04d.png" if pattern else folder
    with Reader(source, rate=Fraction(16)) as reader:
        said = next(w for w in reader.info.warnings if "missing" in w)
        assert "3 pictures are missing (1 behind s_0011.png, 2 behind s_0019.png)" in said
        frames = list(reader)
        assert not reader.damages
    assert [f.time * 16 + 7 for f in frames] == numbers
    assert [f.duration for f in frames][4] == 2
    # As a film the picture before the hole is shown for as long; as pictures the numbers stay.
    colorize(source, tmp_path / "out.mkv")
    assert failures(verify(source, tmp_path / "out.mkv")) == []
    with Reader(tmp_path / "out.mkv") as reader:
        late = [abs(f.time - Fraction(n - 7, 24)) for f, n in zip(reader, numbers, strict=True)]
    assert max(late) <= Fraction(1, 2000)
    (tmp_path / "b").mkdir()
    colorize(source, tmp_path / "b" / "t_%05d.png")
    written = sorted(p.name for p in (tmp_path / "b").glob("*.png"))
    assert written == [f"t_{n:05}.png" for n in numbers]
    for n in numbers:  # Pillow is the judge
        with Image.open(tmp_path / "b" / f"t_{n:05}.png") as picture:
            luma = np.asarray(picture)[1, 0] @ [0.2126, 0.7152, 0.0722]
            assert abs(luma - n) <= 0.5


def test_names_that_leave_the_order_open(tmp_path: Path) -> None:
    two = save(tmp_path / "a", {"A1.png": 1, "A2.png": 2, "B1.png": 3, "B2.png": 4})
    assert values(two) == [1, 2, 3, 4]
    found = sequence_of(two)
    assert found is not None
    assert "one after the other, from A1.png to B2.png" in found.notes[0]
    tens = save(tmp_path / "b", {f"{n}.png": n for n in (10, 20, 30, 50)})
    found = sequence_of(tens)
    assert found is not None
    assert found.ticks == (0, 1, 2, 4)
    assert "rise by 10" in found.notes[0]
    album = save(tmp_path / "c", {"IMG_7.png": 1, "IMG_300.png": 2, "IMG_9000.png": 3})
    found = sequence_of(album)
    assert found is not None
    assert found.ticks == (0, 1, 2)
    assert "8991 numbers are missing" in found.notes[0]
    twice = save(tmp_path / "d", {"1.png": 1, "01.png": 1, "2.png": 2})
    found = sequence_of(twice)
    assert found is not None
    assert "bear one number" in found.notes[0]
    assert values(twice / "%d.png") == [1, 2]


def test_a_broken_picture_is_named_and_the_film_goes_on(tmp_path: Path) -> None:
    folder = save(tmp_path / "a", {f"{n:03}.png": n for n in range(12)})
    (folder / "004.png").write_bytes(b"")
    (folder / "007.png").write_bytes(b"no picture at all" * 9)
    with Reader(folder) as reader:
        frames = list(reader)
        said = [str(damage) for damage in reader.damages]
    assert [round(f.time * 24) for f in frames] == [0, 1, 2, 3, 5, 6, 8, 9, 10, 11]
    assert any("004.png" in text and "0 bytes" in text for text in said)
    assert any("007.png" in text for text in said)
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(FilmError, match="holds no picture"):
        Reader(folder)


def test_what_a_dpx_header_says(tmp_path: Path) -> None:
    for n in range(4):
        timecode = f"01:02:59:{12 + n}"
        data = dpx(
            gray(40 + n), rate=16.0, timecode=timecode, number=n, transfer=3, project="Reel 2"
        )
        (tmp_path / f"{n:06}.dpx").write_bytes(data)
    with Reader(tmp_path) as reader:
        info = reader.info
        assert info.rate == 16
        assert info.timecode == "01:02:59:12"
        assert info.metadata["PROJECT"] == "Reel 2"
        assert any("the DPX header says log" in w for w in info.warnings)
        assert any("headers say 16 frames" in w for w in info.warnings)
        assert [int(f.luma[1, 0]) for f in reader] == [40, 41, 42, 43]
    with Reader(tmp_path, rate=Fraction(25), frames=(2, 4)) as reader:
        assert reader.info.rate == 25
        assert any("16 frames per second; 25 is taken" in w for w in reader.info.warnings)
        assert reader.timecode == "01:02:59:14"
    (tmp_path / "000003.dpx").write_bytes(dpx(gray(3), rate=16.0, timecode="09:00:00:00"))
    with Reader(tmp_path) as reader:
        assert any("the last says 09:00:00:00" in w for w in reader.info.warnings)


def test_a_rate_is_one_that_films_have() -> None:
    assert nearest_rate(23.976) == nearest_rate(23.976024627685547) == Fraction(24000, 1001)
    assert nearest_rate(29.97) == Fraction(30000, 1001)
    assert nearest_rate(18.0) == 18
    assert nearest_rate(16.66) == Fraction(833, 50)
    assert [nearest_rate(x) for x in (0.0, float("nan"), float("inf"), 3e38, -24.0)] == [None] * 5
    pixels = dpx(gray(1), rate=24.0, timecode="01:00:00:00", television=12.0)
    short = pixels[:4] + struct.pack(">I", 1664) + pixels[8:]
    assert scan_header(short).rate is None  # pixels stand there
    assert not scan_header(short).certain
    assert scan_header(pixels).rate == 24
    assert "24 frames per second of film and 12" in scan_header(pixels).notes[0]
    assert scan_header(b"no header" * 300).rate is None


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["uint8", "uint16"])
@pytest.mark.parametrize("color", [False, True])
def test_tiles(tmp_path: Path, color: bool, kind: str, compression: Any) -> None:
    """FFmpeg decodes tiles as zeros; tifffile wrote them."""
    random = np.random.default_rng(4)
    top = np.iinfo(kind).max
    stored = random.integers(0, top + 1, (3, 40, 56) + (3,) * color).astype(kind)
    for n, picture in enumerate(stored):
        tifffile.imwrite(tmp_path / f"{n:02}.tif", picture, tile=(16, 16), compression=compression)
    with Reader(tmp_path / "%02d.tif") as reader:
        for frame, picture in zip(reader, stored, strict=True):
            if color:
                weights = np.array([0.2126, 0.7152, 0.0722])
                assert np.abs(frame.luma - picture @ weights).max() <= 0.5 + 1e-6
            else:
                assert np.array_equal(frame.luma, picture)


def test_turned_pictures_are_shown_upright(tmp_path: Path) -> None:
    stored = np.random.default_rng(5).integers(0, 256, (3, 24, 40)).astype(np.uint8)
    for n, picture in enumerate(stored):
        tifffile.imwrite(tmp_path / f"{n}.tif", picture, extratags=[(274, 3, 1, 6, True)])
    with Reader(tmp_path) as reader:
        assert (reader.info.width, reader.info.height) == (24, 40)
        for frame, picture in zip(reader, stored, strict=True):
            assert np.array_equal(frame.luma, picture.T[:, ::-1])
    exif = Image.Exif()
    exif[274] = 6
    for n, picture in enumerate(stored):
        Image.fromarray(picture).save(tmp_path / f"{n}.jpg", exif=exif.tobytes(), quality=95)
    with Reader(tmp_path / "%d.jpg") as reader:  # a display matrix: the film is played upright
        assert reader.info.rotation == -90
        assert reader.info.display_matrix == (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)


@ffmpeg
def test_ffmpeg_reads_the_same_of_gray_with_alpha(tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "mandelbrot=s=64x48:r=24:end_pts=60", "-frames:v", "4"]
    run: list[Any] = ["ffmpeg", "-v", "error", "-y"]
    film: list[Any] = ["-vf", "format=gray,format=ya16be", "-c:v", "png", tmp_path / "film.mkv"]
    subprocess.run([*run, *source, *film], check=True)
    decode: list[Any] = ["-i", tmp_path / "film.mkv", "-vf", "format=ya16le", "-f", "rawvideo", "-"]
    raw = subprocess.run([*run, *decode], check=True, capture_output=True).stdout
    wanted = np.frombuffer(raw, "<u2").reshape(-1, 48, 64, 2)[..., 0]
    with Reader(tmp_path / "film.mkv") as reader:
        assert "the alpha channel is left out" in reader.info.warnings
        assert np.array_equal(np.stack([f.luma.copy() for f in reader]), wanted)
    colorize(tmp_path / "film.mkv", tmp_path / "out.mkv")
    assert failures(verify(tmp_path / "film.mkv", tmp_path / "out.mkv")) == []
