"""Varga2017Objective of a picture and a reference (Varga and Szirányi 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.colorizer import Colorizer
from pycolor.models.networks.varga2017 import Varga2017
from pycolor.ops.reference import rgb_to_lab
from pycolor.train.data.labels import label_source
from pycolor.train.data.pairs import OthersOfClass, reference_of
from pycolor.train.data.photos import Stream
from pycolor.train.objectives.objective import Sample, color_target
from pycolor.train.objectives.zhang2016 import Classification


class Varga2017Objective(Classification):
    """The rebalanced loss of both branches (Varga and Szirányi 2017, eq. 1), in two phases.

    First the reference's branch alone on references; then the input's branch starts from it, and
    both color their pictures.  Some pictures go without a reference, as at times in film.
    """

    measured = ("prior", "labels")

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        labels: list[int] = []
        if self.options.pair.same_class:
            source = label_source(self.options.labels, stream.photos)
            labels = source.labels(stream.photos, self.options.seed)
        return super().measure(network, stream) | {"labels": labels}

    def load_statistics(self, network: Colorizer, statistics: dict[str, Any]) -> None:
        super().load_statistics(network, statistics)
        self.others = OthersOfClass(self.photos, statistics["labels"], self.options.crop)

    def on_step(self, step: int, networks: Sequence[Colorizer]) -> None:
        if step == self.options.pair.reference_steps > 0:
            for network in networks:
                assert isinstance(network, Varga2017)
                network.copy_reference_to_input()

    def references(self, sample: Sample) -> Tensor:
        """A reference for each picture, N×3×S×S in 0 … 1."""
        options = self.options.pair
        others = sample.rgb.clone()
        for i, photo in enumerate(sample.photos):
            if float(torch.rand((), generator=sample.generator)) < options.same_class:
                other = self.others.draw(photo, sample.generator)
                if other is not None:
                    others[i] = other.to(others.device)
        return reference_of(others, options, sample.generator)

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        assert isinstance(network, Varga2017)
        options, stride = self.options.pair, network.output_stride
        lab = rgb_to_lab(self.references(sample))
        reference_ab = F.avg_pool2d(lab[:, 1:], stride)
        if sample.step < options.reference_steps:
            with self.arithmetic():
                logits = network.reference_logits(lab)
            return self.of_logits(logits, reference_ab)
        alone = torch.rand(len(lab), 1, 1, 1, generator=sample.generator) < options.alone
        with self.arithmetic():
            context = network.guided_context(lab)
            heard = (~alone).to(self.device, context.dtype)
            logits, reference_logits = network.both(sample.lightness, context, heard)
        of_input = self.of_logits(logits, color_target(sample.rgb, stride))
        return of_input + self.of_logits(reference_logits, reference_ab)
