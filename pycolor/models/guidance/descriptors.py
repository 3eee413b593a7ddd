"""What a cell of the chroma field looks like, to the trunk of the default network.

Semantic correspondence by the features of a classifier is old news (He et al., "Deep
Exemplar-based Colorization", SIGGRAPH 2018, take VGG's); here they are the maps that the network
computes anyway.  Each channel is standardized over the picture, so that another exposure or
contrast changes little, each place scaled to unit length, and the levels joined at the finest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

# Weights of the maps of a 4th, 8th, 16th and 32nd of the size, and of L* in parts of 1.
LEVELS = (0.3, 0.6, 0.8, 0.5)
LIGHTNESS = 1.5

# Dimensions that are kept: the others hold a few percent of the distances.
KEPT = 64


def levels(taps: Sequence[Tensor], lightness: Tensor) -> list[Tensor]:
    """What is described, each level at its own size.

    Args:
        taps: N×C×h/k×w/k for k = 4, 8, 16, 32.
        lightness: N×1×h×w, L* in 0 … 100.

    Returns:
        N×C×h/k×w/k each, standardized, of unit length times its weight; and L* of the cells.
    """
    parts = []
    for maps, weight in zip(taps, LEVELS, strict=True):
        x = maps.float()
        deviation, mean = torch.std_mean(x, (2, 3), correction=0, keepdim=True)
        x = (x - mean) / (deviation + 1e-4)
        parts.append(F.normalize(x, dim=1) * weight)
    h, w = taps[0].shape[-2:]
    light = F.adaptive_avg_pool2d(lightness.float(), (h, w)) / 100 - 0.5
    return [*parts, light * LIGHTNESS]


def describe(taps: Sequence[Tensor], lightness: Tensor) -> Tensor:
    """Descriptors of the cells of the field, N×D×h/4×w/4: `levels` at the finest size."""
    return _joined(levels(taps, lightness))


def _joined(parts: Sequence[Tensor]) -> Tensor:
    size = parts[0].shape[-2:]
    return torch.cat([_at(size, x) for x in parts], dim=1)


def _at(size: torch.Size, x: Tensor) -> Tensor:
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


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
    def of(cls, pictures: Sequence[Sequence[Tensor]], kept: int = KEPT) -> Basis:
        """The basis of some pictures.

        Args:
            pictures: of each its `levels`.
            kept: directions.
        """
        cells = torch.cat([_joined(x).movedim(1, -1).flatten(0, -2) for x in pictures]).double()
        mean = cells.mean(0)
        centered = cells - mean
        _, axes = torch.linalg.eigh(centered.T @ centered / len(cells))
        axes = axes[:, -kept:]
        # An eigenvector's sign is free: its largest entry is made positive.
        largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))
        return cls(mean=mean.float(), axes=(axes * largest.sign()).float())

    def project(self, parts: Sequence[Tensor]) -> Tensor:
        """Descriptors in this basis, N×d×h/4×w/4.

        Args:
            parts: `levels` of some pictures.  Each is projected at its own size, which is the
                same as projecting them joined.
        """
        size = parts[0].shape[-2:]
        out = (-(self.mean @ self.axes)).reshape(1, -1, 1, 1)
        at = 0
        for x in parts:
            axes = self.axes[at : at + x.shape[1]]
            out = out + _at(size, torch.einsum("ndhw,dk->nkhw", x, axes))
            at += x.shape[1]
        return out
