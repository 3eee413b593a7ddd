"""Two hundred broken films: no crash, no hang, no traceback, no silence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.damage import KINDS, damaged
from tests.films import make_film

QUICK = {"preset": "ultrafast", "g": "5"}
FILMS: dict[str, dict[str, Any]] = {
    "h264.mp4": {"codec": "libx264", "options": QUICK, "sound": ["aac"]},
    "h264-first.mp4": {"codec": "libx264", "options": QUICK, "sound": ["aac"],
                       "muxer_options": {"movflags": "faststart"}},
    "hevc.mp4": {"codec": "libx265", "options": {**QUICK, "x265-params": "log-level=none"}},
    "av1.mp4": {"codec": "libsvtav1", "options": {"preset": "12"}, "width": 128, "height": 96},
    "prores.mov": {"codec": "prores_ks", "pixel_format": "yuv422p10le", "sound": ["pcm_s16le"]},
    "dnxhr.mov": {"codec": "dnxhd", "pixel_format": "yuv422p", "width": 256, "height": 128,
                  "options": {"profile": "dnxhr_hq"}},
    "v210.mov": {"codec": "v210", "pixel_format": "yuv422p10le"},
    "ffv1.mkv": {"sound": ["flac"], "titles": "subrip", "options": {"slicecrc": "1", "level": "3"}},
    "h264.mkv": {"codec": "libx264", "options": QUICK, "sound": ["ac3"], "chapters": True},
    "gray16.mkv": {"pixel_format": "gray16le"},
    "vp9.webm": {"codec": "libvpx-vp9", "sound": ["libopus"]},
    "mjpeg.avi": {"codec": "mjpeg", "pixel_format": "yuvj420p", "color_range": 2,
                  "sound": ["pcm_s16le"]},
    "mpeg4.avi": {"codec": "mpeg4", "sound": ["mp3"]},
    "utvideo.avi": {"codec": "utvideo", "pixel_format": "yuv422p"},
    "mpeg2.mpg": {"codec": "mpeg2video", "rate": 25, "sound": ["mp2"]},
    "mpeg2.ts": {"codec": "mpeg2video", "rate": 25, "sound": ["mp2"]},
    "h264.ts": {"codec": "libx264", "options": QUICK, "sound": ["ac3"]},
    "mpeg2.mxf": {"codec": "mpeg2video", "pixel_format": "yuv422p", "rate": 25,
                  "sound": ["pcm_s16le"]},
    "prores.mxf": {"codec": "prores_ks", "pixel_format": "yuv422p10le", "rate": 25},
    "raw.y4m": {"codec": "rawvideo"},
}  # fmt: skip
FRAMES = 36


# Seconds for one film: reading, writing, reading both.
LONGEST = 20.0
# What is said of a whole film too.
_ASSUMED = ("no matrix is stored", "no range is stored")
# Streams without a header that promises a length: nobody can know what was cut from their ends.
_OPEN_ENDED = (".ts", ".mpg")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clean")
    return {
        name: make_film(folder / name, **{"frames": FRAMES, **options})
        for name, options in FILMS.items()
    }


def test_there_are_two_hundred() -> None:
    assert len(FILMS) * len(KINDS) >= 200


@pytest.mark.slow
@pytest.mark.parametrize("name", FILMS)
def test_a_broken_film(name: str, clean: dict[str, Path], tmp_path: Path) -> None:
    """Every way to break it ends in a verified film that says what is missing, or a sentence."""
    film = clean[name]
    number = list(FILMS).index(name)
    other = clean[list(FILMS)[number - 1]].read_bytes()
    folder = tmp_path / "broken"
    folder.mkdir()
    for k, kind in enumerate(KINDS):
        broken = damaged(film.read_bytes(), kind, 100 * number + k, other)
        (folder / f"{kind}{film.suffix}").write_bytes(broken)
    outcomes = run_apart(folder)
    assert {o["film"] for o in outcomes} == {p.name for p in folder.iterdir()}
    for outcome in outcomes:
        assert outcome["unchanged"]
        assert outcome["left"] == []
        assert outcome["seconds"] < LONGEST
        if outcome["result"] == "refused":
            sentence = outcome["sentence"]
            assert sentence.endswith(".")
            assert "\n" not in sentence
            assert "Traceback" not in sentence
            continue
        said = [line for line in outcome["said"] if not line.startswith(_ASSUMED)]
        open_ended = film.suffix in _OPEN_ENDED and outcome["film"].startswith(("head", "tail"))
        # What a decoder cannot decode it leaves as its memory was: no two decodings are the same.
        undecided = said and all(d.startswith("luma: ") for d in outcome["differs"])
        assert outcome["differs"] == [] or undecided, outcome
        assert outcome["frames"] >= FRAMES or said or open_ended, outcome
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken"]


def run_apart(folder: Path) -> list[dict[str, Any]]:
    """What `tests.damage` reports of each film; it must come to its end."""
    command = [sys.executable, "-m", "tests.damage", str(folder)]
    limit = LONGEST * len(KINDS)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=limit, cwd=Path(__file__).parents[1]
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (lines[-1:], done.stderr[-2000:])
    assert "Traceback" not in done.stderr
    return [line for line in lines if "result" in line]
