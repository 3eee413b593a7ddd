"""Segments, encoded alone and joined by packet, are the film that one run makes."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pycolor.errors import FilmError
from pycolor.video.io import Reader, Writer, concat_segments, scan
from pycolor.video.verify import verify
from tests.films import colorize, make_film
from tests.test_video_luma import failures

UNEVEN = [0, 3003, 6006, 12012, 15015, 30030, 33033, 36036, 40000, 43003, 90090, 93093]


def segments_of(
    source: Path, folder: Path, cuts: list[int], suffix: str, **options: Any
) -> tuple[list[Path], Sequence[int]]:
    timeline = scan(source)
    assert timeline is not None
    made = []
    for number, (a, b) in enumerate(pairwise(cuts)):
        path = folder / f"segment{number}{suffix}"
        with (
            Reader(source, frames=(a, b), timeline=timeline) as reader,
            Writer(path, reader, streams=False, **options) as writer,
        ):
            for frame in reader:
                writer.write(writer.picture(frame))
        made.append(path)
    return made, timeline


@pytest.mark.parametrize(
    ("source", "result", "options"),
    [
        ("in.mp4", "out.mp4", {"preset": "lossless-h264", "options": {"bf": "3"}}),
        ("in.mp4", "out.mov", {"preset": "lossless-h264", "options": {"bf": "3"}}),
        ("in.mp4", "out.mkv", {}),
        ("in.mp4", "out.mkv", {"preset": "lossless-h264", "options": {"bf": "3"}}),
        ("in.mkv", "out.mkv", {}),
        ("in.mkv", "out.mp4", {}),
        ("in.mp4", "out.mov", {"preset": "prores"}),
    ],
)
@pytest.mark.parametrize("cuts", [[0, 12], [0, 1, 5, 12], [0, 4, 8, 11, 12]])
def test_a_join_is_the_film(
    tmp_path: Path, source: str, result: str, options: dict[str, Any], cuts: list[int]
) -> None:
    film = make_film(
        tmp_path / source,
        codec="libx264",
        options={"g": "5", "bf": "2"},
        times=UNEVEN,
        time_base=Fraction(1, 90000),
        rate=Fraction(30000, 1001),
        sound=["aac"],
        pixel_aspect=Fraction(16, 15),
        rotation=90 if source.endswith("mp4") else 0,
        chapters=True,
        color_range=1,
        matrix=5,
    )
    parts, timeline = segments_of(film, tmp_path, cuts, Path(result).suffix, **options)
    with Reader(film) as reader:
        preset = options.get("preset")
        assert (
            concat_segments(parts, reader, tmp_path / result, timeline=timeline, preset=preset)
            == 12
        )
    assert failures(verify(film, tmp_path / result)) == []
    with Reader(film) as reader, Writer(tmp_path / f"one_{result}", reader, **options) as writer:
        for frame in reader:
            writer.write(writer.picture(frame))
    with Reader(tmp_path / result) as joined, Reader(tmp_path / f"one_{result}") as one:
        assert joined.info.tags == one.info.tags
        assert joined.info.pixel_aspect == one.info.pixel_aspect
        assert joined.info.rotation == one.info.rotation
        a, b = list(joined), list(one)
        assert [f.time for f in a] == [f.time for f in b]
        if result.endswith("mkv") or "lossless" in options.get("preset", ""):
            assert all((f.luma == g.luma).all() for f, g in zip(a, b, strict=True))


def test_a_joined_range(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=12, rate=25, sound=["pcm_s16le"])
    parts, timeline = segments_of(film, tmp_path, [3, 6, 10], ".mkv")
    with Reader(film, frames=(3, 10), timeline=timeline) as reader:
        concat_segments(parts, reader, tmp_path / "out.mkv", timeline=timeline[3:10])
    assert failures(verify(film, tmp_path / "out.mkv", frames=(3, 10))) == []


def test_segments_that_do_not_belong_together(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=8)
    parts, timeline = segments_of(film, tmp_path, [0, 4, 8], ".mp4")
    colorize(film, parts[1], frames=(4, 8), streams=False, chroma="444")
    result = tmp_path / "out.mp4"
    with Reader(film) as reader:
        with pytest.raises(FilmError, match="other settings"):
            concat_segments(parts, reader, result, timeline=timeline)
        with pytest.raises(FilmError, match=r"hold 4 frames; expected 8"):
            concat_segments(parts[:1], reader, result, timeline=timeline)
        with pytest.raises(FilmError, match="no segment"):
            concat_segments([], reader, result, timeline=timeline)
        with pytest.raises(FilmError, match="does not exist"):
            concat_segments([tmp_path / "no.mp4"], reader, result, timeline=timeline)
    assert not result.exists()


def test_metadata_of_the_picture_is_joined_too(tmp_path: Path) -> None:
    film = make_film(
        tmp_path / "in.mov", codec="libx264", frames=6, timecode="01:00:00:00", rate=25
    )
    parts, timeline = segments_of(film, tmp_path, [0, 3, 6], ".mov")
    with Reader(film) as reader:
        concat_segments(
            parts, reader, tmp_path / "out.mov", timeline=timeline, metadata={"comment": "c"}
        )
    colorize(film, tmp_path / "one.mov")
    with Reader(tmp_path / "out.mov") as a, Reader(tmp_path / "one.mov") as b:
        assert a.info.timecode == b.info.timecode == "01:00:00:00"
        assert a.info.metadata["comment"] == "c"
