"""Pictures from files that lead a model."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from pycolor.errors import UsageError
from pycolor.image.picture_files import read_image
from pycolor.models.colorizer import Guide
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions


def load_predictor(options: PredictOptions) -> Predictor:
    """A model with the pictures that its options name.

    Raises:
        UsageError: the model takes no such picture, or a reference is gray.
        FilmError: the weights or a picture cannot be read.
    """
    predictor = Predictor(options)
    given: dict[Guide, tuple[Path, ...]] = {
        "style": (options.style,) if options.style else (),
        "reference": options.reference,
    }
    for kind, paths in given.items():
        if paths:
            predictor.guide_by(kind, [])  # refused before any file is read
            predictor.guide_by(kind, [read_guide(path, kind) for path in paths])
    return predictor


def read_guide(path: Path, kind: Guide) -> Tensor:
    """A picture file as 3×H×W R'G'B' in 0 … 1.

    Raises:
        UsageError: a reference is gray.
        FilmError: it cannot be read.
    """
    image = read_image(path)
    if kind == "reference" and image.pixels.ndim == 2:
        raise UsageError(f"reference {path} is gray; expected a color picture.")
    codes = torch.from_numpy(image.pixels.astype("float32"))
    rgb = codes.expand(3, *codes.shape) if codes.dim() == 2 else codes.permute(2, 0, 1)
    unit: Tensor = rgb / (2**image.info.bit_depth - 1)
    return unit
