"""What film does to light, as augmentation of the luma that the network sees.

Photographs for training are sharp, clean and panchromatic.  Archival film is none of that: early
emulsions did not see red, prints fade, lenses vignette, grain and scratches lie on top.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.train.options import FilmOptions

CLEAN = FilmOptions(emulsion=0, tone=0, vignette=0, blur=0, grain=0, scratch=0, fade=0)

_EYE = (0.299, 0.587, 0.114)  # BT.601


def film_luma(rgb: Tensor, options: FilmOptions, generator: torch.Generator) -> Tensor:
    """Luma as film might have recorded it.

    Args:
        rgb: N×3×H×W, display-encoded, 0 … 1.
        options: see `FilmOptions`.
        generator: the only source of chance (on the CPU).

    Returns:
        N×1×H×W, 0 … 1.
    """
    n, _, h, w = rgb.shape
    device = rgb.device

    def uniform(low: float, high: float) -> Tensor:
        return torch.rand(n, 1, 1, 1, generator=generator).to(device) * (high - low) + low

    def chance(p: float) -> Tensor:
        return (torch.rand(n, 1, 1, 1, generator=generator) < p).to(device)

    eye = torch.tensor(_EYE, device=device).reshape(1, 3, 1, 1)
    # Orthochromatic film sees green and blue, color-blind film blue alone.
    red, blue = uniform(0.0, 0.25), uniform(0.1, 0.75)
    response = torch.cat([red, (1 - red - blue).clamp_min(0.05), blue], dim=1)
    response = response / response.sum(1, keepdim=True)
    response = torch.where(chance(options.emulsion), response, eye)
    y = (rgb * response).sum(1, keepdim=True)

    gamma = torch.exp(uniform(-0.4, 0.4))
    low, high = uniform(0, 0.14), uniform(0.8, 1)
    y = torch.where(chance(options.tone), low + (high - low) * y.clamp_min(1e-4) ** gamma, y)

    row = torch.linspace(-1, 1, h, device=device).reshape(1, 1, h, 1)
    column = torch.linspace(-1, 1, w, device=device).reshape(1, 1, 1, w)
    corners = 1 - uniform(0.1, 0.5) * (row**2 + column**2) / 2
    y = torch.where(chance(options.vignette), y * corners, y)

    factor = 1.5 + 1.5 * float(torch.rand((), generator=generator))
    small = F.interpolate(
        y, (max(8, int(h / factor)), max(8, int(w / factor))), mode="bilinear", antialias=True
    )
    soft = F.interpolate(small, (h, w), mode="bilinear", align_corners=False)
    y = torch.where(chance(options.blur), soft, y)

    noise = torch.randn(n, 1, h, w, generator=generator).to(device)
    clumped = F.avg_pool2d(F.pad(noise, (1, 1, 1, 1), mode="replicate"), 3, 1) * 3
    noise = torch.where(chance(0.5), noise, clumped)
    amount = uniform(0, options.grain_codes / 255) * chance(options.grain)
    y = y + noise * amount * (1 - (2 * y - 1).clamp(-1, 1) ** 2).clamp_min(0.2)

    column_index = torch.randint(0, w, (n, 2), generator=generator).to(device)
    tone = torch.rand(n, 1, 1, 1, generator=generator).to(device)
    lines = torch.zeros(n, 1, 1, w, device=device)
    lines.scatter_(3, column_index[:, None, None, :], 0.8)
    lines = lines * chance(options.scratch)
    y = (y * (1 - lines) + tone * lines).clamp(0, 1)
    if options.fade == 0:  # other recipes' chance stays what it was
        return y
    low, span = uniform(0, 0.45), uniform(0.15, 0.55)
    faded = ((low + span * y) * 255).round() / 255
    return torch.where(chance(options.fade), faded, y)
