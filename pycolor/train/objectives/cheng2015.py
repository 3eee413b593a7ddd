"""Semantic classes first, then Algorithm 3 (Cheng et al. 2015)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import Colorizer, place
from pycolor.models.networks.cheng2015 import Cheng2015, rgb_to_yuv
from pycolor.models.networks.zhang2016 import Zhang2016
from pycolor.ops.reference import rgb_to_lab
from pycolor.train.clustering.kmeans import kmeans
from pycolor.train.data.photos import Stream
from pycolor.train.objectives import deep_colorization
from pycolor.train.objectives.objective import Objective, Sample
from pycolor.train.recipes.options import TrainOptions

PICTURES_CLUSTERED = 768


class Cheng2015Objective(Objective):
    """Cross-entropy of semantic classes; the perceptrons follow when the steps are over.

    The classes are learned without labels: they are clusters of the deep features of our
    zhang2016, and the semantic network learns to tell them from the film's luma.
    """

    measured = ("class_centers",)

    def __init__(self, options: TrainOptions, device: torch.device) -> None:
        super().__init__(options, device)
        teacher = place(weight_files.load("zhang2016").network, device)
        assert isinstance(teacher, Zhang2016)
        self.teacher = teacher

    def deep_features(self, rgb: Tensor) -> Tensor:
        """Of the clean picture, N×C×H/4×W/4, of unit length."""
        gray = rgb_to_yuv(rgb)[:, :1].expand(-1, 3, -1, -1)
        with torch.no_grad(), self.arithmetic():
            features = self.teacher.features(rgb_to_lab(gray)[:, :1])
        return F.normalize(features.float(), dim=1)

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        assert isinstance(network, Cheng2015)
        if not network.classes:
            return {"class_centers": []}
        generator = torch.Generator().manual_seed(self.options.seed)
        samples: list[Tensor] = []
        for batch in stream.batches():
            for h in self.deep_features(batch.rgb.to(self.device).float() / 255).flatten(2).cpu():
                samples.append(h[:, torch.randint(h.shape[1], (48,), generator=generator)].T)
            if len(samples) >= PICTURES_CLUSTERED:
                break
        return {"class_centers": kmeans(torch.cat(samples), network.classes, generator)[0].tolist()}

    def load_statistics(self, network: Colorizer, statistics: dict[str, Any]) -> None:
        self.centers = torch.tensor(statistics["class_centers"], device=self.device)

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        assert isinstance(network, Cheng2015)
        if not network.classes:  # nothing to learn before Algorithm 3
            return 0 * torch.stack([p.sum() for p in network.ensemble.parameters()]).sum()
        features = self.deep_features(sample.rgb).permute(0, 2, 3, 1)
        target = torch.cdist(features.flatten(0, 2), self.centers).argmin(1)
        with self.arithmetic():
            scores = network.scores(sample.lightness)
        return F.cross_entropy(scores, target.reshape(scores[:, 0].shape))

    def finish(self, network: Colorizer) -> Colorizer:
        assert isinstance(network, Cheng2015)
        options = self.options.clustering
        order = np.random.default_rng((self.options.seed, 3)).permutation(len(self.photos))
        photos = [self.photos[i] for i in order[: options.references]]
        network = network.cpu().eval()
        references = deep_colorization.describe(
            network, photos, self.options.film, options, self.options.seed
        )
        layers = deep_colorization.cluster_references(references, options, self.options.seed)
        return deep_colorization.assemble(network, layers)
