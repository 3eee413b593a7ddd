"""Iizuka's release: a synthetic file of its layout and size, read into our network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pycolor.cli import main
from pycolor.errors import FilmError
from pycolor.models import zoo
from pycolor.models.checkpoints.foreign.detect import read_foreign
from pycolor.models.checkpoints.foreign.torch7 import Module
from pycolor.models.networks.iizuka2016 import GRAY_MEAN, Iizuka2016
from tests.torch7_writer import torch7_bytes

RNG = np.random.default_rng(0)


def array(*shape: int, low: float = -1, high: float = 1) -> np.ndarray:
    return RNG.uniform(low, high, shape).astype(np.float32)


def conv(cin: int, cout: int, stride: int = 1, kernel: int = 3) -> list[Module]:
    weight = array(cout, cin, kernel, kernel) / np.float32(np.sqrt(cin) * kernel)
    layer = {"weight": weight, "bias": array(cout), "dW": stride, "dH": stride}
    return [Module("cudnn.SpatialConvolution", layer), norm(cout), Module("nn.ReLU")]


def full(cin: int, cout: int) -> list[Module]:
    weight = array(cout, cin) / np.float32(np.sqrt(cin))
    layer = Module("nn.Linear", {"weight": weight, "bias": array(cout)})
    return [layer, norm(cout), Module("nn.ReLU")]


def norm(channels: int) -> Module:
    return Module(
        "nn.SpatialBatchNormalization",
        {
            "weight": array(channels, low=0.5, high=1.5),
            "bias": array(channels),
            "running_mean": array(channels),
            "running_var": array(channels, low=0.5, high=2),
            "eps": 1e-5,
        },
    )


class Graph:
    """Nodes as nngraph keeps them: data with a module, and the data of its inputs by number."""

    def __init__(self) -> None:
        self.nodes: list[dict[Any, Any]] = []

    def add(self, modules: list[Module], *inputs: dict[Any, Any]) -> dict[Any, Any]:
        for module in modules:
            data = {"module": module, "mapindex": dict(enumerate(inputs, start=1))}
            self.nodes.append(data)
            inputs = (data,)
        return data

    def module(self) -> Module:
        nodes = [
            Module("nngraph.Node", {"data": data, "id": i}) for i, data in enumerate(self.nodes)
        ]
        return Module("nn.gModule", {"forwardnodes": dict(enumerate(nodes, start=1))})


def colornet(kernel: int) -> tuple[dict[str, Any], dict[str, list[Module]]]:
    """The release's content, and its layers by our names."""
    low = [(1, 64, 2), (64, 128, 1), (128, 128, 2), (128, 256, 1), (256, 256, 2), (256, 512, 1)]
    deep = [(512, 512, 2), (512, 512, 1), (512, 512, 2), (512, 512, 1)]
    named = {f"low.{i}": conv(*c) for i, c in enumerate(low)}
    named |= {"mid.0": conv(512, 512), "mid.1": conv(512, 256)}
    named |= {f"global_features.conv.{i}": conv(*c) for i, c in enumerate(deep)}
    sizes = [(25088, 1024), (1024, 512), (512, 256)]
    named |= {f"global_features.full.{i}": full(*c) for i, c in enumerate(sizes)}
    named["fusion"] = conv(512, 256, kernel=kernel)
    color = [(256, 128), (128, 64), (64, 64), (64, 32)]
    named |= {f"color.{i}": conv(*c) for i, c in enumerate(color)}
    named["output"] = [conv(32, 2)[0], Module("nn.Sigmoid")]

    graph = Graph()
    picture, copy = graph.add([Module("nn.Identity")]), graph.add([Module("nn.Identity")])
    ways = []
    for start in (picture, copy):  # the low-level layers serve both inputs
        for i in range(6):
            start = graph.add(named[f"low.{i}"], start)
        ways.append(start)
    # The two ways interleave in the order of the forward pass.
    deep_end = graph.add(named["global_features.conv.0"], ways[1])
    mid = graph.add(named["mid.0"], ways[0])
    for i in (1, 2, 3):
        deep_end = graph.add(named[f"global_features.conv.{i}"], deep_end)
    mid = graph.add(named["mid.1"], mid)
    view = graph.add([Module("nn.View")], deep_end)
    for i in range(3):
        view = graph.add(named[f"global_features.full.{i}"], view)
        if i == 1:
            graph.add(full(512, 256), view)  # the scene classifier's way
    joined = graph.add([Module("nn.JoinTable")], mid, view)
    end = graph.add(named["fusion"], joined)
    for i in range(4):
        end = graph.add(named[f"color.{i}"], end)
    graph.add(named["output"], end)
    return {"mean": GRAY_MEAN, "model": graph.module()}, named


def expected(modules: list[Module], x: torch.Tensor) -> torch.Tensor:
    """Torch's own layer, normalization and rectifier, in float64."""
    tensors = [
        {k: torch.from_numpy(v).double() for k, v in m.fields.items() if isinstance(v, np.ndarray)}
        for m in modules
    ]
    weight, bias = tensors[0]["weight"], tensors[0]["bias"]
    if weight.dim() == 2:
        y = F.linear(x.double(), weight, bias)
    else:
        stride = modules[0].fields["dW"]
        y = F.conv2d(x.double(), weight, bias, stride, padding=weight.shape[-1] // 2)
    n = tensors[1]
    y = F.batch_norm(y, n["running_mean"], n["running_var"], n["weight"], n["bias"], eps=1e-5)
    return y.relu()


@pytest.mark.slow
@pytest.mark.parametrize("kernel", [1, 3])
def test_release_of_full_size(kernel: int, tmp_path: Path) -> None:
    content, named = colornet(kernel)
    path = tmp_path / "colornet.t7"
    path.write_bytes(torch7_bytes(content))
    assert path.stat().st_size > 160e6
    foreign = read_foreign(path)
    assert (foreign.name, foreign.model) == ("iizuka2016-published", "iizuka2016")
    network = zoo.create("iizuka2016", **foreign.options).eval().requires_grad_(False)
    assert isinstance(network, Iizuka2016)
    network.load_state_dict(foreign.state)
    for name, modules in named.items():
        cin = modules[0].fields["weight"].shape[1]
        x = torch.randn(2, cin) if "full" in name else torch.randn(1, cin, 6, 6)
        if name == "output":
            weight = torch.from_numpy(modules[0].fields["weight"])
            assert torch.equal(foreign.state["output.weight"], weight)
        else:
            torch.testing.assert_close(
                network.get_submodule(name)(x).double(), expected(modules, x), atol=1e-4, rtol=1e-4
            )


def test_another_torch_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.t7"
    other = Module("nn.Sequential", {"modules": dict(enumerate(conv(1, 64, 2), start=1))})
    path.write_bytes(torch7_bytes({"mean": GRAY_MEAN, "model": other}))
    with pytest.raises(FilmError, match="low layers of iizuka2016"):
        read_foreign(path)
    path.write_bytes(torch7_bytes({"mean": 0.5, "model": other}))
    with pytest.raises(FilmError, match=r"its mean must be 0\.445054, got 0\.5"):
        read_foreign(path)
    path.write_bytes(torch7_bytes({"weights": 1}))
    with pytest.raises(FilmError, match="got None"):
        read_foreign(path)


def test_license_must_be_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYCOLOR_CACHE", str(tmp_path / "cache"))
    assert main(["weights", "pull", "iizuka2016-published"]) == 2
    assert "CC BY-NC-SA" in capsys.readouterr().err
