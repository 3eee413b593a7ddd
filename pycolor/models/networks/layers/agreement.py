"""Gray where a distribution's hues disagree.

A coat that may be navy or brown is plum in the mean of both, which no coat is.  The length of the
mean over the mean length of what it is made of (the resultant length of directional statistics,
weighed by chroma: Mardia and Jupp, "Directional Statistics", 2000) is 1 where all the colors that a
place may have are of one hue, and falls as they point apart.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pycolor import ops

GRAY, COLORED = 0.45, 0.75  # agreement up to which a place is gray, and from which it is as it was


def agreeing(field: Tensor, logits: Tensor, palette: Tensor, temperature: float) -> Tensor:
    """A field whose chroma falls to 0 smoothly where the hues it is the mean of disagree.

    Args:
        field: N×2×h×w ab, the annealed mean.
        logits: N×Q×h×w.
        palette: Q×2 ab.
        temperature: of the mean; at 0 there is one hue only.

    Returns:
        N×2×h×w.
    """
    if temperature == 0:
        return field
    lengths = palette.norm(dim=1)
    lengths = torch.stack([lengths, torch.zeros_like(lengths)], 1)
    length = ops.annealed_mean(logits, lengths, temperature)[:, :1]
    share: Tensor = field.norm(dim=1, keepdim=True) / length.clamp_min(1e-3)
    kept = ((share - GRAY) / (COLORED - GRAY)).clamp(0, 1)
    kept = kept * kept * (3 - 2 * kept)
    return field * kept
