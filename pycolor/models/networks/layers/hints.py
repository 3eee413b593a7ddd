"""How hints of color enter a decoder."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pycolor.models.colorizer import Guidance


class Hints(nn.Module):
    """What hints add to the decoder's maps of a 16th, an 8th and a 4th of the size.

    Without offsets: where there is no hint, nothing is added.  Nothing at all at first; the gain
    lets it learn faster than what is there already.
    """

    HIDDEN, UNIT, GAIN = 24, 50.0, 16.0

    def __init__(self, c16: int, c8: int, c4: int) -> None:
        super().__init__()
        self.read = nn.Conv2d(3, self.HIDDEN, 1, bias=False)
        self.to16, self.to8, self.to4 = (
            nn.Conv2d(self.HIDDEN, c, 3, padding=1, bias=False) for c in (c16, c8, c4)
        )

    def forward(self, guidance: Guidance) -> list[Tensor]:
        """The additions N×C×h/k×w/k at a 16th, an 8th and a 4th of the input's size."""
        weight = guidance.weight.float()
        color = guidance.hints.float() * weight / self.UNIT
        added: list[Tensor] = []
        for factor, layer in ((4, self.to16), (2, self.to8), (1, self.to4)):
            # The mean of the cell's hints, and the surest of them.
            share = F.avg_pool2d(weight, factor)
            mean = F.avg_pool2d(color, factor) / share.clamp_min(1e-4)
            surest = F.max_pool2d(weight, factor)
            seen = torch.cat([mean * surest, surest], dim=1)
            added.append(layer(F.relu(self.read(seen))) * self.GAIN)
        return added
