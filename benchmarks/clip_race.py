"""A film by `pycolor video`, and as a clip of VapourSynth by `color`, in turns.

    python -m benchmarks.clip_race [--film FILM] [--height 720] [--frames 120] [--rounds 3]
        [--json docs/results/clips.json]

Needs Python 3.12 or newer, VapourSynth, BestSource (`pip install vapoursynth-bestsource`) and the
program ffmpeg.  Every run is a process of its own, and they take turns: `video` colors file to file
into FFV1 and checks what it wrote; `clip` asks for the frames in order and drops them; `clip into
FFV1` hands them on to ffmpeg, as `vspipe | ffmpeg` does, and checks nothing.  BestSource looks
through the film in each run, which it keeps in a file otherwise.  A film of 12 frames is run as
well: that is the time of start-up, and the difference of the two what further frames take.  The
output of ffmpeg must have the pictures of `pycolor video`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.film_race import ROOT, SHORT, Turn, turn
from benchmarks.films import make_film
from pycolor.evaluate.environment import record
from pycolor.video.io import Reader
from pycolor.video.io.frame.planes import chroma_planes

# What `--preset archive` asks of FFV1, see pycolor/video/io/containers/presets.py.
FFV1 = ("-c:v", "ffv1", "-level", "3", "-g", "1", "-slicecrc", "1", "-coder", "1", "-slices", "16")


def color_clip(film: Path, out: Path | None) -> None:
    """The whole life of a process of `clip`."""
    import vapoursynth as vs

    from pycolor.vapoursynth import color

    clip = color(vs.core.bs.VideoSource(str(film), cachemode=0))
    if out is None:
        for frame in clip.frames(close=True):
            np.asarray(frame[1])
        return
    words = ["ffmpeg", "-v", "error", "-y", "-f", "yuv4mpegpipe", "-i", "-", *FFV1, str(out)]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as encoder:
        clip.output(encoder.stdin, y4m=True)
    if encoder.returncode:
        sys.exit("ffmpeg failed.")


def excerpt(source: Path | None, height: int, frames: int, target: Path) -> Path:
    """The first frames of a film, of so many lines; without one, a made film."""
    if source is None:
        return make_film(target, height, frames)
    words = ["ffmpeg", "-v", "error", "-i", str(source), "-frames:v", str(frames), "-an"]
    size = f"scale={height * 16 // 9}:{height}:flags=lanczos"
    coded = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-crf", "18"]
    subprocess.run([*words, "-vf", size, *coded, str(target)], check=True)
    return target


def same_pictures(one: Path, other: Path) -> bool:
    """Whether two films have the same codes in each frame."""

    def planes(film: Path) -> list[bytes]:
        with Reader(film) as reader:
            return [
                b"".join(p.tobytes() for p in (f.luma, *(chroma_planes(f) or ()))) for f in reader
            ]

    return planes(one) == planes(other)


def race(films: dict[int, Path], rounds: int, work: Path) -> list[dict[str, Any]]:
    """All ways with both films, in turns."""
    colored, piped = work / "video.mkv", work / "piped.mkv"
    ways: dict[str, Callable[[str], list[str]]] = {
        "video": lambda film: ["pycolor", "video", film, str(colored), "--overwrite", "--quiet"],
        "clip": lambda film: ["benchmarks.clip_race", "--clip", film],
        "clip into FFV1": lambda film: ["benchmarks.clip_race", "--clip", film, str(piped)],
    }
    turns: dict[tuple[str, int], list[Turn]] = {}
    for _ in range(rounds):
        for count, film in films.items():
            for way, words in ways.items():
                turns.setdefault((way, count), []).append(turn(ROOT, words(str(film))))
    if not same_pictures(colored, piped):
        sys.exit("the clip's pictures differ from those of `pycolor video`.")
    return [_row(way, max(films), turns) for way in ways]


def _row(way: str, frames: int, turns: dict[tuple[str, int], list[Turn]]) -> dict[str, Any]:
    def middle(count: int, name: str) -> float:
        return statistics.median(float(getattr(t, name)) for t in turns[way, count])

    wall, start = middle(frames, "wall"), middle(SHORT, "wall")
    return {
        "way": way,
        "frames": frames,
        "wall": round(wall, 2),
        "wall_of_12_frames": round(start, 2),
        "frames_a_second": round((frames - SHORT) / (wall - start), 2),
        "cpu": round(middle(frames, "cpu"), 2),
        "cpu_of_12_frames": round(middle(SHORT, "cpu"), 2),
        "peak_mb": round(middle(frames, "memory")),
        "walls": [round(t.wall, 2) for t in turns[way, frames]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--film", type=Path, help="default: a made one")
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--frames", type=int, default=120, help="beyond the first 12")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--clip", type=Path, nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.clip:
        return color_clip(given.clip[0], given.clip[1] if given.clip[1:] else None)
    with tempfile.TemporaryDirectory(prefix="pycolor-") as name:
        work, counts = Path(name), (SHORT, SHORT + given.frames)
        films = {n: excerpt(given.film, given.height, n, work / f"{n}.mp4") for n in counts}
        rows = race(films, given.rounds, work)
    for row in rows:
        print(json.dumps(row))
    if given.json:
        told = {"record": record(), "film": given.film and given.film.name, "rows": rows}
        given.json.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")
    return None


if __name__ == "__main__":
    main()
