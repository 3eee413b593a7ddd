"""FFV1 in AVI: what AVI cannot say is said before, and other readers agree on the rest."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pycolor.errors import FilmError
from pycolor.video.io import Reader
from pycolor.video.verify import VerifyReport, verify
from tests.films import by_segments, make_film
from tests.test_video_luma import failures

NTSC = Fraction(1000, 1001)
ffprobe = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
mediainfo = pytest.mark.skipif(
    shutil.which("mediainfo") is None, reason="mediainfo is not installed"
)


def probed(path: Path, entries: str) -> list[dict[str, Any]]:
    """What ffprobe reads: `entries` of the frames of the picture, or of the streams."""
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_entries", entries, str(path)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    found: list[dict[str, Any]] = told[f"{entries.partition('=')[0]}s"]
    return found


def described(path: Path, keys: str) -> str:
    command = ["mediainfo", f"--Output=Video;{keys}", str(path)]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def state(report: VerifyReport, name: str) -> str:
    return next(check.state for check in report.checks if check.name == name)


@ffprobe
@mediainfo
def test_what_avi_cannot_say_is_said_before(tmp_path: Path) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        codec="libx264",
        options={"preset": "ultrafast", "bf": "0"},
        pixel_format="yuv420p10le",
        color_range=1,
        matrix=9,
        primaries=9,
        transfer=14,
        pixel_aspect=Fraction(16, 15),
        field_order=2,
        fields="tff",
        timecode="01:00:00:00",
        rate=25,
        titles="subrip",
        chapters=True,
        metadata={"title": "A film", "artist": "Someone"},
    )
    result = tmp_path / "out.avi"
    notes = " ".join(by_segments(source, result))
    lost = "does not say of the picture: matrix, pixel aspect, primaries, timecode, transfer"
    assert f"ffv1 in avi {lost}" in notes, notes
    assert "subtitle" in notes
    report = verify(source, result)
    assert failures(report) == []
    assert report.identical_frames == report.frames == 10
    lacking = ("matrix", "pixel aspect", "primaries", "timecode", "transfer", "chapters")
    assert {state(report, name) for name in lacking} == {"note"}
    assert state(report, "field order") == state(report, "range") == "ok"
    (picture,) = probed(result, "stream=color_range,color_space,sample_aspect_ratio,pix_fmt")
    assert picture["pix_fmt"] == "yuv420p10le"
    assert picture.get("color_space", "unknown") == "unknown"
    assert picture.get("sample_aspect_ratio", "0:1") in ("0:1", "1:1")
    frames = probed(result, "frame=interlaced_frame,top_field_first,color_range")
    assert {(f["interlaced_frame"], f["top_field_first"]) for f in frames} == {(1, 1)}
    told = described(result, "%Format% %ScanType% %ScanOrder% %PixelAspectRatio% %FrameCount%")
    assert (
        told == "FFV1 Interlaced TFF 1.067 10"
    )  # the aspect, which FFmpeg writes and does not read


@ffprobe
@mediainfo
@pytest.mark.parametrize("rate", [Fraction(16), Fraction(50, 3), 24 * NTSC, Fraction(25)])
def test_frames_follow_each_other_at_the_film_s_rate(tmp_path: Path, rate: Fraction) -> None:
    source = make_film(tmp_path / "in.mkv", rate=rate, frames=12, sound=["pcm_s16le"])
    by_segments(source, tmp_path / "out.avi")
    streams = probed(tmp_path / "out.avi", "stream=codec_name,r_frame_rate,nb_frames")
    assert Fraction(streams[0]["r_frame_rate"]) == rate
    assert streams[0]["nb_frames"] == "12"
    assert streams[1]["codec_name"] == "pcm_s16le"
    assert described(tmp_path / "out.avi", "%FrameRate%") == f"{float(rate):.3f}"
    with Reader(tmp_path / "out.avi") as reader:
        assert [frame.time for frame in reader] == [n / rate for n in range(12)]
    assert failures(verify(source, tmp_path / "out.avi")) == []


@ffprobe
def test_a_varying_rate_is_told_and_made_one(tmp_path: Path) -> None:
    times = [5, 6, 7, 11, 12, 13]
    source = make_film(tmp_path / "in.mkv", times=times, frames=6, time_base=Fraction(1, 24))
    notes = by_segments(source, tmp_path / "out.avi", length=2)
    assert any("avi has no times" in note and "by up to 0.1" in note for note in notes), notes
    frames = probed(tmp_path / "out.avi", "frame=pts_time")
    assert [round(float(f["pts_time"]) * 24) for f in frames] == [0, 1, 2, 3, 4, 5]
    assert failures(verify(source, tmp_path / "out.avi")) == []


@pytest.mark.parametrize("form", ["yuv422p", "gray", "yuv444p10le"])
def test_full_range_is_carried_as_limited(tmp_path: Path, form: str) -> None:
    """Without a word on the range, every reader takes limited."""
    source = make_film(tmp_path / "in.mkv", pixel_format=form, color_range=2, frames=3)
    notes = by_segments(source, tmp_path / "out.avi")
    assert any("ffv1 in avi holds limited range only" in note for note in notes)
    with Reader(tmp_path / "out.avi") as reader:
        assert not reader.info.encoding.full_range
        assert (
            max(int(frame.luma.max()) for frame in reader)
            <= reader.info.encoding.luma_code_range[1]
        )
    report = verify(source, tmp_path / "out.avi")
    assert failures(report) == []
    assert state(report, "range") == "note"


@pytest.mark.parametrize("codec", ["flac", "libopus", "ac3", "libmp3lame"])
def test_sound_that_avi_does_not_hold_is_told_before(tmp_path: Path, codec: str) -> None:
    source = make_film(tmp_path / "in.mkv", frames=6, sound=[codec])
    with pytest.raises(FilmError, match=r"avi cannot hold audio stream 1 .*pcm_s24le.*\.mkv"):
        by_segments(source, tmp_path / "out.avi")
    assert not (tmp_path / "out.avi").exists()


@ffprobe
@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le"])
def test_sound_that_avi_holds_is_copied(tmp_path: Path, codec: str) -> None:
    source = make_film(tmp_path / "in.mkv", frames=12, sound=[codec])
    by_segments(source, tmp_path / "out.avi")
    names = [s["codec_name"] for s in probed(tmp_path / "out.avi", "stream=codec_name")]
    assert names == ["ffv1", codec]
    assert failures(verify(source, tmp_path / "out.avi")) == []
