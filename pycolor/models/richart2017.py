"""Richart, Visca and Baliosian, "Image Colorization with Neural Networks", WVC 2017.

A self-organizing map learns a handful of colors from the training pictures; a perceptron with one
hidden layer then tells from the gray patch around a pixel which of them the pixel has.  Slid over
a frame, its hidden layer is a convolution of the patch's size and its output layer one of 1×1.

The paper is open on details.  Ours: a 7×7 patch, a 3×3 map, 100 hidden units (its largest), ReLU;
beyond the border the picture's edge repeats.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

PATCH = 7


class Richart2017(nn.Module):
    """The perceptron and its map of colors.

    Args:
        rows: of the map; rows·columns is the number of colors Q (the paper shows 4 and 9).
        columns: of the map.
        hidden: units of the hidden layer.
    """

    input_multiple = 1  # any size of input
    output_stride = 1  # one color a pixel of it

    palette: Tensor

    def __init__(self, rows: int = 3, columns: int = 3, hidden: int = 100) -> None:
        super().__init__()
        if min(rows, columns, hidden) < 1:
            raise ValueError(
                f"rows, columns and hidden must be 1 or more, got {rows}, {columns}, {hidden}"
            )
        self.rows, self.columns = rows, columns
        self.hidden = nn.Conv2d(1, hidden, PATCH, padding=PATCH // 2, padding_mode="replicate")
        self.classes = nn.Conv2d(hidden, rows * columns, 1)
        # The map's neurons, Q×2, in ab units: learned before the perceptron, then fixed.
        self.register_buffer("palette", torch.zeros(rows * columns, 2))

    def forward(self, lightness: Tensor) -> Tensor:
        """Logits over the map's colors.

        Args:
            lightness: N×1×H×W, L* in 0 … 100.

        Returns:
            N×Q×H×W, float32.
        """
        h = torch.relu(self.hidden(lightness / 50 - 1))
        return self.classes(h).float()  # type: ignore[no-any-return]
