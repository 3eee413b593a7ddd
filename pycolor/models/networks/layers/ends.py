"""Black and white are gray: chroma at the ends of the lightness."""

from __future__ import annotations

from torch import Tensor


def within_ends(lightness: Tensor) -> Tensor:
    """Share of the chroma that is kept: 1 for all L* but the ends, where black and white are gray.

    Falls smoothly to 0 from L* = 12 down to 2, and from 94 up to 99.
    """
    low = ((lightness - 2) / 10).clamp(0, 1)
    high = ((99 - lightness) / 5).clamp(0, 1)
    return low * low * (3 - 2 * low) * high * high * (3 - 2 * high)
