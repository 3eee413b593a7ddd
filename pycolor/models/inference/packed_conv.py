"""Convolutions for prediction: laid out once, with the ReLU or ReLU6 behind them in the same pass.

On a CPU torch's own layer casts its kernel to bfloat16 and lays it out for oneDNN with every
picture, which costs about a sixth of the time of zhang2016.  Here both are done once for a
precision and size of picture, by the operators that torch.compile itself puts into its graphs.
"""

from __future__ import annotations

import platform

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Convolution(nn.Module):
    """What a `Conv2d` with zero padding computes, then what follows it; it cannot be trained.

    The weights keep their names and values.  They are laid out when first used: what changes them
    later has no effect.

    Args:
        layer: whose parameters and buffers are taken over.
        after: a ReLU or a ReLU6, or nothing.
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(
        self, layer: nn.Conv2d | nn.ConvTranspose2d, after: nn.ReLU | nn.ReLU6 | None = None
    ) -> None:
        super().__init__()
        for name, parameter in layer.named_parameters(recurse=False):
            self.register_parameter(name, parameter)
        for name, buffer in layer.named_buffers(recurse=False):
            self.register_buffer(name, buffer)
        self.bias = layer.bias
        assert not isinstance(layer.padding, str)
        self.geometry = (layer.stride, layer.padding, layer.dilation, layer.groups)
        self.ends: tuple[str, list[float]] = _ENDS[type(after)]
        self._ready_for: tuple[torch.dtype, torch.Size] | None = None
        self._ready: tuple[Tensor, Tensor | None]

    @staticmethod
    def fits(layer: nn.Module) -> bool:
        """Whether a layer is a convolution that pads with zeros."""
        return isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros"

    def operands(self) -> tuple[Tensor, Tensor | None]:
        """What the sums are made with: C_out×C_in×k×k, and C_out offsets."""
        return self.weight, self.bias

    def forward(self, x: Tensor) -> Tensor:
        """N×C_in×h×w → N×C_out×h'×w'."""
        if x.is_cpu and x.dtype in _LAID_OUT and not torch.compiler.is_compiling():
            low = torch.is_autocast_enabled("cpu")
            dtype = torch.get_autocast_dtype("cpu") if low else x.dtype
            if _LAID_OUT[dtype]:
                return self._by_onednn(x.to(dtype))
        kernel, offset = self.operands()
        y = F.conv2d(x, kernel, offset, *self.geometry)
        end, limits = self.ends
        if end == "hardtanh":
            return F.hardtanh_(y, *limits)
        return F.relu_(y) if end == "relu" else y

    def _by_onednn(self, x: Tensor) -> Tensor:
        stride, padding, dilation, groups = self.geometry
        # The best layout depends on the picture's size; with another it can take ten times as long.
        if self._ready_for != (x.dtype, x.shape):
            kernel, offset = self.operands()
            self._ready = (
                torch.ops.mkldnn._reorder_convolution_weight(
                    kernel.detach().to(x.dtype), padding, stride, dilation, groups, list(x.shape)
                ),
                None if offset is None else offset.detach().to(x.dtype),
            )
            self._ready_for = x.dtype, x.shape
        y: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x.contiguous(memory_format=torch.channels_last),
            *self._ready,
            *(padding, stride, dilation, groups),
            *(*self.ends, ""),
        )
        return y


# What may follow, as oneDNN's operators call it, and its limits.
_ENDS: dict[type, tuple[str, list[float]]] = {
    type(None): ("none", []),
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
}


# The operators behind torch's public ones: a version of torch that lacks one of them is served by
# torch's own layer.
_OPERATORS = ("_reorder_convolution_weight", "_convolution_pointwise", "_is_mkldnn_bf16_supported")


def _laid_out() -> dict[torch.dtype, bool]:
    """The precisions that oneDNN's operators take on this processor."""
    here = torch.backends.mkldnn.is_available() and platform.machine() in ("x86_64", "AMD64")
    here = here and all(hasattr(torch.ops.mkldnn, name) for name in _OPERATORS)
    low = here and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return {torch.float32: here, torch.bfloat16: low}


_LAID_OUT = _laid_out()
