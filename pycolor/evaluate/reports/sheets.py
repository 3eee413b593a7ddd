"""Contact sheets: truth, gray and result side by side, from the best to the worst."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

SIDE = 192  # pixels of the longer side of a thumbnail
MARGIN, LINE = 8, 18
PAPER, INK, PALE = (250, 250, 248), (20, 20, 20), (110, 110, 110)
GROUPS = ("best", "median", "worst")


@dataclass(frozen=True)
class SampleRow:
    """Thumbnails of a picture: of the truth, without color, and colored."""

    name: str
    views: tuple[Image.Image, Image.Image, Image.Image]


def thumbnail(rgb: Tensor) -> Image.Image:
    """A small picture of 3×H×W display-encoded RGB."""
    codes: npt.NDArray[np.uint8] = (rgb.clamp(0, 1) * 255).round().byte().numpy()
    image = Image.fromarray(np.ascontiguousarray(codes.transpose(1, 2, 0)))
    scale = SIDE / max(image.size)
    sides = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(sides, Image.Resampling.LANCZOS)


def chosen(scores: Sequence[float], each: int = 4) -> dict[str, list[int]]:
    """Indices of the best, the middle and the worst by a score of which more is better.

    No index is in two groups; few scores make the groups smaller.  What is no number is last.
    """
    order = sorted(range(len(scores)), key=lambda i: (math.isnan(scores[i]), -scores[i], i))
    each = min(each, math.ceil(len(order) / 3))
    best, rest = order[:each], order[each:]
    worst = rest[max(0, len(rest) - each) :]
    middle = rest[: len(rest) - len(worst)]
    start = max(0, (len(middle) - each) // 2)
    return dict(zip(GROUPS, (best, middle[start : start + each], worst), strict=True))


def sheet(specimens: Sequence[SampleRow], scores: Sequence[float], score_name: str) -> Image.Image:
    """Three columns of truth, gray and result: the best, the middle, the worst.

    Args:
        specimens: one or more.
        scores: of each; more is better.
        score_name: for the labels.
    """
    groups = {name: found for name, found in chosen(scores).items() if found}
    rows = max(len(found) for found in groups.values())
    height = max(view.height for s in specimens for view in s.views) + LINE + MARGIN
    column = 3 * (SIDE + 2) + 3 * MARGIN
    page = Image.new(
        "RGB", (len(groups) * column + MARGIN, rows * height + 2 * LINE + MARGIN), PAPER
    )
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(13)
    for x, (name, found) in enumerate(groups.items()):
        left = MARGIN + x * column
        pen.text((left, MARGIN // 2), f"{name}: truth, gray, result", INK, font=font)
        for y, index in enumerate(found):
            top = 2 * LINE - MARGIN + y * height
            for i, view in enumerate(specimens[index].views):
                page.paste(view, (left + i * (SIDE + 2), top))
            label = f"{specimens[index].name}  {score_name} {scores[index]:.3f}"
            under = top + specimens[index].views[0].height + 2
            pen.text((left, under), label, PALE, font=font)
    return page
