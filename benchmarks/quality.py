"""How well a model colors photographs it has never seen: figures as JSON, and a contact sheet.

python benchmarks/quality.py PHOTOS [--weights FILE] [--short-side N] [--sheet sheet.png]
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from PIL import Image
from torch import Tensor
from tyro.conf import Positional

from pycolor import metrics, ops
from pycolor.colorize import Predictor
from pycolor.encoding import Encoding
from pycolor.options import PredictOptions
from pycolor.palette import gamut_bins
from pycolor.train.data import find_photos

STILL = Encoding(bit_depth=8, full_range=True, matrix="bt601", subsampling="444")
TILE, COLUMNS = 128, 5


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Measure a model on color photographs.

    Attributes:
        photos: a folder of them.
        size: shorter side at which the photographs are judged, in pixels.
        sheet: contact sheet to write: gray, colored, true.
        predict: the model.
    """

    photos: Positional[Path]
    size: int = 256
    sheet: Path | None = None
    predict: tyro.conf.OmitArgPrefixes[PredictOptions] = field(default_factory=PredictOptions)


def load(image: Image.Image, size: int) -> Tensor:
    """A photograph with its shorter side at `size`, 3×H×W codes."""
    scale = size / min(image.size)
    sides = (round(image.width * scale), round(image.height * scale))
    resized = image.resize(sides, Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1)


def luma_of(rgb: Tensor) -> Tensor:
    """BT.601 luma codes of 3×H×W RGB codes, H×W."""
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    return (rgb.float() * weights).sum(0).round().to(torch.uint8)


def tile(rgb: Tensor) -> Tensor:
    """A square thumbnail, T×T×3, of H×W×3."""
    image = Image.fromarray(rgb.numpy())
    return torch.from_numpy(np.array(image.resize((TILE, TILE), Image.Resampling.BILINEAR)))


def measure(options: Quality) -> dict[str, Any]:
    """The figures; writes the sheet where one is asked for."""
    predictor = Predictor(options.predict)
    predicted, true, colorful, tiles = [], [], [], []
    for photo in find_photos([options.photos]):
        rgb = load(photo.decode(), options.size)
        luma = luma_of(rgb)[None]
        field = predictor.predict(luma, STILL).cpu()
        guide_low = ops.mean_lightness(luma, (field.shape[2], field.shape[3]), encoding=STILL)
        guide = ops.luma_to_lightness(luma, encoding=STILL)[:, None]
        ab = ops.joint_bilateral_upsample(field, guide_low, guide)
        result = ops.render_rgb(field, luma, encoding=STILL)[0]
        truth = rgb[None].float() / 255
        predicted.append(ab[0].flatten(1))
        true.append(ops.rgb_to_lab(truth)[0, 1:].flatten(1))
        shown = result.permute(2, 0, 1)[None].float() / 255
        colorful.append((float(metrics.colorfulness(shown)), float(metrics.colorfulness(truth))))
        gray = luma[0, :, :, None].expand(-1, -1, 3).contiguous()
        views = (gray, result.contiguous(), rgb.permute(1, 2, 0).contiguous())
        tiles.append(torch.cat([tile(t) for t in views], dim=1))

    def one_row(parts: list[Tensor]) -> Tensor:
        return torch.cat(parts, dim=1)[None, :, None, :]

    p, t = one_row(predicted), one_row(true)
    palette = torch.tensor(gamut_bins().tolist(), dtype=torch.float32)
    per_photo = [
        float(metrics.ab_auc(a[None, :, None], b[None, :, None]))
        for a, b in zip(predicted, true, strict=True)
    ]
    result_of, truth_of = np.mean(colorful, axis=0)
    figures = {
        "photographs": len(tiles),
        "weights": predictor.loaded.sha256[:12],
        "short_side": predictor.short_side,
        "auc": float(metrics.ab_auc(p, t)),
        "auc_of_gray": float(metrics.ab_auc(torch.zeros_like(t), t)),
        "auc_by_photograph": {q: float(np.quantile(per_photo, q / 100)) for q in (10, 50, 90)},
        "balanced_auc": float(metrics.balanced_ab_auc(p, t, palette)),
        "balanced_auc_of_gray": float(metrics.balanced_ab_auc(torch.zeros_like(t), t, palette)),
        "colorfulness": float(result_of),
        "colorfulness_of_truth": float(truth_of),
    }
    if options.sheet is not None:
        while len(tiles) % COLUMNS:
            tiles.append(torch.zeros_like(tiles[0]))
        rows = [torch.cat(tiles[i : i + COLUMNS], 1) for i in range(0, len(tiles), COLUMNS)]
        Image.fromarray(torch.cat(rows).numpy()).save(options.sheet)
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(tyro.cli(Quality)), indent=2))
