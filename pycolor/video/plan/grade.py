"""Saturation, warmth and look: what is done to a chroma field when it is rendered.

All are functions of one cell's color alone, of degree 1 (twice the chroma in, twice out): grays
stay gray, highlights and shadows clean, and a dissolve's shares may be taken before or after.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

# 2×2 matrices on (a, b).  Two-color film (Technicolor's process 2 and 3, 1922 to 1935) had an
# orange-red and a blue-green record: its colors lie on the line between these hues, about 40° and
# 220° in ab; what lies across it is all but lost.
_TWO_COLOR_HUE = math.radians(40.0)
_ACROSS = 0.15


def _two_color() -> tuple[tuple[float, float], tuple[float, float]]:
    c, s = math.cos(_TWO_COLOR_HUE), math.sin(_TWO_COLOR_HUE)
    return (
        (c * c + _ACROSS * s * s, c * s * (1 - _ACROSS)),
        (c * s * (1 - _ACROSS), s * s + _ACROSS * c * c),
    )


LOOKS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "natural": ((1.0, 0.0), (0.0, 1.0)),
    "vivid": ((1.35, 0.0), (0.0, 1.35)),
    "muted": ((0.65, 0.0), (0.0, 0.65)),
    "two-color": _two_color(),
}
_WARM_HUE = math.radians(70.0)  # of tungsten light on white, in ab
_WARMEST = 0.5  # ab units along the warm hue for each unit of chroma


@dataclass(frozen=True, kw_only=True)
class Grade:
    """What is done to a shot's colors.

    Attributes:
        saturation: factor on the chroma, 0 to 4; 0 is black-and-white.
        warmth: −1 (to blue) … 1 (to orange).
        look: one of `LOOKS`.
    """

    saturation: float = 1.0
    warmth: float = 0.0
    look: str = "natural"

    def __post_init__(self) -> None:
        if not 0 <= self.saturation <= 4:
            raise ValueError(f"saturation must lie in 0 to 4, got {self.saturation}")
        if not -1 <= self.warmth <= 1:
            raise ValueError(f"warmth must lie in -1 to 1, got {self.warmth}")
        if self.look not in LOOKS:
            raise ValueError(f"look must be one of {', '.join(LOOKS)}; got {self.look!r}")

    def __call__(self, field: Tensor) -> Tensor:
        """A field of 2×h×w ab with this grade; the same tensor where it changes nothing."""
        if self.saturation == 0:
            return torch.zeros_like(field)
        if self.look != "natural":
            matrix = torch.tensor(LOOKS[self.look], device=field.device)
            field = torch.einsum("ij,jhw->ihw", matrix, field)
        if self.warmth:
            chroma = field.square().sum(0, keepdim=True).sqrt() * (self.warmth * _WARMEST)
            hue = torch.tensor([math.cos(_WARM_HUE), math.sin(_WARM_HUE)], device=field.device)
            field = field + chroma * hue[:, None, None]
        return field if self.saturation == 1 else field * self.saturation
