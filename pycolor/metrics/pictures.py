"""How near is one picture to another, and how colorful is it?"""

from __future__ import annotations

import torch
from torch import Tensor


def psnr(a: Tensor, b: Tensor, peak: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in dB, over all channels; +inf for equal pictures.

    Args:
        a: N×C×H×W.
        b: the same shape.
        peak: largest value a sample can take.
    """
    error = (a.double() - b.double()).square().flatten(1).mean(1)
    return 10 * torch.log10(peak**2 / error)


def colorfulness(rgb: Tensor) -> Tensor:
    """Colorfulness M of Hasler and Süsstrunk, 2003, with signed opponent axes.

    Args:
        rgb: N×3×H×W, display-encoded, 0 … 1.

    Returns:
        N values; 0 is gray, above 80 is very colorful (the scale of 8-bit codes).
    """
    r, g, b = (rgb.double() * 255).unbind(1)
    rg, yb = (r - g).flatten(1), ((r + g) / 2 - b).flatten(1)
    spread = (rg.var(1, correction=0) + yb.var(1, correction=0)).sqrt()
    offset = (rg.mean(1).square() + yb.mean(1).square()).sqrt()
    return spread + 0.3 * offset
