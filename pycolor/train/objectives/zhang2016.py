"""Colors of a palette, rebalanced, or chroma itself (Zhang et al. 2016): the plain objectives."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pycolor import palette as alphabet
from pycolor.errors import UsageError
from pycolor.models.colorizer import Colorizer
from pycolor.train.data import Stream
from pycolor.train.losses import mean_square, rebalanced_classification
from pycolor.train.objectives.objective import Objective, Sample, color_target, measured_crops


class Classification(Objective):
    """Class-rebalanced classification over the network's palette (Zhang et al. 2016, eqs. 2–4)."""

    measured: tuple[str, ...] = ("prior",)

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        prior = measure_prior(stream, network.output_stride, self.options.gray_limit)
        return {"prior": prior.tolist()}

    def use(self, network: Colorizer, found: dict[str, Any]) -> None:
        weights = alphabet.rebalancing_weights(np.array(found["prior"]), self.options.uniform)
        self.class_weights = torch.tensor(weights, dtype=torch.float32, device=self.device)
        assert network.palette is not None
        self.palette = network.palette.detach().clone()
        if self.options.restore and network.offsets is None:
            raise UsageError(f"{self.options.model} has no scores that restore could shift.")

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        return self.of_logits(
            self.run(network, sample.lightness), color_target(sample.rgb, network.output_stride)
        )

    def finish(self, network: Colorizer) -> Colorizer:
        """Take a share of the rebalancing back.

        What is learned is p w, likelihood times weight; p (1 − r) w + p r weighs the errors of
        pixels by a mixture of both.
        """
        if self.options.restore:
            assert network.offsets is not None
            with torch.no_grad():
                share = self.options.restore
                network.offsets.add_((1 - share + share / self.class_weights).log())
        return network

    def of_logits(self, logits: Tensor, ab: Tensor) -> Tensor:
        """The loss of N×Q×h×w logits against N×2×h×w true chroma."""
        return rebalanced_classification(
            logits, ab, self.palette, self.class_weights, self.options.gray_limit
        )


class Regression(Objective):
    """Squared error of chroma (the L2 baseline of Zhang et al. 2016, eq. 1)."""

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        ab = color_target(sample.rgb, network.output_stride)
        return mean_square(self.run(network, sample.lightness), ab, self.options.gray_limit)


def measure_prior(stream: Stream, stride: int, gray_limit: float) -> Any:
    """The palette's prior over the training crops, as the loss will see them."""
    counts = np.zeros((256, 256))
    for rgb in measured_crops(stream):
        ab = color_target(rgb, stride)
        colored = ab.abs().flatten(1).amax(1) > gray_limit
        counts += alphabet.histogram(ab[colored].permute(0, 2, 3, 1).reshape(-1, 2))
    return alphabet.prior_from_histogram(counts, alphabet.gamut_bins())
