"""Readers that are not pycolor's agree: ffprobe and mediainfo say the same of both films."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pycolor.errors import UsageError
from pycolor.video.io import Reader, Writer
from pycolor.video.verify import verify
from tests.films import colorize, make_film

ffprobe = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
mediainfo = pytest.mark.skipif(
    shutil.which("mediainfo") is None, reason="mediainfo is not installed"
)

PAL = {"matrix": 5, "primaries": 5, "transfer": 6, "color_range": 1, "rate": 25}
HD = {"matrix": 1, "primaries": 1, "transfer": 1, "color_range": 1}
NTSC = Fraction(30000, 1001)
TEN = {"pixel_format": "yuv422p10le"}
H264 = {"codec": "libx264", "options": {"preset": "ultrafast"}}
TOP = {"field_order": 2, "fields": "tff", "height": 64}
BOTTOM = {"field_order": 3, "fields": "bff", "height": 64}

# Film, and outputs with their presets.
FILMS: dict[str, tuple[str, dict[str, Any], tuple[tuple[str, str | None], ...]]] = {
    "pal wide": (
        ".mkv",
        {**PAL, **H264, **TOP, "pixel_aspect": Fraction(64, 45)},
        ((".mkv", None), (".mp4", None), (".mov", "prores"), (".mov", "v210"), (".y4m", None)),
    ),
    "ntsc bottom first": (
        ".mkv",
        {**HD, **H264, **BOTTOM, "matrix": 6, "rate": NTSC, "pixel_aspect": Fraction(8, 9)},
        ((".mkv", None), (".mov", "prores"), (".y4m", None)),
    ),
    "rotated": (".mp4", {**HD, **H264, "rotation": 90}, ((".mp4", None), (".mov", None))),
    "full range": (
        ".mp4",
        {**PAL, **H264, "color_range": 2},
        ((".mkv", None), (".mp4", None), (".mov", None)),
    ),
    "24000/1001": (
        ".mov",
        {**HD, "codec": "prores_ks", **TEN, "rate": Fraction(24000, 1001)},
        ((".mkv", None), (".mov", "prores"), (".mov", "v210"), (".mxf", "prores")),
    ),
    "silent speed": (".mkv", {**HD, "rate": 18}, ((".mkv", None), (".mp4", None), (".y4m", None))),
    "sound": (
        ".mov",
        {**HD, **H264, "rate": 25, "sound": ["pcm_s16le", "aac"]},
        ((".mkv", None), (".mp4", None), (".mov", None)),
    ),
    "mpeg2": (
        ".ts",
        {**PAL, **TOP, "codec": "mpeg2video", "pixel_aspect": Fraction(16, 9), "sound": ["mp2"]},
        ((".mkv", None), (".mov", "v210")),
    ),
}
PAIRS = [
    pytest.param(ending, film, target, preset, id=f"{name} {target} {preset or ''}".strip())
    for name, (ending, film, targets) in FILMS.items()
    for target, preset in targets
]
ROUNDING = 1.5e-3  # seconds: they print milliseconds
# Y4M says neither of these.
_UNSAID = ("color_space", "color_primaries", "color_transfer", "matrix_coefficients")


def made(folder: Path, ending: str, film: dict[str, Any], target: str, preset: str | None) -> Any:
    source = make_film(folder / f"in{ending}", **{"frames": 25, **film})
    result = folder / f"out{target}"
    colorize(source, result, preset=preset)
    return source, result


def probed(path: Path) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", str(path)]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    stream = next(s for s in told["streams"] if s["codec_type"] == "video")
    keys = ["width", "height", "color_range", "color_space", "color_primaries", "color_transfer"]
    found = {key: stream.get(key) for key in keys}
    found["color_range"] = found["color_range"] or "tv"  # not stored is limited
    found["field_order"] = stream.get("field_order", "progressive").replace(
        "unknown", "progressive"
    )
    found["aspect"] = stream.get("sample_aspect_ratio", "1:1").replace("0:1", "1:1")
    sides = stream.get("side_data_list", [])
    found["rotation"] = next((s["rotation"] for s in sides if "rotation" in s), 0)
    found["rate"] = Fraction(stream["r_frame_rate"])
    found["sounds"] = [s["codec_name"] for s in told["streams"] if s["codec_type"] == "audio"]
    clock = stream.get("tags", {}).get("DURATION")
    found["duration"] = float(
        stream.get("duration") or _seconds(clock) or told["format"]["duration"]
    )
    return found


def _seconds(clock: str | None) -> float:
    hours, minutes, seconds = (clock or "0:0:0").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def described(path: Path) -> dict[str, Any]:
    """What mediainfo says of the picture."""
    done = subprocess.run(
        ["mediainfo", "--Output=JSON", str(path)], capture_output=True, check=True, text=True
    )
    tracks = json.loads(done.stdout)["media"]["track"]
    return next(track for track in tracks if track["@type"] == "Video")


@ffprobe
@pytest.mark.parametrize(("ending", "film", "target", "preset"), PAIRS)
def test_ffprobe_agrees(
    tmp_path: Path, ending: str, film: dict[str, Any], target: str, preset: str | None
) -> None:
    source, result = made(tmp_path, ending, film, target, preset)
    before, after = probed(source), probed(result)
    length = 1 / float(before["rate"])
    if target == ".y4m":  # holds no sound, and tells no duration
        before |= {"sounds": [], **{k: after[k] for k in _UNSAID if k in after}}
    else:
        assert abs(after["duration"] - before["duration"]) <= length + ROUNDING
    del before["duration"], after["duration"]
    assert after == before


@mediainfo
@pytest.mark.parametrize(("ending", "film", "target", "preset"), PAIRS)
def test_mediainfo_agrees(
    tmp_path: Path, ending: str, film: dict[str, Any], target: str, preset: str | None
) -> None:
    if target == ".y4m":
        pytest.skip("mediainfo 23 reads nothing but the size of a y4m")
    source, result = made(tmp_path, ending, film, target, preset)
    before, after = described(source), described(result)
    usual = {"colour_range": "Limited", "Rotation": "0.000"}  # what is not stored means
    keys = ["Width", "Height", "colour_range", "matrix_coefficients", "colour_primaries"]
    keys += ["transfer_characteristics", "PixelAspectRatio", "Rotation"]
    told = [{k: track.get(k, usual.get(k)) for k in keys} for track in (before, after)]
    assert told[0] == told[1]
    assert abs(float(after["FrameRate"]) - float(before["FrameRate"])) <= 0.001
    length = 1 / float(before["FrameRate"])
    assert abs(float(after["Duration"]) - float(before["Duration"])) <= length + ROUNDING
    assert scan_of(after) == scan_of(before)


def scan_of(track: dict[str, Any]) -> tuple[str, str]:
    """MBAFF is H.264's way to store fields; mediainfo has a name of its own for it."""
    kind = str(track.get("ScanType", "Progressive")).replace("MBAFF", "Interlaced")
    return kind, str(track.get("ScanOrder", ""))


# -- the archive's master ----------------------------------------------------------------------


@mediainfo
@pytest.mark.parametrize("pixel_format", ["gray", "gray16le", "yuv420p", "yuv422p10le"])
def test_the_archives_ffv1(tmp_path: Path, pixel_format: str) -> None:
    """Version 3, each frame by itself, a checksum in every slice."""
    source = make_film(
        tmp_path / "in.mkv", pixel_format=pixel_format, frames=3, width=128, height=96
    )
    colorize(source, tmp_path / "out.mkv")
    told = described(tmp_path / "out.mkv")
    assert told["Format"] == "FFV1"
    assert told["Format_Version"].startswith("3.")
    assert told["Format_Settings_GOP"] == "N=1"
    assert told["Compression_Mode"] == "Lossless"
    assert told["extra"]["ErrorDetectionType"] == "Per slice"
    assert told["extra"]["coder_type"] == "Range Coder"
    gray = pixel_format.startswith("gray")
    subsampling = "4:2:2" if gray or "422" in pixel_format else "4:2:0"
    assert told["ChromaSubsampling"] == subsampling


@pytest.mark.parametrize(
    ("height", "name"),
    [(576, "BT.470BG"), (480, "SMPTE 170M"), (486, "SMPTE 170M"), (96, "BT.709")],
)
def test_the_matrix_that_is_taken_is_printed_and_written(
    tmp_path: Path, height: int, name: str
) -> None:
    source = make_film(tmp_path / "in.mkv", height=height, frames=1)
    with Reader(source) as reader:
        assert f"no matrix is stored; {name} is taken for {height} lines" in reader.info.warnings
    colorize(source, tmp_path / "out.mkv")
    with Reader(tmp_path / "out.mkv") as reader:
        assert reader.info.matrix_name == name
        assert not any("no matrix" in warning for warning in reader.info.warnings)


@pytest.mark.parametrize("matrix", [5, 6, 9])
def test_dnxhr_refuses_what_it_cannot_say(tmp_path: Path, matrix: int) -> None:
    source = make_film(tmp_path / "in.mkv", height=576, width=720, frames=1, matrix=matrix)
    with (
        Reader(source) as reader,
        pytest.raises(UsageError, match=r"BT\.709 only.*ProRes and FFV1"),
    ):
        Writer(tmp_path / "out.mxf", reader)


@ffprobe
@pytest.mark.parametrize("film", [{}, {"pixel_format": "gray", "matrix": 5}])
def test_dnxhr_takes_a_matrix_that_we_guessed_or_gray(tmp_path: Path, film: dict[str, Any]) -> None:
    source = make_film(tmp_path / "in.mkv", height=576, width=720, frames=1, rate=25, **film)
    for target in ("out.mxf", "out.mov"):
        writer = colorize(source, tmp_path / target, preset="dnxhr")
        assert any("DNxHR is BT.709" in warning for warning in writer.warnings)
        assert probed(tmp_path / target)["color_space"] == "bt709"
        report = verify(source, tmp_path / target)
        assert report.ok
        assert next(c for c in report.checks if c.name == "matrix").state == "note"
