"""Deep Colorization: the features, the perceptrons, the choice of a cluster, and Algorithm 3."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.errors import UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import gray_of
from pycolor.models.networks.cheng2015 import Cheng2015, Ensemble, recognize, rgb_to_yuv, yuv_to_rgb
from pycolor.models.networks.features.daisy import daisy
from pycolor.models.networks.features.domain_transform import domain_transform
from pycolor.models.networks.features.gist import gist
from pycolor.ops import reference
from pycolor.train import loop
from pycolor.train.data.augment import CLEAN
from pycolor.train.monitor.log import Progress
from pycolor.train.objectives import deep_colorization
from pycolor.train.objectives.deep_colorization import References
from pycolor.train.recipes.option_groups import ClusteringOptions, CropOptions
from pycolor.train.recipes.options import TrainOptions

PUBLISHED_PARAMETERS = 13_283  # 114 → 57 → 57 → 57 → 2


def scene(height: int = 40, width: int = 56) -> torch.Tensor:
    """L* of a smooth picture with an edge."""
    y = torch.linspace(0, 60, height)[:, None]
    x = torch.linspace(0, 20, width)[None]
    return (y + x + 15 * (x > 10)).reshape(1, 1, height, width)


def test_size_of_the_published_perceptron() -> None:
    assert sum(p.numel() for p in Ensemble(1, 114).parameters()) == PUBLISHED_PARAMETERS
    assert Cheng2015().inputs == 114


def test_yuv_of_primaries_and_back() -> None:
    rgb = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(yuv_to_rgb(rgb_to_yuv(rgb)), rgb, atol=1e-12, rtol=0)
    red_blue = torch.tensor([[1.0, 0, 0], [0, 0, 1]], dtype=torch.float64)[..., None, None]
    yuv = rgb_to_yuv(red_blue)[..., 0, 0]
    assert yuv[0, 2].item() == pytest.approx(0.615, abs=5e-4)
    assert yuv[1, 1].item() == pytest.approx(0.436, abs=5e-4)
    gray = rgb_to_yuv(torch.full((1, 3, 1, 1), 0.3))
    torch.testing.assert_close(gray.flatten(), torch.tensor([0.3, 0, 0]), atol=1e-6, rtol=0)


def test_perceptrons_side_by_side_are_perceptrons() -> None:
    torch.manual_seed(1)
    ensemble = Ensemble(3, 10).requires_grad_(False)
    for bias in ensemble.biases:
        bias.normal_()
    features = torch.randn(3, 7, 10)
    together = ensemble(features)
    for k in range(3):
        x = features[k].double().numpy()
        layers = list(zip(ensemble.weights, ensemble.biases, strict=True))
        for i, (weight, bias) in enumerate(layers):
            x = x @ weight[k].double().numpy().T + bias[k].double().numpy()
            x = np.maximum(x, 0) if i < len(layers) - 1 else x
        np.testing.assert_allclose(together[k].numpy(), x, atol=1e-5)
        picture = features[k].T[None, :, :, None]
        np.testing.assert_allclose(ensemble.one(k, picture)[0, :, :, 0].T.numpy(), x, atol=1e-5)


def test_features_are_patch_daisy_and_smoothed_semantics() -> None:
    network = Cheng2015(width=0.05, classes=5).eval().requires_grad_(False)
    lightness = scene()
    gray = gray_of(lightness)
    semantic = network.semantic_map(lightness)
    assert semantic is not None
    scores = torch.nn.functional.interpolate(network.scores(lightness), (40, 56), mode="bilinear")
    assert torch.equal(semantic, domain_transform(scores.softmax(1), gray))
    torch.testing.assert_close(semantic.sum(1), torch.ones(1, 40, 56), atol=1e-4, rtol=0)
    features = network.features(lightness, semantic)
    assert features.shape == (1, 49 + 32 + 5, 40, 56)
    wide = np.pad(gray[0, 0].numpy(), 3, mode="edge")
    for y, x in ((0, 0), (20, 30), (39, 55)):
        patch = 4 * wide[y : y + 7, x : x + 7].ravel() - 2
        np.testing.assert_allclose(features[0, :49, y, x].numpy(), patch, atol=1e-6)
    torch.testing.assert_close(features[:, 49:81], daisy(gray) * 32 - 1)
    assert torch.equal(features[:, 81:], semantic)


def test_output_recomputed_in_float64() -> None:
    """Algorithm 2 from the features on: perceptron, joint bilateral filter, YUV to ab."""
    network = Cheng2015(width=0.05, networks=2, classes=4).eval().requires_grad_(False)
    network.ensemble.weights[-1].normal_(std=0.1)
    lightness = scene(24, 32)
    features = network.features(lightness, network.semantic_map(lightness)).double()
    x = features[0].flatten(1).T
    for i, (weight, bias) in enumerate(
        zip(network.ensemble.weights, network.ensemble.biases, strict=True)
    ):
        x = (x.clamp_min(0) if i else x) @ weight[1].double().T + bias[1].double()
    uv = x.T.reshape(1, 2, 24, 32)
    uv = reference.joint_bilateral(uv, lightness.double())
    rgb = yuv_to_rgb(torch.cat([gray_of(lightness.double()), uv], 1)).clamp(0, 1)
    want = reference.rgb_to_lab(rgb)[:, 1:]
    got = network.chroma(lightness, torch.tensor([1]))
    torch.testing.assert_close(got.double(), want, atol=5e-3, rtol=0)
    assert want.abs().max() > 3
    plain = Cheng2015(width=0.05, networks=2, classes=4, refine=False).eval()
    plain.load_state_dict(network.state_dict())
    assert (plain.chroma(lightness, torch.tensor([1])) - got).abs().max() > 0.05


def test_nearest_cluster_by_gist_then_by_semantics() -> None:
    network = Cheng2015(width=0.05, networks=8, classes=3).eval().requires_grad_(False)
    lightness = scene()
    own = gist(gray_of(lightness))[0]
    for k in range(8):
        network.centers[k] = own + k  # cluster 0 is nearest, 5 to 7 are no candidates
    semantic = torch.zeros(1, 3, 40, 56)
    semantic[:, 2] = 1
    network.histograms[:] = torch.tensor([1.0, 0, 0])
    network.histograms[3] = torch.tensor([0.1, 0, 0.9])
    network.histograms[6] = torch.tensor([0.0, 0, 1])
    assert network.nearest_cluster(lightness, semantic).tolist() == [3]
    assert network.nearest_cluster(lightness, None).tolist() == [0]
    context = network.context(lightness)
    assert context is not None
    assert network.per_shot
    together = network.chroma(torch.cat([lightness, lightness.flip(3)]), context)
    torch.testing.assert_close(together[:1], network.chroma(lightness, context), atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(16, 16), (8, 64), (24, 136)])
def test_sizes(size: tuple[int, int]) -> None:
    network = Cheng2015(width=0.05, classes=2).eval()
    assert network(torch.rand(2, 1, *size) * 100).shape == (2, 2, *size)


@pytest.mark.parametrize("options", [{"daisy": False}, {"classes": 0}, {"networks": 3}, {}])
def test_variants_are_recognized_by_their_state(options: dict[str, int]) -> None:
    network = Cheng2015(width=0.2, **options)  # type: ignore[arg-type]
    found = recognize(network.state_dict())
    assert found is not None
    again = Cheng2015(**found)
    assert {k: v.shape for k, v in again.state_dict().items()} == {
        k: v.shape for k, v in network.state_dict().items()
    }
    assert network(torch.full((1, 1, 16, 16), 40.0)).abs().max() < 60


def test_no_networks_are_refused() -> None:
    with pytest.raises(UsageError, match="networks must be 1 or more"):
        zoo.create("cheng2015", networks=0)


def worlds(pictures: int, samples: int = 32) -> References:
    """Two kinds of scenes with the same pixels and opposite colors; one in four cannot be known."""
    chance = torch.Generator().manual_seed(0)
    kind = torch.arange(pictures) % 2
    features = torch.randn(pictures, samples, 6, generator=chance)
    color = (kind * 2.0 - 1)[:, None, None] * 0.1 * torch.ones(pictures, samples, 2)
    riddles = torch.arange(pictures) % 4 >= 2
    noise = torch.randn(pictures, samples, 2, generator=chance) * 0.2
    chroma = torch.where(riddles[:, None, None], noise, color)
    gists = torch.randn(pictures, 512, generator=chance) * 0.1 + 5 * kind[:, None]
    shares = torch.nn.functional.one_hot(kind, 2).float()
    return References(features.half(), chroma, gists, shares)


WORLD = ClusteringOptions(
    clusters=2,
    fewest=4,
    enough=20.0,
    layers=3,
    common_steps=0,
    perceptron_steps=200,
    perceptron_rate=2e-3,
)


def test_algorithm_3_on_two_worlds() -> None:
    references = worlds(40)
    first, *others = deep_colorization.cluster_references(references, WORLD, seed=0)
    assert len(first.ensemble) == 2
    assert sorted(first.histograms.argmax(1).tolist()) == [0, 1]
    # The 20 pictures whose color follows from their kind leave; the 20 riddles are clustered anew.
    assert [len(layer.ensemble) for layer in others] == [20 // WORLD.fewest, 20 // WORLD.fewest]
    for k in range(2):
        members = torch.arange(40)[references.shares[:, int(first.histograms[k].argmax())] > 0]
        good = deep_colorization.psnr(first.ensemble, k, references, members) >= WORLD.enough
        assert torch.equal(good, members % 4 < 2)


def test_one_cluster_cannot_tell_the_worlds_apart() -> None:
    alone = replace(WORLD, clusters=1, layers=1)
    (layer,) = deep_colorization.cluster_references(worlds(40), alone, seed=0)
    assert (
        deep_colorization.psnr(layer.ensemble, 0, worlds(40), torch.arange(40)).max() < WORLD.enough
    )


def test_algorithm_3_ends_where_all_pictures_leave() -> None:
    generous = replace(WORLD, enough=-50.0)
    assert len(deep_colorization.cluster_references(worlds(12), generous, seed=0)) == 1


def test_psnr_is_that_of_the_colored_picture() -> None:
    references = worlds(3)
    ensemble = Ensemble(1, 6).requires_grad_(False)
    got = deep_colorization.psnr(ensemble, 0, references, torch.tensor([1]))
    uv = ensemble(references.features[1:2].float())[0].double().numpy()
    luma = np.random.default_rng(0).random((len(uv), 1))

    def rgb(chroma: np.ndarray) -> np.ndarray:
        r, b = luma + chroma[:, 1:] / 0.877, luma + chroma[:, :1] / 0.492
        return np.concatenate([r, (luma - 0.299 * r - 0.114 * b) / 0.587, b], axis=1)

    error = rgb(uv) - rgb(references.chroma[1].double().numpy())
    assert got.item() == pytest.approx(-10 * np.log10((error**2).mean()), abs=1e-3)


TINY = TrainOptions(
    model="cheng2015",
    width=0.05,
    network="classes=3",
    steps=2,
    batch=4,
    warmup_steps=1,
    validate_every=1,
    validation=1,
    dtype="float32",
    film=CLEAN,
    crop=CropOptions(size_pixels=32),
    clustering=ClusteringOptions(
        references=7,
        samples=16,
        clusters=2,
        fewest=2,
        layers=2,
        common_steps=5,
        perceptron_steps=5,
    ),
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(10):
        low = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(low).resize((60, 48)).save(folder / f"{i}.png")
    (folder / "broken.png").write_bytes(b"not a picture")
    return folder


def test_training_from_photographs_to_a_film_and_after_a_kill(photos: Path, tmp_path: Path) -> None:
    whole = loop.train(TINY, [photos], tmp_path / "whole")
    loaded = weight_files.load(weights=whole)
    assert isinstance(loaded.network, Cheng2015)
    assert len(loaded.network.ensemble) == loaded.network.options["networks"] >= 2
    assert loaded.network.chroma(scene()).shape == (1, 2, 40, 56)

    class KilledError(Exception):
        pass

    def kill(progress: Progress) -> None:
        if progress.step == 2:
            raise KilledError

    with pytest.raises(KilledError):
        loop.train(TINY, [photos], tmp_path / "cut", kill)
    resumed = loop.train(TINY, [photos], tmp_path / "cut")
    a, b = weight_files.read(whole).state, weight_files.read(resumed).state
    assert all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize("network", ["classes=0", "classes=2,daisy=false,refine=false"])
def test_variants_train(photos: Path, tmp_path: Path, network: str) -> None:
    one = replace(TINY.clustering, clusters=1, layers=1)
    options = replace(TINY, network=network, steps=1, clustering=one)
    loaded = weight_files.load(weights=loop.train(options, [photos], tmp_path / "run"))
    assert loaded.network.options["networks"] == 1
    assert not loaded.network.per_shot


def test_layer_sizes_are_those_of_the_paper() -> None:
    sizes = [p.shape[1:] for p in Ensemble(1, 114).weights]
    assert [tuple(s) for s in sizes] == [(b, a) for a, b in pairwise([114, 57, 57, 57, 2])]
