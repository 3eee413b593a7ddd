"""The network with ways around its bottleneck, as a plain re-computation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.networks.zhang2017 import Zhang2017


def test_forward_recomputed_in_float64() -> None:
    network = Zhang2017(width=0.125).eval().requires_grad_(False)
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.uniform_(-0.2, 0.2)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
    p = {k: v.double() for k, v in network.state_dict().items()}

    def conv(x: Tensor, name: str, dilation: int = 1) -> Tensor:
        weight = p[f"{name}.weight"]
        padding = dilation * (weight.shape[-1] // 2)
        return F.conv2d(x, weight, p[f"{name}.bias"], padding=padding, dilation=dilation)

    def up(x: Tensor, name: str) -> Tensor:
        weight, bias = p[f"{name}.0.weight"], p[f"{name}.0.bias"]
        return F.conv_transpose2d(x, weight, bias, stride=2, padding=1)

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var, scale, shift = (
            p[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, mean, var, scale, shift, eps=1e-5)

    def block(x: Tensor, k: int, convs: int, dilation: int = 1) -> Tensor:
        for i in range(convs):
            x = conv(x, f"model{k}.{2 * i}", dilation).relu()
        return norm(x, f"model{k}.{2 * convs}")

    lightness = torch.rand(1, 1, 16, 24) * 100
    x = F.pad((lightness.double() - 50) / 100, (0, 0, 0, 0, 0, 3))
    h1 = block(x, 1, 2)
    h2 = block(h1[:, :, ::2, ::2], 2, 2)
    h3 = block(h2[:, :, ::2, ::2], 3, 3)
    h = block(h3[:, :, ::2, ::2], 4, 3)
    h = block(block(block(h, 5, 3, 2), 6, 3, 2), 7, 3)
    h = (up(h, "model8up") + conv(h3, "model3short8.0")).relu()
    h = norm(conv(conv(h, "model8.1").relu(), "model8.3").relu(), "model8.5")
    h = (up(h, "model9up") + conv(h2, "model2short9.0")).relu()
    h = norm(conv(h, "model9.1").relu(), "model9.3")
    h = (up(h, "model10up") + conv(h1, "model1short10.0")).relu()
    h = F.leaky_relu(conv(h, "model10.1"), 0.2)
    want = torch.tanh(conv(h, "model_out.0")) * 110
    got = network.chroma(lightness).double()
    assert got.shape == (1, 2, 16, 24)
    torch.testing.assert_close(got, want, atol=1e-3, rtol=1e-4)
    assert want.abs().max() > 1
