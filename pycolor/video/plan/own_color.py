"""The color that a shot has of its own: none, a cast or noise, a tint or tone, or true color.

Color of a scene differs where its luma does not; a tint (a dyed print, in which the whites are
dyed too), a tone (a colored silver image, whose whites stay white) and a cast (a scanner's) are
one color for each luma.  So chroma is parted into its mean for each luma, and what departs from it.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pycolor.encoding import LUMA_COEFFICIENTS
from pycolor.video.io import Frame
from pycolor.video.io.frame.planes import chroma_planes

Kind = Literal["none", "cast", "tint", "tone", "color"]

LOOKED_EVERY = 4  # frames
# Of 8-bit codes.  True color departs by so much, root mean square, from the mean of its luma; a
# tint lies so far from gray, and less is a cast, which people take for gray; less still is none.
COLOR, TINT, CAST, NOISE = 4.0, 14.0, 1.5, 1.5
_BINS = 12  # of luma, with as many pixels in each
_TONE = 0.5  # of the strongest tint: what a tone's lightest parts stay below

# Where the names of hues end, in degrees of HSV.
_HUES = (
    *((15, "red"), (50, "amber"), (70, "yellow"), (160, "green"), (200, "cyan")),
    *((255, "blue"), (290, "violet"), (345, "pink"), (361, "red")),
)


@dataclass(frozen=True, kw_only=True)
class OwnColor:
    """The color of a frame or a shot, in 8-bit codes of Cb and Cr from neutral.

    Attributes:
        beyond: root mean square of what departs from the mean chroma of each luma.
        cb, cr: the mean chroma of the luma at which it is strongest.
        lightest: how strong it is in the lightest parts.
        noise: standard deviation of the chroma from one sample to the next.
    """

    beyond: float = 0.0
    cb: float = 0.0
    cr: float = 0.0
    lightest: float = 0.0
    noise: float = 0.0

    @property
    def strength(self) -> float:
        """How far the mean chroma lies from gray."""
        return float(np.hypot(self.cb, self.cr))

    @property
    def kind(self) -> Kind:
        if self.beyond > COLOR:
            return "color"
        if self.strength >= TINT:
            return "tone" if self.lightest < _TONE * self.strength else "tint"
        return "cast" if self.strength >= CAST or self.noise >= NOISE else "none"

    @property
    def hue(self) -> str:
        """The tint's hue as people call it."""
        kr, kb = LUMA_COEFFICIENTS["bt601"]
        red, blue = 2 * (1 - kr) * self.cr, 2 * (1 - kb) * self.cb
        green = -(kr * red + kb * blue) / (1 - kr - kb)
        low, high = min(red, green, blue), max(red, green, blue)
        span = max(high - low, 1e-9)
        hue = colorsys.rgb_to_hsv(*((c - low) / span for c in (red, green, blue)))[0] * 360
        return next(name for end, name in _HUES if hue < end)

    def __str__(self) -> str:
        kind = self.kind
        if kind in ("none", "color"):
            return kind
        if kind == "cast" and self.strength < CAST:
            return f"noise of {self.noise:.0f} codes"
        return f"{self.hue} {kind} of {self.strength:.0f} codes"


def frame_color(frame: Frame) -> OwnColor:
    """The color of a frame that stores chroma or R'G'B'."""
    return picture_color(frame.thumbnail(), noise=_noise(frame))


def picture_color(planes: npt.NDArray[np.uint8], *, noise: float = 0.0) -> OwnColor:
    """The color of a small picture.

    Args:
        planes: 3×h×w, Y', Cb and Cr.
        noise: see `OwnColor`.
    """
    chroma = planes[1:].reshape(2, -1).astype(np.float64) - 128
    order = np.argsort(planes[0].reshape(-1), kind="stable")
    count = max(1, min(_BINS, len(order) // 8))
    means, departed = [], 0.0
    for places in np.array_split(order, count):
        part = chroma[:, places]
        mean = part.mean(1)
        means.append(mean)
        departed += float(((part - mean[:, None]) ** 2).sum())
    strengths = [float(np.hypot(*mean)) for mean in means]
    strongest = means[int(np.argmax(strengths))]
    return OwnColor(
        beyond=math.sqrt(departed / chroma.size),
        cb=float(strongest[0]),
        cr=float(strongest[1]),
        lightest=strengths[-1],
        noise=noise,
    )


def shot_color(looks: Sequence[OwnColor]) -> OwnColor:
    """Of a shot: the median of its frames; none of no frame."""
    if not looks:
        return OwnColor()
    names = ("beyond", "cb", "cr", "lightest", "noise")
    middle = {name: float(np.median([getattr(look, name) for look in looks])) for name in names}
    return OwnColor(**middle)


def _noise(frame: Frame) -> float:
    """From sample to sample of some lines; 0 for R'G'B' and what is not stored in planes."""
    if not frame.description.planar or frame.description.rgb:
        return 0.0
    planes = chroma_planes(frame)
    if planes is None:
        return 0.0
    found = []
    for plane in planes:
        lines = plane[:: max(1, len(plane) // 64)].astype(np.float32)
        if lines.shape[1] > 1:
            # The median leaves edges out; 0.6745 of a normal deviation lies within it.
            step = np.abs(np.diff(lines, axis=1))
            found.append(float(np.median(step)) / 0.6745 / math.sqrt(2))
    return max(found, default=0.0) / (1 << (frame.description.bit_depth - 8))


def tints_note(looks: Sequence[OwnColor], tints: str) -> str | None:
    """A sentence on what is done with the shots that are tinted or toned; None if there is none.

    Args:
        looks: of every shot.
        tints: remove, keep or leave, see `VideoOptions`.
    """
    shots = [(n, look) for n, look in enumerate(looks, start=1) if look.kind in ("tint", "tone")]
    if not shots:
        return None
    named = ", ".join(f"{n} ({look})" for n, look in shots[:6]) + (", …" if len(shots) > 6 else "")
    done = {
        "remove": "the model's color takes its place; --tints keep or leave keeps it",
        "keep": "it stays under the model's color",
        "leave": "it stays, and the model's color is left out",
    }[tints]
    which = "shot" if len(shots) == 1 else "shots"
    return f"tinted or toned as a whole, {which} {named}: {done}"
