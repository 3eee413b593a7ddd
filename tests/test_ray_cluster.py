"""One film by the workers of a Ray cluster: the bytes of one run, a machine lost on the way."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pycolor.options import PredictOptions, VideoOptions
from pycolor.system.optional import installed
from pycolor.system.progress import Progress
from pycolor.video.job.distribute import ray_cluster
from pycolor.video.job.distribute.segment_worker import Answer, SegmentWorker
from pycolor.video.job.film import color_film
from tests.films import make_film

QUICK = VideoOptions(
    predict=PredictOptions(short_side=32, dtype="float32", device="cpu"), segment_frames=4
)
FRAMES = 40

needs_ray = pytest.mark.skipif(
    not installed("ray"), reason="Ray is not installed (pip install 'pycolor-film[ray]')"
)


class CountingWorker(SegmentWorker):
    """Notes each load of its model, in a folder that PYCOLOR_LOADS names."""

    def introduce(self) -> Answer:
        from pycolor.models.checkpoints import weight_files

        load = weight_files.load

        def counted(*given: Any) -> Any:
            with Path(os.environ["PYCOLOR_LOADS"], str(os.getpid())).open("a") as f:
                f.write("load\n")
            return load(*given)

        weight_files.load = counted  # type: ignore[assignment]
        return super().introduce()

    def color(self, *given: Any) -> Answer:
        """Begin when there are two, however long the second took to start."""
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
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of Ray's own
def test_a_node_is_lost(cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = make_film(tmp_path / "in.mkv", frames=FRAMES)
    color_film(film, tmp_path / "whole.mkv", QUICK)
    monkeypatch.setattr(ray_cluster, "SegmentWorker", CountingWorker)
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
