"""Which shots a person should look at first: what looks wrong in the colors of a few frames.

Each sign is a number that grows with what it tells; from `low` on it is a warning, and at `high` a
strong one.  None of them knows what is right: a gray road is a gray patch.  They order the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.floating]
Kind = Literal["jump", "hues", "gray", "skin", "doubt"]

# The range from which a sign is a warning to where it is as strong as it gets.
RANGES: dict[Kind, tuple[float, float]] = {
    "jump": (14.0, 35.0),  # ab, of places that stand still
    "hues": (15.0, 40.0),  # ab, between the two halves of a surface
    "gray": (0.2, 0.5),  # of the picture
    "skin": (0.25, 0.8),  # of what the model takes for skin
    "doubt": (0.66, 0.76),  # of having no idea
}
MIDTONES = 15.0, 90.0  # L* in which color can be judged
STILL = 1.5  # L* that a place may change between two frames and stands still
FEWEST = 0.03  # of the picture: what is smaller tells nothing
FLAT = 1.2  # L* from cell to cell within a surface
PALE = 4.0  # chroma that looks gray
COLORFUL = 9.0  # mean chroma of a picture in which a gray place is noticed
# Wide: skin of people of all kinds, in light that is not neutral.
SKIN_HUES, SKIN_CHROMA = (10.0, 95.0), (4.0, 45.0)
SEEN_HUES, SEEN_CHROMA, SEEN_MASS = (25.0, 75.0), (8.0, 35.0), 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """A frame of a shot, at the size of the color layer.

    Attributes:
        frame: its number.
        lightness: h×w, L*.
        color: 2×h×w, ab as the film will have it.
        doubt: h×w, 0 … 1; None: the model has none.
        skin: h×w, whether the model takes a place for skin; None likewise.
    """

    frame: int
    lightness: Map
    color: Map
    doubt: Map | None = None
    skin: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, kw_only=True)
class Warned:
    """A sign that is a warning.

    Attributes:
        kind: of the sign.
        strength: 0 … 1.
        frame: where it shows.
        text: for people.
    """

    kind: Kind
    strength: float
    frame: int
    text: str


def warnings_of(samples: Sequence[Sample], *, gray_wanted: bool = False) -> list[Warned]:
    """What looks wrong in a shot, the strongest first; of each kind one.

    Args:
        samples: frames of one shot, in order.
        gray_wanted: a person has said that something is to stay gray.
    """
    found: dict[Kind, Warned] = {}
    for kind, value, frame, text in _signs(samples):
        low, high = RANGES[kind]
        if value <= low or (kind == "gray" and gray_wanted):
            continue
        strength = round(min(1.0, 0.2 + 0.8 * (value - low) / (high - low)), 3)
        if kind not in found or found[kind].strength < strength:
            found[kind] = Warned(kind=kind, strength=strength, frame=frame, text=text)
    return sorted(found.values(), key=lambda warned: -warned.strength)


def score(warnings: Sequence[Warned]) -> float:
    """How much a shot needs a person: 0 not at all; each warning adds its strength."""
    return round(sum(warned.strength for warned in warnings), 3)


def skin_bins(bins: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which bins of chroma, Q×2 ab, a model gives to skin."""
    return _within(bins.T, SEEN_HUES, SEEN_CHROMA)


def _signs(samples: Sequence[Sample]) -> Iterator[tuple[Kind, float, int, str]]:
    for sample in samples:
        yield (
            "hues",
            (apart := hues_apart(sample)),
            sample.frame,
            (f"one surface has two colors, {apart:.0f} ab apart"),
        )
        share = gray_share(sample)
        text = "nearly no color" if share == 1 else f"{share:.0%} of the picture stays gray"
        yield "gray", share, sample.frame, text
        out = skin_out(sample)
        yield "skin", out, sample.frame, f"{out:.0%} of what may be skin has no color of skin"
        if sample.doubt is not None:
            doubt = float(sample.doubt.mean())
            yield "doubt", doubt, sample.frame, f"the model is unsure ({doubt:.2f} of 1)"
    for before, after in pairwise(samples):
        moved = jump(before, after)
        yield (
            "jump",
            moved,
            after.frame,
            (f"a still place changes color by {moved:.0f} ab from frame {before.frame}"),
        )


def jump(before: Sample, after: Sample) -> float:
    """By how much still places change color between two frames: the upper decile, ab."""
    if before.color.shape != after.color.shape:
        return 0.0
    still = np.abs(after.lightness - before.lightness) < STILL
    still &= _midtones(before) & _midtones(after)
    if still.mean() < FEWEST:
        return 0.0
    moved = np.hypot(*(after.color - before.color))
    return float(np.quantile(moved[still], 0.9))


def hues_apart(sample: Sample) -> float:
    """The distance of the two colors of the surface whose halves are furthest apart, ab.

    A surface is connected, of a smooth lightness; its places are parted along their first
    principal axis in ab, and the smaller part is a fifth of it or more.
    """
    from scipy import ndimage

    lightness = ndimage.uniform_filter(sample.lightness, 3)
    flat = (np.hypot(*np.gradient(lightness)) < FLAT) & _midtones(sample)
    labels, count = ndimage.label(flat)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    most = 0.0
    for label in np.flatnonzero(sizes >= FEWEST * flat.size):
        if label:
            most = max(most, _halves_apart(sample.color[:, labels == label]))
    return most


def _halves_apart(color: Map) -> float:
    centered = color - color.mean(1, keepdims=True)
    axis = np.linalg.eigh(centered @ centered.T)[1][:, -1]
    along = axis @ centered
    upper = along > (along.min() + along.max()) / 2
    if not 0.2 <= upper.mean() <= 0.8:
        return 0.0
    return float(along[upper].mean() - along[~upper].mean())


def gray_share(sample: Sample) -> float:
    """Share of the largest gray place in a colored picture; 1: there is no color at all."""
    from scipy import ndimage

    judged = _midtones(sample)
    if judged.mean() < FEWEST:
        return 0.0
    chroma = np.hypot(*sample.color)
    if chroma[judged].mean() < PALE / 2:
        return 1.0
    if chroma[judged].mean() < COLORFUL:
        return 0.0
    labels, count = ndimage.label((chroma < PALE) & judged)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return float(sizes.max() / chroma.size) if count else 0.0


def skin_out(sample: Sample) -> float:
    """Share of what the model takes for skin whose color is none of skin."""
    if sample.skin is None:
        return 0.0
    skin = sample.skin & _midtones(sample)
    if skin.mean() < FEWEST / 2:
        return 0.0
    return float(1 - _within(sample.color[:, skin], SKIN_HUES, SKIN_CHROMA).mean())


def _within(
    color: Map, hues: tuple[float, float], chromas: tuple[float, float]
) -> npt.NDArray[np.bool_]:
    """Which of some colors, 2×…, ab, lie in a range of hue (degrees) and chroma."""
    hue, chroma = np.degrees(np.arctan2(color[1], color[0])), np.hypot(*color)
    inside: npt.NDArray[np.bool_] = (
        (hue >= hues[0]) & (hue <= hues[1]) & (chroma >= chromas[0]) & (chroma <= chromas[1])
    )
    return inside


def _midtones(sample: Sample) -> npt.NDArray[np.bool_]:
    inside: npt.NDArray[np.bool_] = (sample.lightness > MIDTONES[0]) & (
        sample.lightness < MIDTONES[1]
    )
    return inside
