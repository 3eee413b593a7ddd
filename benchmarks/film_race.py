"""Films from file to file by this build, by another, and by a plain transcode, in turns.

    python -m benchmarks.film_race [--before FOLDER] [--seconds 30] [--rounds 2] [--json FILE]

FOLDER holds another version of pycolor, built in place.  Every run is a process of its own, and the
three take turns.  Beside wall time stand the processor time of all its threads, which other
programs on the machine disturb least, and the peak of its memory.  A film of 12 frames of the same
size is run as well: the difference of the two, a frame, is what a longer film costs.
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

from rich.console import Console
from rich.table import Table

from benchmarks.films import make_film
from pycolor.evaluate.environment import record

ROOT = Path(__file__).resolve().parents[1]
RATE, SHORT = 24, 12
# (height, preset, ending)
CASES = (
    (360, "archive", ".mkv"),
    (1080, "archive", ".mkv"),
    (360, "h264", ".mp4"),
    (720, "h264", ".mp4"),
    (1080, "h264", ".mp4"),
    (1080, "prores", ".mov"),
    (2160, "h264", ".mp4"),
)


@dataclass(frozen=True)
class Turn:
    """One process: seconds by the clock, of the processors, and MB at its peak."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Row:
    """A film by one runner, the medians of its turns.

    Attributes:
        runner: "transcode", "now" or "before".
        height, preset, frames: of the film.
        wall, cpu, memory: see `Turn`.
        start_cpu: processor seconds of the film of 12 frames.
        frame_cpu: milliseconds of processor time a frame, beyond these.
    """

    runner: str
    height: int
    preset: str
    frames: int
    wall: float
    cpu: float
    memory: float
    start_cpu: float
    frame_cpu: float


def turn(tree: Path, words: list[str]) -> Turn:
    """Run a module of a tree."""
    environment = os.environ | {"PYTHONPATH": str(tree), "OMP_WAIT_POLICY": "PASSIVE"}
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", *words], cwd=tree, env=environment, stderr=subprocess.PIPE
    )
    assert child.stderr is not None
    said = child.stderr.read()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(words)} failed: {said.decode()[-500:]}")
    child.returncode = 0
    return Turn(wall=wall, cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss / 1024)


def race(
    height: int, preset: str, ending: str, frames: int, before: Path | None, rounds: int, work: Path
) -> list[Row]:
    """All runners with one film, in turns."""
    trees = {"transcode": ROOT, "now": ROOT} | ({} if before is None else {"before": before})
    turns: dict[tuple[str, int], list[Turn]] = {}
    films = {n: work / f"{height}-{n}.mp4" for n in (SHORT, frames)}
    for n, film in films.items():
        if not film.exists():
            make_film(film, height, n)
    for _ in range(rounds):
        for n, film in films.items():
            for runner, tree in trees.items():
                out = work / f"out{ending}"
                words = ["benchmarks.transcode", str(film), str(out), preset]
                if runner != "transcode":
                    words = ["pycolor", "video", str(film), str(out), "--preset", preset]
                    words += ["--overwrite", "--progress", "none", "--quiet"]
                turns.setdefault((runner, n), []).append(turn(tree, words))
    return [_row(runner, height, preset, frames, turns) for runner in trees]


def _row(
    runner: str, height: int, preset: str, frames: int, turns: dict[tuple[str, int], list[Turn]]
) -> Row:
    def middle(n: int, name: str) -> float:
        return statistics.median(float(getattr(t, name)) for t in turns[runner, n])

    cpu, start = middle(frames, "cpu"), middle(SHORT, "cpu")
    return Row(
        runner=runner,
        height=height,
        preset=preset,
        frames=frames,
        wall=middle(frames, "wall"),
        cpu=cpu,
        memory=middle(frames, "memory"),
        start_cpu=start,
        frame_cpu=1e3 * (cpu - start) / (frames - SHORT),
    )


def show(rows: list[Row], console: Console) -> None:
    table = Table(title="from file to file; price: processor time a frame over the transcode's")
    columns = ("film", "preset", "frames", "runner", "wall s", "cpu s", "12 frames, cpu s")
    for column in (*columns, "cpu ms a frame", "price", "peak MB"):
        table.add_column(column, justify="right")
    plain = {(r.height, r.preset): r for r in rows if r.runner == "transcode"}
    for r in rows:
        price = r.frame_cpu / plain[r.height, r.preset].frame_cpu
        figures = [f"{x:.1f}" for x in (r.wall, r.cpu, r.start_cpu, r.frame_cpu)]
        what = (f"{r.height}p", r.preset, str(r.frames), r.runner)
        table.add_row(*what, *figures, f"{price:.2f}", f"{r.memory:.0f}")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--before", type=Path, help="another version of pycolor, built in place")
    parser.add_argument("--seconds", type=float, default=30, help="of film")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default="", help="cases whose name, as 1080-archive, holds this")
    parser.add_argument("--json", type=Path, help="where to write the figures, or add to them")
    options = parser.parse_args()
    before = None if options.before is None else options.before.resolve()
    rows: list[Row] = []
    if options.json and options.json.exists():
        rows = [Row(**row) for row in json.loads(options.json.read_text())["rows"]]
    with tempfile.TemporaryDirectory(prefix="pycolor-") as name:
        for height, preset, ending in CASES:
            if options.only not in f"{height}-{preset}":
                continue
            frames = max(2 * SHORT, round(options.seconds * RATE))
            made = race(height, preset, ending, frames, before, options.rounds, Path(name))
            kept = [r for r in rows if (r.height, r.preset) != (height, preset)]
            rows = [*kept, *made]
            if options.json:
                told = {"record": record(), "rows": [asdict(r) for r in rows]}
                options.json.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")
    show(rows, Console(width=130))


if __name__ == "__main__":
    main()
