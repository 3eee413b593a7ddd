"""Varga and Szirányi 2017 against its paper: what is exchanged, when, and by whom."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.encoding import Encoding
from pycolor.errors import UsageError
from pycolor.image.guidance.guides import load_predictor
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.networks import varga2017, zhang2016
from pycolor.models.networks.varga2017 import Varga2017
from pycolor.options import PredictOptions
from pycolor.train import loop
from pycolor.train.data.pairs import reference_of
from pycolor.train.monitor.log import Progress
from pycolor.train.objectives import objective
from pycolor.train.recipes.option_groups import CropOptions, PairOptions
from pycolor.train.recipes.options import TrainOptions

GRAY = Encoding(full_range=True, subsampling="444")


def shaken(**options: Any) -> Varga2017:
    """A small network whose normalization has statistics to get wrong."""
    network = Varga2017(**{"width": 0.05, **options}).eval()
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.uniform_(-1, 1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    return network


def block64(network: Any, k: int, x: torch.Tensor) -> torch.Tensor:
    """Block k of a branch in float64, by torch's own layers on doubles."""
    block = getattr(network, f"model{k}")
    for layer in block:
        if isinstance(layer, torch.nn.Conv2d):
            bias = layer.bias.double() if layer.bias is not None else None
            x = torch.nn.functional.conv2d(
                x, layer.weight.double(), bias, layer.stride, layer.padding, layer.dilation
            )
        elif isinstance(layer, torch.nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            columns = [
                t.double()[:, None, None]
                for t in (layer.running_mean, layer.running_var, layer.weight, layer.bias)
            ]
            x = (x - columns[0]) / (columns[1] + 1e-5).sqrt() * columns[2] + columns[3]
        else:
            x = x.clamp_min(0)
    return x


def test_the_exchange_recomputed_in_float64() -> None:
    """R→I after 3, 5 and 7; I→R after 4 and 6; each branch goes on with the sum."""
    network = shaken()
    lightness, lab = torch.rand(1, 1, 32, 40) * 100, torch.rand(1, 3, 32, 40) * 60
    i = (lightness.double() - 50) / 100
    r = torch.cat([(lab[:, :1].double() - 50) / 100, lab[:, 1:].double() / 110], 1)
    for k in range(1, 8):
        i, r = block64(network.input, k, i), block64(network.reference, k, r)
        if k in (3, 5, 7):
            i = i + r
        if k in (4, 6):
            r = r + i
    with torch.no_grad():
        got, _ = network._exchanged(lightness, network.guided_context(lab))
    torch.testing.assert_close(got.double(), i, rtol=1e-4, atol=1e-4)


def test_published_sizes() -> None:
    assert zoo.card("varga2017").parameters == 2 * 32_236_011 + 2 * 64 * 9
    network = Varga2017(width=0.05, reference_channels=1)
    a, b = network.input.state_dict(), network.reference.state_dict()
    assert a.keys() == b.keys() == zhang2016.Zhang2016(0.05).state_dict().keys()
    assert varga2017.recognize(network.state_dict()) is not None
    with pytest.raises(ValueError, match="reference_channels"):
        Varga2017(reference_channels=2)


def test_without_a_reference_the_input_colors_alone() -> None:
    network = shaken()
    lightness = torch.rand(2, 1, 32, 32) * 100
    lab = torch.rand(2, 3, 32, 32) * 60
    with torch.no_grad():
        alone = network.input(lightness)
        assert torch.equal(network(lightness), alone)
        context = network.guided_context(lab)
        heard = torch.tensor([1.0, 0.0]).reshape(2, 1, 1, 1)
        both, _ = network.both(lightness, context, heard)
        torch.testing.assert_close(both[1], alone[1], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(both[0], network(lightness, context)[0], rtol=1e-5, atol=1e-6)
        assert (both[0] - alone[0]).abs().max() > 1e-3


def test_a_luma_reference_knows_no_color() -> None:
    lab = torch.rand(1, 3, 32, 32) * 60
    gray = torch.cat([lab[:, :1], torch.zeros(1, 2, 32, 32)], 1)
    for channels, same in ((1, True), (3, False)):
        network = shaken(reference_channels=channels)
        with torch.no_grad():
            a, b = network.guided_context(lab), network.guided_context(gray)
        assert torch.equal(a, b) is same


def test_zhangs_weights_start_both_branches() -> None:
    state = zhang2016.Zhang2016(0.05).state_dict()
    network = Varga2017(0.05).eval()
    network.load_state_dict(varga2017.convert(state))
    lightness, lab = torch.rand(1, 1, 16, 16) * 100, torch.rand(1, 3, 16, 16)
    lab[:, :1] = lightness
    with torch.no_grad():
        torch.testing.assert_close(network.reference_logits(lab), network.input(lightness))


def test_references_keep_their_colors_and_move() -> None:
    rgb = torch.zeros(3, 3, 32, 32)
    rgb[:, 0] = 0.8
    rgb[:, 2, :, 16:] = 0.5
    still = PairOptions(min_side=1, turn=0, warp=0, regrade=0)
    same = reference_of(rgb, still, torch.Generator().manual_seed(0))
    torch.testing.assert_close(same, rgb.clamp_min(1e-4), atol=1e-4, rtol=0)
    moved = reference_of(rgb, PairOptions(), torch.Generator().manual_seed(0))
    again = reference_of(rgb, PairOptions(), torch.Generator().manual_seed(0))
    assert torch.equal(moved, again)
    assert not torch.equal(moved, rgb)
    assert moved[:, 1].max() < 0.01  # no green comes from nowhere
    assert 0 <= moved.min() <= moved.max() <= 1


def test_two_phases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective, "PICTURES_MEASURED", 24)
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(6):
        low = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(low).resize((60, 48)).save(folder / f"{i}.png")
    options = TrainOptions(
        model="varga2017",
        width=0.05,
        steps=4,
        batch=4,
        validate_every=2,
        validation=1,
        dtype="float32",
        crop=CropOptions(size_pixels=32),
        pair=PairOptions(reference_steps=2),
    )
    whole = loop.train(options, [folder], tmp_path / "whole")

    class KilledError(Exception):
        pass

    def kill(progress: Progress) -> None:
        if progress.step == 3:
            raise KilledError

    with pytest.raises(KilledError):
        loop.train(replace(options, validate_every=1), [folder], tmp_path / "cut", kill)
    resumed = loop.train(options, [folder], tmp_path / "cut")
    a, b = weight_files.read(whole).state, weight_files.read(resumed).state
    assert all(torch.equal(a[k], b[k]) for k in a)
    first = loop.train(replace(options, steps=2), [folder], tmp_path / "one")
    state = weight_files.read(first).state
    torch.manual_seed(0)
    fresh = zoo.create("varga2017", width=0.05).state_dict()
    key = "model3.0.weight"
    torch.testing.assert_close(
        state[f"input.{key}"], fresh[f"input.{key}"], atol=1e-3, rtol=1e-3
    )  # phase 1 leaves the input's branch alone
    moved = (state[f"reference.{key}"] - fresh[f"reference.{key}"]).abs().max()
    assert moved > 1e-5


def test_references_on_the_command_line(tmp_path: Path) -> None:
    weights = tmp_path / "w.safetensors"
    network = shaken()
    weight_files.write(weights, "varga2017", network.state_dict(), network.options, {})
    rng = np.random.default_rng(0)
    stills = []
    for i in range(2):
        stills.append(tmp_path / f"{i}.png")
        low = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(low).resize((64, 48)).save(stills[-1])
    options = PredictOptions(
        weights=weights, reference=tuple(stills), device="cpu", dtype="float32", short_side=48
    )
    predictor = load_predictor(options)
    luma = torch.from_numpy(np.array(Image.open(stills[1]).convert("L")))[None]
    lightness = predictor.lightness(luma, GRAY)
    shot = predictor.context(lightness)
    assert shot is not None
    only_second = load_predictor(replace(options, reference=(stills[1],)))
    assert torch.equal(shot, only_second.context(lightness))  # type: ignore[arg-type]
    alone = load_predictor(replace(options, reference=()))
    assert alone.context(lightness) is None
    assert (predictor.predict(luma, GRAY) - alone.predict(luma, GRAY)).abs().max() > 1e-4
    assert torch.equal(predictor.field(lightness, context=shot), predictor.predict(luma, GRAY))
    gray = tmp_path / "gray.png"
    Image.new("L", (16, 16)).save(gray)
    with pytest.raises(UsageError, match="is gray"):
        load_predictor(replace(options, reference=(gray,)))
