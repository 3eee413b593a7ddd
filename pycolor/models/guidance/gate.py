"""How far a match may be trusted.

A logistic regression on what is known without the truth: how far the descriptors are apart, there,
around and over the whole picture, how much the matched colors differ among themselves, and how like
the scenes are.  It was fitted to the least error of the mixture of match and model on halves of
training photographs, mirrored and relit crops of them, unrelated ones, and three films; where the
mixture errs more than the model alone, the error counted more.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.colorizer import Guidance
from pycolor.models.guidance.matching import Match

# Of the features below, and what is added.
COEFFICIENTS = (0.57, -3.50, -25.7, -7.15, 7.06)
OFFSET = 15.16
_UNIT = 20.0  # ab units
# Weight of guidance up to which a network is told nothing of it.
SURE = 0.5


def confidence(match: Match, scenes: float) -> Tensor:
    """The share of a color that a match gives, N×1×h×w in 0 … 1; 0 where nothing is known.

    Args:
        match: of some pictures.
        scenes: cosine between what the picture and the guided one most like it show as a whole.
    """
    around = F.avg_pool2d(match.distance, 5, 1, 2, count_include_pad=False)
    whole = match.distance.mean((2, 3), keepdim=True)
    features = (match.distance, match.spread / _UNIT, whole, around)
    score = torch.full_like(match.distance, OFFSET + COEFFICIENTS[-1] * scenes)
    for coefficient, feature in zip(COEFFICIENTS, features, strict=False):
        score = score + coefficient * feature
    return torch.sigmoid(score) * match.known


def sure(known: Guidance) -> Guidance:
    """What of some guidance a network is told: weights from `SURE` to 1 as weights from 0 to 1.

    A network believes its hints.  Told everything, 4 of 18 pictures that were led by one of
    something else came out worse by more than 3 %; told what is sure, 1, as when told nothing.
    The right halves of 8 photographs, led by their left ones, had ab errors of 6.3 (told nothing),
    5.8 (what is sure) and 5.7 (everything); ten true points gave 27.7 and 29.1 dB.
    """
    return replace(known, weight=((known.weight - SURE) / (1 - SURE)).clamp(0, 1))
