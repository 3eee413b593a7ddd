"""Hwang and Zhou 2016 against its paper, and against plain float64."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from pycolor.errors import FilmError
from pycolor.models.checkpoints import weight_files
from pycolor.models.networks import hwang2016
from pycolor.models.networks.hwang2016 import BINS, Hwang2016, bin_means, bin_of, uv_to_ab
from pycolor.ops.reference import lab_to_luv, rgb_to_lab
from pycolor.train.losses import huber


def test_bins_and_their_means_are_inverse() -> None:
    assert bin_of(bin_means()).tolist() == list(range(BINS))
    assert bin_means()[0] == -98
    assert bin_means()[-1] == 98
    assert bin_of(torch.tensor([-175.0, -100, -96.1, 0, 99.9, 175])).tolist() == [
        0,
        0,
        0,
        25,
        49,
        49,
    ]


def test_a_unit_recomputed_in_float64() -> None:
    unit: Any = hwang2016.Unit(8, 5).eval()
    for norm in (unit.norm, unit.conv[1]):
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        torch.nn.init.uniform_(norm.bias, -1, 1)
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    tap, summary = torch.randn(1, 8, 6, 8), torch.randn(1, 8, 3, 4)

    def normalized(x: torch.Tensor, norm: torch.nn.Module) -> torch.Tensor:
        mean, var = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
        weight, bias = norm.get_parameter("weight"), norm.get_parameter("bias")
        columns = [t.double()[:, None, None] for t in (mean, var, weight, bias)]
        return (x - columns[0]) / (columns[1] + 1e-5).sqrt() * columns[2] + columns[3]

    def doubled(x: torch.Tensor, axis: int) -> torch.Tensor:
        """Twice the samples along an axis: each 3/4 of the nearer, 1/4 of the farther neighbor."""
        n = x.shape[axis]
        before = x.index_select(axis, torch.arange(n).sub(1).clamp_min(0))
        after = x.index_select(axis, torch.arange(n).add(1).clamp_max(n - 1))
        pair = torch.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], dim=axis + 1)
        return pair.flatten(axis, axis + 1)

    x = normalized(tap.double(), unit.norm) + doubled(doubled(summary.double(), 2), 3)
    patches = F.unfold(x, 3, padding=1)
    conv = unit.conv[0]
    y = conv.weight.double().flatten(1) @ patches + conv.bias.double()[:, None]
    expected = normalized(y.unflatten(2, (6, 8)), unit.conv[1]).clamp_min(0)
    with torch.no_grad():
        torch.testing.assert_close(unit(tap, summary).double(), expected, rtol=1e-4, atol=1e-4)


def test_chroma_is_that_of_the_likeliest_bins() -> None:
    network = Hwang2016(width=0.05).eval()
    scores = torch.randn(1, 2 * BINS, 8, 8)
    u = bin_means()[scores[:, :BINS].argmax(1)]
    v = bin_means()[scores[:, BINS:].argmax(1)]
    got = network.uv_of(scores, 0)
    assert torch.equal(got, torch.stack([u, v], 1))
    mean = network.uv_of(scores, 1.0)
    expected = (scores[:, :BINS].softmax(1) * bin_means()[:, None, None]).sum(1)
    torch.testing.assert_close(mean[:, 0], expected, atol=1e-2, rtol=1e-3)


def test_uv_becomes_the_same_color_in_lab() -> None:
    rgb = torch.rand(2, 3, 16, 16)
    lab = rgb_to_lab(rgb)
    luv = lab_to_luv(lab)
    got = uv_to_ab(luv[:, :1].contiguous(), luv[:, 1:].contiguous())
    torch.testing.assert_close(got, lab[:, 1:], atol=0.02, rtol=1e-3)
    wild = uv_to_ab(torch.full((1, 1, 4, 4), 0.5), torch.full((1, 2, 4, 4), -98.0))
    assert torch.isfinite(wild).all()
    assert wild.abs().max() < 130
    assert uv_to_ab(torch.zeros(1, 1, 2, 2), torch.ones(1, 2, 2, 2)).abs().max() < 1


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("size", [(16, 16), (16, 128)])
def test_any_size(task: str, size: tuple[int, int]) -> None:
    network = Hwang2016(width=0.05, task=task).eval()  # type: ignore[arg-type]
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        chroma = network.chroma(torch.rand(2, 1, *size) * 100)
        assert network(torch.rand(1, 1, *size) * 100).dtype == torch.float32
    assert chroma.shape == (2, 2, *size)
    assert chroma.dtype == torch.float32
    found = hwang2016.recognize(network.state_dict())
    assert found is not None
    assert found["task"] == task


def vgg16(normalized: bool) -> dict[str, torch.Tensor]:
    """A state dict laid out like torchvision's, of full size."""
    state: dict[str, torch.Tensor] = {}
    index, cin = 0, 3
    for stage in ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3):
        for cout in stage:
            state[f"features.{index}.weight"] = torch.randn(cout, cin, 3, 3)
            state[f"features.{index}.bias"] = torch.randn(cout)
            if normalized:
                for name in ("weight", "bias", "running_mean", "running_var"):
                    state[f"features.{index + 1}.{name}"] = torch.rand(cout)
                state[f"features.{index + 1}.num_batches_tracked"] = torch.tensor(1)
            index += 3 if normalized else 2
            cin = cout
        index += 1
    state["classifier.0.weight"] = torch.randn(8, 8)
    return state


@pytest.mark.parametrize("normalized", [False, True])
def test_vgg16_fills_the_trunk(normalized: bool) -> None:
    state = vgg16(normalized)
    converted = hwang2016.convert(state)
    network = Hwang2016()
    result = network.load_state_dict(converted, strict=False)
    assert not result.unexpected_keys
    missing = [k for k in result.missing_keys if k.startswith("trunk.")]
    assert not missing if normalized else all(".1." in k for k in missing)
    # conv4_3's place in torchvision's two layouts.
    last = 30 if normalized else 21
    trunk = network.state_dict()
    assert torch.equal(trunk["trunk.conv4_3.0.weight"], state[f"features.{last}.weight"])
    assert torch.equal(trunk["trunk.conv1_1.0.bias"], state["features.0.bias"])


def test_huber_meets_its_definition() -> None:
    u = torch.tensor([-3.0, -1, 0, 0.5, 1, 2])
    assert huber(u, 1).tolist() == [5, 1, 0, 0.25, 1, 3]
    assert huber(u, 0).tolist() == [9, 1, 0, 0.25, 1, 4]


def test_bad_options_are_refused() -> None:
    with pytest.raises(ValueError, match="task"):
        Hwang2016(task="guess")  # type: ignore[arg-type]


def test_training_starts_from_vgg16(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = {k: v for k, v in vgg16(normalized=True).items() if k.startswith("features.")}
    save_file(state, tmp_path / "vgg16.safetensors")
    network = Hwang2016()
    weight_files.start_from(network, "hwang2016", tmp_path / "vgg16.safetensors")
    trunk = network.state_dict()
    assert torch.equal(trunk["trunk.conv2_1.1.running_var"], state["features.8.running_var"])
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(FilmError, match="unexpected key x"):
        weight_files.start_from(network, "hwang2016", tmp_path / "other.safetensors")
