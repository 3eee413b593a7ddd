"""A 1080p film from file to file on a GPU, for `benchmarks.gpu`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SIZE = (1080, 1920)
MADE_FRAMES, REPEATS, COMPARED_FRAMES = 240, 4, 48  # of the film: made once, joined to itself
ULTRAFAST = "preset=ultrafast"
# Codes of chroma between the GPU's film and the CPU's, whose networks count in other precision.
MOST_MEAN_DIFFERENCE = 1.0

Figures = dict[str, Any]


def called(words: list[str], seconds: float, **environment: str) -> str:
    """What a command prints.

    Raises:
        RuntimeError: it fails or takes too long; with the end of what it printed.
    """
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{words[0]} took over {seconds:.0f} s") from None
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} failed: {done.stdout[-2000:]}")
    return done.stdout


def film(found: Figures) -> None:
    """A 1080p film from file to file on the GPU and on the CPU; its first frames compared."""
    from benchmarks.films import make_film, repeat_film

    with tempfile.TemporaryDirectory(prefix="pycolor-") as name:
        folder = Path(name)
        once = make_film(folder / "once.mp4", SIZE[0], MADE_FRAMES)
        source = repeat_film(once, folder / "gray.mp4", REPEATS)
        found["frames"] = MADE_FRAMES * REPEATS
        began = time.perf_counter()
        color(source, folder / "cuda.mp4", "cuda", ":", "--codec-options", ULTRAFAST)
        found["seconds of the command, its start included"] = time.perf_counter() - began
        found["transcode alone, frames a second"] = transcoded(source, folder / "plain.mp4")
        for device, suffix, frames in (
            ("cuda", ".mp4", MADE_FRAMES * REPEATS),
            ("cuda", ".mkv", MADE_FRAMES),
            ("cpu", ".mp4", MADE_FRAMES),
        ):
            found[f"{device} {suffix}"] = timed_film(source, folder, device, suffix, frames)
        for device in ("cuda", "cpu"):
            color(source, folder / f"{device}.mkv", device, f":{COMPARED_FRAMES}")
        worst, mean = chroma_difference(folder / "cuda.mkv", folder / "cpu.mkv")
    found["chroma codes against the CPU"] = {"worst": worst, "mean": mean}
    if mean > MOST_MEAN_DIFFERENCE:
        raise RuntimeError(f"the GPU's film differs from the CPU's by {mean:.2f} codes in the mean")


def timed_film(source: Path, folder: Path, device: str, suffix: str, frames: int) -> Figures:
    """A film in a process that has colored before: frames a second, and the seconds of stages.

    Stages overlap; the one that takes most is what bounds the film.
    """
    from pycolor.options import PredictOptions, VideoOptions
    from pycolor.video.job.film import color_film

    fast = ULTRAFAST if suffix == ".mp4" else ""
    target = folder / f"timed-{device}{suffix}"

    def colored(count: int) -> Any:
        options = VideoOptions(
            predict=PredictOptions(device=device),
            frames=f":{count}",
            codec_options=fast,
            overwrite=True,
        )
        return color_film(source, target, options)

    colored(24)
    report = colored(frames)
    stages = {stage: round(seconds, 2) for stage, seconds in report.stage_seconds.items()}
    return {
        "frames": frames,
        "seconds": round(report.seconds, 2),
        "frames a second": round(frames / report.seconds, 1),
        "stage seconds": stages,
    }


def transcoded(source: Path, target: Path) -> float:
    """Frames a second of the same decoder and encoder without any color."""
    began, frames = time.perf_counter(), 0
    with av.open(str(source)) as film, av.open(str(target), "w") as out:
        film.streams.video[0].thread_type = "AUTO"
        stream: Any = out.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = SIZE[1], SIZE[0], "yuv420p"
        for frame in film.decode(video=0):
            frame.pts, frame.time_base, frames = frames, Fraction(1, 24), frames + 1
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return frames / (time.perf_counter() - began)


def color(source: Path, target: Path, device: str, frames: str, *more: str) -> None:
    words = [sys.executable, "-m", "pycolor", "video", str(source), str(target)]
    words += ["--device", device, "--frames", frames, "--quiet", "--overwrite", *more]
    called(words, 200)


def chroma_difference(one: Path, other: Path) -> tuple[int, float]:
    """The largest and the mean difference of the chroma codes of two films."""
    worst, total, frames = 0, 0.0, 0
    with av.open(str(one)) as a, av.open(str(other)) as b:
        for x, y in zip(a.decode(video=0), b.decode(video=0), strict=True):
            height = x.height
            found, wanted = (f.to_ndarray()[height:].astype(np.int16) for f in (x, y))
            far = np.abs(found - wanted)
            worst, total, frames = max(worst, int(far.max())), total + float(far.mean()), frames + 1
    return worst, total / max(1, frames)
