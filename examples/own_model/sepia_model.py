"""A model of one's own: a subclass of `Colorizer` and its card."""

from pathlib import Path

import torch
from torch import Tensor, nn

from pycolor.models.colorizer import Colorizer
from pycolor.models.zoo import Card


class Sepia(Colorizer):
    def __init__(self) -> None:
        super().__init__()
        self.options = {}
        self.tint = nn.Parameter(torch.tensor([6.0, 18.0]))  # ab of CIELAB

    def forward(self, lightness: Tensor, context: Tensor | None = None) -> Tensor:
        small = nn.functional.avg_pool2d(lightness.float(), self.output_stride)
        return self.tint.view(1, 2, 1, 1) * (small * (100 - small) / 2500)


CARD = Card(
    name="sepia", paper="An example", year=2026, build=Sepia,
    recognize=lambda state: {} if set(state) == {"tint"} else None,
    parameters=2, gflops=0.0, temperature=None, short_side=64,
    weights=str(Path(__file__).with_name("sepia.safetensors")),
)  # fmt: skip
