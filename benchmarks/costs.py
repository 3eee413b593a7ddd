"""What a film costs with each packaged model: time and memory, and whether `verify` finds it whole.

    python -m benchmarks.costs FILM [--rounds 3]

Every model colors FILM and a made one of 4096×2304, each time in a process of its own, in turns.
Frames a second are those of one processor: frames over the processor time of the whole command,
its start included.  Memory is the peak of the process (VmHWM of Linux) beyond what it holds after
its imports: decoder, network, renderer and encoder together.  The table goes to docs/models.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands set it

from benchmarks.films import make_film
from benchmarks.page import RESULTS, fill_in, table
from pycolor.evaluate.environment import record
from pycolor.models import zoo
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.job.film import color_film
from pycolor.video.verify import verify

LARGE_HEIGHT, LARGE_FRAMES = 2304, 16


@dataclass(frozen=True)
class Cost:
    """One run: `peak_mb` beyond `imports_mb`; `processor_seconds` of all threads."""

    model: str
    film: str
    size: tuple[int, int]
    frames: int
    seconds: float
    processor_seconds: float
    imports_mb: float
    peak_mb: float
    verified: bool


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("this system does not tell the peak of a process; expected Linux.")


def child(model: str, film: Path) -> Cost:
    """Color a film here and now."""
    imports = peak_mb()
    with tempfile.TemporaryDirectory(prefix="pycolor-") as folder:
        target = Path(folder) / "colored.mkv"
        began = time.process_time()
        options = VideoOptions(preset="h264", predict=PredictOptions(model=model))
        report = color_film(film, target, options)
        spent = time.process_time() - began
        peak = peak_mb()
        return Cost(
            model=model,
            film=film.name,
            size=(report.info.width, report.info.height),
            frames=report.frames,
            seconds=report.seconds,
            processor_seconds=spent,
            imports_mb=imports,
            peak_mb=peak - imports,
            verified=verify(film, target).ok,
        )


def run(model: str, film: Path) -> Cost:
    """Color a film in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.costs", str(film), "--child", model]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    cost = Cost(**json.loads(done.stdout))
    print(json.dumps(asdict(cost)), file=sys.stderr, flush=True)
    return cost


def rows(costs: list[Cost]) -> list[list[str]]:
    """Of the table: medians of the times, the largest of the peaks; blank where no run was made."""
    films = list(dict.fromkeys(c.film for c in costs))
    found = []
    for model in dict.fromkeys(c.model for c in costs):
        of = [[c for c in costs if (c.model, c.film) == (model, film)] for film in films]
        fps = statistics.median(c.frames / c.processor_seconds for c in of[0])
        peaks = [f"{max(c.peak_mb for c in runs):.0f}" if runs else "" for runs in of]
        good = all(c.verified for runs in of for c in runs)
        found.append([model, f"{fps:.1f}", *peaks, "the same" if good else "differs"])
    return found


def _size(costs: list[Cost], film: str) -> str:
    width, height = next(c.size for c in costs if c.film == film)
    return f"{width}×{height}"


def write(costs: list[Cost]) -> None:
    """The figures so far, and the table of docs/models.md."""
    told = {"record": record(), "rows": [asdict(c) for c in costs]}
    (RESULTS / "costs.json").write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")
    sizes = [_size(costs, film) for film in dict.fromkeys(c.film for c in costs)]
    peaks = [f"peak MB, {size}" for size in sizes]
    fill_in("costs", table(["model", "frames a second", *peaks, "`verify`"], rows(costs)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("film", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", metavar="MODEL", help="color with it, print the cost")
    options = parser.parse_args()
    if options.child:
        print(json.dumps(asdict(child(options.child, options.film))))
        return
    models = [card.name for card in zoo.CARDS if card.weights]
    costs: list[Cost] = []
    with tempfile.TemporaryDirectory(prefix="pycolor-") as folder:
        large = make_film(Path(folder) / "made.mp4", LARGE_HEIGHT, LARGE_FRAMES)
        for film in (*[options.film] * options.rounds, large):
            for model in models:
                costs.append(run(model, film))
                write(costs)


if __name__ == "__main__":
    main()
