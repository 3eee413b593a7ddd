"""Damage that decoders keep to themselves: wrong checksums, frames that are not there."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycolor.errors import counted
from pycolor.video.io import Reader
from pycolor.video.io.containers.codecs.ffv1 import slices_of
from pycolor.video.io.read.integrity.continuity import Continuity
from pycolor.video.verify import verify
from tests.films import colorize, make_film

ARCHIVE = {"level": "3", "slicecrc": "1", "g": "1"}


def packets(film: Path) -> list[tuple[int, int]]:
    """Place and size of every packet of the picture."""
    with av.open(str(film)) as container:
        return [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size]


def test_every_broken_bit_of_an_archives_frame_is_told_by_time(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=40, options=ARCHIVE)
    whole = film.read_bytes()
    with av.open(str(film)) as container:
        data = [bytes(p) for p in container.demux(video=0) if p.size]
    places = [whole.index(d) for d in data]
    random = np.random.default_rng(5)
    for number in random.integers(1, 40, 12):
        broken = bytearray(whole)
        place = places[number] + int(random.integers(0, len(data[number])))
        broken[place] ^= 1 << int(random.integers(8))
        source = tmp_path / "broken.mkv"
        source.write_bytes(broken)
        with Reader(source) as reader:
            frames = list(reader)
        at = Fraction(round(Fraction(int(number), 24) * 1000), 1000)
        told = [d for d in reader.damages if d.time == at]
        assert any("checksum" in d.what or "slices" in d.what for d in told)
        assert [f.index for f in frames if f.corrupt] in ([number], [])
    colorize(source, tmp_path / "out.mkv")
    report = verify(source, tmp_path / "out.mkv")
    assert report.ok
    assert any(c.name == "damage" and "checksum" in c.detail for c in report.checks)


@pytest.mark.parametrize("options", [{"level": "3", "slicecrc": "0"}, {"level": "1"}])
def test_a_film_without_checksums_is_not_blamed(tmp_path: Path, options: dict[str, str]) -> None:
    film = make_film(tmp_path / "in.mkv", frames=5, options=options)
    with Reader(film) as reader:
        assert len(list(reader)) == 5
    assert reader.damages == []


def test_a_picture_of_motion_jpeg_that_is_cut_is_told_by_time(tmp_path: Path) -> None:
    film = make_film(
        tmp_path / "in.avi", codec="mjpeg", pixel_format="yuvj420p", color_range=2, frames=12
    )
    with av.open(str(film)) as container:
        data = [bytes(p) for p in container.demux(video=0) if p.size][7]
    source = tmp_path / "broken.avi"
    half = len(data) // 2
    source.write_bytes(film.read_bytes().replace(data, data[:half] + b"\1" * (len(data) - half)))
    with Reader(source) as reader:
        list(reader)
    assert any("end marker" in d.what and d.time == Fraction(7, 24) for d in reader.damages)
    with Reader(film) as reader:
        list(reader)
    assert reader.damages == []


def test_slices_of_a_packet(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=2, options={**ARCHIVE, "slices": "12"})
    with av.open(str(film)) as container:
        packet = next(bytes(p) for p in container.demux(video=0) if p.size)
    assert slices_of(packet) == (12, 0)
    broken = bytearray(packet)
    broken[-1] ^= 1
    broken[3] ^= 128
    assert slices_of(bytes(broken)) == (12, 2)
    assert slices_of(packet[:-3]) != (12, 0)
    assert slices_of(b"\0\0\0") is None


STEP = Fraction(1, 25)


@given(st.lists(st.integers(1, 30), max_size=3, unique=True).map(sorted), st.integers(0, 5))
def test_missing_frames_are_counted(lost: list[int], short: int) -> None:
    """Of 100 frames at 25 a second, up to three are not there, and some at the end."""
    lost = [3 * n for n in lost]  # never two beside each other
    watch = Continuity(step=STEP, tick=Fraction(1, 1000), due=Fraction(0))
    for n in range(100 - short):
        if n not in lost:
            watch.add(Fraction(round(n * STEP * 1000), 1000), Fraction(0))
    assert [gap.frames for gap in watch.gaps()] == [1] * len(lost)
    assert [gap.time for gap in watch.gaps()] == [(n - 1) * STEP for n in lost]
    assert watch.shortfall(100 * STEP) == short


def test_a_late_beginning_is_a_gap() -> None:
    watch = Continuity(step=STEP, tick=Fraction(1, 1000), due=Fraction(5))
    for n in range(3, 40):
        watch.add(5 + n * STEP, STEP)
    [gap] = watch.gaps()
    assert (gap.time, gap.frames) == (Fraction(5), 3)


def test_a_frame_that_says_how_long_it_is_shown_leaves_no_gap() -> None:
    watch = Continuity(step=STEP, tick=Fraction(1, 1000))
    for n in range(40):
        watch.add(n * STEP, STEP)
    watch.add(40 * STEP, 10 * STEP)
    watch.add(50 * STEP, STEP)
    assert watch.gaps() == []


def test_a_varying_rate_has_no_gaps() -> None:
    watch = Continuity(step=STEP, tick=Fraction(1, 1000))
    for n in range(0, 200, 3):
        for m in (n, n + 1):
            watch.add(m * STEP, Fraction(0))
    assert watch.gaps() == []


@pytest.mark.parametrize(("missing", "told"), [(12, False), (13, True)])
def test_of_a_short_film_half_a_second_is_a_gap(missing: int, told: bool) -> None:
    """Two frames, a hole, four more: a rate nobody can be sure of, but half a second is told."""
    watch = Continuity(step=STEP, tick=Fraction(1, 1000), due=Fraction(0))
    for n in (0, 1, *range(missing + 1, missing + 5)):
        watch.add(n * STEP, Fraction(0))
    found = watch.gaps()
    assert bool(found) == told
    if told:
        assert (found[0].time, found[0].seconds) == (STEP, missing * STEP)


def test_a_header_that_tells_no_length_is_told(tmp_path: Path) -> None:
    """A recorder that was switched off never came back to write it."""
    film = make_film(tmp_path / "in.mkv", frames=12, rate=25)
    whole = film.read_bytes()
    with Reader(film) as reader:
        assert not any("no length" in note for note in reader.info.warnings)
    place = whole.index(b"\x44\x89\x88")  # Duration, 8 bytes: becomes Void
    cut = bytearray(whole.replace(b"DURATION", b"DURATIOX"))  # the statistic of the track
    cut[place : place + 11] = b"\xec\x89" + bytes(9)
    source = tmp_path / "open.mkv"
    source.write_bytes(cut)
    with Reader(source) as reader:
        assert any("tells no length" in note for note in reader.info.warnings)
        assert len(list(reader)) == 12
    assert reader.damages == []


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".mov", ".avi", ".ts", ".mpg", ".mxf", ".webm"])
def test_whole_films_miss_nothing(tmp_path: Path, ending: str) -> None:
    codec = {".mpg": "mpeg2video", ".mxf": "mpeg2video", ".webm": "libvpx"}.get(ending, "libx264")
    sound = {".webm": "libopus", ".mxf": "pcm_s16le", ".mpg": "mp2"}.get(ending, "ac3")
    bits = {".mxf": "yuv422p"}.get(ending, "yuv420p")
    film = make_film(
        tmp_path / f"in{ending}",
        codec=codec,
        frames=40,
        rate=25,
        sound=[sound],
        pixel_format=bits,
        options={"bf": "0" if ending == ".avi" else "2"} if codec != "libvpx" else {},
    )
    with Reader(film) as reader:
        assert len(list(reader)) == 40
    assert reader.damages == []


def test_a_hole_in_a_matroska_is_told_by_time(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", codec="libx264", frames=60, options={"g": "1"})
    whole = film.read_bytes()
    places = packets(film)
    broken = bytearray(whole)
    first, (last, size) = places[20][0], places[23]
    broken[first - 8 : last + size] = b"\xff" * (last + size - first + 8)
    source = tmp_path / "broken.mkv"
    source.write_bytes(broken)
    with Reader(source) as reader:
        frames = len(list(reader))
    assert frames < 60
    gap = next(d for d in reader.damages if "missing" in d.what)
    assert gap.time is not None
    assert abs(gap.time - Fraction(19, 24)) < Fraction(1, 500)
    assert f"({60 - frames} missing)" in gap.what


@pytest.mark.parametrize("cut", [0.5, 0.99, 1 / 16])
def test_a_frame_that_an_edit_list_cuts_does_not_count_as_missing(cut: float) -> None:
    watch = Continuity(step=STEP, tick=Fraction(1, 1000), due=Fraction(0))
    for n in range(40):
        watch.add(n * STEP, STEP)
    assert watch.shortfall((40 + Fraction(cut)) * STEP, cut=True) == 0
    assert watch.shortfall((42 + Fraction(cut)) * STEP, cut=True) == 2


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_a_film_cut_within_a_frame_is_whole(tmp_path: Path) -> None:
    """FFmpeg's header counts the rest of the frame that the edit list begins in."""
    whole = make_film(tmp_path / "in.mp4", codec="libx264", rate=24, frames=30)
    source = tmp_path / "cut.mp4"
    command = ["ffmpeg", "-v", "error", "-ss", "0.31", "-i", whole, "-c", "copy", "-an", source]
    subprocess.run(list(map(str, command)), check=True)
    for first, frames in ((0, 22), (14, 8)):  # the range begins behind what is hidden
        with Reader(source, frames=(first, None)) as reader:
            assert (len(list(reader)), reader.damages) == (frames, [])


@pytest.mark.parametrize(("number", "said"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames")])
def test_one_is_no_plural(number: int, said: str) -> None:
    assert counted(number, "frame") == said
