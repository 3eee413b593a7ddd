"""Which field is first: through every output that knows fields, by the word of other readers."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pycolor.video.io import Reader
from pycolor.video.verify import verify
from tests.films import by_segments, colorize, make_film

pytestmark = [
    pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed"),
    pytest.mark.skipif(shutil.which("mediainfo") is None, reason="mediainfo is not installed"),
]

PAL: dict[str, Any] = {"width": 720, "height": 576, "rate": 25}
NTSC: dict[str, Any] = {"width": 720, "height": 480, "rate": Fraction(30000, 1001)}
SMALL: dict[str, Any] = {"width": 64, "height": 64, "rate": 25}
TEN = "yuv422p10le"
# Ending, codec, pixel format, size and rate, and the orders that the format knows.
SOURCES: dict[str, tuple[str, str, str, dict[str, Any], tuple[str, ...]]] = {
    "dv pal avi": (".avi", "dvvideo", "yuv420p", PAL, ("bff",)),
    "dv pal mov": (".mov", "dvvideo", "yuv420p", PAL, ("bff",)),
    "dv pal raw": (".dv", "dvvideo", "yuv420p", PAL, ("bff",)),
    "dv ntsc avi": (".avi", "dvvideo", "yuv411p", NTSC, ("bff",)),
    "dv ntsc mov": (".mov", "dvvideo", "yuv411p", NTSC, ("bff",)),
    "dv ntsc raw": (".dv", "dvvideo", "yuv411p", NTSC, ("bff",)),
    "mpeg2 ts": (".ts", "mpeg2video", "yuv420p", SMALL, ("tff", "bff")),
    "mpeg2 ps": (".vob", "mpeg2video", "yuv420p", SMALL, ("tff", "bff")),
    "h264 mp4": (".mp4", "libx264", "yuv420p", SMALL, ("tff", "bff")),
    "h264 ts": (".ts", "libx264", "yuv420p", SMALL, ("tff", "bff")),
    "h264 avi": (".avi", "libx264", "yuv420p", SMALL, ("tff", "bff")),
    "ffv1 mkv": (".mkv", "ffv1", "gray10le", SMALL, ("tff", "bff")),
    "prores mov": (".mov", "prores_ks", TEN, SMALL, ("tff", "bff")),
    "prores4444 mov": (".mov", "prores_ks", "yuv444p10le", SMALL, ("tff", "bff")),
    "v210 mov": (".mov", "v210", TEN, SMALL, ("tff", "bff")),
    "mpeg2 mxf": (".mxf", "mpeg2video", "yuv422p", SMALL, ("tff", "bff")),
}
# Outputs and presets that know fields.
TARGETS = (
    (".mp4", "h264"),
    (".mov", "h264"),
    (".mkv", "h264"),
    (".mkv", "archive"),
    (".avi", "archive"),
    (".mov", "prores"),
    (".mkv", "prores"),
    (".mov", "prores4444"),
    (".mov", "v210"),
)
CASES = [
    pytest.param(name, order, id=f"{name} {order}")
    for name, (*_, orders) in SOURCES.items()
    for order in orders
]


def interlaced(folder: Path, name: str, order: str) -> Path:
    ending, codec, form, size, _ = SOURCES[name]
    options = {"preset": "ultrafast", "bf": "0"} if codec == "libx264" else {}
    if codec == "libx264" and order == "bff":
        options["x264-params"] = "bff=1"
    container_says = ending in (".mp4", ".mkv", ".mov")
    return make_film(
        folder / f"in{ending}",
        codec=codec,
        pixel_format=form,
        frames=3,
        fields=order,
        coded_fields=True,
        field_order={"tff": 2, "bff": 3}[order] if container_says else 0,
        options=options,
        **size,
    )


def frames_of(path: Path) -> set[str]:
    """What ffprobe reads of each frame: interlaced, top field first."""
    keys = "frame=interlaced_frame,top_field_first"
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", keys]
    command += ["-of", "default=noprint_wrappers=1:nokey=1", str(path)]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split()
    return {"".join(pair) for pair in zip(told[::2], told[1::2], strict=True)}


def scans_of(paths: list[Path]) -> list[str]:
    """What MediaInfo says of each film."""
    keys = "Video;%ScanType% %ScanOrder%\\n"
    command = ["mediainfo", f"--Output={keys}", *map(str, paths)]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return [line.strip() for line in told.splitlines() if line.strip()]


@pytest.mark.parametrize(("name", "order"), CASES)
def test_the_first_field_stays_first(tmp_path: Path, name: str, order: str) -> None:
    source = interlaced(tmp_path, name, order)
    top = "1" if order == "tff" else "0"
    assert frames_of(source) == {f"1{top}"}
    with Reader(source) as reader:
        assert reader.info.interlaced
        assert reader.info.field_order[0] == order[0]
    targets = TARGETS if "dv" not in name else ((".mp4", "h264"), (".mov", "prores"))
    for ending, preset in targets:
        result = tmp_path / f"out-{preset}{ending}"
        by_segments(source, result, preset=preset, length=2)
        assert frames_of(result) == {f"1{top}"}, (ending, preset)
        assert verify(source, result).ok, (ending, preset)
    kinds = ["MBAFF" if preset == "h264" else "Interlaced" for _, preset in targets]
    told = scans_of([tmp_path / f"out-{preset}{ending}" for ending, preset in targets])
    assert told == [f"{kind} {order.upper()}" for kind in kinds]


@pytest.mark.parametrize("preset", ["h264", "prores"])
def test_progressive_frames_do_not_turn_the_fields_of_others(tmp_path: Path, preset: str) -> None:
    """One order in all pictures; libx264 would tell the last one's of all that wait for it."""
    mpeg2: dict[str, Any] = {"codec": "mpeg2video", "rate": 25, "options": {"bf": "0"}, "frames": 6}
    first = make_film(tmp_path / "a.ts", **mpeg2, fields="tff", coded_fields=True)
    second = make_film(tmp_path / "b.ts", **mpeg2, times=range(6, 12))
    (tmp_path / "in.ts").write_bytes(first.read_bytes() + second.read_bytes())
    assert frames_of(tmp_path / "in.ts") >= {"11", "00"}
    colorize(tmp_path / "in.ts", tmp_path / "out.mov", preset=preset)
    assert frames_of(tmp_path / "out.mov") == {"11"}


@pytest.mark.parametrize("fields", ["tff", "bff"])
def test_fields_that_the_container_calls_progressive_keep_their_order(
    tmp_path: Path, fields: str
) -> None:
    """Matroska says so where its muxer was told nothing; x264 took them for top first."""
    source = tmp_path / "in.mkv"
    make_film(source, codec="mpeg2video", fields=fields, coded_fields=True, field_order=1)
    expected = {"tff": "11", "bff": "10"}[fields]
    assert frames_of(source) == {expected}
    colorize(source, tmp_path / "out.mp4", preset="lossless-h264")
    assert frames_of(tmp_path / "out.mp4") == {expected}
    assert verify(source, tmp_path / "out.mp4").ok
