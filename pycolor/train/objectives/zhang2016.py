"""Colors of a palette, rebalanced, or chroma itself (Zhang et al. 2016): the plain objectives."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from pycolor.errors import UsageError
from pycolor.models import palette as palettes
from pycolor.models.colorizer import Colorizer, Guidance
from pycolor.train.data.guidance import simulated
from pycolor.train.data.guidance_batch import simulated_together
from pycolor.train.data.photos import Stream
from pycolor.train.losses import mean_square, rebalanced_classification
from pycolor.train.objectives.objective import Objective, Sample, color_target, measured_crops


class Classification(Objective):
    """Class-rebalanced classification over the network's palette (Zhang et al. 2016, eqs. 2–4)."""

    measured: tuple[str, ...] = ("prior",)

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        prior = measure_prior(stream, network.output_stride, self.options.gray_limit)
        return {"prior": prior.tolist()}

    def load_statistics(self, network: Colorizer, statistics: dict[str, Any]) -> None:
        prior = np.array(statistics["prior"])
        weights = palettes.rebalancing_weights(prior, self.options.uniform)
        self.class_weights = torch.tensor(weights, dtype=torch.float32, device=self.device)
        light = palettes.rebalancing_weights(
            prior, self.options.last_uniform or self.options.uniform
        )
        light = (1 - self.options.restore) * light + self.options.restore
        dark = (1 - self.options.dark_restore) * light + self.options.dark_restore
        self.shift = torch.tensor(np.log(dark / weights), dtype=torch.float32, device=self.device)
        self.shift_in_light = torch.tensor(
            np.log(light / dark), dtype=torch.float32, device=self.device
        )
        assert network.palette is not None
        self.palette = network.palette.detach().clone()
        if self.options.guided and "hints" not in network.guides:
            raise UsageError(
                f"{self.options.model} as it is built takes no hints: guided must be 0."
            )
        if self.shift.any() and network.offsets is None:
            raise UsageError(
                f"{self.options.model} has no scores that restore or last-uniform could shift."
            )
        if self.shift_in_light.any() and network.offsets_in_light is None:
            raise UsageError(
                f"The last layer of {self.options.model} does not see where it is dark, as "
                "dark-restore needs it."
            )

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        ab = color_target(sample.rgb, network.output_stride)
        inputs: list[Tensor | Guidance | None] = [sample.lightness]
        if network.training and self.options.guided:
            simulate = simulated if ab.device.type == "cpu" else simulated_together
            inputs += [None, simulate(ab, self.options.guided, sample.generator)]
        return self.of_logits(self.run(network, *inputs), ab, sample.made)

    def finish(self, network: Colorizer) -> Colorizer:
        """From the class weights w of the training to those of prediction.

        What is learned is p w, likelihood times weight; p ((1 − r) v + r) instead weighs errors by
        a mixture of all colors alike, as far as the λ of v goes, and all pixels alike.  Where it is
        dark, r is closer to 1 by the share `dark_restore`.
        """
        with torch.no_grad():
            if network.offsets is not None:
                network.offsets.add_(self.shift)
            if network.offsets_in_light is not None:
                network.offsets_in_light.add_(self.shift_in_light)
        return network

    def of_logits(self, logits: Tensor, ab: Tensor, made: int = 0) -> Tensor:
        """The loss of N×Q×h×w logits against N×2×h×w true chroma, of which the first are made."""
        return rebalanced_classification(
            logits, ab, self.palette, self.class_weights, self.options.gray_limit, made
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
        counts += palettes.histogram(ab[colored].permute(0, 2, 3, 1).reshape(-1, 2))
    return palettes.prior_from_histogram(counts, palettes.gamut_bins())
