"""Whether a picture of the user's leads the color: references of varga2017, styles of iizuka2016.

python -m benchmarks.guides PHOTOS --model varga2017 [--weights FILE]

A reference is made of the photograph itself, a crop of it with another tone; what counts is the
error of chroma with it and without.  A style is another photograph; what counts is how much nearer
the mean color of the result comes to the style's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from torch import Tensor
from tyro.conf import Positional

from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.evaluate.pairs import items
from pycolor.evaluate.stills import gray_of, read_rgb
from pycolor.image.guidance.guides import load_predictor
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions

STILL = Encoding(bit_depth=8, full_range=True, matrix="bt601", subsampling="444")


@dataclass(frozen=True, kw_only=True)
class Guides:
    """Measure what a guiding picture does.

    Attributes:
        photos: a folder of color photographs.
        size: shorter side at which they are judged, in pixels.
        crop: share of the sides that a reference shows.
        gamma: of its tone, and `gain`: of its light.
        predict: the model.
    """

    photos: Positional[Path]
    size: int = 256
    crop: float = 0.8
    gamma: float = 0.85
    gain: float = 0.9
    predict: tyro.conf.OmitArgPrefixes[PredictOptions] = field(default_factory=PredictOptions)


def luma_of(rgb: Tensor) -> Tensor:
    """Luma codes H×W of 3×H×W codes."""
    return gray_of(rgb.float())[0].round().to(torch.uint8)


def lab_of(rgb: Tensor) -> Tensor:
    """1×3×H×W Lab of 3×H×W codes or parts of 1."""
    part = rgb.float() / 255 if rgb.dtype == torch.uint8 else rgb
    return ops.rgb_to_lab(part[None].contiguous())


def colored(predictor: Predictor, luma: Tensor, guide: Tensor | None) -> Tensor:
    """Chroma 2×H×W of a picture, led by a guide."""
    predictor.guides = [] if guide is None else [guide]
    result = ops.render_rgb(predictor.predict(luma, STILL).cpu(), luma, encoding=STILL)[0]
    return lab_of(result.permute(2, 0, 1))[0, 1:]


def cropped(rgb: Tensor, options: Guides, chance: np.random.Generator) -> Tensor:
    """A crop of a photograph with another tone, 3×h×w in 0 … 1."""
    h, w = (round(s * options.crop) for s in rgb.shape[1:])
    y, x = (int(chance.integers(0, s - c + 1)) for s, c in zip(rgb.shape[1:], (h, w), strict=True))
    part = rgb[:, y : y + h, x : x + w].float() / 255
    return part**options.gamma * options.gain


def measure_guides(options: Guides) -> dict[str, Any]:
    """The mean error without a guide and with it, and how often it falls."""
    predictor = load_predictor(options.predict)
    chance = np.random.default_rng(0)
    pictures = [
        torch.from_numpy(read_rgb(path, options.size).copy()).permute(2, 0, 1)
        for path in items(options.photos)
    ]
    without, guided = [], []
    for i, rgb in enumerate(pictures):
        luma = luma_of(rgb)[None]
        plain = colored(predictor, luma, None)
        if predictor.network.guide == "reference":
            truth = lab_of(rgb)[0, 1:]
            led = colored(predictor, luma, lab_of(cropped(rgb, options, chance)))
            without.append(float((plain - truth).norm(dim=0).mean()))
            guided.append(float((led - truth).norm(dim=0).mean()))
        else:
            style = lab_of(pictures[(i + 1) % len(pictures)])
            led = colored(predictor, luma, style)
            goal = style[0, 1:].mean((1, 2))
            without.append(float((plain.mean((1, 2)) - goal).norm()))
            guided.append(float((led.mean((1, 2)) - goal).norm()))
    a, b = np.array(without), np.array(guided)
    return {
        "photographs": len(pictures),
        "guide": predictor.network.guide,
        "error_without": float(a.mean()),
        "error_with": float(b.mean()),
        "falls_by": float(1 - b.mean() / a.mean()),
        "share_that_falls": float((b < a).mean()),
    }


if __name__ == "__main__":
    print(json.dumps(measure_guides(tyro.cli(Guides)), indent=2))
