"""From a point to the thing it lies on: color spread over the cells of one picture.

A random walker with priors (Grady, "Multilabel Random Walks by Prior Models", CVPR 2005): from
each cell a walker goes to one of its neighbors, the sooner the more alike they are, or falls off,
the sooner the less the cell is like any place that was marked.  The chance to reach a mark before
falling is the cell's weight, the mean color of the marks that are reached its color.  So a click on
a coat fills the coat and ends at its edge, and two clicks share what lies between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pycolor.models.colorizer import Guidance

if TYPE_CHECKING:  # SciPy takes half a second to import, and most films have no marks
    from scipy.sparse import csr_matrix

Array = npt.NDArray[np.float64]

# Squared distances of descriptors at which a neighbor is half alike, a cell half like a mark.
NEIGHBOR = 0.8
ALIKE, SLOPE = 1.3, 0.15
# How soon a walker falls off where a cell is alike, and where it is not at all, of one mark.  Of n
# marks it is 1/n of that: they bound each other.
LEAST, MOST = 0.0002, 0.05
OTHER_LIGHT = 25.0  # L* that count as a distance of 1
EDGE = 6.0  # L* between neighbors at which they are half alike


def spread(marked: Guidance, descriptors: Tensor, lightness: Tensor) -> Guidance:
    """Color over the cells that belong to the marked ones.

    Args:
        marked: 1×…×h×w, weights above 0 where color is known.
        descriptors: 1×D×h×w, see `descriptors.describe`.
        lightness: 1×1×h×w, L* of the cells.

    Returns:
        The same cells with what is known of them, weights 0 … 1; those marked keep their own.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import spsolve

    weight = marked.weight[0, 0].double().cpu().numpy()
    if not (weight > 0).any():
        return marked
    color = marked.hints[0].double().cpu().numpy()
    looks = descriptors[0].double().cpu().numpy()
    light = lightness[0, 0].double().cpu().numpy()
    h, w = weight.shape
    links = _links(looks, light)
    falls = _falls(looks, light, weight).ravel()
    degree = np.asarray(links.sum(1)).ravel()
    pinned = 1e3 * weight.ravel()  # a mark holds its own cells
    system = diags(degree + falls + pinned) - links
    reached = pinned[:, None] * np.stack([weight.ravel() * 0 + 1, *color.reshape(2, -1)], 1)
    solved = spsolve(system.tocsc(), reached)
    chance = solved[:, 0].clip(0, 1)
    mean = solved[:, 1:] / np.maximum(solved[:, :1], 1e-9)

    def plane(values: Array, channels: int) -> Tensor:
        ordered = np.ascontiguousarray(values.T.reshape(1, channels, h, w), np.float32)
        return torch.from_numpy(ordered).to(marked.weight.device)

    return Guidance(hints=plane(mean, 2), weight=plane(chance[:, None], 1))


def _links(looks: Array, light: Array) -> csr_matrix:
    """How alike neighbors are, 0 … 1, cells × cells, symmetric."""
    from scipy.sparse import csr_matrix

    h, w = light.shape
    index = np.arange(h * w).reshape(h, w)
    rows, columns, values = [], [], []
    for here, there in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ):
        apart = ((looks[:, *here] - looks[:, *there]) ** 2).sum(0)
        step = np.abs(light[here] - light[there])
        alike = 1 / (1 + (apart / NEIGHBOR) ** 2) / (1 + (step / EDGE) ** 4)
        rows += [index[here].ravel(), index[there].ravel()]
        columns += [index[there].ravel(), index[here].ravel()]
        values += [alike.ravel(), alike.ravel()]
    where = np.concatenate(rows), np.concatenate(columns)
    return csr_matrix((np.concatenate(values), where), shape=(h * w, h * w))


def _falls(looks: Array, light: Array, weight: Array) -> Array:
    """How soon a walker falls off each cell, h×w."""
    from scipy.ndimage import label

    d, h, w = looks.shape
    cells = np.concatenate([looks.reshape(d, -1), light.reshape(1, -1) / OTHER_LIGHT]).T
    marked = cells[weight.ravel() > 0]
    if len(marked) > 64:  # of large areas a sample tells as much
        marked = marked[:: len(marked) // 64]
    # ‖c − m‖² = ‖c‖² + ‖m‖² − 2 c·m
    squares = (cells**2).sum(1)[:, None] + (marked**2).sum(1) - 2 * cells @ marked.T
    nearest = squares.min(1).clip(0)
    unlike = 1 / (1 + np.exp((ALIKE - nearest) / SLOPE))
    _, marks = label(weight > 0)
    falls: Array = (LEAST + (MOST - LEAST) * unlike).reshape(h, w) / marks
    return falls
