"""A self-organizing map first, then its colors as classes (Richart et al. 2017)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.errors import UsageError
from pycolor.models import palette as palettes
from pycolor.models.colorizer import Colorizer
from pycolor.models.networks.richart2017 import Richart2017
from pycolor.train.clustering.som import train_som
from pycolor.train.data.photos import Stream
from pycolor.train.objectives.objective import Objective, Sample, color_target, measured_crops


class Richart2017Objective(Objective):
    """Cross-entropy of the neuron nearest to the true color."""

    measured = ("colors",)

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        assert isinstance(network, Richart2017)
        samples = sample_chroma(stream, self.options.gray_limit, self.options.seed)
        return {"colors": train_som(samples, network.rows, network.columns).tolist()}

    def load_statistics(self, network: Colorizer, statistics: dict[str, Any]) -> None:
        assert isinstance(network, Richart2017)
        network.colors.copy_(torch.tensor(statistics["colors"]))

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        assert network.palette is not None
        ab = color_target(sample.rgb, network.output_stride)
        flat = ab.permute(0, 2, 3, 1).reshape(-1, 2)
        neuron = palettes.nearest(flat, network.palette)[1]
        logits = self.run(network, sample.lightness)
        colored = (ab.abs().flatten(1).amax(1) > self.options.gray_limit).float()
        loss = F.cross_entropy(logits, neuron.reshape(ab[:, 0].shape), reduction="none")
        return (loss.mean((1, 2)) * colored).sum() / colored.sum().clamp_min(1)


def sample_chroma(stream: Stream, gray_limit: float, seed: int, each: int = 64) -> Any:
    """Chroma of random pixels of the training crops that are not gray, M×2 in float64."""
    generator = torch.Generator().manual_seed(seed)
    samples: list[Tensor] = []
    seen = 0
    for rgb in measured_crops(stream):
        ab = color_target(rgb, 1).flatten(2)
        seen += len(ab)
        for crop in ab[ab.abs().flatten(1).amax(1) > gray_limit]:
            samples.append(crop[:, torch.randint(crop.shape[1], (each,), generator=generator)].T)
    if not samples:
        raise UsageError(f"training needs color pictures, all of the first {seen} are gray.")
    return torch.cat(samples).double().cpu().numpy()
