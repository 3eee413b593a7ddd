"""Transposed convolutions as plain ones: the same sums, in an order that no thread count changes.

oneDNN splits a transposed convolution by the number of threads, and its last bits with it.  One of
kernel 4, stride 2 and padding 1 is four 2×2 convolutions, one for each place in a 2×2 block of the
output: row 2m takes taps 3 and 1 at rows m − 1 and m, row 2m + 1 takes taps 2 and 0 at m and m + 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_TAPS = ((3, 1), (2, 0))  # of even and of odd rows (columns)


class Doubling(nn.Module):
    """What a `ConvTranspose2d(kernel 4, stride 2, padding 1)` computes; for prediction alone.

    Args:
        layer: to take the weights of.
    """

    kernel: Tensor
    offset: Tensor | None

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias  # as they are stored
        weight = layer.weight.detach()  # C_in×C_out×4×4
        parts = [weight[:, :, rows][:, :, :, columns] for rows in _TAPS for columns in _TAPS]
        kernel = torch.cat(parts, 1).transpose(0, 1)  # 4 C_out×C_in×2×2
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        self.register_buffer("kernel", kernel, persistent=False)
        offset = None if layer.bias is None else layer.bias.detach().repeat(4)
        self.register_buffer("offset", offset, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """N×C_in×h×w → N×C_out×2h×2w."""
        n, _, h, w = x.shape
        y = F.conv2d(x, self.kernel, self.offset, padding=1)  # h + 1 rows, w + 1 columns
        even_even, even_odd, odd_even, odd_odd = y.chunk(4, 1)
        out = y.new_empty(n, even_even.shape[1], h, 2, w, 2)
        out[:, :, :, 0, :, 0] = even_even[:, :, :h, :w]
        out[:, :, :, 0, :, 1] = even_odd[:, :, :h, 1:]
        out[:, :, :, 1, :, 0] = odd_even[:, :, 1:, :w]
        out[:, :, :, 1, :, 1] = odd_odd[:, :, 1:, 1:]
        whole = out.reshape(n, -1, 2 * h, 2 * w)
        return whole.contiguous(memory_format=torch.channels_last)


def without_transposed(module: nn.Module) -> None:
    """Put a `Doubling` in the place of every transposed convolution of that shape, in depth."""
    for name, child in module.named_children():
        shape = (4, 4), (2, 2), (1, 1)
        if (
            isinstance(child, nn.ConvTranspose2d)
            and (child.kernel_size, child.stride, child.padding) == shape
            and child.groups == 1
        ):
            setattr(module, name, Doubling(child))
        else:
            without_transposed(child)
