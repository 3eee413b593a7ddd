"""One film by the workers of a Ray cluster: the bytes of one run, a machine lost on the way."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pycolor.errors import FilmError, UsageError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.system.optional import installed
from pycolor.system.progress import Progress
from pycolor.video.job.distribute import ray_cluster
from pycolor.video.job.distribute.segment_worker import Answer, SegmentWorker
from pycolor.video.job.film import color_film
from tests.counting_worker import CountingWorker
from tests.films import make_film

QUICK = VideoOptions(
    predict=PredictOptions(short_side=32, dtype="float32", device="cpu"), segment_frames=4
)
FRAMES = 40

needs_ray = pytest.mark.skipif(
    not installed("ray"), reason="Ray is not installed (pip install 'pycolor-film[ray]')"
)


class WaitingWorker(CountingWorker):
    """Begins when there are two, however long the second took to start."""

    def color(self, *given: Any) -> Answer:
        end = time.monotonic() + 120
        while len(list(Path(os.environ["PYCOLOR_LOADS"]).iterdir())) < 2:
            assert time.monotonic() < end, "no second worker came"
            time.sleep(0.05)
        return super().color(*given)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head without processors, and two nodes of one each."""
    loads = tmp_path / "loads"
    loads.mkdir()
    root = str(Path(__file__).resolve().parents[1])
    monkeypatch.setenv("PYTHONPATH", root)  # the nodes' workers find these tests
    monkeypatch.setenv("PYCOLOR_LOADS", str(loads))
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # whatever token was left on this machine
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")
    from ray.cluster_utils import Cluster

    nodes: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes.loads = loads
    nodes.workers = [nodes.add_node(num_cpus=1) for _ in range(2)]
    yield nodes
    nodes.shutdown()


class Killer(Progress):
    """Takes a node away when the first segments are done."""

    def __init__(self, cluster: Any) -> None:
        super().__init__("", None, style="none")
        self._cluster, self.steps = cluster, 0

    def stage(self, title: str, total: int | None, unit: str = "frames") -> None:
        super().stage(title, total, unit)
        self.steps = 0

    def advance(self, steps: int = 1) -> None:
        self.steps += steps
        if self.total is not None and self.steps >= 8 and self._cluster.workers[1:]:
            self._cluster.remove_node(self._cluster.workers.pop(), allow_graceful=False)


@needs_ray
@pytest.mark.long  # beside other work the nodes of Ray take minutes to start
@pytest.mark.filterwarnings("ignore")  # of Ray's own
def test_a_node_is_lost(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = make_film(tmp_path / "in.mkv", frames=FRAMES)
    color_film(film, tmp_path / "whole.mkv", QUICK)
    monkeypatch.setattr(ray_cluster, "SegmentWorker", WaitingWorker)
    progress, said = Killer(cluster), list[str]()
    chosen = replace(QUICK, ray=cluster.address)
    report = color_film(film, tmp_path / "out.mkv", chosen, progress=progress, say=said.append)
    assert len(cluster.workers) == 1, "a node was to be taken away"
    assert sum("are tried again" in text for text in said) == 1
    assert (tmp_path / "out.mkv").read_bytes() == (tmp_path / "whole.mkv").read_bytes()
    assert progress.steps == FRAMES
    assert "workers of a cluster, cpu in float32" in report.device
    loads = [path.read_text().split() for path in cluster.loads.iterdir()]
    assert len(loads) >= 2, "both nodes had a worker"
    assert all(words == ["load"] for words in loads), "each worker loads the model once"
    assert not list(tmp_path.glob(".*")), "the work folder is gone"


def test_without_ray_the_sentence_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    film = make_film(tmp_path / "in.mkv", frames=2)
    with pytest.raises(UsageError, match=r"Ray is not installed.*\[ray\]"):
        color_film(film, tmp_path / "out.mkv", replace(QUICK, ray="auto"))
    assert [p.name for p in tmp_path.iterdir()] == ["in.mkv"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ray": ""}, "auto or the address"),
        ({"ray": "auto", "slice": "1/2"}, "no slice beside ray"),
        ({"ray": "auto", "predict": PredictOptions(device="cuda:1")}, "gives each worker one"),
    ],
)
def test_options_beside_ray(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        VideoOptions(**changed)


class FakeRay:
    """As much of Ray as the queue needs: actors in this process, which die when they are told to.

    Args:
        dying: of the answers, by their number, those with whose making the actor is lost.
    """

    class exceptions:  # noqa: N801  (Ray's own name)
        class RayError(Exception):
            pass

        class RayTaskError(RayError):
            pass

    starts_first = False  # else who works answers before who starts

    def __init__(self, dying: set[int], nodes: list[dict[str, float]]) -> None:
        self.dying, self._nodes = dying, nodes
        self.answers = self.killed = 0
        self.asked: list[dict[str, float]] = []

    def is_initialized(self) -> bool:
        return True

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": node} for node in self._nodes]

    def remote(self, **resources: float) -> Any:
        def made(kind: type[Any]) -> Any:
            return SimpleNamespace(remote=lambda *given: self._start(kind(*given), resources))

        return made

    def _start(self, worker: Any, resources: dict[str, float]) -> Any:
        self.asked.append(resources)
        actor = SimpleNamespace()
        for name in ("introduce", "color"):
            call = getattr(worker, name)
            setattr(actor, name, SimpleNamespace(remote=lambda *g, call=call: Call(call, g)))
        return actor

    def put(self, value: Any) -> Any:
        return value

    def wait(self, refs: list[Any], timeout: float) -> tuple[list[Any], list[Any]]:
        assert timeout
        if self.starts_first:
            return refs[:1], refs[1:]
        return refs[-1:], refs[:-1]

    def get(self, ref: Any) -> Any:
        self.answers += 1
        if self.answers in self.dying:
            raise self.exceptions.RayError("lost")
        return ref.run()

    def kill(self, actor: Any) -> None:
        self.killed += 1


class Call:
    """What an actor was asked for, done when its answer is fetched."""

    def __init__(self, call: Any, given: tuple[Any, ...]) -> None:
        self._call, self._given = call, given
        self.name: str = call.__name__

    def run(self) -> Any:
        return self._call(*self._given)


class OddWorker(SegmentWorker):
    """Of another processor each second time."""

    made = 0

    def introduce(self) -> Answer:
        OddWorker.made += 1
        answer = super().introduce()
        told = {**answer.told["arithmetic"], "unit": f"processor {OddWorker.made % 2}"}
        return replace(answer, told={**answer.told, "arithmetic": told})


def colored(
    ray: FakeRay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changed: Any
) -> list[str]:
    monkeypatch.setattr(ray_cluster, "extra", lambda _: ray)
    film, said = make_film(tmp_path / "in.mkv", frames=24), list[str]()
    chosen = replace(QUICK, ray="auto", **changed)
    color_film(film, tmp_path / "out.mkv", chosen, say=said.append)
    return said


def test_lost_workers_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first at its start, others at work."""
    ray = FakeRay({1, 4, 7}, [{"CPU": 2}, {"CPU": 4}, {}])
    said = colored(ray, tmp_path, monkeypatch)
    color_film(tmp_path / "in.mkv", tmp_path / "whole.mkv", QUICK)
    assert (tmp_path / "out.mkv").read_bytes() == (tmp_path / "whole.mkv").read_bytes()
    assert any("are tried again; a lost machine: the worker was lost" in text for text in said)
    assert {tuple(asked.items()) for asked in ray.asked} == {(("num_cpus", 2),)}


def test_a_segment_that_always_loses_its_worker_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = FakeRay(set(range(2, 99)), [{"CPU": 1}])
    with pytest.raises(FilmError, match=r"frames 0 to 3, on a lost machine|no worker is left"):
        colored(ray, tmp_path, monkeypatch)
    assert not (tmp_path / "out.mkv").exists()


def test_unlike_workers_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster, "SegmentWorker", OddWorker)
    ray = FakeRay(set(), [{"CPU": 1}] * 2)
    ray.starts_first = True
    said = colored(ray, tmp_path, monkeypatch)
    (text,) = {text for text in said if "is not taken" in text}
    assert "its unit is processor 0, the first's processor 1; --mix takes it" in text


def test_a_gpu_each_with_its_share_of_the_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = FakeRay(set(), [{"CPU": 4}, {"CPU": 32, "GPU": 4}, {"CPU": 16, "GPU": 1}])
    colored(ray, tmp_path, monkeypatch, predict=replace(QUICK.predict, device="auto"))
    assert ray.asked[0] == {"num_gpus": 1, "num_cpus": 8}


class NotingRay(FakeRay):
    """Notes how many actors there were when the first segment was done."""

    at_first = 0

    def get(self, ref: Any) -> Any:
        if ref.name == "color":
            self.at_first = self.at_first or len(self.asked)
        return super().get(ref)


def test_all_devices_are_asked_for_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one after the other: a worker takes its time to load the model."""
    ray = NotingRay(set(), [{"CPU": 1}, {"CPU": 3}, {}])
    colored(ray, tmp_path, monkeypatch)
    assert ray.at_first == 4


def test_no_more_than_there_are_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = NotingRay(set(), [{"CPU": 1}] * 50)
    colored(ray, tmp_path, monkeypatch)
    assert ray.at_first == 7, "one to be there before the film, and six segments"
