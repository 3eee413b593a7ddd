"""Several processes train as one: torchrun, two of them on the CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.errors import UsageError
from pycolor.models.checkpoints import weight_files
from pycolor.train import loop
from pycolor.train.data.photos import Stream, find_photos
from pycolor.train.learning import distributed
from pycolor.train.recipes.option_groups import CropOptions
from pycolor.train.recipes.options import TrainOptions
from tests.made_once import made_once

OPTIONS = {
    "width": 0.05,
    "batch": 4,
    "warmup_steps": 1,
    "decay": 0.0,
    "validation": 2,
    "validate_every": 2,
    "dtype": "float32",
    "threads": 1,
    "workers": 1,
}

# Each process keeps the network that the loop makes, and tells what became of it.
SCRIPT = """
import hashlib, json, os, sys
from pathlib import Path
import torch
from pycolor.models import zoo
from pycolor.train.recipes.option_groups import CropOptions
from pycolor.train.recipes.options import TrainOptions
from pycolor.train import loop
from pycolor.train.learning import distributed
from pycolor.train.objectives import objective

objective.PICTURES_MEASURED = 128
made, create = [], zoo.create
def keep(*a, **k):
    made.append(create(*a, **k))
    return made[-1]
zoo.create = keep

folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
reports = []
def train(out, steps):
    o = TrainOptions(**options, steps=steps, crop=CropOptions(size_pixels=32))
    return loop.train(o, [folder / "photos"], folder / out, reports.append)

class Slope:
    def loss(self, network, sample):
        return network.weight.sum() * sample

with distributed.joined(torch.device("cpu")) as group:
    network = torch.nn.Linear(1, 1, bias=False)
    loss_module = distributed.shared(distributed.LossModule(network, Slope()), group)
    loss_module(float(group.rank + 1)).backward()
    told = {
        "gradient": float(network.weight.grad),
        "from_first": group.from_first(lambda: group.rank),
        "union": sorted(group.union([str(group.rank)])),
    }
    for out, steps in (("whole", 4), ("cut", 2), ("cut", 4)):
        train(out, steps)
        values = b"".join(p.detach().numpy().tobytes() for p in made[-1].parameters())
        told[out] = hashlib.sha256(values).hexdigest()
told["reports"] = len(reports)
Path(folder, "rank" + os.environ["RANK"]).write_text(json.dumps(told))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which two processes trained."""
    return made_once("processes", tmp_path_factory, train)


def train(folder: Path) -> None:
    photos = folder / "photos"
    photos.mkdir()
    rng = np.random.default_rng(0)
    for i in range(8):
        low = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(low).resize((60, 48)).save(photos / f"{i}.png")
    script = folder / "train.py"
    script.write_text(SCRIPT)
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {
        "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE",
    }  # fmt: skip
    done = subprocess.run(
        [*command, str(script), str(folder), json.dumps(OPTIONS)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def told_by(trained: Path) -> list[dict[str, object]]:
    return [json.loads((trained / f"rank{rank}").read_text()) for rank in (0, 1)]


@pytest.mark.slow
def test_processes_share_what_they_know(trained: Path) -> None:
    for told in told_by(trained):
        assert told["gradient"] == 1.5  # of 1 in the first and 2 in the second
        assert told["from_first"] == 0
        assert told["union"] == ["0", "1"]


@pytest.mark.slow
def test_processes_take_the_same_steps_and_one_writes(trained: Path) -> None:
    first, second = told_by(trained)
    assert first["whole"] == second["whole"]
    assert first["reports"] != 0
    assert second["reports"] == 0
    lines = (trained / "whole" / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "2", "4"]


@pytest.mark.slow
def test_a_cut_run_of_two_processes_goes_on_to_the_same_weights(trained: Path) -> None:
    first, second = told_by(trained)
    assert first["cut"] == second["cut"] == first["whole"]
    a, b = (
        weight_files.read(trained / name / "zhang2016.safetensors").state
        for name in ("whole", "cut")
    )
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_shares_make_the_batch(tmp_path: Path) -> None:
    for i in range(5):
        Image.new("RGB", (40, 40), (40 * i, 90, 30)).save(tmp_path / f"{i}.png")
    stream = Stream(find_photos([tmp_path]), 6, CropOptions(size_pixels=16), seed=3)
    parts = [next(stream.batches(2, (k, 3))) for k in range(3)]
    assert torch.equal(torch.cat([p.rgb for p in parts]), next(stream.batches(2)).rgb)


def test_a_batch_that_cannot_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def three(_: torch.device) -> Iterator[distributed.Processes]:
        yield distributed.Processes(0, 3)

    monkeypatch.setattr(loop, "joined", three)
    with pytest.raises(UsageError, match="shared evenly by 3 processes, got 4"):
        loop.train(TrainOptions(batch=4), [tmp_path], tmp_path / "out")


def test_each_process_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert distributed.own_device(torch.device("cuda")) == torch.device("cuda:3")
    assert distributed.own_device(torch.device("cuda:1")) == torch.device("cuda:1")
    assert distributed.own_device(torch.device("cpu")) == torch.device("cpu")
