"""Chroma and scene classes together (Iizuka et al. 2016)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.colorizer import Colorizer
from pycolor.models.networks.iizuka2016 import AB_RANGE, Iizuka2016
from pycolor.train.data.labels import UNKNOWN, label_source
from pycolor.train.data.photos import Stream
from pycolor.train.losses import mean_square
from pycolor.train.objectives.objective import Objective, Sample, color_target


class Iizuka2016Objective(Objective):
    """Squared error of chroma and cross-entropy of scene classes (Iizuka et al. 2016, eq. 6).

    Chroma is taken on the sigmoid's scale of 0 … 1, where both terms are of one size at α = 1/300.
    """

    measured = ("labels",)
    alpha = 1 / 300

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        assert isinstance(network, Iizuka2016)
        if network.classifier is None:
            return {"labels": []}
        source = label_source(self.options.labels, stream.photos)
        return {"labels": source.labels(stream.photos, self.options.seed)}

    def load_statistics(self, network: Colorizer, statistics: dict[str, Any]) -> None:
        self.labels = statistics["labels"]

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        assert isinstance(network, Iizuka2016)
        with self.arithmetic():
            chroma, scores = network.joint(sample.lightness)
        ab = color_target(sample.rgb, network.output_stride)
        loss = mean_square(chroma, ab, self.options.gray_limit, unit=2 * AB_RANGE)
        if scores is None or not sample.photos:
            return loss
        labels = torch.tensor([self.labels[p] for p in sample.photos], device=self.device)
        if not (labels != UNKNOWN).any():
            return loss
        return loss + self.alpha * F.cross_entropy(scores.float(), labels, ignore_index=UNKNOWN)
