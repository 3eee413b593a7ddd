"""A film of many segments by the actors of a Ray cluster: the driver's memory, loads, lost actors.

    python -m benchmarks.ray_driver [--jobs 40,200,1000] [--actors 1] [--lose N] [--json FILE]

A cluster on this machine pretends to have so many devices (GPUs that nobody looks for: the actors
color on the processor), so all of it is about correctness and memory, and nothing about speed.
Each number of jobs has a process of its own.  Of the driver the memory that is its own (RssAnon) is
noted when a tenth of the frames are colored, and when all are; `--lose` kills that many actors.
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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # the cluster is this process's own

from pycolor.options import PredictOptions, VideoOptions
from pycolor.system.progress import Progress
from pycolor.video.job.distribute import ray_cluster
from pycolor.video.job.distribute.segment_worker import Answer, SegmentWorker
from pycolor.video.job.film import color_film
from tests.films import make_film

ROOT = Path(__file__).resolve().parents[1]
SEGMENT_FRAMES = 4


@dataclass(frozen=True, kw_only=True)
class Run:
    """What became of a film.

    Attributes:
        early_mib, late_mib: the driver's own memory at a tenth and at the end of the coloring.
        actors: that loaded a model, replaced ones included.
        most_loads: of any of them.
        tried_again: segments that lost their actor.
        same: the output has the bytes of a run without Ray; None where there was none.
    """

    jobs: int
    devices: int
    killed: int
    early_mib: float
    late_mib: float
    actors: int
    most_loads: int
    tried_again: int
    same: bool | None


class CountingWorker(SegmentWorker):
    """Notes each load of its model."""

    def introduce(self) -> Answer:
        from pycolor.models.checkpoints import weight_files

        load = weight_files.load

        def counted(*given: Any) -> Any:
            with Path(os.environ["PYCOLOR_LOADS"], str(os.getpid())).open("a") as f:
                f.write("load\n")
            return load(*given)

        weight_files.load = counted  # type: ignore[assignment]
        return super().introduce()


class Watch(Progress):
    """Notes the driver's memory, and kills actors, while the film is colored."""

    def __init__(self, frames: int, lose: int, loads: Path) -> None:
        super().__init__("", None, style="none")
        self.memory: dict[int, float] = {}
        self._frames, self._done, self._loads = frames, 0, loads
        self.killed: list[int] = []
        self._lose = [frames * (n + 1) // (lose + 1) for n in range(lose)]

    def stage(self, title: str, total: int | None, unit: str = "frames") -> None:
        super().stage(title, total, unit)
        self._done = 0

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        working = [int(path.name) for path in self._loads.iterdir()]
        if not working or self.total != self._frames:
            return
        self.memory.setdefault(self._done, own_memory())
        if self._lose and self._done >= self._lose[0]:
            alive = [p for p in working if p not in self.killed]
            self._lose.pop(0)
            self.killed.append(alive[0])
            os.kill(alive[0], signal.SIGKILL)


def own_memory() -> float:
    """This process's anonymous memory, in MiB."""
    told = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert told is not None
    return int(told[1]) / 1024


def run(jobs: int, devices: int, lose: int, *, compare: bool) -> Run:
    """One film, by a cluster that is started for it."""
    import ray

    frames = jobs * SEGMENT_FRAMES
    predict = PredictOptions(short_side=32, dtype="float32")
    options = VideoOptions(predict=predict, segment_frames=SEGMENT_FRAMES)
    ray_cluster.SegmentWorker = CountingWorker  # type: ignore[misc]
    with tempfile.TemporaryDirectory(prefix="pycolor-") as folder:
        loads, film, out = Path(folder, "loads"), Path(folder, "in.mkv"), Path(folder, "out.mkv")
        loads.mkdir()
        os.environ.update(PYCOLOR_LOADS=str(loads), PYTHONPATH=str(ROOT))
        make_film(film, frames=frames)
        ray.init(num_cpus=devices, num_gpus=devices, include_dashboard=False, log_to_driver=False)
        watch, said = Watch(frames, lose, loads), list[str]()
        color_film(film, out, replace(options, ray="auto"), progress=watch, say=said.append)
        ray.shutdown()
        same = None
        if compare:
            color_film(film, Path(folder, "one.mkv"), options)
            same = out.read_bytes() == Path(folder, "one.mkv").read_bytes()
        counts = [len(path.read_text().split()) for path in loads.iterdir()]
    noted = sorted(watch.memory)
    early = next(n for n in noted if n >= frames / 10)
    return Run(
        jobs=jobs,
        devices=devices,
        killed=len(watch.killed),
        early_mib=round(watch.memory[early], 1),
        late_mib=round(watch.memory[noted[-1]], 1),
        actors=len(counts),
        most_loads=max(counts),
        tried_again=sum("tried again" in text for text in said),
        same=same,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", default="40,200,1000")
    parser.add_argument("--actors", type=int, default=1)
    parser.add_argument("--lose", type=int, default=0)
    parser.add_argument("--compare", action="store_true", help="with a run without Ray")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    jobs = given.jobs.split(",")
    if len(jobs) == 1:
        told = [asdict(run(int(jobs[0]), given.actors, given.lose, compare=given.compare))]
        print(json.dumps(told[0]))
    else:
        told = []
        for count in jobs:
            words = [sys.executable, "-m", "benchmarks.ray_driver", "--jobs", count]
            words += ["--actors", str(given.actors), "--lose", str(given.lose)]
            words += ["--compare"] * given.compare
            done = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
            told.append(json.loads(done.stdout.splitlines()[-1]))
            print(json.dumps(told[-1]), flush=True)
    if given.json:
        given.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
