"""The table of containers: every row is whole, and says what FFmpeg's muxers do."""

from __future__ import annotations

import io
import shutil
import subprocess
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
import pytest

from pycolor.errors import UsageError
from pycolor.video.io import Reader, Writer
from pycolor.video.io.containers.presets import PRESETS, container_of, preset_for
from pycolor.video.io.containers.spec import SPECS, ContainerSpec, spec_of, spec_of_suffix
from pycolor.video.verify import verify
from tests.films import by_segments, make_film
from tests.test_video_luma import failures

NTSC = Fraction(1000, 1001)
SUFFIXES = [(spec, suffix) for spec in SPECS for suffix in spec.suffixes]


@pytest.mark.parametrize(("spec", "suffix"), SUFFIXES, ids=lambda v: getattr(v, "name", v))
def test_a_row_is_whole(spec: ContainerSpec, suffix: str) -> None:
    assert spec_of_suffix(suffix.upper()) is spec_of(spec.name) is spec
    assert container_of(suffix) == spec.name
    preset = preset_for(suffix)
    assert preset.name == spec.presets[suffix]
    assert suffix in preset.suffixes
    assert preset.pictures_only == spec.pictures_only


def test_every_preset_is_for_containers_of_the_table() -> None:
    known = {suffix for _, suffix in SUFFIXES}
    assert {suffix for preset in PRESETS for suffix in preset.suffixes} == known


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_table_holds_chapters_where_its_muxer_writes_them(spec: ContainerSpec) -> None:
    if spec.pictures_only:
        assert not spec.chapters
        return
    file = io.BytesIO()
    with av.open(file, "w", format=spec.name) as film:
        stream: Any = film.add_stream(
            spec.trial_codec, rate=25, width=64, height=64, pix_fmt="yuv420p"
        )
        whole: Any = {"id": 1, "start": 0, "end": 40, "time_base": Fraction(1, 1000)}
        whole["metadata"] = {"title": "one"}
        film.set_chapters([whole])
        film.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        film.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as film:
        assert bool(film.chapters()) == spec.chapters


def opens(rate: Fraction) -> bool:
    film = av.open(io.BytesIO(), "w", format="mxf")
    stream: Any = film.add_stream("ffv1", rate=rate, width=64, height=64, pix_fmt="yuv420p")
    stream.codec_context.time_base = 1 / rate
    try:
        film.start_encoding()
        return True
    except av.error.FFmpegError:
        return False
    finally:
        with suppress(av.error.FFmpegError):  # it writes a trailer of no film
            film.close()


def test_mxf_holds_the_rates_of_its_row() -> None:
    rates = {Fraction(n) for n in (8, 12, 15, 16, 18, 20)} | set(spec_of("mxf").rates)
    rates |= {n * NTSC for n in (12, 18, 25, 50)}
    assert {rate for rate in rates if opens(rate)} == set(spec_of("mxf").rates)


@pytest.mark.parametrize("rate", [16, 18, Fraction(50, 3)])
def test_mxf_names_the_rates_it_holds(tmp_path: Path, rate: Fraction) -> None:
    source = make_film(tmp_path / "in.mkv", rate=rate, frames=3)
    said = rf"MXF holds 23\.976, 24, 25, .* this film has {float(rate):.6g}"
    with Reader(source) as reader, pytest.raises(UsageError, match=said):
        Writer(tmp_path / "out.mxf", reader, preset="archive")


@pytest.mark.parametrize(
    ("target", "preset"), [("out.mxf", "archive"), ("out.y4m", None), ("out_%03d.png", "png")]
)
def test_what_has_no_times_says_how_far_a_film_drifts(
    tmp_path: Path, target: str, preset: str | None
) -> None:
    uneven = [n if n < 8 else 8 + (n - 8) * 3 for n in range(14)]
    varying = make_film(
        tmp_path / "varying.mp4",
        codec="libx264",
        frames=14,
        times=uneven,
        time_base=Fraction(1, 24),
        options={"bf": "0"},
    )
    constant = make_film(tmp_path / "constant.mkv", frames=14, rate=24 * NTSC)
    drifts = "rate varies"
    notes = by_segments(varying, tmp_path / target, preset=preset)
    notes = [note for note in notes if drifts in note]
    assert len(notes) == 1
    assert f"by up to {10 / 24:.2f} s" in notes[0]
    assert ".mkv" in notes[0]
    notes = by_segments(constant, tmp_path / f"constant-{target}", preset=preset)
    assert not any(drifts in note for note in notes)


@pytest.mark.parametrize(("target", "told"), [("out.mxf", 1), ("out.mkv", 0)])
def test_what_new_programs_alone_read_is_told(tmp_path: Path, target: str, told: int) -> None:
    film = make_film(tmp_path / "film.mkv", frames=6, rate=25)
    notes = by_segments(film, tmp_path / target, preset="archive")
    assert sum("ffv1 in mxf is read by new programs alone" in note for note in notes) == told


@pytest.mark.parametrize("suffix", [suffix for spec, suffix in SUFFIXES if not spec.pictures_only])
@pytest.mark.parametrize("form", ["gray", "yuv420p", "yuv422p10le"])
def test_range_and_matrix_are_always_told(tmp_path: Path, suffix: str, form: str) -> None:
    height = 128 if suffix == ".mxf" else 48
    source = make_film(
        tmp_path / "in.mkv", pixel_format=form, frames=2, rate=25, width=256, height=height
    )
    notes = by_segments(source, tmp_path / f"out{suffix}")
    with av.open(str(tmp_path / f"out{suffix}")) as film:
        frame = next(film.decode(video=0))
        if suffix == ".avi":  # it says so before, see test_video_avi.py
            assert any("does not say of the picture: matrix" in note for note in notes)
            return
        assert int(frame.color_range) in (1, 2)
        assert int(frame.colorspace) == 1


def test_tags_that_mxf_has_no_label_for_are_named(tmp_path: Path) -> None:
    for transfer in (1, 4, 5, 6, 7, 13, 14, 15, 16, 18):
        source = make_film(
            tmp_path / "in.mkv",
            pixel_format="yuv422p10le",
            frames=1,
            times=[0],
            rate=25,
            matrix=1,
            primaries=1,
            transfer=transfer,
            color_range=1,
        )
        notes = by_segments(source, tmp_path / "out.mxf", preset="archive")
        named = any("transfer" in note for note in notes)
        with Reader(tmp_path / "out.mxf") as reader:
            assert (reader.info.tags.transfer != transfer) == named
        assert failures(verify(source, tmp_path / "out.mxf")) == []


def test_a_timecode_that_its_rate_does_not_count_is_named(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=3, timecode="01:00:00;00")
    for target, kept in (("out.mov", False), ("out.mp4", False), ("out.mkv", True)):
        notes = by_segments(source, tmp_path / target)
        assert any("timecode" in note for note in notes) != kept
        with Reader(tmp_path / target) as reader:
            assert (reader.info.timecode == "01:00:00;00") == kept


@pytest.mark.skipif(shutil.which("mkvinfo") is None, reason="mkvinfo is not installed")
@pytest.mark.parametrize("aspect", [None, Fraction(16, 15)])
@pytest.mark.parametrize("form", ["gray", "yuv422p10le"])
def test_ffv1_in_matroska_has_the_name_that_old_players_know(
    tmp_path: Path, form: str, aspect: Fraction | None
) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        codec="libx264",
        pixel_format=form,
        frames=3,
        pixel_aspect=aspect,
        sound=["pcm_s16le"],
    )
    result = tmp_path / "out.mkv"
    by_segments(source, result)
    command = ["mkvinfo", str(result)]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert "Codec ID: V_MS/VFW/FOURCC" in told
    assert 'FourCC: 0x46465631 "FFV1"' in told
    assert "room for" not in told
    assert ("Display width: 64" in told) == (aspect is not None)
    assert failures(verify(source, result)) == []
