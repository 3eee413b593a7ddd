"""Transposed convolutions as plain ones: the same sums, in an order that no thread count changes.

oneDNN splits a transposed convolution by the number of threads, and its last bits with it.  One of
kernel 4, stride 2 and padding 1 is four 2×2 convolutions, one for each place in a 2×2 block of the
output: row 2m takes taps 3 and 1 at rows m − 1 and m, row 2m + 1 takes taps 2 and 0 at m and m + 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pycolor.models.inference.packed_conv import Convolution

_TAPS = ((3, 1), (2, 0))  # of even and of odd rows (columns)


class Doubling(Convolution):
    """What a `ConvTranspose2d(kernel 4, stride 2, padding 1)` computes, and a ReLU if there is one.

    Args:
        layer: whose parameters are taken over.
        after: a ReLU, or nothing.
    """

    kernel: Tensor
    offset: Tensor | None

    def __init__(self, layer: nn.ConvTranspose2d, after: nn.ReLU | nn.ReLU6 | None = None) -> None:
        super().__init__(layer, after)
        self.geometry = ((1, 1), (1, 1), (1, 1), 1)
        weight = layer.weight.detach()  # C_in×C_out×4×4
        parts = [weight[:, :, rows][:, :, :, columns] for rows in _TAPS for columns in _TAPS]
        kernel = torch.cat(parts, 1).transpose(0, 1)  # 4 C_out×C_in×2×2
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        self.register_buffer("kernel", kernel, persistent=False)
        offset = None if layer.bias is None else layer.bias.detach().repeat(4)
        self.register_buffer("offset", offset, persistent=False)

    @staticmethod
    def fits(layer: nn.Module) -> bool:
        """Whether a layer is a transposed convolution of that shape."""
        return (
            isinstance(layer, nn.ConvTranspose2d)
            and (layer.kernel_size, layer.stride, layer.padding) == ((4, 4), (2, 2), (1, 1))
            and layer.groups == 1
        )

    def operands(self) -> tuple[Tensor, Tensor | None]:
        """The four convolutions side by side."""
        return self.kernel, self.offset

    def forward(self, x: Tensor) -> Tensor:
        """N×C_in×h×w → N×C_out×2h×2w, channels last."""
        n, _, h, w = x.shape
        y = super().forward(x).permute(0, 2, 3, 1)  # h + 1 rows, w + 1 columns
        whole = y.new_empty(n, h, 2, w, 2, y.shape[3] // 4)
        for place, part in enumerate(y.chunk(4, 3)):
            row, column = divmod(place, 2)
            whole[:, :, row, :, column] = part[:, row : row + h, column : column + w]
        return whole.view(n, 2 * h, 2 * w, -1).permute(0, 3, 1, 2)
