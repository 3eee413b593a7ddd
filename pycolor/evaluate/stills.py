"""Photographs: read, greyed, colored by a model or by anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from pycolor.encoding import LUMA_COEFFICIENTS
from pycolor.errors import FilmError
from pycolor.evaluate.pairs import Pair
from pycolor.image.colorize import color_still
from pycolor.image.files.picture_files import StillImage, StillInfo, read_image
from pycolor.models.predictor import Predictor

Pixels = npt.NDArray[np.uint8]


def judged_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Height and width with the shorter side at `short_side`, never larger; 0: as they are."""
    scale = min(1.0, short_side / min(height, width)) if short_side else 1.0
    return max(1, round(height * scale)), max(1, round(width * scale))


def read_rgb(path: Path, short_side: int) -> Pixels:
    """A picture at the size at which it is judged, H×W×3 of 8 bits.

    Raises:
        FilmError: it cannot be read.
    """
    stored = read_image(path).pixels
    if stored.dtype == np.uint16:
        stored = ((stored.astype(np.uint32) + 128) // 257).astype(np.uint8)
    pixels = np.asarray(stored, np.uint8)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    height, width = judged_size(pixels.shape[0], pixels.shape[1], short_side)
    if (height, width) == pixels.shape[:2]:
        return pixels
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))


def read_pair(pair: Pair, short_side: int, predictor: Predictor | None) -> tuple[Tensor, Tensor]:
    """(found, true), 3×H×W in 0 … 1 each.

    Args:
        pair: of pictures; the predictor colors the true one where none was found.
        short_side: see `judged_size`.
        predictor: of a model, None where nothing is to be colored.

    Raises:
        FilmError: a picture cannot be read, holds no color, or the sizes differ.
    """
    true = read_rgb(pair.true, short_side)
    if (true == true[..., :1]).all():
        raise FilmError(f"{pair.true} holds no color; expected a color photograph.")
    if pair.found is not None:
        found = read_rgb(pair.found, short_side)
    elif predictor is not None:
        found = _colored(true, pair.true, predictor)
    else:
        raise AssertionError("a picture without a result needs a model")
    if found.shape != true.shape:
        sizes = [f"{x.shape[1]}×{x.shape[0]}" for x in (true, found)]
        raise FilmError(f"{pair.found} is {sizes[1]}, expected {sizes[0]} as {pair.true}.")
    return _planes(found), _planes(true)


def gray_of(rgb: Tensor) -> Tensor:
    """3×H×W RGB without its color: BT.601's luma, as JFIF has it, in each channel."""
    kr, kb = LUMA_COEFFICIENTS["bt601"]
    luma = kr * rgb[0] + (1 - kr - kb) * rgb[1] + kb * rgb[2]
    return luma.expand(3, -1, -1)


def _colored(true: Pixels, path: Path, predictor: Predictor) -> Pixels:
    """The picture with the model's colors; color_still sees nothing but its luma."""
    info = StillInfo(path=path, kind="PNG", bit_depth=8, gray=False)
    colored = color_still(StillImage(pixels=true, alpha=None, info=info), predictor)
    return np.asarray(colored, np.uint8)


def _planes(pixels: Pixels) -> Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).double() / 255
