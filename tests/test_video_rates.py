"""A film of constant rate stays one, by the word of readers that are not pycolor's."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pycolor.video.io import Reader, Writer, concat_segments
from pycolor.video.io.write.timing.clock import constant_clock, drift, grid_of
from pycolor.video.verify import verify
from tests.films import by_segments, make_film

ffprobe = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
mediainfo = pytest.mark.skipif(
    shutil.which("mediainfo") is None, reason="mediainfo is not installed"
)
mkvinfo = pytest.mark.skipif(shutil.which("mkvinfo") is None, reason="mkvinfo is not installed")

NTSC = Fraction(1000, 1001)
RATES = {
    "12": Fraction(12),
    "16": Fraction(16),
    "18": Fraction(18),
    "23.976": 24 * NTSC,
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": 30 * NTSC,
    "30": Fraction(30),
    "50": Fraction(50),
    "60": Fraction(60),
}
FRAMES = 15
# Ending, codec, and its options.
SOURCES: dict[str, tuple[str, dict[str, str]]] = {
    ".mp4": ("libx264", {"preset": "ultrafast", "bf": "2"}),
    ".mkv": ("ffv1", {}),
    ".ts": ("libx264", {"preset": "ultrafast", "bf": "2"}),
    ".vob": ("mpeg2video", {"bf": "0"}),
    ".avi": ("mjpeg", {}),
    ".h264": ("libx264", {"preset": "ultrafast", "bf": "2"}),
    ".hevc": ("libx265", {"preset": "ultrafast", "x265-params": "log-level=error"}),
}
# MPEG-2 codes no other rates than those of broadcasting.
MPEG2_RATES = ("23.976", "24", "25", "29.97", "30", "50", "60")
CASES = [
    pytest.param(ending, rate, "out.mp4", id=f"{ending[1:]} {rate}")
    for ending, (codec, _) in SOURCES.items()
    for rate in (MPEG2_RATES if codec == "mpeg2video" else RATES)
]
# MOV is written by the same code: the two clocks that round are enough.
CASES += [
    pytest.param(ending, rate, "out.mov", id=f"{ending[1:]} {rate} mov")
    for ending in (".mkv", ".ts")
    for rate in ("16", "23.976", "25")
]


def film_of(folder: Path, ending: str, rate: str) -> Path:
    codec, options = SOURCES[ending]
    kind: dict[str, Any] = {}
    if codec == "mjpeg":
        kind = {"color_range": 2, "pixel_format": "yuvj420p"}
    return make_film(
        folder / f"in{ending}",
        codec=codec,
        options=options,
        frames=FRAMES,
        rate=RATES[rate],
        **kind,
    )


def probed(path: Path, *more: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-of", "json", "-select_streams", "v", *more, str(path)]
    told: dict[str, Any] = json.loads(
        subprocess.run(command, capture_output=True, check=True).stdout
    )
    return told


def described(path: Path) -> list[str]:
    """What mediainfo says: constant or not, the rate, the number of frames."""
    keys = "Video;%FrameRate_Mode% %FrameRate% %FrameCount%"
    command = ["mediainfo", f"--Output={keys}", str(path)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()


@ffprobe
@mediainfo
@pytest.mark.parametrize(("ending", "rate", "result"), CASES)
def test_the_default_output_is_of_constant_rate(
    tmp_path: Path, ending: str, rate: str, result: str
) -> None:
    source, target = film_of(tmp_path, ending, rate), tmp_path / result
    by_segments(source, target)
    told = probed(target, "-show_streams", "-show_packets")
    stream, packets = told["streams"][0], told["packets"]
    frame = float(1 / RATES[rate])
    assert Fraction(stream["avg_frame_rate"]) == Fraction(stream["r_frame_rate"]) == RATES[rate]
    assert float(stream["duration"]) == pytest.approx(FRAMES * frame, abs=1e-4)
    start = min(float(p["pts_time"]) for p in packets)
    assert 0 <= start < frame  # an MPEG stream's clock runs long before
    delay = round((start - float(packets[0]["dts_time"])) / frame)
    assert delay <= int(stream["has_b_frames"])
    for number, packet in enumerate(packets):  # decoding begins `delay` frames early
        expected = start + (number - delay) * frame
        assert float(packet["dts_time"]) == pytest.approx(expected, abs=2e-6)
    shown = sorted(float(p["pts_time"]) - start for p in packets)
    assert shown == pytest.approx([n * frame for n in range(FRAMES)], abs=2e-6)
    assert described(target) == ["CFR", f"{float(RATES[rate]):.3f}", str(FRAMES)]
    assert verify(source, target).ok


@ffprobe
def test_one_frame_lasts_as_long_as_its_rate_says(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", codec="libx264", frames=1, times=[0])
    by_segments(source, tmp_path / "out.mp4")
    stream = probed(tmp_path / "out.mp4", "-show_streams")["streams"][0]
    assert float(stream["duration"]) == pytest.approx(1 / 24, abs=1e-6)
    assert Fraction(stream["avg_frame_rate"]) == 24


@mkvinfo
def test_matroska_states_a_duration_of_constant_frames_alone(tmp_path: Path) -> None:
    uneven = [0, 3003, 6006, 15015, 30030, 90090, 93093]
    for name, times, stated in (
        ("constant", [3003 * n for n in range(7)], True),
        ("varying", uneven, False),
    ):
        source = make_film(
            tmp_path / f"{name}.mp4",
            codec="libx264",
            times=times,
            time_base=Fraction(1, 90000),
            rate=30 * NTSC,
        )
        by_segments(source, tmp_path / f"{name}.mkv")
        command = ["mkvinfo", str(tmp_path / f"{name}.mkv")]
        told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        assert ("Default duration: 00:00:00.0333" in told) == stated
        assert ("Default duration" in told) == stated


def ticks(rate: Fraction, base: Fraction, count: int, first: int = 0) -> list[int]:
    return [round((first + n) / rate / base) for n in range(count)]


@pytest.mark.parametrize("rate", RATES.values())
@pytest.mark.parametrize("base", [Fraction(1, 1000), Fraction(1, 90000), Fraction(1, 600)])
@pytest.mark.parametrize("first", [0, 7, 12345])
def test_a_rounding_clock_has_a_grid(rate: Fraction, base: Fraction, first: int) -> None:
    timeline = ticks(rate, base, 2000, first)
    grid = grid_of(timeline, base, rate)
    assert grid is not None
    assert grid.rate == rate
    assert not grid.gaps
    assert grid.tolerance <= base
    clock = constant_clock(base, grid, shift=grid.origin)
    step = 1 / rate / clock.time_base
    assert step.denominator == 1
    assert [clock(t) for t in timeline] == [n * step for n in range(2000)]


def test_what_a_grid_is_not() -> None:
    base = Fraction(1, 1000)
    assert grid_of([], base, Fraction(24)) is None
    assert grid_of([0, 42, 83, 125, 200, 208], base, Fraction(24)) is None
    missing = grid_of([0, 42, 83, 208, 250], base, Fraction(24))
    assert missing is not None
    assert missing.gaps == 1
    assert not missing.constant
    # FFmpeg guesses the rate of fields; the frames tell otherwise.
    fields = grid_of([0, 3003, 6006, 9009], Fraction(1, 90000), 60 * NTSC)
    assert fields is not None
    assert fields.rate == 30 * NTSC


def test_drift_is_counted_from_the_first_frame() -> None:
    assert drift([10, 52, 94], Fraction(1, 1000), Fraction(24)) < Fraction(1, 1000)
    assert drift([0, 1, 5], Fraction(1, 24), Fraction(24)) == Fraction(3, 24)


@ffprobe
@pytest.mark.parametrize("ending", [".mkv", ".mp4"])
def test_a_part_of_an_uneven_film_ends_where_the_next_frame_begins(
    tmp_path: Path, ending: str
) -> None:
    times = [0, 33, 67, 300, 333, 500, 533, 2000]
    source = make_film(
        tmp_path / "in.mkv", times=times, time_base=Fraction(1, 1000), rate=30, codec="ffv1"
    )
    timeline = times[:5]
    part, target = tmp_path / "part.mkv", tmp_path / f"out{ending}"
    preset = "lossless-h264"
    with Reader(source, frames=(0, 5)) as frames, Writer(part, frames, preset=preset) as writer:
        for frame in frames:
            writer.write(writer.picture(frame))
    with Reader(source, frames=(0, 5)) as reader:  # the job joins with one that has read nothing
        concat_segments([part], reader, target, timeline=timeline, preset=preset)
    told = probed(target, "-show_format")["format"]
    assert float(told["duration"]) == pytest.approx(0.5, abs=2e-3)
    assert verify(source, target, frames=(0, 5)).ok
