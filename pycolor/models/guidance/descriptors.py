"""What a cell of the chroma field looks like, to the trunk of the default network.

Semantic correspondence by the features of a classifier is old news (He et al., "Deep
Exemplar-based Colorization", SIGGRAPH 2018, take VGG's); here they are the maps that the network
computes anyway.  Each channel is standardized over the picture, so that another exposure or
contrast changes little, each place scaled to unit length, and the levels joined at the finest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

# Weights of the maps of a 4th, 8th, 16th and 32nd of the size, and of L* in parts of 1.
LEVELS = (0.3, 0.6, 0.8, 0.5)
LIGHTNESS = 1.5

# Dimensions that are kept: the others hold a few percent of the distances.
KEPT = 96


@runtime_checkable
class Describes(Protocol):
    """A network whose maps tell what stands at a place."""

    def taps(self, lightness: Tensor) -> Sequence[Tensor]:
        """Maps of a 4th, an 8th, a 16th and a 32nd of the size of N×1×h×w L*."""
        ...


def describe(taps: Sequence[Tensor], lightness: Tensor) -> Tensor:
    """Descriptors of the cells of the field.

    Args:
        taps: N×C×h/k×w/k for k = 4, 8, 16, 32.
        lightness: N×1×h×w, L* in 0 … 100.

    Returns:
        N×D×h/4×w/4, float32.
    """
    size = taps[0].shape[-2:]
    parts = []
    for maps, weight in zip(taps, LEVELS, strict=True):
        x = maps.float()
        x = x - x.mean((2, 3), keepdim=True)
        x = x / (x.std((2, 3), keepdim=True) + 1e-4)
        x = F.normalize(x, dim=1) * weight
        parts.append(F.interpolate(x, size, mode="bilinear", align_corners=False))
    light = F.adaptive_avg_pool2d(lightness.float(), size) / 100 - 0.5
    return torch.cat([*parts, light * LIGHTNESS], dim=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Basis:
    """The directions in which some pictures' descriptors differ most (principal components).

    Attributes:
        mean: D.
        axes: D×d, orthonormal.
    """

    mean: Tensor
    axes: Tensor

    @classmethod
    def of(cls, descriptors: Sequence[Tensor], kept: int = KEPT) -> Basis:
        """The basis of some pictures.

        Args:
            descriptors: each N×D×h×w.
            kept: directions.
        """
        cells = torch.cat([d.movedim(1, -1).flatten(0, -2) for d in descriptors]).double()
        mean = cells.mean(0)
        centered = cells - mean
        _, axes = torch.linalg.eigh(centered.T @ centered / len(cells))
        axes = axes[:, -kept:]
        # An eigenvector's sign is free: its largest entry is made positive.
        largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))
        return cls(mean=mean.float(), axes=(axes * largest.sign()).float())

    def project(self, descriptors: Tensor) -> Tensor:
        """N×D×h×w as N×d×h×w."""
        return torch.einsum("ndhw,dk->nkhw", descriptors, self.axes) - (
            self.mean @ self.axes
        ).reshape(1, -1, 1, 1)
