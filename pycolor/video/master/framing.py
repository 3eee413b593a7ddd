"""Which frames of a film, and which part of its picture, another version shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Crop:
    """A part of a film's picture, in its stored pixels: left, top, width, height."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.x}:{self.y}:{self.width}:{self.height}"

    def check(self, width: int, height: int) -> None:
        """Make sure that it lies in a picture.

        Raises:
            UsageError: it does not.
        """
        if self.x + self.width > width or self.y + self.height > height:
            raise UsageError(f"crop must lie in the film's {width}x{height} pixels, got {self}.")

    def is_whole(self, width: int, height: int) -> bool:
        """Whether it is all of a picture."""
        return (self.x, self.y, self.width, self.height) == (0, 0, width, height)


@dataclass(frozen=True, kw_only=True)
class FilmCrop:
    """A crop of a film whose stored picture has `height`×`width` pixels."""

    crop: Crop
    height: int
    width: int

    def of(self, field: Tensor) -> Tensor:
        """See `cropped_field`."""
        return cropped_field(field, self.crop, (self.height, self.width))


def crop_of(text: str) -> Crop:
    """A crop from X:Y:W:H.

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(r"(\d{1,6}):(\d{1,6}):(\d{1,6}):(\d{1,6})", text.strip())
    x, y, width, height = map(int, match.groups()) if match else (0, 0, 0, 0)
    if not width or not height:
        raise UsageError(f"crop must be X:Y:W:H in pixels of the film, got {text!r}.")
    return Crop(x=x, y=y, width=width, height=height)


def check_aspect(film: tuple[int, int], other: tuple[int, int], name: str) -> None:
    """Refuse another version whose shape differs, where nobody said which part it shows.

    Args:
        film: height and width of the film's stored picture.
        other: the same of the version.
        name: of the version.

    Raises:
        UsageError: the shapes differ by more than a hundredth.
    """
    shapes = [width / height for height, width in (film, other)]
    if abs(shapes[0] / shapes[1] - 1) > 0.01:
        raise UsageError(
            f"{name} has {other[1]}x{other[0]} pixels, which is another shape than the film's "
            f"{film[1]}x{film[0]}; --crop X:Y:W:H says which part of the film it shows "
            f"(0:0:{film[1]}:{film[0]} if all of it)."
        )


def cropped_field(field: Tensor, crop: Crop, film: tuple[int, int]) -> Tensor:
    """The part of a chroma field that a crop shows, at about the same size of a cell.

    Args:
        field: 2×h×w ab over the whole picture.
        crop: a part of it.
        film: height and width of the picture.

    Returns:
        2×h'×w', interpolated between the cells' centers.
    """
    axes = []
    for start, length, whole, cells in (
        (crop.y, crop.height, film[0], field.shape[1]),
        (crop.x, crop.width, film[1], field.shape[2]),
    ):
        count = max(1, round(length * cells / whole))
        centers = start + (torch.arange(count, dtype=torch.float64) + 0.5) * length / count
        axes.append((centers / whole * 2 - 1).to(field))
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], 2)
    found = F.grid_sample(field[None], grid[None], padding_mode="border", align_corners=False)
    return found[0]


def scaled_plane(
    plane: npt.NDArray[np.unsignedinteger], crop: Crop, size: tuple[int, int]
) -> npt.NDArray[np.unsignedinteger]:
    """The part of a plane of codes that a crop shows, in another size.

    Args:
        plane: H×W.
        crop: a part of it.
        size: height and width of the result; the part itself comes back where it has that size.
    """
    part = plane[crop.y : crop.y + crop.height, crop.x : crop.x + crop.width]
    if part.shape == size:
        return part
    codes = torch.from_numpy(part.astype(np.float32))[None, None]
    found = F.interpolate(codes, size, mode="bilinear", antialias=True, align_corners=False)
    top = np.iinfo(plane.dtype).max
    return found[0, 0].round().clamp(0, top).numpy().astype(plane.dtype)
