"""Networks against their papers, and weight files against damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open

from pycolor.cli import main
from pycolor.errors import FilmError, UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files, weight_names
from pycolor.models.networks import zhang2016

PUBLISHED_PARAMETERS = 32_236_011  # counted in the authors' release


def test_published_size_and_names() -> None:
    full = zhang2016.Zhang2016(width=1)
    assert sum(p.numel() for p in full.parameters()) == PUBLISHED_PARAMETERS
    state = full.state_dict()
    assert len(state) == 82
    without = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    assert len(without) == 75
    assert zhang2016.convert(without).keys() == state.keys()
    assert state["model8.0.weight"].shape == (512, 256, 4, 4)
    assert state["model_out.weight"].shape == (2, 313, 1, 1)


def test_one_block_recomputed_in_float64() -> None:
    network = zhang2016.Zhang2016(width=0.125).eval()
    block: Any = network.model3
    for p in block[6].parameters():
        torch.nn.init.uniform_(p, 0.5, 1.5)
    block[6].running_mean.uniform_(-1, 1)
    block[6].running_var.uniform_(0.5, 2)
    x = torch.randn(2, block[0].in_channels, 12, 10)
    h = x.double()
    for i, stride in ((0, 1), (2, 1), (4, 2)):
        kernels = F.unfold(h, 3, padding=1, stride=stride)
        flat = block[i].weight.double().flatten(1) @ kernels + block[i].bias.double()[:, None]
        side = (-(-h.shape[2] // stride), -(-h.shape[3] // stride))
        h = flat.unflatten(2, side).clamp_min(0)
    norm = block[6]
    scale = norm.weight.double() / (norm.running_var.double() + 1e-5).sqrt()
    expected = (h - norm.running_mean.double()[:, None, None]) * scale[:, None, None]
    expected = expected + norm.bias.double()[:, None, None]
    with torch.no_grad():
        torch.testing.assert_close(block(x).double(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(16, 16), (24, 80), (8, 8)])
def test_output_is_a_quarter_of_the_input(size: tuple[int, int]) -> None:
    network = zhang2016.Zhang2016(width=0.05).eval()
    logits = network(torch.rand(2, 1, *size) * 100)
    assert logits.shape == (2, 313, size[0] // 4, size[1] // 4)
    assert logits.dtype == torch.float32


def test_logits_stay_float32_under_autocast() -> None:
    network = zhang2016.Zhang2016(width=0.05).eval()
    with torch.autocast("cpu", torch.bfloat16):
        assert network(torch.rand(1, 1, 16, 16) * 100).dtype == torch.float32


def test_bad_width_is_refused() -> None:
    with pytest.raises(ValueError, match="width"):
        zhang2016.Zhang2016(width=0)


def test_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="zhang2016"):
        zoo.card("zhang2061")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    network = zoo.create("zhang2016", width=0.05)
    path = tmp_path / "w.safetensors"
    weight_files.write(path, "zhang2016", network.state_dict(), {"width": 0.05}, {"steps": "0"})
    return path


def test_weights_come_back_in_half_precision(weights: Path) -> None:
    file = weight_files.read(weights)
    assert file.options == {"width": 0.05}
    assert file.provenance == {"steps": "0"}
    loaded = weight_files.load("zhang2016", weights)
    assert not loaded.network.training
    assert loaded.sha256 == file.sha256
    original = zoo.create("zhang2016", width=0.05).state_dict()
    assert original.keys() == file.state.keys()
    with safe_open(weights, framework="pt") as stored:
        assert stored.get_tensor("model8.6.weight").dtype == torch.float16
        assert stored.get_tensor("model1.4.running_var").dtype == torch.float32
    assert file.state["model8.6.weight"].dtype == torch.float32


def test_weights_that_overflow_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="finite"):
        weight_files.write(
            tmp_path / "w.safetensors", "zhang2016", {"x": torch.full((2, 2), 1e6)}, {}, {}
        )
    assert list(tmp_path.iterdir()) == []


def test_damaged_weights_are_one_sentence(weights: Path, tmp_path: Path) -> None:
    whole = weights.read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FilmError, match="whole safetensors file"):
        weight_files.load("zhang2016", cut)
    with pytest.raises(FilmError, match="cannot be read"):
        weight_files.load("zhang2016", tmp_path / "missing.safetensors")
    text = tmp_path / "text.safetensors"
    text.write_text("not weights")
    with pytest.raises(FilmError, match="whole safetensors file"):
        weight_files.load("zhang2016", text)


def test_weights_of_another_width_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    state = zoo.create("zhang2016", width=0.05).state_dict()
    weight_files.write(path, "zhang2016", state, {"width": 0.25}, {})
    with pytest.raises(FilmError, match="do not fit"):
        weight_files.load("zhang2016", path)


def test_packaged_weights_load_and_are_small() -> None:
    assert sum(f.stat().st_size for f in weight_names.PACKAGED.glob("*.safetensors")) <= 40e6
    for card in (c for c in zoo.CARDS if c.weights):
        path = weight_names.PACKAGED / card.weights
        assert path.stat().st_size <= 16e6
        assert path.with_suffix(".md").exists()
        loaded = weight_files.load(card.name)
        assert loaded.sha256 == card.sha256


def test_equal_weights_are_equal_bytes(tmp_path: Path) -> None:
    """Eight times: the safetensors library orders metadata by chance."""
    state = {"b.weight": torch.rand(3, 4), "a.bias": torch.rand(3), "count": torch.tensor(7)}
    written = set()
    for i in range(8):
        path = tmp_path / f"{i}.safetensors"
        weight_files.write(path, "zhang2016", state, {"width": 0.5}, {"steps": "4"}, short_side=96)
        written.add(path.read_bytes())
    assert len(written) == 1
    found = weight_files.read(path)
    assert (found.model, found.options, found.short_side) == ("zhang2016", {"width": 0.5}, 96)
    assert torch.equal(found.state["a.bias"], state["a.bias"])
    assert found.state["count"] == 7


def test_the_card_names_the_temperature_of_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    packaged = weight_files.read(weight_names.PACKAGED / zoo.card("zhang2016").weights)
    assert packaged.temperature not in (None, zoo.card("zhang2016").temperature)
    assert main(["models", "zhang2016"]) == 0
    assert f"annealed, T = {packaged.temperature}" in capsys.readouterr().out
