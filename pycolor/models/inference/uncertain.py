"""Pale colors, which are unsure ones, drawn to gray."""

from __future__ import annotations

from torch import Tensor

# Chroma from which on a reserve leaves colors as they are, in ab units: about the mean of
# colored photographs.
CHROMA_PIVOT = 20.0


def suppress_uncertain_chroma(field: Tensor, reserve: float) -> Tensor:
    """A field whose pale colors are drawn to gray; none is made stronger.

    The mean of a distribution is pale where a model is unsure.  There gray errs less, and is what
    a restorer would leave.  Chroma C is multiplied by C / (C + r) · (P + r) / P up to P, which is
    `CHROMA_PIVOT`, and stays as it is above.

    Args:
        field: N×2×h×w ab.
        reserve: r in ab units; 0 leaves all as it is.
    """
    if reserve == 0:
        return field
    a, b = field.split(1, dim=1)
    chroma = (a * a + b * b).sqrt()
    drawn: Tensor = field * (chroma * (1 + reserve / CHROMA_PIVOT) / (chroma + reserve)).clamp_max(
        1
    )
    return drawn
