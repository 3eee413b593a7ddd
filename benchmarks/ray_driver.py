"""A film of many segments by the actors of a Ray cluster: the driver's memory, loads, lost actors.

    python -m benchmarks.ray_driver [--jobs 40,200,1000] [--film 24] [--actors 8] [--lose 2]
        [--json FILE]

A cluster on this machine pretends to have so many devices (GPUs that nobody looks for: the actors
color on the processor), so all of it is about correctness and memory, and nothing about speed.
Of the driver the memory that is its own (RssAnon) is noted at each segment that is done.  For the
numbers of jobs actors that write a few bytes and color nothing answer it, each in a process of its
own; then a film of `--film` segments is colored, and `--lose` actors are killed on the way.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's own: 15
os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")
os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # the cluster is this process's own

from pycolor.options import PredictOptions, VideoOptions
from pycolor.system.progress import Progress
from pycolor.video.job.distribute import ray_cluster
from pycolor.video.job.distribute.ray_cluster import RayWorkers
from pycolor.video.job.distribute.segment_worker import Answer
from pycolor.video.job.film import color_film
from pycolor.video.job.work.segments.segment_store import SegmentStore
from tests.counting_worker import CountingWorker
from tests.films import make_film

ROOT = Path(__file__).resolve().parents[1]
SEGMENT_FRAMES = 4


class IdleWorker:
    """Answers as a worker does, at once."""

    def __init__(self, *_: Any) -> None: ...

    def introduce(self) -> Answer:
        return Answer(node="here", told={"arithmetic": {}, "versions": {}})

    def color(self, _: Any, first: int, stop: int, part: Path) -> Answer:
        output = part.with_name(f"{part.stem}-idle{part.suffix}")
        output.write_bytes(b"film" * 4096)
        return Answer(node="here", part=output, luma=(bytes(32),) * (stop - first))


class Killer(Progress):
    """Kills actors while the film is colored, one after each share of it."""

    def __init__(self, frames: int, lose: int, loads: Path) -> None:
        super().__init__("", None, style="none")
        self._frames, self._loads, self._done = frames, loads, 0
        self._at = [frames * (n + 1) // (lose + 1) for n in range(lose)]
        self.killed: list[int] = []

    def stage(self, title: str, total: int | None, unit: str = "frames") -> None:
        super().stage(title, total, unit)
        self._done = 0

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        if self.total != self._frames or not self._at or self._done < self._at[0]:
            return
        working = [int(path.name) for path in self._loads.iterdir()]
        alive = [process for process in working if process not in self.killed]
        if alive:
            self._at.pop(0)
            self.killed.append(alive[0])
            os.kill(alive[0], signal.SIGKILL)


def own_memory() -> float:
    """This process's anonymous memory, in MiB."""
    told = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert told is not None
    return int(told[1]) / 1024


def start(devices: int) -> Any:
    """A cluster of this process that says it has so many devices."""
    import ray

    os.environ["PYTHONPATH"] = str(ROOT)
    ray.init(num_cpus=devices, num_gpus=devices, include_dashboard=False, log_to_driver=False)
    return ray


def driver_memory(jobs: int) -> dict[str, Any]:
    """The driver's memory after the first twentieth of the jobs, and after all."""
    noted: list[float] = []
    with tempfile.TemporaryDirectory(prefix="pycolor-") as folder:
        ray = start(2)
        store = SegmentStore(Path(folder), ".mkv")
        segments = [store.segment(4 * n, 4 * n + 4, f"{n:064x}") for n in range(jobs)]
        with RayWorkers("auto", PredictOptions(), worker=IdleWorker) as workers:
            workers.color(
                cast(Any, None), segments, store, on_done=lambda _: noted.append(own_memory())
            )
        ray.shutdown()
    first = max(1, jobs // 20)
    return {
        "jobs": jobs,
        "first": first,
        "first_mib": round(noted[first - 1], 1),
        "half_mib": round(noted[jobs // 2], 1),
        "last_mib": round(noted[-1], 1),
    }


def film(jobs: int, devices: int, lose: int) -> dict[str, Any]:
    """A film by real actors, some of them killed: its bytes, and how often a model was loaded."""
    frames = jobs * SEGMENT_FRAMES
    predict = PredictOptions(short_side=32, dtype="float32")
    options = VideoOptions(predict=predict, segment_frames=SEGMENT_FRAMES)
    setattr(ray_cluster, "SegmentWorker", CountingWorker)  # noqa: B010  (of another module)
    said: list[str] = []
    with tempfile.TemporaryDirectory(prefix="pycolor-") as folder:
        loads, source, out = (Path(folder, name) for name in ("loads", "in.mkv", "out.mkv"))
        loads.mkdir()
        os.environ["PYCOLOR_LOADS"] = str(loads)
        make_film(source, frames=frames)
        color_film(source, Path(folder, "one.mkv"), options)
        ray = start(devices)
        killer = Killer(frames, lose, loads)
        color_film(source, out, replace(options, ray="auto"), progress=killer, say=said.append)
        ray.shutdown()
        same = out.read_bytes() == Path(folder, "one.mkv").read_bytes()
        counts = [len(path.read_text().split()) for path in loads.iterdir()]
    return {
        "segments": jobs,
        "devices": devices,
        "killed": len(killer.killed),
        "tried_again": sum("tried again" in text for text in said),
        "actors": len(counts),
        "most_loads_of_one": max(counts),
        "same_bytes": same,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", default="40,200,1000", help="0: none")
    parser.add_argument("--film", type=int, default=24, help="segments; 0: no film")
    parser.add_argument("--actors", type=int, default=8)
    parser.add_argument("--lose", type=int, default=2)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    jobs = [int(count) for count in given.jobs.split(",") if int(count)]
    if len(jobs) == 1:
        rows.append(driver_memory(jobs[0]))
    for count in jobs if len(jobs) > 1 else ():
        words = [sys.executable, "-m", "benchmarks.ray_driver", "--jobs", str(count), "--film", "0"]
        done = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    if given.film:
        rows.append(film(given.film, given.actors, given.lose))
    for row in rows:
        print(json.dumps(row), flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
