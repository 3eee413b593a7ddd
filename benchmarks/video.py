"""How fast films are colored, stage by stage, beside a plain transcode with the same encoder.

    python -m benchmarks.video [--heights 360 1080] [--presets h264 archive] [--json FILE]

The transcode reads and writes the same film with the same Reader, Writer and encoder settings, and
a constant in place of the color: what is left is the price of decoding and encoding.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands set it

from rich.console import Console
from rich.table import Table

from benchmarks.films import WIDTH_OF, make_film
from benchmarks.transcode import transcode as plain_transcode
from pycolor.evaluate.environment import record
from pycolor.models import zoo
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.job.film import color_film

# Frames of each film: enough that starting does not count, few enough for a coffee.
FRAMES = {360: 96, 480: 72, 720: 48, 1080: 36, 2160: 12}
SUFFIX = {"archive": ".mkv", "h264": ".mp4"}


@dataclass(frozen=True)
class Timing:
    """A film of one size, colored by one model with one preset.

    Attributes:
        model, preset, height, frames: what was timed.
        decode_fps, transcode_fps, whole_fps: frames a second: decoding alone, with encoding, and
            all of coloring, the loading of the model included.
        stage_ms: milliseconds a frame in each stage; stages overlap.
    """

    model: str
    preset: str
    height: int
    frames: int
    decode_fps: float
    transcode_fps: float
    whole_fps: float
    stage_ms: dict[str, float]

    @property
    def price(self) -> float:
        """How many times longer than the transcode coloring takes."""
        return self.transcode_fps / self.whole_fps


def decode(film: Path) -> float:
    """Seconds to decode a film."""
    began = time.perf_counter()
    with Reader(film) as reader:
        for frame in reader:
            assert frame.luma.size
    return time.perf_counter() - began


def transcode(film: Path, target: Path, preset: str) -> float:
    """Seconds of a plain transcode."""
    began = time.perf_counter()
    plain_transcode(film, target, preset)
    return time.perf_counter() - began


def measure(film: Path, height: int, preset: str, model: str, folder: Path) -> Timing:
    """Time a film; the best of two for the short parts, once for the whole."""
    target = folder / f"out{SUFFIX[preset]}"
    decoding = min(decode(film) for _ in range(2))
    plain = min(transcode(film, target, preset) for _ in range(1 if height > 1080 else 2))
    options = VideoOptions(preset=preset, overwrite=True, predict=PredictOptions(model=model))
    report = color_film(film, target, options)
    frames = report.frames
    return Timing(
        model=model,
        preset=preset,
        height=height,
        frames=frames,
        decode_fps=frames / decoding,
        transcode_fps=frames / plain,
        whole_fps=frames / report.seconds,
        stage_ms={name: 1e3 * s / frames for name, s in report.stage_seconds.items()},
    )


def show(timings: list[Timing], console: Console) -> None:
    """Two tables: how fast, and where the time goes."""
    speeds = Table(title="frames a second; the price is the transcode's speed over coloring's")
    for column in ("model", "preset", "size", "decode", "transcode", "color", "price"):
        speeds.add_column(column, justify="right")
    stages = list(dict.fromkeys(name for t in timings for name in t.stage_ms))
    shares = Table(title="milliseconds a frame in each stage, and its share; stages overlap")
    for column in ("model", "preset", "size", *stages):
        shares.add_column(column, justify="right")
    for t in timings:
        what = (t.model, t.preset, f"{WIDTH_OF[t.height]}×{t.height}")
        fps = [f"{x:.1f}" for x in (t.decode_fps, t.transcode_fps, t.whole_fps)]
        speeds.add_row(*what, *fps, f"{t.price:.2f}×")
        shares.add_row(*what, *[share(t, stage) for stage in stages])
    console.print(speeds, shares)


def share(timing: Timing, stage: str) -> str:
    """A cell of the second table."""
    spent = timing.stage_ms.get(stage, 0.0)
    return f"{spent:.1f} ({spent / sum(timing.stage_ms.values()):.0%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heights", type=int, nargs="+", default=list(FRAMES), choices=FRAMES)
    parser.add_argument("--presets", nargs="+", default=["h264", "archive"], choices=SUFFIX)
    parser.add_argument("--models", nargs="+", default=[c.name for c in zoo.CARDS if c.weights])
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    timings = []
    with tempfile.TemporaryDirectory(prefix="pycolor-") as name:
        folder = Path(name)
        for height in options.heights:
            film = make_film(folder / f"{height}.mp4", height, FRAMES[height])
            timings += [
                measure(film, height, preset, model, folder)
                for model in options.models
                for preset in options.presets
            ]
    show(timings, Console(width=150))
    if options.json:
        rows = [asdict(t) | {"price": t.price} for t in timings]
        result = {"record": record(), "rows": rows}
        options.json.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
