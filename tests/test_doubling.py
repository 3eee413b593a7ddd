"""A transposed convolution as plain ones."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pycolor.models.doubling import Doubling, without_transposed


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (6, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_same_sum(size, bias):
    layer = nn.ConvTranspose2d(3, 5, 4, stride=2, padding=1, bias=bias).double()
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    assert torch.allclose(Doubling(layer)(x), layer(x), rtol=0, atol=1e-12)


def test_only_layers_of_that_shape_are_replaced():
    other = nn.ConvTranspose2d(2, 2, 3, stride=2)
    net = nn.Sequential(nn.Sequential(nn.ConvTranspose2d(2, 2, 4, 2, 1)), other)
    without_transposed(net)
    assert [type(m) for m in net.modules()][2] is Doubling
    assert net[1] is other
