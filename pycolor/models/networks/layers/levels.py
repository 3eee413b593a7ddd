"""What a network sees of a picture's levels: black and white brought to where a print has them.

Prints fade, scans lift their blacks, exposure changes inside a shot.  All of these are, in display
codes, about y → a + b y, and leave the subject what it was.  So the network sees the codes between
the darkest and the lightest places of the picture; the film's own luma is never touched.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.colorizer import gray_of

CELL = 4  # pixels across of the places: grain and scratches are no levels
SHARE = 0.01  # of the places that are the darkest, and the lightest
BLACK, WHITE = 0.03, 0.95  # codes, 0 … 1, that they are brought to
LIFTED = 0.12, 0.25  # black, codes, from which on and at which a picture is wholly a faded one
DIM = 0.55, 0.75  # white, codes, at which it wholly is one, and below which it begins to be
FAINT = 0.08  # span of codes, 0 … 1, below which a picture is taken for an empty one
EMPTY = 0.02, 0.08  # span up to which nothing is in a picture, and from which on something is


def normalized(lightness: Tensor, *, faded_only: bool = False) -> Tensor:
    """Display codes between the picture's own black and white.

    With d and l the means of the darkest and of the lightest cells, y becomes
    m + (y − (d + l) / 2) (WHITE − BLACK) / √((l − d)² + FAINT²): a picture with as good as nothing
    in it is not blown up to one with contrast.  Its middle m stays where it was the more, the
    fainter it is, and is else that of BLACK and WHITE.

    Args:
        lightness: N×1×h×w, L* in 0 … 100.
        faded_only: leave a picture as it is whose black is black and whose white is bright; what
            lies between such a one and a faded one is mixed, smoothly.

    Returns:
        N×1×h×w codes; all of a picture and its copy a + b y, b > 0, are alike but for FAINT, and
        for `faded_only`.
    """
    gray = gray_of(lightness.float())
    dark, light = _black_and_white(gray)
    span, middle = light - dark, (light + dark) / 2
    wide = (span.square() + FAINT**2).sqrt()
    sure = (span / wide).square()
    target = sure * (BLACK + WHITE) / 2 + (1 - sure) * middle
    whole = target + (gray - middle) * (WHITE - BLACK) / wide
    if not faded_only:
        return whole
    lifted = (dark - LIFTED[0]) / (LIFTED[1] - LIFTED[0])
    dim = (DIM[1] - light) / (DIM[1] - DIM[0])
    share = torch.maximum(lifted, dim).clamp(0, 1)
    return gray + _smooth(share) * (whole - gray)


def presence(lightness: Tensor) -> Tensor:
    """Whether anything is in a picture: the color of a card of one gray cannot be known.

    Args:
        lightness: N×1×h×w, L* in 0 … 100.

    Returns:
        N×1×1×1, rising smoothly from 0, where the picture's black and white lie `EMPTY[0]` apart
        or less, to 1 at `EMPTY[1]`.
    """
    dark, light = _black_and_white(gray_of(lightness.float()))
    return _smooth(((light - dark - EMPTY[0]) / (EMPTY[1] - EMPTY[0])).clamp(0, 1))


def _black_and_white(gray: Tensor) -> tuple[Tensor, Tensor]:
    """Codes of the darkest and of the lightest places, each N×1×1×1."""
    cells = F.avg_pool2d(gray, CELL).flatten(1)
    count = max(1, round(SHARE * cells.shape[1]))
    dark = cells.topk(count, dim=1, largest=False).values.mean(1).view(-1, 1, 1, 1)
    return dark, cells.topk(count, dim=1).values.mean(1).view(-1, 1, 1, 1)


def _smooth(share: Tensor) -> Tensor:
    return share * share * (3 - 2 * share)


def lightness_of(gray: Tensor) -> Tensor:
    """L* of display codes, the inverse of `gray_of`; any shape, codes outside 0 … 1 clipped."""
    y = gray.clamp(0, 1)
    linear = torch.where(y <= 0.04045, y / 12.92, ((y + 0.055) / 1.055) ** 2.4)
    cube = linear.clamp_min((6 / 29) ** 3) ** (1 / 3)
    return torch.where(linear > (6 / 29) ** 3, 116 * cube - 16, linear * (29 / 3) ** 3)
