"""One film by many machines: how long it takes beside the ideal, by simulation.

    python -m benchmarks.cluster FILM [--hours 2] [--json docs/results/cluster.json]
    python -m benchmarks.cluster --ray 8

The segments are those of FILM's real plan, again and again until the film is so long.  What a frame
costs in processor time is measured (`docs/results/video.json`, 1080 lines, one thread), and what is
done a pixel is scaled to the film's height.  Machines take segments as workers on slices do, in the
order of `in_order`, or from one queue, as those of a Ray cluster; the shared folder's bandwidth is
parted among those at work.  Machines differ in speed, some are stragglers, spot machines are taken
away and come again.  The ideal is all work over the sum of all speeds.

`--ray N` runs no simulation: N actors of a real Ray cluster on this machine color segments that do
nothing but sleep, and the driver's queue, efficiency and memory are measured.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

from benchmarks.page import DOCS, RESULTS, fill_in, table
from pycolor.evaluate.environment import record
from pycolor.options import PropagationOptions, VideoOptions
from pycolor.options.video import Slice
from pycolor.video.job.distribute.slices import in_order
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.plan.analysis import analyze_film
from pycolor.video.plan.planning import plan_of

Policy = Literal["slices", "queue"]


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Of a frame, in seconds of one processor, and in bytes.

    Attributes:
        color: decoding, network, propagation, rendering, encoding.
        analyze: of the first pass.
        check: of reading a lossless output back.
        read: bytes of the source.
        written: bytes of the output.
    """

    color: float
    analyze: float
    check: float
    read: float
    written: float


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The machines.

    Attributes:
        count: of machines.
        processors: of each.
        link: bytes a second between a machine and the shared folder.
        folder: bytes a second of the shared folder for all of them.
        spread: standard deviation of the logarithm of a machine's speed.
        stragglers: share of the machines that take three times as long.
        life: mean seconds until a spot machine is taken away; none: it never is.
        away: seconds until it is there again.
        start: seconds of a worker until it has the model.
        found_dead: seconds until what it was at is taken over.
        policy: how machines come to their segments.
    """

    count: int
    processors: int = 8
    link: float = 1.2e9
    folder: float = 5e9
    spread: float = 0.0
    stragglers: float = 0.0
    life: float | None = None
    away: float = 120.0
    start: float = 20.0
    found_dead: float = 300.0
    policy: Policy = "slices"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Seconds of the coloring beside the ideal; segments made twice or in vain; bytes moved."""

    seconds: float
    ideal: float
    lost: int
    read: float
    written: float

    @property
    def efficiency(self) -> float:
        return self.ideal / self.seconds


def simulate(lengths: Sequence[int], costs: Costs, fleet: Fleet, seed: int = 0) -> Outcome:
    """Color segments of so many frames, event by event.

    Args:
        lengths: frames of each segment.
        costs: of a frame.
        fleet: that works.
        seed: of all chance.
    """
    return _Simulation(lengths, costs, fleet, random.Random(seed)).run()


class _Simulation:
    def __init__(
        self, lengths: Sequence[int], costs: Costs, fleet: Fleet, chance: random.Random
    ) -> None:
        self.lengths, self.costs, self.fleet, self.chance = lengths, costs, fleet, chance
        self.speed = [self._speed() for _ in range(fleet.count)]
        segments = [Segment(first=n, stop=n + 1, path=Path(str(n))) for n in range(len(lengths))]
        self.order = [
            [s.first for s in in_order(segments, Slice(number=k + 1, count=fleet.count))]
            for k in range(fleet.count)
        ]
        self.place = [0] * fleet.count  # how far a worker has looked in its order
        self.queue = deque(range(len(lengths)))
        self.open = set(self.queue)  # neither done nor held
        self.left = len(lengths)
        self.claimed_until: dict[int, float] = {}  # a dead worker's claim: when it may be taken
        self.busy = self.lost = 0
        self.read = self.written = 0.0
        self.events: list[tuple[float, int, int, str]] = []
        self.number = 0

    def _speed(self) -> float:
        speed = self.chance.lognormvariate(0, self.fleet.spread) if self.fleet.spread else 1.0
        return speed / 3 if self.chance.random() < self.fleet.stragglers else speed

    def _at(self, when: float, worker: int, what: str) -> None:
        self.number += 1  # ties in the order in which they were made
        heapq.heappush(self.events, (when, self.number, worker, what))

    def run(self) -> Outcome:
        fleet, now = self.fleet, 0.0
        alive: dict[int, int] = {}  # worker → which of its lives
        lives = [0] * fleet.count
        at: dict[int, int] = {}  # worker → its segment
        for worker in range(fleet.count):
            self._at(0.0, worker, "come")
        while self.left:
            now, _, worker, what = heapq.heappop(self.events)
            kind, _, life = what.partition(" ")
            if kind != "come" and alive.get(worker) != int(life):
                continue  # of a life that has ended
            if kind == "come":
                lives[worker] += 1
                alive[worker] = lives[worker]
                if fleet.life is not None:
                    gone = now + self.chance.expovariate(1 / fleet.life)
                    self._at(gone, worker, f"go {lives[worker]}")
                self._at(now + fleet.start, worker, f"look {lives[worker]}")
                continue
            if kind == "go":
                del alive[worker]
                if worker in at:
                    segment = at.pop(worker)
                    self._drop(segment, now)
                self._at(now + fleet.away, worker, "come")
                continue
            if kind == "end":
                self._finish(at.pop(worker))
            found = self._next(worker, now)
            if found is None:
                if self.left:
                    self._at(now + fleet.found_dead / 100, worker, f"look {life}")
                continue
            at[worker] = found
            self.open.discard(found)
            self.busy += 1
            self._at(now + self._takes(found, worker), worker, f"end {life}")
        frames = sum(self.lengths)
        ideal = frames * self.costs.color / fleet.processors / sum(self.speed)
        return Outcome(
            seconds=now, ideal=ideal, lost=self.lost, read=self.read, written=self.written
        )

    def _takes(self, segment: int, worker: int) -> float:
        """Seconds of a segment: those of its processors or of its traffic, whatever is more."""
        frames, fleet = self.lengths[segment], self.fleet
        work = frames * self.costs.color / fleet.processors / self.speed[worker]
        moved = frames * (2 * self.costs.read + self.costs.written)
        return max(work, moved / min(fleet.link, fleet.folder / self.busy))

    def _drop(self, segment: int, now: float) -> None:
        """What a worker that goes was at is free when it is found dead."""
        self.lost += 1
        self.busy -= 1
        self.open.add(segment)
        self.read += self.lengths[segment] * self.costs.read  # about half of it, twice
        self.claimed_until[segment] = now + self.fleet.found_dead
        if self.fleet.policy == "queue":
            self.queue.appendleft(segment)

    def _finish(self, segment: int) -> None:
        self.busy -= 1
        self.left -= 1
        self.read += 2 * self.lengths[segment] * self.costs.read
        self.written += self.lengths[segment] * self.costs.written

    def _next(self, worker: int, now: float) -> int | None:
        if self.fleet.policy == "queue":
            for _ in range(len(self.queue)):
                segment = self.queue.popleft()
                if self.claimed_until.get(segment, 0.0) <= now:
                    return segment
                self.queue.append(segment)
            return None
        order, place = self.order[worker], self.place[worker]
        while place < len(order):  # once through its order, then what has come free since
            place += 1
            if self._is_free(order[place - 1], now):
                self.place[worker] = place
                return order[place - 1]
        self.place[worker] = place
        return next((s for s in sorted(self.open) if self._is_free(s, now)), None)

    def _is_free(self, segment: int, now: float) -> bool:
        return segment in self.open and self.claimed_until.get(segment, 0.0) <= now


# -- what the film and the machines are ---------------------------------------------------------


def segment_lengths(film: Path, frames: int, segment_frames: int) -> list[int]:
    """Frames of the segments of a film's plan, repeated until there are so many."""
    plan = plan_of(analyze_film(film), PropagationOptions(), recolor=False)
    own = [
        min(segment_frames, span.stop - first)
        for span in plan.spans
        for first in range(span.start, span.stop, segment_frames)
    ]
    found: list[int] = []
    repeated = cycle(own)
    while frames > 0:
        found.append(next(repeated))
        frames -= found[-1]
    return found


def costs_at(height: int, read: float, bits: float) -> Costs:
    """Measured at 1080 lines for FFV1, scaled by the pixels where pixels are what counts.

    Args:
        height: of the film, 16:9.
        read: bytes a second of the source at 24 frames a second.
        bits: of the output, a pixel.
    """
    rows = json.loads((RESULTS / "video.json").read_text(encoding="utf-8"))["rows"]
    (row,) = (r for r in rows if (r["preset"], r["height"]) == ("archive", 1080))
    ms, scale = row["stage_ms"], (height / 1080) ** 2
    pixels = ("decode", "render", "encode")
    color = sum(ms[k] * scale for k in pixels) + ms["predict"] + ms["propagate"]
    return Costs(
        color=color / 1e3,
        analyze=ms["analyze"] * scale / 1e3,
        check=ms["check"] * scale / 1e3,
        read=read / 24,
        written=height * height * 16 / 9 * bits / 8,
    )


SCENES: dict[str, dict[str, Any]] = {
    "alike": {},
    "stragglers": {"spread": 0.1, "stragglers": 0.05},
    "spot, 2 hours": {"spread": 0.1, "life": 7200.0},
    "spot, 20 minutes": {"spread": 0.1, "life": 1200.0},
}


def rows(lengths: Sequence[int], costs: Costs, seeds: int) -> Iterator[dict[str, Any]]:
    """A row for each number of machines, scene and policy: medians over the seeds."""
    for count in (1, 8, 100):
        for scene, changed in SCENES.items():
            for policy, found_dead in (("slices", 300.0), ("queue", 30.0)):
                fleet = Fleet(
                    count=count,
                    policy=cast(Policy, policy),
                    found_dead=found_dead,
                    **changed,
                )
                runs = [simulate(lengths, costs, fleet, seed) for seed in range(seeds)]
                runs.sort(key=lambda run: run.seconds)
                middle = runs[len(runs) // 2]
                yield {
                    "machines": count,
                    "scene": scene,
                    "policy": policy,
                    "efficiency": round(middle.efficiency, 3),
                    **{k: round(v) for k, v in asdict(middle).items()},
                    "worst_seconds": round(runs[-1].seconds),
                }


def ends(lengths: Sequence[int], costs: Costs, fleet: Fleet) -> dict[str, float]:
    """Seconds of what one machine does alone: the analysis, the digest, the joining, the check."""
    frames = sum(lengths)
    source, output = frames * costs.read, frames * costs.written
    return {
        "analyze": max(frames * costs.analyze / fleet.processors, 2 * source / fleet.link),
        "join": 3 * output / fleet.link,  # read for its digests, read, written
        "check": max(frames * costs.check / fleet.processors, output / fleet.link),
    }


def page_table(told: dict[str, Any]) -> str:
    """The table of docs/scale.md: the coloring, and the whole with what one machine does alone."""
    alone = sum(told["ends"].values())
    found = []
    for row in told["rows"]:
        if row["policy"] == "slices":
            found.append(
                [
                    str(row["machines"]),
                    row["scene"],
                    f"{row['ideal']:,}",
                    f"{row['seconds']:,}",
                    f"{row['efficiency']:.2f}",
                    str(row["lost"]),
                    f"{(row['seconds'] + alone) / 3600:.1f}",
                ]
            )
    columns = ["machines", "which", "ideal, s", "coloring, s", "efficiency", "segments lost"]
    return table([*columns, "whole, h"], found)


# -- a real queue ---------------------------------------------------------------------------------


class SleepingWorker:
    """A worker of a Ray cluster that takes its time and writes an empty file.

    It answers with what an `Answer` has, and so needs no torch.
    """

    def __init__(self, *_: object) -> None:
        pass

    def introduce(self) -> Any:
        told: dict[str, dict[str, str]] = {"arithmetic": {}, "versions": {}}
        return SimpleNamespace(node="here", error="", misused=False, told=told, part=None)

    def color(self, film: float, first: int, stop: int, part: Path) -> Any:
        output = part.with_name(f"{part.name}-{os.getpid()}")
        output.touch()
        time.sleep(film)
        luma = (bytes(32),) * (stop - first)
        return SimpleNamespace(node="here", error="", misused=False, part=output, luma=luma)


class _Store:
    """Keeps nothing but the number of what is complete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def part(self, segment: Segment) -> Path:
        return self.folder / f"{segment.first}"

    def complete(self, segment: Segment, digests: Sequence[bytes]) -> None:
        self.part(segment).unlink()


def ray_queue(workers: int, seconds: float, segments: int) -> dict[str, float]:
    """Segments that sleep, by so many actors: efficiency from when all are there, and memory."""
    from pycolor.video.job.distribute.ray_cluster import RayWorkers

    os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # else a token stays in the home folder
    import ray

    ray.init(num_cpus=workers, log_to_driver=False, include_dashboard=False)
    ray.nodes = lambda: [{"Alive": True, "Resources": {"CPU": 1}}] * workers  # a device each
    began = time.monotonic()
    times: list[float] = []
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        cluster = RayWorkers("auto", VideoOptions().predict, worker=SleepingWorker)
        with cluster:
            work = [
                Segment(first=n * 240, stop=n * 240 + 240, path=Path()) for n in range(segments)
            ]

            def count(_: Segment) -> None:
                if cluster.taken >= workers:
                    times.append(time.monotonic())
                memory.append(resident_mb())

            color = cast(Callable[..., None], cluster.color)
            color(seconds, work, _Store(Path(folder)), count)
    ray.shutdown()
    spent = times[-1] - times[0]
    return {
        "workers": workers,
        "segments": segments,
        "seconds_each": seconds,
        "seconds_until_all": times[0] - began,
        "done_until_all": segments - len(times),
        "efficiency_with_start": segments * seconds / workers / (times[-1] - began),
        "efficiency": (len(times) - 1) * seconds / workers / spent,
        "driver_mb_after_a_tenth": memory[len(memory) // 10],
        "driver_mb_at_the_end": memory[-1],
    }


def resident_mb() -> float:
    """What this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("film", type=Path, nargs="?")
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--height", type=int, default=2160)
    parser.add_argument("--source-mb", type=float, default=88.0, help="MB a second of the source")
    parser.add_argument("--bits", type=float, default=8.0, help="a pixel of the output")
    parser.add_argument("--segment-frames", type=int, default=240)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--ray", type=int, metavar="N", help="measure a real queue of N actors")
    parser.add_argument("--seconds", type=float, default=2.0, help="that an actor sleeps")
    parser.add_argument("--segments", type=int, default=200)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    told: dict[str, Any]
    if given.ray:
        told = {"queue": ray_queue(given.ray, given.seconds, given.segments)}
    else:
        costs = costs_at(given.height, given.source_mb * 1e6, given.bits)
        frames = round(given.hours * 3600 * 24)
        lengths = segment_lengths(given.film, frames, given.segment_frames)
        fleet = Fleet(count=1)
        told = {
            "film": {"frames": sum(lengths), "segments": len(lengths), "height": given.height},
            "costs": asdict(costs),
            "machine": asdict(replace(fleet, count=1)),
            "ends": ends(lengths, costs, fleet),
            "rows": list(rows(lengths, costs, given.seeds)),
        }
    text = json.dumps({"record": record(), **told}, indent=1, allow_nan=False)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")
        if given.json.resolve() == (RESULTS / "cluster.json").resolve():
            fill_in("cluster", page_table(told), DOCS / "scale.md")


if __name__ == "__main__":
    main()
