"""Looks: what is done with all colors of a shot at the end.

The early color stocks are not simulated layer by layer; what tells them apart to the eye is kept:
the two-color processes know no hue but red-orange and blue-green (Technicolor process 3, 1928),
screen plates are pale and warm (Autochrome, 1907), dye transfer is strong in reds and greens
(Technicolor process 4, 1932).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from pycolor.errors import UsageError
from pycolor.models.networks.layers.ends import within_ends

WARMER = 12.0  # b* that warmth 1 adds, a third of it to a*, where it is neither dark nor light


@dataclass(frozen=True, kw_only=True)
class Look:
    """A preset.

    Attributes:
        saturation: factor on chroma.
        warmth: as in `Grade`.
        axis: hue angle in degrees of the only two hues, itself and its opposite; None for all.
        hues: (hue angle, factor) at which chroma is stronger, each over about 60° around it.
    """

    saturation: float = 1.0
    warmth: float = 0.0
    axis: float | None = None
    hues: tuple[tuple[float, float], ...] = ()


LOOKS: Mapping[str, Look] = {
    "natural": Look(),
    "vivid": Look(saturation=1.35),
    "two-color": Look(axis=38.0, saturation=1.1, warmth=0.1),
    "autochrome": Look(saturation=0.7, warmth=0.35),
    "dye-transfer": Look(saturation=1.15, hues=((35.0, 1.3), (140.0, 1.2)), warmth=0.1),
}


@dataclass(frozen=True, kw_only=True)
class Grade:
    """What is done with a field of chroma.

    Attributes:
        look: a key of `LOOKS`; empty leaves the ends of the lightness as they come.
        saturation: factor on chroma, 0 to 4, after the look's.
        warmth: −1 (colder) to 1 (warmer), beside the look's.
        palette: ab of colors that the film's are drawn to; none: nothing is.

    Raises:
        UsageError: the look is not known.
    """

    look: str = ""
    saturation: float = 1.0
    warmth: float = 0.0
    palette: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.look and self.look not in LOOKS:
            raise UsageError(f"look must be one of {', '.join(LOOKS)}; got {self.look!r}.")

    def of(self, field: Tensor, lightness: Tensor) -> Tensor:
        """The field, graded.

        Args:
            field: N×2×h×w ab.
            lightness: N×1×h×w, L* of the cells.
        """
        look = LOOKS[self.look or "natural"]
        if self.palette:
            field = drawn_to(field, self.palette)
        if look.axis is not None:
            field = _two_hues(field, look.axis)
        for hue, factor in look.hues:
            field = _stronger(field, hue, factor)
        field = field * (look.saturation * self.saturation)
        shown = within_ends(lightness)
        warmth = look.warmth + self.warmth
        if warmth:
            # Grays stay gray: what is pale is moved less.
            chroma = field.norm(dim=1, keepdim=True)
            amount = warmth * WARMER * chroma / (chroma + WARMER)
            field = field + amount * field.new_tensor([1 / 3, 1.0]).reshape(1, 2, 1, 1)
        return field * shown if self.look else field


def drawn_to(field: Tensor, palette: tuple[tuple[float, float], ...]) -> Tensor:
    """Each color as the mean of the palette's and gray, the nearer the more.

    Three tenths of each stay as they were.

    Args:
        field: N×2×h×w ab.
        palette: ab of each entry.
    """
    entries = field.new_tensor([*palette, (0.0, 0.0)])
    away = ((field[:, None] - entries.reshape(1, -1, 2, 1, 1)) ** 2).sum(2)
    share = (-away / (2 * 12.0**2)).softmax(1)
    nearest = torch.einsum("nkhw,kc->nchw", share, entries)
    return torch.lerp(field, nearest, 0.7)


def _two_hues(field: Tensor, axis: float) -> Tensor:
    """The part of each color along one axis."""
    direction = field.new_tensor([math.cos(math.radians(axis)), math.sin(math.radians(axis))])
    along = torch.einsum("nchw,c->nhw", field, direction)[:, None]
    return along * direction.reshape(1, 2, 1, 1)


def _stronger(field: Tensor, hue: float, factor: float) -> Tensor:
    angle = torch.atan2(field[:, 1:], field[:, :1]) - math.radians(hue)
    near = torch.exp(-((torch.atan2(angle.sin(), angle.cos()) / math.radians(40)) ** 2))
    return field * (1 + (factor - 1) * near)
