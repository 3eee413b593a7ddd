"""Richart, Visca and Baliosian, "Image Colorization with Neural Networks", WVC 2017.

A self-organizing map learns a handful of colors from the training pictures; a perceptron with one
hidden layer then tells from the gray patch around a pixel which of them the pixel has.  Slid over
a frame, its hidden layer is a convolution of the patch's size and its output layer one of 1×1.

The paper shows maps of 4 and 9 neurons and hidden layers of up to 100 units.  The rest is ours: a
7×7 patch, a 3×3 map, ReLU; beyond the border the picture's edge repeats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from pycolor.models.colorizer import Colorizer, Guidance, check_width

PATCH = 7
HIDDEN = 100


class Richart2017(Colorizer):
    """The perceptron and its map of colors (5,909 parameters as we read the paper).

    Args:
        width: multiplies the hidden layer's 100 units.
        rows: of the map; rows·columns is the number of colors Q.
        columns: of the map.
    """

    input_multiple = 1
    output_stride = 1

    colors: Tensor

    def __init__(self, width: float = 1.0, rows: int = 3, columns: int = 3) -> None:
        super().__init__()
        check_width(width)
        if min(rows, columns) < 1:
            raise ValueError(f"rows and columns must be 1 or more, got {rows}, {columns}")
        self.rows, self.columns = rows, columns
        self.options = {"width": width, "rows": rows, "columns": columns}
        hidden = max(1, round(HIDDEN * width))
        self.hidden = nn.Conv2d(1, hidden, PATCH, padding=PATCH // 2, padding_mode="replicate")
        self.classes = nn.Conv2d(hidden, rows * columns, 1)
        # The map's neurons, Q×2 ab: learned before the perceptron, then fixed.
        self.register_buffer("colors", torch.zeros(rows * columns, 2))

    @property
    def palette(self) -> Tensor:
        """The map's colors, Q×2 ab."""
        return self.colors

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        """Logits over the map's colors, N×Q×H×W, see `Colorizer.forward`."""
        self.check_guidance(guidance)
        h = torch.relu(self.hidden(lightness / 50 - 1))
        with torch.autocast(h.device.type, enabled=False):
            logits: Tensor = self.classes(h.float())
            return logits


def recognize(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """The options of the network that a state dict belongs to; None if it is another's."""
    hidden, colors = state.get("hidden.weight"), state.get("colors")
    if hidden is None or colors is None or tuple(hidden.shape[1:]) != (1, PATCH, PATCH):
        return None
    # The map's shape is lost; its number of colors is all that prediction needs.
    count = len(colors)
    rows = next(n for n in range(math.isqrt(count), 0, -1) if count % n == 0)
    return {"width": hidden.shape[0] / HIDDEN, "rows": rows, "columns": count // rows}
