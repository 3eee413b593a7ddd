"""What each model is taught: its targets, its loss, and what it measures of the photographs first.

The loop knows an objective by this interface alone; `objective_for` chooses one for a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from pycolor import palette as alphabet
from pycolor.kmeans import kmeans
from pycolor.models import weight_files
from pycolor.models.cheng2015 import Cheng2015, rgb_to_yuv
from pycolor.models.colorizer import Colorizer, place
from pycolor.models.hwang2016 import BINS, LIMIT, Hwang2016, bin_of
from pycolor.models.iizuka2016 import AB_RANGE, Iizuka2016
from pycolor.models.richart2017 import Richart2017
from pycolor.models.varga2017 import Varga2017
from pycolor.models.zhang2016 import Zhang2016
from pycolor.options import TrainOptions
from pycolor.reference import rgb_to_lab, rgb_to_luv
from pycolor.som import train_som
from pycolor.train import algorithm3
from pycolor.train.data import Photo, Stream
from pycolor.train.labels import UNKNOWN, label_source
from pycolor.train.losses import huber, mean_square, rebalanced_classification
from pycolor.train.pairs import OthersOfClass, reference_of

PICTURES_MEASURED = 4096
PICTURES_CLUSTERED = 768


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
        photos: that are trained on, which the loop gives before all else.
    """

    measured: tuple[str, ...] = ()

    def __init__(self, options: TrainOptions, device: torch.device) -> None:
        self.options = options
        self.device = device
        self.photos: Sequence[Photo] = ()

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

    def finish(self, network: Colorizer) -> Colorizer:
        """What is left to do once the steps are over; the network whose weights are written."""
        return network

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

    measured: tuple[str, ...] = ("prior",)

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


class MapThenClasses(Objective):
    """A self-organizing map first, then its colors as classes (Richart et al. 2017)."""

    measured = ("colors",)

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        assert isinstance(network, Richart2017)
        samples = sample_chroma(stream, self.options.gray_limit, self.options.seed)
        return {"colors": train_som(samples, network.rows, network.columns).tolist()}

    def use(self, network: Colorizer, found: dict[str, Any]) -> None:
        assert isinstance(network, Richart2017)
        network.colors.copy_(torch.tensor(found["colors"]))

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        assert network.palette is not None
        ab = color_target(sample.rgb, network.output_stride)
        flat = ab.permute(0, 2, 3, 1).reshape(-1, 2)
        neuron = alphabet.nearest(flat, network.palette)[1]
        logits = self.run(network, sample.lightness)
        colored = (ab.abs().flatten(1).amax(1) > self.options.gray_limit).float()
        loss = F.cross_entropy(logits, neuron.reshape(ab[:, 0].shape), reduction="none")
        return (loss.mean((1, 2)) * colored).sum() / colored.sum().clamp_min(1)


class ScenesThenPerceptrons(Objective):
    """Semantic classes first, then Algorithm 3 (Cheng et al. 2015).

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
        chance = torch.Generator().manual_seed(self.options.seed)
        samples: list[Tensor] = []
        for batch in stream.batches():
            for h in self.deep_features(batch.rgb.to(self.device).float() / 255).flatten(2).cpu():
                samples.append(h[:, torch.randint(h.shape[1], (48,), generator=chance)].T)
            if len(samples) >= PICTURES_CLUSTERED:
                break
        return {"class_centers": kmeans(torch.cat(samples), network.classes, chance)[0].tolist()}

    def use(self, network: Colorizer, found: dict[str, Any]) -> None:
        self.centers = torch.tensor(found["class_centers"], device=self.device)

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
        references = algorithm3.describe(
            network, photos, self.options.film, options, self.options.seed
        )
        layers = algorithm3.cluster_references(references, options, self.options.seed)
        return algorithm3.assemble(network, layers)


def sample_chroma(stream: Stream, gray_limit: float, seed: int, each: int = 64) -> Any:
    """Chroma of random pixels of the training crops that are not gray, M×2 in float64."""
    chance = torch.Generator().manual_seed(seed)
    samples: list[Tensor] = []
    seen = 0
    for batch in stream.batches():
        ab = color_target(batch.rgb.float() / 255, 1).flatten(2)
        seen += len(ab)
        for crop in ab[ab.abs().flatten(1).amax(1) > gray_limit]:
            samples.append(crop[:, torch.randint(crop.shape[1], (each,), generator=chance)].T)
        if seen >= PICTURES_MEASURED:
            break
    if not samples:
        raise ValueError(f"training needs color pictures, all of the first {seen} are gray.")
    return torch.cat(samples).double().numpy()


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
    """U and V: cross-entropy of both bins, or L2 or Huber (Hwang and Zhou 2016, 3.5 and 3.6).

    The paper's cross-entropy weighs every pixel alike (`uniform` 1), and gray wins; below 1 the
    bins of either axis are rebalanced as Zhang et al. do theirs.
    """

    measured = ("prior_u", "prior_v")

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        counts = np.zeros((2, BINS))
        for rgb in _measured(stream):
            bins = bin_of(rgb_to_luv(rgb)[:, 1:])
            for axis in (0, 1):
                counts[axis] += np.bincount(bins[:, axis].flatten().numpy(), minlength=BINS)
        smooth = gaussian_filter1d(counts, 1.25, axis=1, mode="constant")  # σ is 5 units
        priors = smooth / smooth.sum(axis=1, keepdims=True)
        return {"prior_u": priors[0].tolist(), "prior_v": priors[1].tolist()}

    def use(self, network: Colorizer, found: dict[str, Any]) -> None:
        self.class_weights = [
            torch.tensor(
                alphabet.rebalancing_weights(np.array(found[name]), self.options.uniform),
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


class Pairs(Classification):
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

    def use(self, network: Colorizer, found: dict[str, Any]) -> None:
        super().use(network, found)
        self.others = OthersOfClass(self.photos, found["labels"], self.options.crop)

    def before(self, step: int, networks: Sequence[Colorizer]) -> None:
        if step == self.options.pair.reference_steps > 0:
            for network in networks:
                assert isinstance(network, Varga2017)
                network.copy_reference_to_input()

    def references(self, sample: Sample) -> Tensor:
        """A reference for each picture, N×3×S×S in 0 … 1."""
        options = self.options.pair
        others = sample.rgb.clone()
        for i, photo in enumerate(sample.photos):
            if float(torch.rand((), generator=sample.chance)) < options.same_class:
                other = self.others.draw(photo, sample.chance)
                if other is not None:
                    others[i] = other.to(others.device)
        return reference_of(others, options, sample.chance)

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        assert isinstance(network, Varga2017)
        options, stride = self.options.pair, network.output_stride
        lab = rgb_to_lab(self.references(sample))
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
OWN: dict[type[Colorizer], type[Objective]] = {
    Iizuka2016: Joint,
    Hwang2016: Luv,
    Varga2017: Pairs,
    Cheng2015: ScenesThenPerceptrons,
    Richart2017: MapThenClasses,
}


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


def _measured(stream: Stream) -> Iterator[Tensor]:
    """The first crops that the training will see, N×3×S×S in 0 … 1."""
    seen = 0
    for batch in stream.batches():
        yield batch.rgb.float() / 255
        seen += len(batch.rgb)
        if seen >= PICTURES_MEASURED:
            break


def measure_prior(stream: Stream, stride: int, gray_limit: float) -> Any:
    """The palette's prior over the training crops, as the loss will see them."""
    counts = np.zeros((256, 256))
    for rgb in _measured(stream):
        ab = color_target(rgb, stride)
        colored = ab.abs().flatten(1).amax(1) > gray_limit
        counts += alphabet.histogram(ab[colored].permute(0, 2, 3, 1).reshape(-1, 2))
    return alphabet.prior_from_histogram(counts, alphabet.gamut_bins())
