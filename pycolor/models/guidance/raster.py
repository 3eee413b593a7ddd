"""Points, strokes and polygons at the cells of the chroma field."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from pycolor.models.colorizer import Guidance
from pycolor.models.guidance.marks import Mark, Point

_FINER = 4  # a cell is drawn as 4×4 pixels: its share that is covered, in sixteenths
_SHOWS = 0.25  # covered share from which on a cell is fully marked


def rasterized(
    marks: Sequence[Mark], shown: tuple[int, int], field: tuple[int, int]
) -> tuple[Guidance, Guidance, Tensor | None]:
    """The marks of one frame.

    Args:
        marks: of the frame; of two that overlap the later counts.
        shown: (height, width) of the frame as it is shown, in whose pixels the marks lie.
        field: (height, width) of the chroma field.

    Returns:
        Points and strokes, which mean the thing that they lie on; areas, which mean themselves;
        both 1×…×h×w; and where marks of color count, 1×1×h×w in 0 … 1, None for everywhere.
    """
    spots, areas = _empty(field), _empty(field)
    only: Tensor | None = None
    for mark in marks:
        covered = coverage(mark, shown, field)
        if mark.kind == "only-here":
            only = covered if only is None else torch.maximum(only, covered)
            continue
        into = areas if mark.polygon else spots
        solid = (covered / _SHOWS).clamp_max(1)
        for other in (areas, spots):
            other.weight.mul_(1 - solid)
        ab = torch.tensor(mark.ab).reshape(1, 2, 1, 1)
        into.hints.copy_(torch.where(solid > 0, ab, into.hints))
        into.weight.copy_(torch.maximum(into.weight, solid))
    return spots, areas, only


def coverage(mark: Mark, shown: tuple[int, int], field: tuple[int, int]) -> Tensor:
    """Share of each cell that a mark covers, 1×1×h×w.

    A point smaller than a cell covers a quarter of it all the same.
    """
    h, w = field
    size = (h * _FINER, w * _FINER)
    fy, fx = size[0] / shown[0], size[1] / shown[1]

    def place(p: Point) -> tuple[float, float]:
        return p[0] * fx - 0.5, p[1] * fy - 0.5

    picture = Image.new("L", (size[1], size[0]), 0)
    pen = ImageDraw.Draw(picture)
    if mark.polygon:
        pen.polygon([place(p) for p in mark.polygon], fill=1)
    else:
        ry, rx = (max(mark.radius * f, _FINER / 4) for f in (fy, fx))
        points = [mark.at] if mark.at is not None else _dense(mark.stroke, mark.radius / 2)
        for point in points:
            x, y = place(point)
            pen.ellipse((x - rx, y - ry, x + rx, y + ry), fill=1)
    drawn = torch.from_numpy(np.array(picture, np.float32))
    return drawn.reshape(1, h, _FINER, w, _FINER).mean((2, 4))[None]


def _dense(stroke: Sequence[Point], step: float) -> list[Point]:
    """Points along a line, not farther apart than `step`."""
    out = [stroke[0]]
    for (x0, y0), (x1, y1) in pairwise(stroke):
        parts = max(1, round(float(np.hypot(x1 - x0, y1 - y0)) / max(step, 1e-3)))
        out += [
            (x0 + (x1 - x0) * i / parts, y0 + (y1 - y0) * i / parts) for i in range(1, parts + 1)
        ]
    return out


def _empty(field: tuple[int, int]) -> Guidance:
    return Guidance(hints=torch.zeros(1, 2, *field), weight=torch.zeros(1, 1, *field))
