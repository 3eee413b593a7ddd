"""Who reads what pycolor writes: every preset, in each of its containers, by other programs.

    python -m benchmarks.readers > docs/readers.md

Readers that are not installed are left out; on Debian:
apt install ffmpeg mediainfo mpv gstreamer1.0-tools gstreamer1.0-libav gstreamer1.0-plugins-good.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from pycolor.video.io.containers.presets import PRESETS, container_of, preset_for
from pycolor.video.io.containers.spec import spec_of
from tests.films import colorize, make_film

FRAMES, WIDTH, HEIGHT = 8, 256, 128
RATE = Fraction(24000, 1001)
_PAGE = """# Who reads what

Written by `python -m benchmarks.readers`, which makes a film of {frames} frames at 24000/1001
frames a second with every preset in each of its containers, and asks these programs to decode it:

{programs}

“yes” means all frames, and the right rate where the program tells one.

{table}

* **FFV1 in Matroska** is named `V_MS/VFW/FOURCC`, which every reader knows, though FFmpeg 8 writes
  `V_FFV1` and RFC 9043 (4.3.3) prefers it: mpv 0.35 opens the first and refuses the second.  A
  remux by `mkvmerge` keeps the name, one by FFmpeg 8 the other; packets stay the same.
* **FFV1 in MXF** (SMPTE RDD 48) is read by new programs alone.
* **Range and matrix** are written into every film that has a place for them, whether the source
  told them or not: programs guess differently where either is missing.
* **Numbered pictures and y4m** have no times, no sound and no tags; their rate is given to the
  program that reads them.
"""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program that reads films: its name and version, and what it says of one."""

    name: str
    version: str
    read: Callable[[Path], str]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A program's answer; a failed one if it takes longer than any of these films does."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, returncode=124, stdout="", stderr="")


def _first_line(*command: str) -> str:
    done = run(*command)
    found = re.findall(r"\d+\.\d+(?:\.\d+)?", done.stdout + done.stderr)
    return max(found, key=lambda v: v.count("."), default="")


def by_ffmpeg(path: Path) -> str:
    done = run("ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v:0", "-f", "framemd5", "-")
    count = sum(1 for line in done.stdout.splitlines() if line and not line.startswith("#"))
    told = run(
        *("ffprobe", "-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"),
        *("-show_entries", "stream=r_frame_rate", str(path)),
    ).stdout.strip()
    return _said(count, "" if told.startswith("24000/1001") else f"rate {told}")


def by_mediainfo(path: Path) -> str:
    keys = "Video;%FrameRate_Mode% %FrameRate%"
    mode, _, rate = run("mediainfo", f"--Output={keys}", str(path)).stdout.strip().partition(" ")
    if not rate:
        return "no rate"
    return "yes" if rate == "23.976" and mode in ("CFR", "") else f"{mode} {rate}"


def by_mpv(path: Path) -> str:
    done = run(
        *("mpv", "--no-config", "--vo=null", "--no-audio", "--untimed", "--msg-level=all=warn"),
        *("--term-playing-msg=rate ${container-fps}", str(path)),
    )
    return "yes" if done.returncode == 0 and "Failed" not in done.stdout else "no"


def by_gstreamer(path: Path) -> str:
    with TemporaryDirectory() as folder:
        out = Path(folder, "frames")
        run(
            *("gst-launch-1.0", "-q", "filesrc", f"location={path}", "!", "decodebin", "!"),
            *("videoconvert", "!", "video/x-raw,format=GRAY8", "!"),
            *("filesink", f"location={out}"),
        )
        count = out.stat().st_size / (WIDTH * HEIGHT) if out.exists() else 0
    return _said(count)


def by_opencv(path: Path) -> str:
    import cv2

    film = cv2.VideoCapture(str(path))
    count = 0
    while film.read()[0]:
        count += 1
    rate = film.get(cv2.CAP_PROP_FPS)
    film.release()
    return _said(count, "" if abs(rate - float(RATE)) < 0.01 else f"rate {rate:.3f}")


def _said(count: float, but: str = "") -> str:
    if count != FRAMES:
        return f"{count:g} frames" if count else "no"
    return but or "yes"


def programs() -> list[Program]:
    """Those that are installed."""
    found = []
    for name, command, read in (
        ("FFmpeg", ("ffmpeg", "-version"), by_ffmpeg),
        ("MediaInfo", ("mediainfo", "--Version"), by_mediainfo),
        ("mpv", ("mpv", "--version"), by_mpv),
        ("GStreamer", ("gst-launch-1.0", "--version"), by_gstreamer),
    ):
        if shutil.which(command[0]):
            found.append(Program(name=name, version=_first_line(*command), read=read))
    try:
        import cv2
    except ImportError:
        return found
    return [*found, Program(name="OpenCV", version=cv2.__version__, read=by_opencv)]


def table(folder: Path, readers: list[Program]) -> list[str]:
    """Lines of Markdown, a row for each preset in each of its containers."""
    source = make_film(
        folder / "in.mkv",
        pixel_format="yuv422p10le",
        width=WIDTH,
        height=HEIGHT,
        frames=FRAMES,
        rate=RATE,
        matrix=1,
        primaries=1,
        transfer=1,
        color_range=1,
    )
    rows = ["| preset | file | " + " | ".join(p.name for p in readers) + " |"]
    rows.append("|---|---|" + "---|" * len(readers))
    seen: set[tuple[str, str]] = set()
    for preset in PRESETS:
        for suffix in preset.suffixes:
            key = preset.name, container_of(suffix)
            if key in seen or spec_of(key[1]).pictures_only:
                continue
            seen.add(key)
            result = folder / f"{preset.name}{suffix}"
            colorize(source, result, preset=preset_for(suffix, preset.name))
            cells = [program.read(result) for program in readers]
            rows.append(f"| `{preset.name}` | `{suffix}` | " + " | ".join(cells) + " |")
    return rows


def main() -> None:
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    readers = programs()
    with TemporaryDirectory() as folder:
        lines = table(Path(folder), readers)
    told = "\n".join(f"* {p.name} {p.version}" for p in readers)
    print(_PAGE.format(frames=FRAMES, programs=told, table="\n".join(lines)), end="")


if __name__ == "__main__":
    main()
