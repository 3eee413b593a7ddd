"""Promise 2, the clock: every frame keeps its time as a rational."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from pycolor.errors import UsageError
from pycolor.video.io import Reader, scan
from pycolor.video.io.write.timing.clock import exact_clock, grid_clock
from pycolor.video.verify import verify
from tests.films import colorize, make_film
from tests.test_video_luma import failures

NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)


def times(path: Path) -> list[Fraction]:
    with Reader(path) as reader:
        return [frame.time for frame in reader]


@pytest.mark.parametrize("rate", [16, 18, 24, 25, 50, 60, FILM, NTSC, Fraction(50, 3)])
@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_constant_rates_are_exact(tmp_path: Path, rate: Fraction | int, ending: str) -> None:
    source = make_film(tmp_path / "in.mp4", codec="libx264", rate=rate, frames=7)
    colorize(source, tmp_path / f"out{ending}", options={"preset": "ultrafast"})
    assert times(tmp_path / f"out{ending}") == times(source)
    assert times(source) == [i / Fraction(rate) for i in range(7)]
    with Reader(tmp_path / f"out{ending}") as reader:
        assert reader.info.rate == rate


UNEVEN = [0, 3003, 6006, 15015, 15020, 30030, 90090, 90100]


@pytest.mark.parametrize("start", [0, 472_500])
def test_a_variable_rate_is_exact_in_mp4(tmp_path: Path, start: int) -> None:
    source = make_film(
        tmp_path / "in.mp4",
        codec="libx264",
        rate=NTSC,
        times=[start + t for t in UNEVEN],
        time_base=Fraction(1, 90000),
    )
    colorize(source, tmp_path / "out.mp4", options={"preset": "ultrafast"})
    assert times(tmp_path / "out.mp4") == times(source)
    assert failures(verify(source, tmp_path / "out.mp4")) == []


def test_a_variable_rate_in_matroska_is_within_half_a_tick(tmp_path: Path) -> None:
    uneven = [0, 3003, 6006, 15015, 30030, 90090, 90270]
    source = make_film(
        tmp_path / "in.mp4", codec="libx264", times=uneven, time_base=Fraction(1, 90000)
    )
    colorize(source, tmp_path / "out.mkv")
    pairs = zip(times(source), times(tmp_path / "out.mkv"), strict=True)
    assert all(abs(a - b) <= Fraction(1, 2000) for a, b in pairs)
    report = verify(source, tmp_path / "out.mkv")
    assert failures(report) == []
    assert any("half a tick of the 1 ms clock" in c.detail for c in report.checks)


def test_two_frames_within_a_millisecond_are_told_apart_in_matroska(tmp_path: Path) -> None:
    source = make_film(
        tmp_path / "in.mp4",
        codec="libx264",
        times=[0, 3000, 3010],
        time_base=Fraction(1, 90000),
        muxer_options={"movie_timescale": "90000"},
    )
    writer = colorize(source, tmp_path / "out.mkv")
    assert writer.moved == 1
    assert times(tmp_path / "out.mkv") == [Fraction(t, 1000) for t in (0, 33, 34)]


@pytest.mark.parametrize("offset", [0, 5250])
def test_matroska_to_matroska_keeps_every_millisecond(tmp_path: Path, offset: int) -> None:
    uneven = [offset + t for t in (0, 40, 81, 120, 300, 301, 340)]
    source = make_film(tmp_path / "in.mkv", times=uneven, time_base=Fraction(1, 1000), rate=25)
    colorize(source, tmp_path / "out.mkv")
    assert times(tmp_path / "out.mkv") == times(source) == [Fraction(t, 1000) for t in uneven]


@pytest.mark.parametrize("rate", [24, 25, FILM, NTSC])
def test_matroska_to_mp4_finds_the_grid_again(tmp_path: Path, rate: Fraction) -> None:
    source = make_film(tmp_path / "in.mkv", rate=rate, frames=9)
    colorize(source, tmp_path / "out.mp4", options={"preset": "ultrafast"})
    assert times(tmp_path / "out.mp4") == [i / Fraction(rate) for i in range(9)]
    with Reader(tmp_path / "out.mp4") as reader:
        assert reader.info.rate == rate
    assert failures(verify(source, tmp_path / "out.mp4")) == []


def test_off_the_grid_a_frame_keeps_its_millisecond() -> None:
    clock = grid_clock(Fraction(1, 1000), rate=NTSC, origin=Fraction(0))
    assert clock(33) * clock.time_base == Fraction(1001, 30000)
    assert clock(50) * clock.time_base == Fraction(50, 1000)
    assert clock.length(33) * clock.time_base == 1 / NTSC
    assert clock.length(0) == 0


def test_other_clocks_are_left_alone() -> None:
    clock = grid_clock(Fraction(1, 90000), rate=NTSC, origin=Fraction(0))
    assert clock == exact_clock(Fraction(1, 90000))
    assert [clock(t) for t in (0, 7, 3003)] == [0, 7, 3003]


def test_the_last_frame_keeps_its_duration(tmp_path: Path) -> None:
    source = make_film(
        tmp_path / "in.mp4", codec="libx264", times=[0, 10, 50], time_base=Fraction(1, 100)
    )
    colorize(source, tmp_path / "out.mp4", options={"preset": "ultrafast"})
    with Reader(source) as before, Reader(tmp_path / "out.mp4") as after:
        assert before.info.duration == after.info.duration == Fraction(9, 10)


@pytest.mark.parametrize("frames", [(0, 4), (3, 8), (9, None), slice(5, 6), (4, 99)])
@pytest.mark.parametrize("ending", [".mkv", ".mp4"])
def test_a_range_of_frames(tmp_path: Path, ending: str, frames: object) -> None:
    source = make_film(
        tmp_path / f"in{ending}",
        codec="libx264",
        frames=12,
        rate=25,
        options={"g": "5", "bf": "2"},
        sound=["aac"],
    )
    with Reader(source) as reader:
        every = [(f.index, f.pts, f.luma.tobytes()) for f in reader]
    with Reader(source, frames=frames) as reader:  # type: ignore[arg-type]
        part = [(f.index, f.pts, f.luma.tobytes()) for f in reader]
    span = frames if isinstance(frames, slice) else slice(*frames)  # type: ignore[misc]
    assert part == every[span]
    colorize(source, tmp_path / f"out{ending}", frames=frames, preset="lossless-h264")
    assert times(tmp_path / f"out{ending}")[0] == 0
    report = verify(source, tmp_path / f"out{ending}", frames=frames)  # type: ignore[arg-type]
    assert failures(report) == []
    assert report.identical_frames == len(part)


def test_a_timeline_spares_the_scan(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", codec="libx264", frames=12, options={"g": "4"})
    timeline = scan(source)
    with Reader(source) as reader:
        assert list(timeline or ()) == [f.pts for f in reader]
    with Reader(source, frames=(7, 9), timeline=timeline) as reader:
        assert [f.index for f in reader] == [7, 8]


@pytest.mark.parametrize("frames", [(5, 5), (-1, 3), (6, 2), slice(0, 9, 2)])
def test_a_range_that_makes_no_sense_is_refused(tmp_path: Path, frames: object) -> None:
    source = make_film(tmp_path / "in.mkv", frames=3)
    with pytest.raises(UsageError, match="range of frames"):
        Reader(source, frames=frames)  # type: ignore[arg-type]


def test_a_range_behind_the_end_is_refused(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=3)
    with pytest.raises(UsageError, match="has 3 frames"):
        Reader(source, frames=(3, None))


@pytest.mark.parametrize("ending", [".ts", ".mpg", ".avi", ".h264", ".mxf", ".webm", ".nut"])
def test_other_containers(tmp_path: Path, ending: str) -> None:
    codec = {".mpg": "mpeg2video", ".mxf": "mpeg2video", ".avi": "mpeg4", ".webm": "libvpx-vp9"}
    source = make_film(
        tmp_path / f"in{ending}",
        codec=codec.get(ending, "libx264"),
        frames=8,
        rate=25,
        width=96,
        height=64,
    )
    colorize(source, tmp_path / "out.mkv")
    assert failures(verify(source, tmp_path / "out.mkv")) == []
    colorize(source, tmp_path / "out.mp4", options={"preset": "ultrafast"})
    assert failures(verify(source, tmp_path / "out.mp4")) == []
    with Reader(source, frames=(3, 6)) as reader, Reader(source) as whole:
        wanted = [f.luma.tobytes() for f in whole][3:6]
        assert [f.luma.tobytes() for f in reader] == wanted


def test_a_raw_stream_without_a_rate_takes_the_given_one(tmp_path: Path) -> None:
    """At 18 frames a second its clock, of 1/1200000 s, has no whole ticks for a frame."""
    options = {"x265-params": "vui-timing-info=0:log-level=error"}
    source = make_film(
        tmp_path / "in.hevc", codec="libx265", options=options, frames=70, width=64, height=64
    )
    for rate in (None, Fraction(18), Fraction(24000, 1001)):
        with Reader(source, rate=rate) as reader:
            times = [frame.time for frame in reader]
            assert reader.info.rate == (rate or 25)
            tick = reader.info.time_base
        assert len(times) == 70
        assert all(abs(t - n / reader.info.rate) <= tick / 2 for n, t in enumerate(times))


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".y4m", ".h264"])
def test_a_film_that_tells_its_rate_takes_no_other(tmp_path: Path, ending: str) -> None:
    codec = {".y4m": "rawvideo", ".mkv": "ffv1"}.get(ending, "libx264")
    source = make_film(tmp_path / f"in{ending}", codec=codec, frames=5)
    with Reader(source, rate=Fraction(24)) as reader:
        assert len(list(reader)) == 5
    with pytest.raises(UsageError, match="24 frames per second; a rate is for numbered pictures"):
        Reader(source, rate=Fraction(24000, 1001))
