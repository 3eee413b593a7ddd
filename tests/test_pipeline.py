"""A film from file to file: luma, chroma, interlace, damage, memory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.errors import FilmError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Reader, Writer
from pycolor.video.io.frame.tensors import as_tensor
from pycolor.video.io.read.packets import packet_records
from pycolor.video.job.film import color_film
from pycolor.video.render.chroma_planes import render_picture as render
from pycolor.video.verify import verify
from tests.films import data_film, make_film

QUICK = VideoOptions(predict=PredictOptions(model="richart2017", short_side=32))

FORMATS = [
    "gray", "gray10le", "gray16le",
    "yuv420p", "yuv422p", "yuv444p", "yuvj420p",
    "yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv420p12le", "yuv444p16le",
]  # fmt: skip


def failures(source: Path, result: Path, frames: tuple[int, int | None] | None = None) -> list[str]:
    report = verify(source, result, frames=frames)
    return [f"{c.name}: {c.detail}" for c in report.checks if c.state == "differs"]


@pytest.mark.parametrize("name", FORMATS)
def test_luma_and_everything_else_survive(name: str, tmp_path: Path) -> None:
    codec = "mjpeg" if name.startswith("yuvj") else "ffv1"
    source = make_film(
        tmp_path / "in.mkv", pixel_format=name, codec=codec, frames=3, sound=["flac"]
    )
    report = color_film(source, tmp_path / "out.mkv", QUICK)
    assert report.frames == 3
    assert failures(source, tmp_path / "out.mkv") == []


def test_odd_sizes(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", width=51, height=37, frames=2)
    for target in ("out.mkv", "out.mp4"):
        color_film(source, tmp_path / target, QUICK)
        assert failures(source, tmp_path / target) == []


def test_the_film_is_colored(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", pixel_format="gray", frames=2)
    # The default leaves a gradient gray, as it should.
    lively = replace(QUICK, predict=replace(QUICK.predict, model="zhang2016"))
    color_film(source, tmp_path / "out.mkv", lively)
    with Reader(tmp_path / "out.mkv") as reader:
        assert reader.info.pixel_format == "yuv422p"
        for frame in reader:
            chroma = [np.frombuffer(bytes(p), np.uint8) for p in frame.native.planes[1:]]
            assert all(np.ptp(p[:32]) > 0 or p[0] != 128 for p in chroma)


def test_variable_frame_rate_stays(tmp_path: Path) -> None:
    times = [0, 40, 80, 200, 240, 900]
    source = make_film(
        tmp_path / "in.mkv", frames=6, times=times, time_base=Fraction(1, 1000), rate=25
    )
    for target in ("out.mkv", "out.mp4"):
        color_film(source, tmp_path / target, QUICK)
        assert failures(source, tmp_path / target) == []


def test_a_range_that_is_not_there(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=3)
    with pytest.raises(Exception, match="frame"):
        color_film(source, tmp_path / "out.mkv", VideoOptions(frames="7:"))
    assert not (tmp_path / "out.mkv").exists()


def test_sound_ends_with_the_range(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=48, sound=["flac"])
    for target, frames in (("head.mkv", ":12"), ("middle.mkv", "12:24")):
        color_film(source, tmp_path / target, replace(QUICK, frames=frames))
        *_, last = packet_records(tmp_path / target, 1)
        assert last.time is not None
        assert 0.4 < last.time < 0.5


def test_failure_in_the_middle_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_film(tmp_path / "in.mkv", frames=12)
    calls = 0

    def failing(*args: object, **kwargs: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 7:
            raise FilmError("the disk is full.")

    monkeypatch.setattr("pycolor.video.render.chroma_planes.render_picture", failing)
    with pytest.raises(FilmError, match="full"):
        color_film(source, tmp_path / "out.mkv", QUICK)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mkv"]


def test_encoder_failure_comes_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_film(tmp_path / "in.mkv", frames=30)

    def failing(self: Writer, picture: object) -> None:
        raise FilmError("no space left.")

    monkeypatch.setattr(Writer, "write", failing)
    with pytest.raises(FilmError, match="no space"):
        color_film(source, tmp_path / "out.mkv", QUICK)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mkv"]


class _Picture:
    def __init__(self, luma: np.ndarray, chroma: tuple[np.ndarray, np.ndarray]) -> None:
        self.luma, self.chroma = luma, chroma


def test_fields_of_interlaced_film_do_not_mix() -> None:
    """Black first field, white second field: each field's chroma must be its own."""
    encoding = Encoding()
    luma = np.full((64, 64), 40, np.uint8)
    luma[1::2] = 200
    field = torch.zeros(2, 8, 8)
    field[0] = 20
    u, v = (np.zeros((32, 32), np.uint8) for _ in range(2))
    render(field, _Picture(luma, (u, v)), encoding, interlaced=True)  # type: ignore[arg-type]
    for parity in (0, 1):
        lines = torch.from_numpy(luma[parity::2].copy())[None]
        alone = ops.render_chroma(field[None], lines, encoding=encoding)
        assert np.array_equal(u[parity::2], alone[0][0].numpy())
        assert np.array_equal(v[parity::2], alone[1][0].numpy())
    assert (u[0::2] != u[1::2]).any() or (v[0::2] != v[1::2]).any()


def test_planes_are_shared_not_copied() -> None:
    plane = np.zeros((4, 8), np.uint16)[:, :5]
    tensor = as_tensor(plane)
    plane[1, 2] = 7
    assert tensor[1, 2] == 7
    plane.flags.writeable = False
    assert as_tensor(plane).data_ptr() == tensor.data_ptr()


@pytest.mark.needs_data
@pytest.mark.parametrize(
    "name",
    [
        "archival/market_street_1906.mp4",
        "archival/chaplin_audio.mp4",
        "edge/vfr.mkv",
        "edge/prores422_10.mov",
        "edge/gray16_ffv1.mkv",
        "edge/odd_size_ffv1.mkv",
        "edge/interlaced_h264.mp4",
        "edge/rotated90.mp4",
        "edge/sar_anamorphic.mp4",
        "edge/fullrange_bt601.mp4",
        "edge/one_frame.mp4",
    ],
)
def test_shared_films_survive(name: str, tmp_path: Path) -> None:
    source = data_film(name)
    part = (0, 40) if name.startswith("archival") else None
    options = replace(QUICK, frames=":40") if part else QUICK
    color_film(source, tmp_path / "out.mkv", options)
    assert failures(source, tmp_path / "out.mkv", part) == []


MEASURED = """
import resource, sys
from pathlib import Path
from pycolor import VideoOptions, PredictOptions, color_film
options = VideoOptions(preset="h264", codec_options="preset=ultrafast",
                       predict=PredictOptions(model="richart2017", short_side=32))
color_film(Path(sys.argv[1]), Path(sys.argv[2]), options)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(tmp_path: Path) -> None:
    peaks = []
    for frames in (60, 600):
        source = make_film(
            tmp_path / f"{frames}.mkv",
            frames=frames,
            width=320,
            height=240,
            codec="mpeg2video",
            sound=["flac"],
        )
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, str(source), str(tmp_path / f"{frames}.mp4")],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout))
    assert peaks[1] < 1.1 * peaks[0]
