"""Films of R'G'B', and films that are folders of pictures."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from pycolor.errors import FilmError, UsageError
from pycolor.image.files.picture_files import write_image
from pycolor.options import PredictOptions, VideoOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.video.io import Reader
from pycolor.video.job.film import color_film
from pycolor.video.plan.analysis import analyze_film
from pycolor.video.verify import verify
from tests.films import colorize, make_film
from tests.test_video_luma import failures


def gray(index: int, *, deep: bool = False) -> Any:
    kind = np.uint16 if deep else np.uint8
    random = np.random.default_rng(index)
    return random.integers(0, np.iinfo(kind).max + 1, (36, 50)).astype(kind)


@pytest.mark.parametrize("name", ["gbrp10le", "gbrp12le", "gbrp16le", "bgr0", "bgra"])
def test_luma_of_red_green_blue(tmp_path: Path, name: str) -> None:
    source = make_film(tmp_path / "in.mkv", pixel_format=name, matrix=0, frames=3, color_range=2)
    writer = colorize(source, tmp_path / "out.mkv")
    assert writer.encoding.full_range
    assert writer.encoding.subsampling == "444"
    assert failures(verify(source, tmp_path / "out.mkv")) == []
    with Reader(source) as reader:
        assert any("R'G'B'" in w for w in reader.info.warnings)
        frame = next(iter(reader))
    bits = reader.info.encoding.bit_depth
    planar = frame.native.reformat(format="gbrp" if bits == 8 else f"gbrp{bits}le")
    kind = np.dtype("u1" if bits == 8 else "<u2")
    rows = [np.frombuffer(memoryview(p), kind).reshape(p.height, -1) for p in planar.planes]
    g, b, r = (plane[:, : frame.native.width].astype(np.float64) for plane in rows)
    exact = 0.2126 * r + 0.7152 * g + 0.0722 * b
    assert np.abs(frame.luma - exact).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_folder_of_pictures(tmp_path: Path, suffix: str, color: bool, deep: bool) -> None:
    folder = tmp_path / "reel [1] 50%"
    folder.mkdir()
    for index in range(4):
        path = folder / f"scan_{97 + index:04d}{suffix}"
        pixels = gray(index, deep=deep)
        if color:
            write_image(path, np.repeat(pixels[..., None], 3, axis=2))
        else:
            Image.fromarray(pixels).save(path)
    colorize(folder, tmp_path / "out.mkv")
    report = verify(folder, tmp_path / "out.mkv")
    assert failures(report) == []
    assert report.frames == 4
    with Reader(tmp_path / "out.mkv") as reader:
        for index, frame in enumerate(reader):
            assert np.array_equal(frame.luma, gray(index, deep=deep))
            assert abs(frame.time - Fraction(index, 24)) <= Fraction(1, 2000)


def test_a_pattern_of_pictures_at_a_silent_speed(tmp_path: Path) -> None:
    for index in range(5):
        Image.fromarray(gray(index)).save(tmp_path / f"f{index + 12:05d}.png")
    pattern = tmp_path / "f%05d.png"
    with Reader(pattern, rate=Fraction(16)) as reader:
        assert reader.info.rate == 16
        frames = list(reader)
    assert [f.time for f in frames] == [Fraction(n, 16) for n in range(5)]
    assert all(np.array_equal(f.luma, gray(n)) for n, f in enumerate(frames))
    with Reader(pattern, rate=Fraction(16), frames=(2, 4)) as reader:
        assert [(f.index, f.time) for f in reader] == [(2, Fraction(1, 8)), (3, Fraction(3, 16))]


@pytest.mark.parametrize("ending", [".mkv", ".mp4"])
def test_pictures_are_colored_at_the_rate_that_is_given(tmp_path: Path, ending: str) -> None:
    for index in range(30):
        Image.fromarray(gray(index)).save(tmp_path / f"f{index:05d}.png")
    source, target = tmp_path / "f%05d.png", tmp_path / f"out{ending}"
    film = Fraction(24000, 1001)
    predict = PredictOptions(model="richart2017", short_side=16)
    options = VideoOptions(rate="24000/1001", segment_frames=8, predict=predict)
    said: list[str] = []
    color_film(source, target, options, say=said.append)
    assert not any("no rate" in text for text in said)
    assert failures(verify(source, target, rate=film)) == []
    assert json.loads((tmp_path / "out.json").read_text())["source"]["rate"] == "24000/1001"
    with Reader(target) as reader:
        assert reader.info.rate == film
        late = max(abs(frame.time - frame.index / film) for frame in reader)
    assert late <= (Fraction(1, 2000) if ending == ".mkv" else 0)
    assert analyze_film(source, rate=film).rate == film


def test_pictures_without_a_rate_are_announced(tmp_path: Path) -> None:
    Image.fromarray(gray(0)).save(tmp_path / "f00000.png")
    with Reader(tmp_path / "f%05d.png") as reader:
        assert reader.info.rate == 24
        assert "numbered pictures tell no rate; 24 frames per second is taken" in (
            reader.info.warnings
        )
    with Reader(tmp_path / "f%05d.png", rate=Fraction(24)) as reader:
        assert not any("no rate" in warning for warning in reader.info.warnings)


@pytest.mark.parametrize(
    "text", ["", "0", "24/0", "0/1", "-24", "24:1", "1001", "9999999999/999999999", "x"]
)
def test_rates_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"rate must be frames per second.*24000/1001.*got"):
        VideoOptions(rate=text)


def test_rates() -> None:
    assert frame_rate(None) is None
    assert frame_rate("18") == 18
    assert frame_rate("24000/1001") == Fraction(24000, 1001)
    assert frame_rate("1000") == 1000


def test_dpx(tmp_path: Path) -> None:
    """Gray film scanned to DPX has R' = G' = B': its luma is that value."""
    with av.open(str(tmp_path / "d_%03d.dpx"), "w", format="image2") as container:
        stream: Any = container.add_stream("dpx", rate=24, width=50, height=36, pix_fmt="gbrp10le")
        for index in range(3):
            frame = av.VideoFrame(50, 36, "gbrp10le")
            codes = (gray(index, deep=True) >> 6).astype("<u2")
            for plane in frame.planes:
                rows = np.frombuffer(memoryview(plane), "<u2").reshape(-1, plane.line_size // 2)
                rows[:36, :50] = codes
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    colorize(tmp_path / "d_%03d.dpx", tmp_path / "out.mkv")
    with Reader(tmp_path / "out.mkv") as reader:
        assert reader.info.encoding.bit_depth == 10
        for index, read in enumerate(reader):
            assert np.array_equal(read.luma, gray(index, deep=True) >> 6)


def test_folders_that_are_no_film(tmp_path: Path) -> None:
    with pytest.raises(FilmError, match="is a folder; expected a film"):
        Reader(tmp_path)
    Image.fromarray(gray(0)).save(tmp_path / "a.png")
    Image.fromarray(gray(0)).save(tmp_path / "a.tif")
    with pytest.raises(FilmError, match=r"several kinds, \.png, \.tif; expected one"):
        Reader(tmp_path)
    with pytest.raises(FilmError, match="matches no file"):
        Reader(tmp_path / "b%04d.png")
