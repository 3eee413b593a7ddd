"""Where a model is unsure: its doubt, and pale colors, which are unsure ones, drawn to gray."""

from __future__ import annotations

from math import log

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


def doubt(likelihoods: Tensor) -> Tensor:
    """How little a model knows of each place: entropy over that of no idea, 0 … 1.

    Args:
        likelihoods: N×Q×h×w, of colors, sum 1.

    Returns:
        N×h×w.
    """
    entropy = -(likelihoods * likelihoods.clamp_min(1e-12).log()).sum(1)
    return entropy / log(likelihoods.shape[1])
