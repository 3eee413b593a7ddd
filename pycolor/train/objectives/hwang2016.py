"""U and V of CIELUV, each by itself (Hwang and Zhou 2016)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from pycolor.models import palette as palettes
from pycolor.models.colorizer import Colorizer
from pycolor.models.networks.hwang2016 import BINS, LIMIT, Hwang2016, bin_of
from pycolor.ops.reference import rgb_to_luv
from pycolor.train.data.photos import Stream
from pycolor.train.losses import huber
from pycolor.train.objectives.objective import Objective, Sample, color_target, measured_crops


class Hwang2016Objective(Objective):
    """U and V: cross-entropy of both bins, or L2 or Huber (Hwang and Zhou 2016, 3.5 and 3.6).

    The paper's cross-entropy weighs every pixel alike (`uniform` 1), and gray wins; below 1 the
    bins of either axis are rebalanced as Zhang et al. do theirs.
    """

    measured = ("prior_u", "prior_v")

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        counts = np.zeros((2, BINS))
        for rgb in measured_crops(stream):
            bins = bin_of(rgb_to_luv(rgb)[:, 1:])
            for axis in (0, 1):
                counts[axis] += np.bincount(bins[:, axis].flatten().cpu().numpy(), minlength=BINS)
        smooth = gaussian_filter1d(counts, 1.25, axis=1, mode="constant")  # σ is 5 units
        priors = smooth / smooth.sum(axis=1, keepdims=True)
        return {"prior_u": priors[0].tolist(), "prior_v": priors[1].tolist()}

    def load_statistics(self, network: Colorizer, statistics: dict[str, Any]) -> None:
        self.class_weights = [
            torch.tensor(
                palettes.rebalancing_weights(np.array(statistics[name]), self.options.uniform),
                dtype=torch.float32,
                device=self.device,
            )
            for name in self.measured
        ]

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        assert isinstance(network, Hwang2016)
        scores = self.run(network, sample.lightness)
        uv = rgb_to_luv(sample.rgb)[:, 1:]
        ab = color_target(sample.rgb, 1)
        colored = (ab.abs().flatten(1).amax(1) > self.options.gray_limit)[:, None, None].float()
        if not network.classifies:
            # Of ±1, so that its gradients are of the size of the classifier's.
            error = (scores - uv.clamp(-LIMIT, LIMIT)) / LIMIT
            penalty = huber(error, self.options.huber / LIMIT).sum(1).mean((1, 2), keepdim=True)
            return (penalty * colored).sum() / colored.sum().clamp_min(1)
        total = torch.zeros((), device=self.device)
        for axis, logits in enumerate(scores.split(BINS, dim=1)):
            bins = bin_of(uv[:, axis])
            weights = self.class_weights[axis][bins] * colored
            entropy = F.cross_entropy(logits, bins, reduction="none")
            total = total + (entropy * weights).sum() / weights.sum().clamp_min(1e-6)
        return total
