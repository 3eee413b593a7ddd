"""Pictures made lighter or darker as their luma would make them: flicker taken out."""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor import ops


def brightened(lightness: Tensor, gain: float) -> Tensor:
    """Lightness of the same picture with its luma multiplied.

    Args:
        lightness: N×1×H×W, L*.
        gain: factor on Y'.

    Returns:
        N×1×H×W, L*, 100 at most.
    """
    if abs(gain - 1) < 1e-3:
        return lightness
    steps = torch.linspace(0, 100, 1001, dtype=torch.float32, device=lightness.device)
    table = luma_to_l((l_to_luma(steps) * gain).clamp_max(1))
    place = lightness.clamp(0, 99.999) * 10
    low = place.floor()
    index = low.long()
    return torch.lerp(table[index], table[index + 1], place - low)


def l_to_luma(lightness: Tensor) -> Tensor:
    """Y' (0 … 1) of neutral colors with these L*, any shape."""
    neutral = lightness.reshape(1, 1, 1, -1)
    lab = torch.cat([neutral, torch.zeros_like(neutral), torch.zeros_like(neutral)], 1)
    return ops.lab_to_rgb(lab)[:, 1].reshape(lightness.shape)


def luma_to_l(luma: Tensor) -> Tensor:
    """L* of neutral colors with these Y' (0 … 1), any shape."""
    return ops.rgb_to_lab(luma.reshape(1, 1, 1, -1).expand(-1, 3, -1, -1))[:, 0].reshape(luma.shape)
