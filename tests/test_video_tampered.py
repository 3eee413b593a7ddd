"""`verify` sees what was changed in a result, however little."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pycolor.video.io import Reader, Writer
from pycolor.video.io.frame.pixel_formats import plane_view
from pycolor.video.verify import verify
from tests.films import colorize, make_film
from tests.test_video_luma import failures

Change = Callable[[Any, str], None]


def remuxed(source: Path, result: Path, change: Change) -> Path:
    """The film with each packet changed."""
    with av.open(str(source)) as film, av.open(str(result), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in film.streams}
        for old, new in zip(film.streams, streams.values(), strict=True):
            new.metadata.update(old.metadata)
            new.disposition = old.disposition
        for packet in film.demux():
            if packet.size:
                change(packet, packet.stream.type)
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return result


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_film(
        tmp_path / "in.mkv",
        pixel_format="yuv420p",
        width=96,
        height=64,
        frames=16,
        sound=["ac3"],
        titles="subrip",
        matrix=1,
        color_range=1,
    )


def later(kind: str) -> Change:
    def change(packet: Any, type_: str) -> None:
        if type_ == kind:
            packet.pts, packet.dts = packet.pts + 1, packet.dts + 1

    return change


def shorter(packet: Any, kind: str) -> None:
    if kind == "subtitle":
        packet.duration -= 60


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (later("video"), "timestamps"),
        (later("audio"), "audio 1"),
        (later("subtitle"), "subtitle 2"),
        (shorter, "subtitle 2"),
    ],
    ids=["picture 1 ms", "sound 1 ms", "titles 1 ms", "titles shorter"],
)
def test_a_moved_packet_is_seen(source: Path, tmp_path: Path, change: Change, named: str) -> None:
    colorize(source, tmp_path / "out.mkv")
    same = remuxed(tmp_path / "out.mkv", tmp_path / "same.mkv", lambda packet, kind: None)
    assert failures(verify(source, same)) == []
    changed = remuxed(tmp_path / "out.mkv", tmp_path / "changed.mkv", change)
    assert {line.split(":")[0] for line in failures(verify(source, changed))} == {named}


def brighter(luma: Any) -> None:
    luma[:] = np.clip(luma.astype(int) + 4, 0, 255)


def overlaid(luma: Any) -> None:
    luma[8:24, 16:48] = 40


def one_block(luma: Any) -> None:
    """As a coder leaves it that repeats a block of the frame before in a film that flickers."""
    luma[16:32, 16:32] = np.clip(luma[16:32, 16:32].astype(int) + 5, 0, 255)


@pytest.mark.parametrize(
    ("change", "seen"), [(None, False), (one_block, False), (brighter, True), (overlaid, True)]
)
def test_one_changed_frame_of_a_lossy_film_is_seen(
    source: Path, tmp_path: Path, change: Callable[[Any], None] | None, seen: bool
) -> None:
    result = tmp_path / "out.mp4"
    with Reader(source) as reader, Writer(result, reader, preset="h264") as writer:
        for frame in reader:
            made = writer.picture(frame)
            if change is not None and frame.index == 9:
                change(plane_view(made.native, 0, np.dtype("u1")))
            writer.write(made)
    report = verify(source, result)
    assert report.least_psnr_db > 28 or change is overlaid
    wrong = failures(report)
    assert (wrong != []) == seen
    if seen:
        assert "frame 9 is off by" in wrong[0]


def test_the_source_is_no_result(tmp_path: Path) -> None:
    gray = make_film(tmp_path / "gray.mkv", pixel_format="gray", frames=3)
    shutil.copy(gray, tmp_path / "copy.mkv")
    assert failures(verify(gray, tmp_path / "copy.mkv")) == [
        "color: the result is the source itself"
    ]
    remuxed(gray, tmp_path / "again.mkv", lambda packet, kind: None)
    wrong = failures(verify(gray, tmp_path / "again.mkv"))
    assert any(line.startswith("color: ") for line in wrong)


def test_damage_of_the_result_alone_is_a_difference(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=12, width=96, height=64)
    result = tmp_path / "out.mkv"
    colorize(source, result)
    data = bytearray(result.read_bytes())
    at = len(data) * 2 // 3
    data[at : at + 40] = bytes(40)
    result.write_bytes(data)
    wrong = failures(verify(source, result))
    assert any(line.startswith("damage: result:") for line in wrong)


def test_a_gap_of_the_source_is_none_of_the_result(tmp_path: Path) -> None:
    times = [n for n in range(40) if n not in (20, 21)]
    source = make_film(
        tmp_path / "in.mkv", frames=38, times=times, time_base=Fraction(1, 25), rate=25
    )
    colorize(source, tmp_path / "out.mkv")
    assert failures(verify(source, tmp_path / "out.mkv")) == []
