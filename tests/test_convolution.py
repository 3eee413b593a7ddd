"""Convolutions for prediction: the sums of torch's own layers, laid out ahead."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pycolor.models.inference import packed_conv
from pycolor.models.inference.device import bfloat16_in_hardware
from pycolor.models.inference.fuse import fold_layers
from pycolor.models.inference.packed_conv import Convolution
from pycolor.models.inference.upsample2x import Doubling


@pytest.mark.parametrize("after", [None, nn.ReLU(), nn.ReLU6()])
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "bias"), [(3, 1, 1, True), (3, 2, 1, False), (3, 1, 2, True)]
)
def test_it_is_the_same_sum(kernel, stride, dilation, bias, after):
    """Against sums in float64, for float32 and for double input."""
    layer = nn.Conv2d(5, 8, kernel, stride, padding=dilation, dilation=dilation, bias=bias)
    x = torch.randn(2, 5, 12, 9) * 8
    expected = layer.double()(x.double())
    assert expected.max() > 6
    expected = after(expected) if after else expected
    assert torch.allclose(Convolution(layer, after)(x.double()), expected, rtol=0, atol=1e-12)
    found = Convolution(layer.float(), after)(x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)


def test_autocast_chooses_the_precision():
    if not bfloat16_in_hardware():
        pytest.skip("this processor does not multiply bfloat16")
    layer = nn.Conv2d(16, 16, 3, padding=1)
    ready, x = Convolution(layer), torch.randn(1, 16, 8, 8)
    with torch.no_grad():
        with torch.autocast("cpu", torch.bfloat16):
            low, expected = ready(x), layer(x)
        assert low.dtype == torch.bfloat16
        torch.testing.assert_close(low, expected, rtol=2e-2, atol=2e-2)
        assert ready(x).dtype == torch.float32
        torch.testing.assert_close(ready(x), layer(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (6, 4)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("after", [None, nn.ReLU()])
def test_a_transposed_one_is_the_same_sum(size, bias, after):
    layer = nn.ConvTranspose2d(3, 5, 4, stride=2, padding=1, bias=bias).double()
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    expected = after(layer(x)) if after else layer(x)
    assert torch.allclose(Doubling(layer, after)(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("low", [False, True])
def test_threads_do_not_change_the_bits(low):
    """Those of the layers that oneDNN could split by threads: few pixels, many channels."""
    torch.manual_seed(0)
    layers = [
        Convolution(nn.Conv2d(64, 96, 3, padding=1)),
        Convolution(nn.Conv2d(64, 313, 1)),
        Doubling(nn.ConvTranspose2d(64, 32, 4, 2, 1)),
        Convolution(nn.Conv2d(64, 64, 5, padding=2, groups=64), nn.ReLU6()),
        Convolution(nn.Conv2d(64, 64, 3, stride=2, groups=64), nn.ReLU6()),
    ]
    x = torch.randn(1, 64, 7, 9)
    threads = torch.get_num_threads()
    found = []
    try:
        for n in (1, 2, 3):
            torch.set_num_threads(n)
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=low):
                found.append([layer(x) for layer in layers])
    finally:
        torch.set_num_threads(threads)
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_only_layers_that_it_knows_are_replaced():
    network = nn.Sequential(
        nn.Sequential(nn.ConvTranspose2d(2, 2, 4, 2, 1), nn.ReLU()),
        nn.ConvTranspose2d(2, 2, 3, stride=2),
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="replicate"),
        nn.ReLU(),
        nn.Conv2d(2, 2, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2, 2, 1),
        nn.ReLU6(),
    )
    x = torch.randn(1, 2, 6, 5)
    with torch.no_grad():
        expected = network(x)
        names = list(network.state_dict())
        fold_layers(network)
        torch.testing.assert_close(network(x), expected)
    assert list(network.state_dict()) == names
    kinds = [type(m).__name__ for m in network]
    assert kinds[1:4] == ["ConvTranspose2d", "Conv2d", "ReLU"]
    assert kinds[4:] == ["Convolution", "LeakyReLU", "Convolution", "Identity"]
    first = network[0].children()
    assert [type(m).__name__ for m in first] == ["Doubling", "Identity"]


def test_without_onednns_own_operators_torchs_layer_serves(monkeypatch) -> None:
    """They are not documented by torch: another version may lack one."""
    monkeypatch.setattr(packed_conv, "_OPERATORS", ("no_such_operator",))
    assert not any(packed_conv._laid_out().values())
