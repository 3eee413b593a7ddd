"""Deep Colorization's training: scene clusters, and a perceptron for each (Cheng et al. 2015).

Algorithm 3 of the paper groups the reference pictures by their gist and trains a perceptron for
each cluster; pictures that it then colors well leave, and the rest is clustered anew on the next
layer.  A picture's error is taken over its sampled pixels, before refinement (the paper colors the
whole picture), and the number of layers is bounded: where no picture leaves, the paper's loop does
not end.  A perceptron may begin from one that was trained on all pictures: with random weights, as
in the paper, those of small clusters overfit their few pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from pycolor.errors import FilmError
from pycolor.models.colorizer import gray_of
from pycolor.models.networks.cheng2015 import Cheng2015, Ensemble, rgb_to_yuv, yuv_to_rgb
from pycolor.models.networks.features.gist import CHANNELS, gist
from pycolor.ops.reference import rgb_to_lab
from pycolor.train.clustering.kmeans import kmeans
from pycolor.train.data.augment import film_luma
from pycolor.train.data.photos import Photo
from pycolor.train.recipes.option_groups import ClusteringOptions, FilmOptions

_COMMON_RATE = 2e-3  # of the perceptron that all clusters begin from
_DECAY = 1e-3  # of the weights
_BATCH, _FULL_BATCH = 512, 2048  # samples a step: of each perceptron at least, of all at least


@dataclass(frozen=True)
class References:
    """What is kept of P reference pictures, S pixels of each.

    Attributes:
        features: P×S×inputs, float16.
        chroma: P×S×2, U and V.
        gist: P×512.
        shares: P×classes, of each semantic class in the picture.
    """

    features: Tensor
    chroma: Tensor
    gist: Tensor
    shares: Tensor


@dataclass(frozen=True)
class Layer:
    """Clusters of one layer and their perceptrons."""

    ensemble: Ensemble
    centers: Tensor
    histograms: Tensor


@torch.inference_mode()
def describe(
    network: Cheng2015,
    photos: Sequence[Photo],
    film: FilmOptions,
    options: ClusteringOptions,
    seed: int,
) -> References:
    """The reference pictures as the perceptrons will see them; unreadable ones are left out.

    Raises:
        ValueError: none can be read.
    """
    count, samples = len(photos), options.samples
    # Filled in place: small pieces kept between large ones would scatter the memory.
    kept = References(
        features=torch.empty(count, samples, network.inputs, dtype=torch.float16),
        chroma=torch.empty(count, samples, 2),
        gist=torch.empty(count, CHANNELS),
        shares=torch.zeros(count, max(1, network.classes)),
    )
    n = 0
    for i, photo in enumerate(photos):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + i)
        try:
            rgb = _picture(photo, options.short_side)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        luma = film_luma(rgb, film, generator)
        lightness = rgb_to_lab(luma.expand(-1, 3, -1, -1))[:, :1]
        semantic = network.semantic_map(lightness)
        features = network.features(lightness, semantic).flatten(2)[0]
        pixel = torch.randint(features.shape[1], (samples,), generator=generator)
        kept.features[n] = features[:, pixel].T
        kept.chroma[n] = rgb_to_yuv(rgb)[0, 1:].flatten(1)[:, pixel].T
        kept.gist[n] = gist(gray_of(lightness))[0]
        if semantic is not None:
            kept.shares[n] = semantic.mean((2, 3))[0]
        n += 1
    if n == 0:
        raise FilmError(f"training needs readable pictures, none of {len(photos)} is.")
    return References(kept.features[:n], kept.chroma[:n], kept.gist[:n], kept.shares[:n])


def _picture(photo: Photo, short_side: int) -> Tensor:
    """The whole photograph, 1×3×H×W in 0 … 1, its sides multiples of 8."""
    image = photo.decode()
    scale = short_side / min(image.size)
    size = [max(8, round(side * scale / 8) * 8) for side in image.size]
    pixels = np.asarray(image.resize((size[0], size[1]), Image.Resampling.BILINEAR))
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


def cluster_references(
    references: References, options: ClusteringOptions, seed: int
) -> list[Layer]:
    """Algorithm 3: the layers, the top one first."""
    generator = torch.Generator().manual_seed(seed)
    alive = torch.arange(len(references.gist))
    start = None
    if options.common_steps:
        steps, rate = options.common_steps, _COMMON_RATE
        start = train_perceptrons(references, [alive], steps, rate, generator)
    count = min(options.clusters, len(alive))
    layers: list[Layer] = []
    while not layers or (len(alive) >= options.fewest and len(layers) < options.layers):
        centers, label = _scenes(references.gist[alive], count, options.fewest, generator)
        members = [alive[label == k] for k in range(len(centers))]
        steps, rate = options.perceptron_steps, options.perceptron_rate
        ensemble = train_perceptrons(references, members, steps, rate, generator, start)
        histograms = torch.stack([references.shares[m].mean(0) for m in members])
        layers.append(Layer(ensemble, centers, histograms))
        left = [m[psnr(ensemble, k, references, m) < options.enough] for k, m in enumerate(members)]
        alive = torch.cat(left).sort().values
        count = len(alive) // options.fewest
    return layers


def _scenes(
    gists: Tensor, count: int, fewest: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Clusters by gist; those with less than a quarter of the wanted pictures are dissolved."""
    centers, label = kmeans(gists, count, generator)
    size = torch.bincount(label, minlength=count)
    kept = size >= min(fewest / 4, int(size.max()))
    centers = centers[kept]
    return centers, torch.cdist(gists, centers).argmin(1)


def train_perceptrons(
    references: References,
    members: Sequence[Tensor],
    steps: int,
    rate: float,
    generator: torch.Generator,
    start: Ensemble | None = None,
) -> Ensemble:
    """A perceptron for each cluster, all side by side, by least squares of U and V (equation 1).

    Args:
        references: all pictures.
        members: of each cluster, indices of its pictures.
        steps: of AdamW.
        rate: its first, falling to 0 along a cosine.
        generator: draws the samples and the first weights.
        start: a single perceptron that all begin from, in place of random weights.
    """
    samples, inputs = references.features.shape[1:]
    features, chroma = references.features.flatten(0, 1), references.chroma.flatten(0, 1)
    ensemble = _fresh(len(members), inputs, generator)
    if start is not None:
        for own, common in zip(ensemble.parameters(), start.parameters(), strict=True):
            own.data.copy_(common.expand_as(own))
    optimizer = torch.optim.AdamW(ensemble.parameters(), lr=rate, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    batch = max(_BATCH, _FULL_BATCH // len(members))
    for _ in range(steps):
        rows = torch.stack(
            [
                m[torch.randint(len(m), (batch,), generator=generator)] * samples
                + torch.randint(samples, (batch,), generator=generator)
                for m in members
            ]
        )
        error = ensemble(features[rows].float()) - chroma[rows]
        # A sum over clusters: each perceptron learns as if it were alone.
        error.square().mean((1, 2)).sum().backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
    return ensemble.requires_grad_(False)


def _fresh(networks: int, inputs: int, generator: torch.Generator) -> Ensemble:
    """An ensemble whose first weights are drawn from this generator alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        return Ensemble(networks, inputs)


@torch.inference_mode()
def psnr(ensemble: Ensemble, k: int, references: References, pictures: Tensor) -> Tensor:
    """Of each picture's R'G'B' colored by perceptron k, in dB; its luma is the true one."""
    features = references.features[pictures].float().permute(2, 0, 1)[None]
    error = ensemble.one(k, features)[0].permute(1, 2, 0) - references.chroma[pictures]
    # R'G'B' is linear in Y'UV, so the error of one is the image of the other's.
    difference = F.pad(error, (1, 0)).flatten(0, 1)[:, :, None, None]
    rgb = yuv_to_rgb(difference).reshape(len(pictures), -1)
    return -10 * torch.log10(rgb.square().mean(1).clamp_min(1e-12))


def assemble(network: Cheng2015, layers: Sequence[Layer]) -> Cheng2015:
    """The network with the clusters and perceptrons of all layers."""
    count = sum(len(layer.ensemble) for layer in layers)
    whole = Cheng2015(**{**network.options, "networks": count})
    state = network.state_dict()
    state["centers"] = torch.cat([layer.centers for layer in layers])
    state["histograms"] = torch.cat([layer.histograms for layer in layers])
    for key in layers[0].ensemble.state_dict():
        parts = [layer.ensemble.state_dict()[key] for layer in layers]
        state[f"ensemble.{key}"] = torch.cat(parts)
    whole.load_state_dict(state)
    return whole
