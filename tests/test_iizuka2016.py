"""Iizuka et al. 2016 against its paper, and against plain float64."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from pycolor.image.guidance.guides import load_predictor
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import gray_of
from pycolor.models.networks.iizuka2016 import GRAY_MEAN, Iizuka2016, recognize
from pycolor.options import PredictOptions


def shaken(**options: object) -> Iizuka2016:
    """A small network whose normalization has statistics to get wrong."""
    network = Iizuka2016(**{"width": 0.125, "side": 64, **options}).eval()  # type: ignore[arg-type]
    for name, buffer in network.named_buffers():
        buffer.uniform_(-1, 1) if name.endswith("mean") else buffer.uniform_(0.5, 2)
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.uniform_(parameter, -0.5, 0.5)
    return network


def conv64(layer: torch.nn.Module, x: torch.Tensor, stride: int = 1) -> torch.Tensor:
    """Convolution, normalization, ReLU by a sum over the kernel's places, in float64."""
    weight = layer.get_parameter("weight").double()
    pad = weight.shape[2] // 2
    h, w = -(-x.shape[2] // stride), -(-x.shape[3] // stride)
    padded = F.pad(x, (pad, pad, pad, pad))
    total = torch.zeros(len(x), len(weight), h, w, dtype=torch.float64)
    for i in range(weight.shape[2]):
        for j in range(weight.shape[3]):
            part = padded[:, :, i : i + stride * h : stride, j : j + stride * w : stride]
            total += torch.einsum("oc,nchw->nohw", weight[:, :, i, j], part[:, :, :h, :w])
    mean, var = (
        layer.get_buffer(n).double()[:, None, None] for n in ("running_mean", "running_var")
    )
    bias = layer.get_parameter("bias").double()[:, None, None]
    return ((total - mean) / (var + 1e-5).sqrt() + bias).clamp_min(0)


@pytest.mark.parametrize(("fusion", "classes"), [("1x1", 205), ("3x3", 0)])
def test_published_sizes(fusion: str, classes: int) -> None:
    network = Iizuka2016(fusion=fusion, classes=classes)  # type: ignore[arg-type]
    count = sum(p.numel() for p in network.parameters())
    expected = 42_169_826
    if fusion == "3x3":
        expected += 512 * 256 * 8  # nine places in place of one
    if classes:
        expected += 512 * 256 + 256 + 256 * 205 + 205
    assert count == expected
    state = network.state_dict()
    assert state["global_features.full.0.weight"].shape == (1024, 25088)
    assert state["low.5.weight"].shape == (512, 256, 3, 3)


def test_the_whole_network_recomputed_in_float64() -> None:
    network = shaken()
    lightness = torch.rand(1, 1, 64, 64) * 100
    x = gray_of(lightness.double()) - GRAY_MEAN
    for layer, stride in zip(network.low, (2, 1, 2, 1, 2, 1), strict=True):
        x = conv64(layer, x, stride)
    g = x
    assert network.global_features is not None
    for layer, stride in zip(network.global_features.conv, (2, 1, 2, 1), strict=True):
        g = conv64(layer, g, stride)
    g = g.reshape(1, -1)
    for full in network.global_features.full:
        mean, var = (
            full.get_buffer("running_mean").double(),
            full.get_buffer("running_var").double(),
        )
        y = g @ full.get_parameter("weight").double().T
        g = ((y - mean) / (var + 1e-5).sqrt() + full.get_parameter("bias").double()).clamp_min(0)
    for layer in network.mid:
        x = conv64(layer, x)
    x = torch.cat([g[:, :, None, None].expand(1, g.shape[1], *x.shape[2:]), x], 1)
    x = conv64(network.fusion, x)
    x = conv64(network.color[0], x).repeat_interleave(2, 2).repeat_interleave(2, 3)
    x = conv64(network.color[2], conv64(network.color[1], x))
    x = conv64(network.color[3], x.repeat_interleave(2, 2).repeat_interleave(2, 3))
    last = network.output
    assert last.bias is not None
    x = F.conv2d(x, last.weight.double(), last.bias.double(), padding=1)
    expected = (2 / (1 + torch.exp(-x)) - 1) * 100
    with torch.no_grad():
        torch.testing.assert_close(network(lightness).double(), expected, rtol=1e-4, atol=2e-3)


def test_the_vector_of_a_shot_stands_in_for_the_frames_own() -> None:
    network = shaken()
    frames = torch.rand(3, 1, 48, 80) * 100
    with torch.no_grad():
        own = network.context(frames[:1])
        assert own is not None
        assert own.shape == (1, 32)
        torch.testing.assert_close(network(frames[:1], own), network(frames[:1]))
        other = network.context(100 - frames[:1])
        assert other is not None
        assert (network(frames, own) - network(frames, other)).abs().max() > 0.1


def test_the_order_of_the_fusion() -> None:
    """1×1 takes [global; local], 3×3 [local; global]: zeroed halves show which is which."""
    for fusion, first in (("1x1", True), ("3x3", False)):
        network = shaken(fusion=fusion)
        half = network.fusion.weight.shape[1] // 2
        with torch.no_grad():
            network.fusion.weight[:, slice(None, half) if first else slice(half, None)] = 0
            frame = torch.rand(1, 1, 32, 32) * 100
            a, b = torch.rand(2, 1, half)
            assert torch.equal(network(frame, a), network(frame, b))


def test_the_baseline_has_no_vector() -> None:
    network = shaken(global_features=False)
    assert network.context(torch.rand(1, 1, 32, 32)) is None
    assert network(torch.rand(2, 1, 32, 40) * 100).shape == (2, 2, 16, 20)
    assert not network.guide
    with pytest.raises(ValueError, match="takes no style"):
        network.guided_context(torch.rand(1, 3, 32, 32))
    with pytest.raises(ValueError, match="classes need global"):
        Iizuka2016(0.1, global_features=False, classes=3)


def test_the_classifier_does_not_touch_the_decoder() -> None:
    network = shaken(classes=5).train()
    chroma, scores = network.joint(torch.rand(2, 1, 64, 64) * 100)
    assert chroma.shape == (2, 2, 32, 32)
    assert scores is not None
    scores.sum().backward()
    assert network.color[0].weight.grad is None
    assert network.mid[0].weight.grad is None
    assert network.low[0].weight.grad is not None


@pytest.mark.parametrize(
    "options",
    [{"width": 0.35, "side": 96, "classes": 7}, {"fusion": "3x3"}, {"global_features": False}],
)
def test_variants_are_recognized(options: dict[str, object]) -> None:
    network = Iizuka2016(**{"width": 0.25, **options})  # type: ignore[arg-type]
    found = recognize(network.state_dict())
    assert found is not None
    again = Iizuka2016(**found)
    assert again.state_dict().keys() == network.state_dict().keys()
    for name in ("fusion", "global_features"):
        assert again.options[name] == network.options[name]
    if network.global_features is not None:
        assert again.options["side"] == network.options["side"]


def test_options_out_of_range_are_refused() -> None:
    for bad in ({"side": 100}, {"fusion": "5x5"}, {"width": 0}):
        with pytest.raises(ValueError, match="must"):
            Iizuka2016(**bad)


def test_a_style_colors_every_frame(tmp_path: Path) -> None:
    weights, style = tmp_path / "w.safetensors", tmp_path / "style.png"
    network = shaken()
    weight_files.write(weights, "iizuka2016", network.state_dict(), network.options, {})
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 56), np.uint8)).save(style)
    options = PredictOptions(weights=weights, style=style, device="cpu", dtype="float32")
    options = replace(options, short_side=48)
    predictor = load_predictor(options)
    lightness = torch.rand(2, 1, 48, 64) * 100
    a, b = predictor.context(lightness[:1]), predictor.context(lightness[1:])
    assert a is not None
    assert b is not None
    assert torch.equal(a, b)
    plain = load_predictor(replace(options, style=None))
    own = plain.context(lightness[:1])
    assert own is not None
    assert not torch.equal(a, own)
    assert torch.equal(predictor.field(lightness), plain.field(lightness, context=a))
