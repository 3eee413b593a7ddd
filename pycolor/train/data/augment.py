"""What film does to light, as augmentation of the luma that the network sees.

Photographs for training are sharp, clean and panchromatic.  Archival film is none of that: early
emulsions did not see red, prints fade, lenses vignette, grain and scratches lie on top.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.train.recipes.option_groups import FilmOptions

CLEAN = FilmOptions(emulsion=0, tone=0, vignette=0, blur=0, grain=0, scratch=0, fade=0)

_EYE = (0.299, 0.587, 0.114)  # BT.601


def film_luma(rgb: Tensor, options: FilmOptions, generator: torch.Generator) -> Tensor:
    """Luma as film might have recorded it.

    Args:
        rgb: N×3×H×W, display-encoded, 0 … 1.
        options: see `FilmOptions`.
        generator: the only source of randomness; what it draws, it draws on its own device.

    Returns:
        N×1×H×W, 0 … 1.
    """
    rng = _BatchRng(len(rgb), rgb.device, generator)
    y = _recorded(rgb, options, rng)
    y = _blurred(_printed(y, options, rng), options, rng)
    y = _scratched(_grainy(y, options, rng), options, rng)
    if options.fade == 0:  # the random numbers of other recipes stay what they were
        return y
    return _faded(y, options, rng)


@dataclass(frozen=True)
class _BatchRng:
    """Random numbers of some pictures, on their device; drawn on the generator's, in call order."""

    pictures: int
    device: torch.device
    generator: torch.Generator

    def uniform(self, low: float, high: float) -> Tensor:
        """A number each, N×1×1×1 in low … high."""
        return self.rand() * (high - low) + low

    def bernoulli(self, p: float) -> Tensor:
        """True with a probability, N×1×1×1."""
        return self.rand() < p

    def rand(self) -> Tensor:
        """N×1×1×1 in 0 … 1."""
        return self.sample(torch.rand, self.pictures, 1, 1, 1)

    def sample(self, kind: Callable[..., Tensor], *arguments: Any) -> Tensor:
        """What one of torch's functions draws, on the pictures' device."""
        numbers = kind(*arguments, generator=self.generator, device=self.generator.device)
        return numbers.to(self.device)

    def scalar(self) -> float:
        """A number in 0 … 1, known to the processor without waiting for another device."""
        if self.generator.device.type == "cpu":
            return float(torch.rand((), generator=self.generator))
        here = torch.Generator().manual_seed(self.generator.initial_seed())
        return float(torch.rand((), generator=here))


def _recorded(rgb: Tensor, options: FilmOptions, rng: _BatchRng) -> Tensor:
    """Orthochromatic film sees green and blue, color-blind film blue alone."""
    eye = torch.tensor(_EYE, device=rgb.device).reshape(1, 3, 1, 1)
    red, blue = rng.uniform(0.0, 0.25), rng.uniform(0.1, 0.75)
    response = torch.cat([red, (1 - red - blue).clamp_min(0.05), blue], dim=1)
    response = response / response.sum(1, keepdim=True)
    response = torch.where(rng.bernoulli(options.emulsion), response, eye)
    return (rgb * response).sum(1, keepdim=True)


def _printed(y: Tensor, options: FilmOptions, rng: _BatchRng) -> Tensor:
    """Another gamma, lifted blacks, dim whites; dark corners."""
    h, w = y.shape[2:]
    gamma = torch.exp(rng.uniform(-0.4, 0.4))
    low, high = rng.uniform(0, 0.14), rng.uniform(0.8, 1)
    graded = low + (high - low) * y.clamp_min(1e-4) ** gamma
    y = torch.where(rng.bernoulli(options.tone), graded, y)

    row = torch.linspace(-1, 1, h, device=y.device).reshape(1, 1, h, 1)
    column = torch.linspace(-1, 1, w, device=y.device).reshape(1, 1, 1, w)
    corners = 1 - rng.uniform(0.1, 0.5) * (row**2 + column**2) / 2
    return torch.where(rng.bernoulli(options.vignette), y * corners, y)


def _blurred(y: Tensor, options: FilmOptions, rng: _BatchRng) -> Tensor:
    """A soft lens, or a copy of a copy."""
    h, w = y.shape[2:]
    factor = 1.5 + 1.5 * rng.scalar()
    small = F.interpolate(
        y, (max(8, int(h / factor)), max(8, int(w / factor))), mode="bilinear", antialias=True
    )
    soft = F.interpolate(small, (h, w), mode="bilinear", align_corners=False)
    return torch.where(rng.bernoulli(options.blur), soft, y)


def _grainy(y: Tensor, options: FilmOptions, rng: _BatchRng) -> Tensor:
    """Grain, strongest in the midtones, fine or clumped."""
    n, _, h, w = y.shape
    noise = rng.sample(torch.randn, n, 1, h, w)
    clumped = F.avg_pool2d(F.pad(noise, (1, 1, 1, 1), mode="replicate"), 3, 1) * 3
    noise = torch.where(rng.bernoulli(0.5), noise, clumped)
    amount = rng.uniform(0, options.grain_codes / 255) * rng.bernoulli(options.grain)
    return y + noise * amount * (1 - (2 * y - 1).clamp(-1, 1) ** 2).clamp_min(0.2)


def _scratched(y: Tensor, options: FilmOptions, rng: _BatchRng) -> Tensor:
    """Two vertical scratches of one tone; then what no print can hold is cut off."""
    n, _, _, w = y.shape
    column = rng.sample(torch.randint, 0, w, (n, 2))
    tone = rng.rand()
    lines = torch.zeros(n, 1, 1, w, device=y.device)
    lines.scatter_(3, column[:, None, None, :], 0.8)
    lines = lines * rng.bernoulli(options.scratch)
    return (y * (1 - lines) + tone * lines).clamp(0, 1)


def _faded(y: Tensor, options: FilmOptions, rng: _BatchRng) -> Tensor:
    """A faded print or a thin scan, kept in 8 bits."""
    low, span = rng.uniform(0, 0.45), rng.uniform(0.15, 0.55)
    faded = ((low + span * y) * 255).round() / 255
    return torch.where(rng.bernoulli(options.fade), faded, y)
