"""Held-out photographs: which they are, and the loss on them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from pycolor.models import zoo
from pycolor.ops.reference import rgb_to_lab
from pycolor.train.data.photos import Photo, center_crop
from pycolor.train.learning.learner import Learner
from pycolor.train.monitor.log import Log
from pycolor.train.monitor.validation_sheet import SHOWN, color, sheet
from pycolor.train.objectives.objective import Sample
from pycolor.train.recipes.options import TrainOptions

_EYE = (0.299, 0.587, 0.114)  # BT.601


def luma_lightness(luma: Tensor) -> Tensor:
    """L* of the neutral color with this luma (N×1×H×W, 0 … 1 → 0 … 100)."""
    return rgb_to_lab(luma.expand(-1, 3, -1, -1))[:, :1]


def split(photos: list[Photo], held_out: int, seed: int) -> tuple[list[Photo], list[Photo]]:
    """Training and validation photographs, by a fixed shuffle."""
    order = np.random.default_rng((seed, 2)).permutation(len(photos))
    held_out = min(held_out, len(photos) // 5)
    chosen = {int(i) for i in order[:held_out]}
    kept = [p for i, p in enumerate(photos) if i not in chosen]
    return kept, [photos[i] for i in sorted(chosen)]


def validation_batches(photos: list[Photo], size: int, batch: int) -> Iterator[Tensor]:
    """Central crops of the held-out photographs, N×3×S×S in 0 … 1."""
    crops: list[Tensor] = []
    for photo in photos:
        try:
            crops.append(torch.from_numpy(center_crop(photo.decode(), size).copy()))
        except (OSError, ValueError, SyntaxError):
            continue
        if len(crops) == batch:
            yield torch.stack(crops).permute(0, 3, 1, 2).float() / 255
            crops = []
    if crops:
        yield torch.stack(crops).permute(0, 3, 1, 2).float() / 255


def validate(
    learner: Learner, held_out: list[Photo], options: TrainOptions, log: Log, step: int
) -> float:
    """The averaged network's loss on held-out photographs, as clean luma shows them.

    Args:
        learner: whose average is looked at.
        held_out: the photographs.
        options: of the run.
        log: takes a sheet of the first of them.
        step: of the run.

    Returns:
        The mean loss of a picture.
    """
    learner.average.eval()
    device = learner.objective.device
    total, pictures = 0.0, 0
    clean = torch.tensor(_EYE, device=device).reshape(1, 3, 1, 1)
    with torch.no_grad():
        for crops in validation_batches(held_out, options.crop.size_pixels, options.batch):
            rgb = crops.to(device)
            generator = torch.Generator().manual_seed(options.seed)
            lightness = luma_lightness((rgb * clean).sum(1, keepdim=True))
            lightness = lightness.contiguous(memory_format=torch.channels_last)
            sample = Sample(lightness, rgb, (), generator, step)
            if pictures == 0:
                shown = lightness[:SHOWN]
                temperature = zoo.card(options.model).temperature or 0.0
                ab = color(learner.averaged, shown, temperature)
                log.show(step, sheet(shown.cpu(), ab, rgb[:SHOWN].cpu()))
            total += float(learner.objective.loss(learner.averaged, sample)) * len(rgb)
            pictures += len(rgb)
    return total / max(1, pictures)
