"""The frames of a film as RGB, not clipped, at the size at which they are judged."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pycolor.errors import FilmError
from pycolor.ops import reference
from pycolor.video.io import FilmInfo, Frame
from pycolor.video.io.frame.planes import chroma_planes, rgb_planes
from pycolor.video.render.shown import on_luma

_RATE_TOLERANCE = Fraction(2, 1000)


@dataclass(frozen=True)
class Picture:
    """A frame's colors.

    Attributes:
        rgb: 3×h×w, display-encoded, not clipped.
        luma: h×w, 0 … 1.
    """

    rgb: Tensor
    luma: Tensor

    @cached_property
    def shown(self) -> Tensor:
        """The RGB that a display shows, in 0 … 1."""
        return self.rgb.clamp(0, 1)

    @cached_property
    def ab(self) -> Tensor:
        """2×h×w chroma of what is shown."""
        return reference.rgb_to_lab(self.shown)[1:]


def picture_of(frame: Frame, info: FilmInfo, size: tuple[int, int]) -> Picture:
    """A frame in color, upright.

    Chroma is brought to the luma's samples by its siting, linearly, and both are averaged over
    the pixels of the judged size.

    Args:
        frame: of the film.
        info: of the film.
        size: (height, width) of the upright picture, not above the frame's own.
    """
    encoding = info.encoding
    size = size[::-1] if info.turns % 2 else size
    stored = rgb_planes(frame)
    if stored is not None:
        top = (1 << encoding.bit_depth) - 1
        rgb = _small(torch.stack([_floats(p) for p in stored]) / top, size)
        rgb = torch.rot90(rgb, info.turns, (1, 2))
        ycbcr = reference.rgb_to_ycbcr(rgb, matrix="bt709")
        return Picture(rgb, ycbcr[0].clamp(0, 1))
    black, white = encoding.luma_code_range
    luma = (_floats(frame.luma) - black) / (white - black)
    planes = [luma]
    chroma = chroma_planes(frame)
    if chroma is None:
        planes += [torch.zeros_like(luma)] * 2
    else:
        neutral, span = encoding.chroma_code_range
        planes += [(on_luma(_floats(p), luma.shape, encoding) - neutral) / span for p in chroma]
    ycbcr = torch.rot90(_small(torch.stack(planes), size), info.turns, (1, 2))
    return Picture(reference.ycbcr_to_rgb(ycbcr, matrix=encoding.matrix), ycbcr[0].clamp(0, 1))


def check_fit(first: FilmInfo, second: FilmInfo) -> None:
    """Make sure that two films can be the same one.

    Raises:
        FilmError: their upright pictures differ in size, or their rates by more than 24 frames
            per second and 24000/1001 do.
    """
    sizes = [f"{width}×{height}" for height, width in (first.upright_size, second.upright_size)]
    if sizes[0] != sizes[1]:
        raise FilmError(f"{second.path} is {sizes[1]}, expected {sizes[0]} as {first.path}.")
    if abs(second.rate / first.rate - 1) > _RATE_TOLERANCE:
        raise FilmError(
            f"{second.path} has {second.rate} frames per second, {first.path} {first.rate}; "
            "expected the same frames of one film (--rate tells the rate of numbered pictures)."
        )


def _floats(plane: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Tensor:
    return torch.from_numpy(plane.astype(np.float64))


def _small(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """C×H×W averaged to C×h×w."""
    if planes.shape[1:] == torch.Size(size):
        return planes
    return F.interpolate(planes[None], size, mode="area")[0]
