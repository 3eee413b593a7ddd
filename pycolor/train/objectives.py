"""What each model is taught: its targets, its loss, and what it measures of the photographs first.

The loop knows an objective by this interface alone; `objective_for` chooses one for a network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor import palette as alphabet
from pycolor.models.colorizer import Colorizer
from pycolor.models.hwang2016 import BINS, LIMIT, Hwang2016, bin_of
from pycolor.models.iizuka2016 import AB_RANGE, Iizuka2016
from pycolor.models.varga2017 import Varga2017
from pycolor.options import TrainOptions
from pycolor.reference import rgb_to_lab, rgb_to_luv
from pycolor.train.data import Photo, Stream
from pycolor.train.labels import UNKNOWN, label_source
from pycolor.train.losses import huber, mean_square, rebalanced_classification
from pycolor.train.pairs import reference_of

PICTURES_MEASURED = 4096


@dataclass(frozen=True)
class Sample:
    """A batch as an objective sees it.

    Attributes:
        lightness: N×1×S×S, L* of the luma that film might have recorded, 0 … 100.
        rgb: N×3×S×S, the truth, display-encoded, 0 … 1.
        photos: which photograph of the stream each crop is of; empty in validation.
        chance: the only source of chance.
        step: of the training.
    """

    lightness: Tensor
    rgb: Tensor
    photos: Sequence[int]
    chance: torch.Generator
    step: int


class Objective:
    """Targets and loss of a model.

    Attributes:
        measured: names of what `measure` finds; kept in the checkpoint.
    """

    measured: tuple[str, ...] = ()

    def __init__(self, options: TrainOptions, device: torch.device) -> None:
        self.options = options
        self.device = device

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        """What must be known of the photographs before the first step, as plain lists."""
        return {}

    def use(self, network: Colorizer, found: dict[str, Any]) -> None:
        """Take what `measure` found, now or before the run was interrupted."""

    def before(self, step: int, networks: Sequence[Colorizer]) -> None:
        """Called before each step with the network and its average."""

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        """The loss of a batch, a scalar."""
        raise NotImplementedError

    def arithmetic(self) -> torch.autocast:
        """The precision that the network runs in."""
        low = self.options.dtype == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=low)

    def run(self, network: Colorizer, *inputs: Tensor | None) -> Any:
        """The network's output, in that precision."""
        with self.arithmetic():
            return network(*inputs)


class Classification(Objective):
    """Class-rebalanced classification over the network's palette (Zhang et al. 2016, eqs. 2–4)."""

    measured = ("prior",)

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        prior = measure_prior(stream, network.output_stride, self.options.gray_limit)
        return {"prior": prior.tolist()}

    def use(self, network: Colorizer, found: dict[str, Any]) -> None:
        weights = alphabet.rebalancing_weights(np.array(found["prior"]), self.options.uniform)
        self.class_weights = torch.tensor(weights, dtype=torch.float32, device=self.device)
        assert network.palette is not None
        self.palette = network.palette.detach().clone()

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        return self.of_logits(
            self.run(network, sample.lightness), color_target(sample.rgb, network.output_stride)
        )

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


class Joint(Objective):
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

    def use(self, network: Colorizer, found: dict[str, Any]) -> None:
        self.labels = found["labels"]

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


def objective_for(network: Colorizer, options: TrainOptions, device: torch.device) -> Objective:
    """What a network is taught: its own objective, or the plain one for what it puts out."""
    for kind, own in OWN.items():
        if isinstance(network, kind):
            return own(options, device)
    plain = Classification if network.palette is not None else Regression
    return plain(options, device)


class Luv(Objective):
    """U and V: cross-entropy of both bins, or L2 or Huber (Hwang and Zhou 2016, 3.5 and 3.6)."""

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        assert isinstance(network, Hwang2016)
        scores = self.run(network, sample.lightness)
        uv = rgb_to_luv(sample.rgb)[:, 1:]
        if network.classifies:
            u, v = scores.split(BINS, dim=1)
            pixel = F.cross_entropy(u, bin_of(uv[:, 0]), reduction="none")
            pixel = pixel + F.cross_entropy(v, bin_of(uv[:, 1]), reduction="none")
        else:
            # Of ±1, so that its gradients are of the size of the classifier's.
            error = (scores - uv.clamp(-LIMIT, LIMIT)) / LIMIT
            pixel = huber(error, self.options.huber / LIMIT).sum(1)
        colored = color_target(sample.rgb, 1).abs().flatten(1).amax(1) > self.options.gray_limit
        return (pixel.mean((1, 2)) * colored).sum() / colored.sum().clamp_min(1)


class Pairs(Classification):
    """The rebalanced loss of both branches (Varga and Szirányi 2017, eq. 1), in two phases.

    First the reference's branch alone on references; then the input's branch starts from it, and
    both color their pictures.  Some pictures go without a reference, as at times in film.
    """

    def before(self, step: int, networks: Sequence[Colorizer]) -> None:
        if step == self.options.pair.reference_steps > 0:
            for network in networks:
                assert isinstance(network, Varga2017)
                network.copy_reference_to_input()

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        assert isinstance(network, Varga2017)
        options, stride = self.options.pair, network.output_stride
        reference = reference_of(sample.rgb, options, sample.chance)
        lab = rgb_to_lab(reference)
        reference_ab = F.avg_pool2d(lab[:, 1:], stride)
        if sample.step < options.reference_steps:
            with self.arithmetic():
                logits = network.reference_logits(lab)
            return self.of_logits(logits, reference_ab)
        alone = torch.rand(len(lab), 1, 1, 1, generator=sample.chance) < options.alone
        with self.arithmetic():
            context = network.guided_context(lab)
            heard = (~alone).to(self.device, context.dtype)
            logits, reference_logits = network.both(sample.lightness, context, heard)
        of_input = self.of_logits(logits, color_target(sample.rgb, stride))
        return of_input + self.of_logits(reference_logits, reference_ab)


# Models that are taught more than the plain objectives do.
OWN: dict[type[Colorizer], type[Objective]] = {Iizuka2016: Joint, Hwang2016: Luv, Varga2017: Pairs}


def network_options(options: TrainOptions, photos: Sequence[Photo]) -> dict[str, Any]:
    """What builds the network: the user's options, and what the photographs decide of it."""
    chosen = options.network_options
    classified = options.model == "iizuka2016" and chosen.get("global_features", True)
    if classified and "classes" not in chosen:
        chosen["classes"] = len(label_source(options.labels, photos).names)
    return chosen


def color_target(rgb: Tensor, stride: int) -> Tensor:
    """True chroma at the network's output resolution: N×3×H×W RGB → N×2×H/s×W/s ab."""
    return F.avg_pool2d(rgb_to_lab(rgb)[:, 1:], stride)


def measure_prior(stream: Stream, stride: int, gray_limit: float) -> Any:
    """The palette's prior over the training crops, as the loss will see them."""
    counts = np.zeros((256, 256))
    seen = 0
    for batch in stream.batches():
        ab = color_target(batch.rgb.float() / 255, stride)
        colored = ab.abs().flatten(1).amax(1) > gray_limit
        counts += alphabet.histogram(ab[colored].permute(0, 2, 3, 1).reshape(-1, 2))
        seen += len(ab)
        if seen >= PICTURES_MEASURED:
            break
    return alphabet.prior_from_histogram(counts, alphabet.gamut_bins())
