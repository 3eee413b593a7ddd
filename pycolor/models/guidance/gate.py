"""How far a match may be trusted.

A logistic regression on what is known without the truth: how far the descriptors are apart, there
and over the whole picture, how much the matched colors differ among themselves, and how much from
what the model says.  It was fitted to least error of the mixture of match and model on halves of
training photographs, mirrored and relit crops of them, unrelated ones, and three of the films.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.guidance.matching import Match

# Of the features below, and what is added.
COEFFICIENTS = (-6.0, -1.0, -6.0, -3.0)
OFFSET = 6.0
_UNIT = 20.0  # ab units


def confidence(match: Match) -> Tensor:
    """N×1×h×w in 0 … 1, the share of a color that the match gives; 0 where nothing is known."""
    around = F.avg_pool2d(match.distance, 5, 1, 2, count_include_pad=False)
    whole = match.distance.mean((2, 3), keepdim=True).expand_as(around)
    features = (match.distance, match.spread / _UNIT, whole, around)
    score = sum((k * f for k, f in zip(COEFFICIENTS, features, strict=True)), torch.zeros(()))
    return torch.sigmoid(score + OFFSET) * match.known
