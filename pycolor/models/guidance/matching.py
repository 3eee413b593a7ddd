"""Cells of one picture found again in others: a softmax over all of their cells.

With q a descriptor of the picture and k those of the guided cells, which have color c and a weight
u (0: nothing is known there), the match is Σ p c u / Σ p u, with p the softmax of
(−|q − k|² + b)/τ over the cells of all guided pictures together; b favors pictures nearer in time.
So the nearest and best match wins, and a cell of which nothing is known draws weight away from
those that are less alike.  Colors that disagree do not gray each other: the mean is lengthened to
the mean of their lengths, at most `GROWTH` times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pycolor import ops

TEMPERATURE = 0.042  # τ, in squared distances between descriptors
GROWTH = 1.6


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """The guided cells of one picture.

    Attributes:
        keys: K×d descriptors.
        color: K×2 ab.
        weight: K, 0 … 1: how far the color is known.
        bias: b above, ≤ 0, in squared distances.
    """

    keys: Tensor
    color: Tensor
    weight: Tensor
    bias: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Match:
    """What was found for each cell of a picture.

    Attributes:
        color: N×2×h×w ab.
        known: N×1×h×w, Σ p u: the share of the match whose color is known, 0 … 1.
        distance: N×1×h×w, the soft minimum of |q − k|², without the bias; 0 to about 4.
        spread: N×1×h×w, standard deviation of the matched colors, in ab units.
    """

    color: Tensor
    known: Tensor
    distance: Tensor
    spread: Tensor


def match(queries: Tensor, pictures: Sequence[Cells], temperature: float = TEMPERATURE) -> Match:
    """Find each cell of a picture in some guided ones.

    Args:
        queries: N×d×h×w descriptors, in the basis of the guided pictures'.
        pictures: at least one.
        temperature: τ.

    Returns:
        See `Match`, float32.
    """
    n, _, h, w = queries.shape
    q = queries.movedim(1, -1).flatten(0, -2)
    keys = torch.cat([p.keys for p in pictures])
    bias = torch.cat([p.keys.new_full((len(p.keys),), p.bias) for p in pictures])
    offset = (bias - (keys * keys).sum(1)) / temperature
    color = torch.cat([p.color for p in pictures])
    weight = torch.cat([p.weight for p in pictures])[:, None]
    squared = (color * color).sum(1, keepdim=True)
    values = torch.cat(
        [color * weight, weight, squared * weight, squared.sqrt() * weight, bias[:, None]], 1
    )
    found, log_sum = ops.attention(q * (2 / temperature), keys, values, offset)
    known = found[:, 2:3]
    mean = found[:, :2] / known.clamp_min(1e-6)
    variance = found[:, 3:4] / known.clamp_min(1e-6) - (mean * mean).sum(1, keepdim=True)
    length = found[:, 4:5] / known.clamp_min(1e-6)
    shorter = (mean * mean).sum(1, keepdim=True).sqrt()
    mean = mean * (length / shorter.clamp_min(1e-3)).clamp(1, GROWTH)
    distance = (q * q).sum(1, keepdim=True) - temperature * log_sum[:, None] + found[:, 5:6]

    def planes(x: Tensor) -> Tensor:
        return x.reshape(n, h, w, -1).movedim(-1, 1).contiguous()

    return Match(
        color=planes(mean),
        known=planes(known.clamp(0, 1)),
        distance=planes(distance.clamp_min(0)),
        spread=planes(variance.clamp_min(0).sqrt()),
    )
