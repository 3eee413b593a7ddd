"""Rules by which a colored picture's faults are counted, on RGB and luma alone.

Each is a plain threshold on Lab (CIE 15) that a person would agree with when shown the place; none
knows the network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor

from pycolor.ops.reference import rgb_to_lab

Plane = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]

FLAT_SLOPE = 1.5  # L* a pixel, below which a place belongs to a flat surface
FLAT_SHARE = 0.03  # of the picture, that a flat surface takes at least
OTHER_HUE = 12.0  # ab units from a surface's median, beyond which a place is of another color
SEVERAL = 0.2  # share of a surface in another color that makes it one of several hues
HALO = 8.0  # ab units from a surface's inside, above which its edge is a halo
HALO_PIXELS = 12.0  # of a picture with a shorter side of 256, that a halo is wide at least
DARK_CHROMA = 10.0  # above which dark neutral cloth is colored
SKIN_HUES, SKIN_CHROMA, SKIN_SPREAD = (20.0, 85.0), (8.0, 45.0), 9.0
ENDS = 4.0, 98.0  # L* below and above which there should be no chroma
GRAY = 4.0  # mean chroma up to which a picture is gray


def lab_of(rgb: Tensor) -> Plane:
    """3×H×W display-encoded RGB → 3×H×W Lab."""
    return np.asarray(rgb_to_lab(rgb.double().clamp(0, 1)[None])[0], np.float64)


def chroma_of(lab: Plane) -> Plane:
    """3×H×W → H×W."""
    return np.asarray(np.hypot(lab[1], lab[2]), np.float64)


def boxed(lab: Plane, box: Box) -> Plane:
    """The pixels of a box, 3×N."""
    _, h, w = lab.shape
    left, top, right, bottom = box
    part = lab[:, round(top * h) : round(bottom * h), round(left * w) : round(right * w)]
    return part.reshape(3, -1)


def flat_surfaces(lightness: Plane) -> Iterator[Mask]:
    """Connected places of little slope, by luma alone, the largest first.

    Args:
        lightness: H×W, L*.
    """
    smooth = ndimage.gaussian_filter(lightness, 1.2)
    flat = ndimage.gaussian_gradient_magnitude(smooth, 1.0) < FLAT_SLOPE
    labels, count = ndimage.label(ndimage.binary_opening(flat, iterations=2))
    if not count:
        return
    sizes = np.bincount(labels.ravel())[1:]
    for index in np.argsort(sizes)[::-1]:
        if sizes[index] < FLAT_SHARE * lightness.size:
            return
        yield labels == index + 1


def other_hues(lab: Plane, surface: Mask) -> float:
    """Share of a surface whose color is not its median's."""
    ab = lab[1:, surface]
    far = np.hypot(*(ab - np.median(ab, axis=1, keepdims=True)))
    return float((far > OTHER_HUE).mean())


def halo_width(lab: Plane, surface: Mask) -> float:
    """Pixels from the edge of a surface inwards over which its color is not that of its inside."""
    # The picture's own border is no edge.
    depth = ndimage.distance_transform_edt(np.pad(surface, 1, mode="edge"))[1:-1, 1:-1]
    inside = surface & (depth > 0.6 * depth.max())
    middle = np.median(lab[1:, inside], axis=1)
    far = np.hypot(lab[1] - middle[0], lab[2] - middle[1])
    width = 0.0
    for d in range(1, int(0.6 * depth.max())):
        ring = surface & (depth >= d) & (depth < d + 1)
        if not ring.any() or far[ring].mean() <= HALO:
            break
        width = float(d)
    return width


@dataclass(frozen=True)
class Faults:
    """Faults of a picture by kind: how many, of how many places."""

    counts: dict[str, tuple[int, int]]

    def __add__(self, other: Faults) -> Faults:
        names = [*self.counts, *(n for n in other.counts if n not in self.counts)]
        none = (0, 0)
        pairs = {n: (self.counts.get(n, none), other.counts.get(n, none)) for n in names}
        return Faults({n: (a[0] + b[0], a[1] + b[1]) for n, (a, b) in pairs.items()})


def surface_faults(found: Plane, true: Plane | None, scale: float = 1.0) -> Faults:
    """Flat surfaces in several hues, and with a halo.

    Args:
        found: 3×H×W Lab.
        true: the same, or None for a film without; a surface that truly has them is left out.
        scale: shorter side over 256.
    """
    several, halos, judged, edged = 0, 0, 0, 0
    for surface in flat_surfaces(found[0]):
        if true is None or other_hues(true, surface) < SEVERAL / 2:
            judged += 1
            several += other_hues(found, surface) > SEVERAL
        limit = HALO_PIXELS * scale
        if true is None or halo_width(true, surface) < limit / 2:
            edged += 1
            halos += halo_width(found, surface) >= limit
    return Faults({"surfaces in several hues": (several, judged), "halos": (halos, edged)})


def dark_fault(found: Plane, true: Plane, box: Box) -> Faults:
    """Dark neutral cloth, metal or wood that came out colored, or in several hues."""
    is_neutral = np.median(chroma_of(boxed(true, box))) < 0.8 * DARK_CHROMA
    place = boxed(found, box)
    colored = np.median(chroma_of(place)) > DARK_CHROMA
    red = _median_hue(place)
    wine = bool(colored and (red > 310 or red < 40))
    judged = int(is_neutral)
    return Faults(
        {
            "dark neutral colored": (int(colored) * judged, judged),
            "of these wine": (int(wine) * judged, judged),
        }
    )


def skin_fault(found: Plane, true: Plane, box: Box) -> Faults:
    """Skin of another hue, gray, or uneven (the spread of ab against the truth's)."""
    if not _is_skin(boxed(true, box)):
        return Faults({"skin": (0, 0)})
    place = boxed(found, box)
    spread = float(np.sqrt(place[1:].var(axis=1).sum()))
    uneven = spread > max(
        SKIN_SPREAD, 1.25 * float(np.sqrt(boxed(true, box)[1:].var(axis=1).sum()))
    )
    return Faults({"skin": (int(uneven or not _is_skin(place)), 1)})


def end_fault(found: Plane) -> Faults:
    """Chroma at the ends of the lightness: more than 2 units in the mean, where there are any."""
    ends = (found[0] < ENDS[0]) | (found[0] > ENDS[1])
    if ends.mean() < 0.005:
        return Faults({"colored ends": (0, 0)})
    return Faults({"colored ends": (int(chroma_of(found)[ends].mean() > 2), 1)})


def white_fault(found: Plane, true: Plane) -> Faults:
    """White that came out yellow: light and neutral in truth, b above 10 in the mean."""
    white = (true[0] > 80) & (chroma_of(true) < 6)
    if white.mean() < 0.02:
        return Faults({"white made yellow": (0, 0)})
    return Faults({"white made yellow": (int(found[2][white].mean() > 10), 1)})


def gray_fault(found: Plane, true: Plane) -> Faults:
    """A gray subject that came out colored: mean chroma below 8 in truth, above 14 as found."""
    if chroma_of(true).mean() >= 8:
        return Faults({"gray subjects colored": (0, 0)})
    return Faults({"gray subjects colored": (int(chroma_of(found).mean() > 14), 1)})


def wash_fault(found: Plane, true: Plane | None) -> Faults:
    """One brown wash: colored all over, nine tenths of it within one hue of orange to yellow."""

    def washed(lab: Plane) -> bool:
        chroma = chroma_of(lab)
        hue = np.degrees(np.arctan2(lab[2], lab[1])) % 360
        colored = chroma > 6
        return bool(colored.mean() > 0.6 and ((hue > 25) & (hue < 100))[colored].mean() > 0.9)

    if true is not None and washed(true):
        return Faults({"one brown wash": (0, 0)})
    return Faults({"one brown wash": (int(washed(found)), 1)})


def _median_hue(place: Plane) -> float:
    a, b = np.median(place[1:], axis=1)
    return float(np.degrees(np.arctan2(b, a)) % 360)


def _is_skin(place: Plane) -> bool:
    chroma = float(np.hypot(*np.median(place[1:], axis=1)))
    low, high = SKIN_HUES
    return low <= _median_hue(place) <= high and SKIN_CHROMA[0] <= chroma <= SKIN_CHROMA[1]


def drift(ab: Tensor, lightness: Tensor) -> float:
    """How far color moves at places of a shot that stay what they are.

    A place is steady if its L* less the frame's median varies by less than 2.5 (standard
    deviation) over the shot: exposure may change, the place does not.

    Args:
        ab: T×2×h×w.
        lightness: T×1×h×w.

    Returns:
        The length of (5th to 95th percentile of a, the same of b) over time, the mean over these
        places; NaN where there are none.
    """
    level = lightness.flatten(1).median(dim=1).values.view(-1, 1, 1, 1)
    steady = ((lightness - level).std(0) < 2.5)[0]
    if not steady.any():
        return float("nan")
    places = ab[:, :, steady].double()
    low, high = torch.quantile(places, torch.tensor([0.05, 0.95]).double(), dim=0)
    return float((high - low).norm(dim=0).mean())
