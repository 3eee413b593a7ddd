"""What each model is taught, its labels, and its recipes."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.cli import main
from pycolor.errors import UsageError
from pycolor.models import palette, zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.networks.hwang2016 import BINS, Hwang2016, bin_of
from pycolor.ops.reference import rgb_to_luv
from pycolor.train import loop
from pycolor.train.data.labels import UNKNOWN, label_source
from pycolor.train.data.pairs import OthersOfClass
from pycolor.train.data.photos import find_photos
from pycolor.train.learning.learner import learning_rate
from pycolor.train.learning.optimizers import make_optimizer
from pycolor.train.losses import mean_square
from pycolor.train.objectives import objective
from pycolor.train.objectives.hwang2016 import Hwang2016Objective
from pycolor.train.objectives.objective import Sample
from pycolor.train.recipes import recipe
from pycolor.train.recipes.option_groups import CropOptions, PairOptions
from pycolor.train.recipes.options import TrainOptions

TINY = TrainOptions(
    width=0.05,
    steps=2,
    batch=4,
    warmup_steps=1,
    validate_every=2,
    validation=2,
    dtype="float32",
    crop=CropOptions(size_pixels=32),
)


@pytest.fixture(autouse=True)
def _few_pictures_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective, "PICTURES_MEASURED", 24)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve photographs in two folders: warm rooms and blue skies."""
    root = tmp_path / "photos"
    rng = np.random.default_rng(0)
    for i in range(12):
        folder = root / ("rooms" if i % 2 else "skies")
        folder.mkdir(parents=True, exist_ok=True)
        tint = np.array([220, 140, 60] if i % 2 else [60, 140, 220])
        low = (tint * rng.uniform(0.5, 1, (4, 5, 1))).astype(np.uint8)
        Image.fromarray(low).resize((60, 48)).save(folder / f"{i}.png")
    return root


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "zhang2016", "network": "task=regression"},
        {"model": "zhang2016", "uniform": 1.0},
        {"model": "hwang2016"},
        {"model": "hwang2016", "uniform": 1.0},
        {"model": "hwang2016", "network": "task=regression", "huber": 20.0},
        {"model": "iizuka2016", "network": "side=32"},
        {"model": "iizuka2016", "network": "side=32", "labels": "clusters:3"},
        {"model": "iizuka2016", "network": "global_features=false", "optimizer": "adadelta"},
        {"model": "varga2017", "pair": PairOptions(same_class=0.5, reference_steps=1)},
        {"model": "varga2017", "network": "reference_channels=1", "optimizer": "adam"},
    ],
    ids=str,
)
def test_every_variant_trains_and_loads(
    photos: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    options = replace(TINY, **changes)
    seen: list[float] = []
    weights = loop.train(options, [photos], tmp_path / "run", lambda p: seen.append(p.loss))
    assert seen
    assert np.isfinite(seen).all()
    loaded = weight_files.load(weights=weights)
    assert loaded.card.name == options.model
    assert loaded.network.options.items() >= options.network_options.items()
    with torch.no_grad():
        field = loaded.network.chroma(torch.rand(1, 1, 32, 32) * 100)
    assert torch.isfinite(field).all()


def test_regression_learns_one_color(tmp_path: Path) -> None:
    """A world of orange pictures is orange, by the squared error as well."""
    folder = tmp_path / "orange"
    folder.mkdir()
    for i in range(8):
        gray = np.linspace(40, 200, 48 * 48).reshape(48, 48) + 4 * i
        rgb = np.stack([gray, gray * 0.6, gray * 0.25], -1).clip(0, 255).astype(np.uint8)
        Image.fromarray(rgb).save(folder / f"{i}.png")
    options = replace(
        TINY, model="iizuka2016", network="side=32,classes=0", steps=60, lr=5e-3, ema=0.8
    )
    options = replace(options, validate_every=60)
    network = weight_files.load(weights=loop.train(options, [folder], tmp_path / "run")).network
    with torch.no_grad():
        a, b = network.chroma(torch.full((1, 1, 32, 32), 50.0)).mean((0, 2, 3)).tolist()
    assert a > 5
    assert b > 25


def test_the_cross_entropy_of_both_axes() -> None:
    """Without rebalancing it is the mean of −log p of U's bin plus that of V's."""
    objective = Hwang2016Objective(replace(TINY, uniform=1.0), torch.device("cpu"))
    network = Hwang2016(0.05).eval()
    even = [1 / BINS] * BINS
    objective.load_statistics(network, {"prior_u": even, "prior_v": even})
    rgb = torch.rand(2, 3, 16, 16)
    lightness = torch.rand(2, 1, 16, 16) * 100
    sample = Sample(lightness, rgb, (), torch.Generator(), 0)
    with torch.no_grad():
        got = objective.loss(network, sample)
        scores = network(lightness).double()
    uv = rgb_to_luv(rgb)[:, 1:]
    expected = 0.0
    for axis in (0, 1):
        log_p = scores[:, axis * BINS : (axis + 1) * BINS].log_softmax(1)
        bins = bin_of(uv[:, axis])
        expected -= log_p.gather(1, bins[:, None]).mean().item()
    assert got.item() == pytest.approx(expected, rel=1e-5)


def test_the_squared_error_leaves_gray_pictures_out() -> None:
    truth = torch.zeros(2, 2, 4, 4)
    truth[0] = 40
    ab = torch.full((2, 2, 4, 4), 10.0)
    assert mean_square(ab, truth).item() == pytest.approx(0.09)
    assert mean_square(ab, truth * 0).item() == 0


def test_labels_from_folders_lists_and_clusters(photos: Path, tmp_path: Path) -> None:
    found = find_photos([photos])
    by_folder = label_source("auto", found)
    assert by_folder.names == ("rooms", "skies")
    truth = [0 if p.name.startswith("rooms") else 1 for p in found]
    assert by_folder.labels(found, 0) == truth
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["file", "scene"])
        writer.writerows([p.name, f"scene {t}"] for p, t in zip(found[1:], truth[1:], strict=True))
    listed = label_source(f"{path}:scene", found)
    assert listed.names == ("scene 0", "scene 1")
    assert listed.labels(found, 0) == [UNKNOWN, *truth[1:]]
    clustered = label_source("clusters:2", found).labels(found, 0)
    assert clustered in (truth, [1 - t for t in truth])
    assert clustered == label_source("clusters:2", found).labels(found, 0)
    one = label_source("auto", [p for p in found if p.name.startswith("rooms")] * 8)
    assert one.kind == "clusters"
    assert len(one.names) == 32


def test_references_of_the_same_class(photos: Path) -> None:
    found = find_photos([photos])
    labels = label_source("folder", found).labels(found, 0)
    others = OthersOfClass(found, labels, CropOptions(size_pixels=16))
    chance = torch.Generator().manual_seed(0)
    for i, label in enumerate(labels):
        other = others.draw(i, chance)
        assert other is not None
        red, _, blue = other.mean((1, 2)).tolist()
        assert (red > blue) == (label == 0)  # rooms are warm, skies blue
    assert OthersOfClass(found, [0, *[1] * 11], CropOptions()).draw(0, chance) is None
    again = torch.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    a, b = (others.draw(3, chance) for chance in again)
    assert a is not None
    assert b is not None
    assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("clusters:1", "clusters of 2"),
        ("clusters:many", "clusters of 2"),
        ("nowhere.csv", "cannot be read"),
        ("guess", "must be auto"),
    ],
)
def test_labels_that_are_none(photos: Path, text: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        label_source(text, find_photos([photos]))
    with pytest.raises(UsageError, match="two folders"):
        label_source("folder", find_photos([photos / "rooms"]))


@pytest.mark.parametrize("name", recipe.recipe_names())
def test_recipes_are_whole(name: str) -> None:
    options = recipe.read_recipe(name)
    assert name.rpartition("-")[0] or name == options.model
    assert name.partition("-")[0] == options.model
    assert options != TrainOptions()


@pytest.mark.parametrize("name", [n for n in recipe.recipe_names() if n.endswith("-gpu")])
def test_recipes_for_a_gpu_fit_their_networks(name: str) -> None:
    """They cannot run here: the network and its optimizer are made."""
    options = recipe.read_recipe(name)
    assert options.device == "cuda"
    network = zoo.create(options.model, **options.network_options)
    make_optimizer(network, options)


def test_restoring_takes_rebalancing_back(photos: Path, tmp_path: Path) -> None:
    """All of it leaves likelihoods: scores less the weights' logarithms; all else is equal."""
    options = TrainOptions(
        width=0.05, steps=2, batch=4, validation=2, crop=CropOptions(size_pixels=32)
    )
    states = [
        weight_files.read(
            loop.train(replace(options, restore=share), [photos], tmp_path / str(share))
        ).state
        for share in (0.0, 0.5, 1.0)
    ]
    shifts = [state.pop("model8.6.bias") - states[0]["model8.6.bias"] for state in states[1:]]
    prior = torch.load(tmp_path / "1.0" / "checkpoint.pt", weights_only=True)["prior"]
    weights = torch.tensor(palette.rebalancing_weights(np.array(prior), options.uniform))
    torch.testing.assert_close(shifts[0], (0.5 + 0.5 / weights).log().float())
    torch.testing.assert_close(shifts[1], -weights.log().float())
    del states[0]["model8.6.bias"]
    assert all(torch.equal(states[0][k], s[k]) for s in states[1:] for k in states[0])


def test_the_last_layer_ends_with_another_rebalancing(photos: Path, tmp_path: Path) -> None:
    """From w of λ = 0.5 to three quarters of that of λ = 0.1, and a quarter as colors occur."""
    options = TrainOptions(
        width=0.05, steps=2, batch=4, validation=2, crop=CropOptions(size_pixels=32)
    )
    other = replace(options, last_uniform=0.1, restore=0.25)
    taught, ended = (
        weight_files.read(loop.train(o, [photos], tmp_path / name)).state["model8.6.bias"]
        for name, o in (("taught", options), ("ended", other))
    )
    saved = torch.load(tmp_path / "ended" / "checkpoint.pt", weights_only=True)
    prior = np.array(saved["prior"])
    w, v = (palette.rebalancing_weights(prior, uniform) for uniform in (0.5, 0.1))
    expected = torch.tensor(np.log((0.75 * v + 0.25) / w), dtype=torch.float32)
    torch.testing.assert_close(ended - taught, expected)


def test_rebalancing_is_taken_back_where_it_is_dark(photos: Path, tmp_path: Path) -> None:
    """There half of what is left, in the light nothing: the last layer's offset and last input."""
    options = TrainOptions(
        model="pycolor2026",
        width=0.25,
        steps=2,
        batch=4,
        validation=2,
        restore=0.2,
        crop=CropOptions(size_pixels=32),
    )
    alike, dark = (
        weight_files.read(
            loop.train(replace(options, dark_restore=share), [photos], tmp_path / str(share))
        ).state
        for share in (0.0, 0.5)
    )
    prior = torch.load(tmp_path / "0.5" / "checkpoint.pt", weights_only=True)["prior"]
    w = torch.tensor(palette.rebalancing_weights(np.array(prior), options.uniform))
    light = 0.8 * w + 0.2
    expected = ((0.5 * light + 0.5) / light).log().float()
    torch.testing.assert_close(dark["scores.bias"] - alike["scores.bias"], expected)
    moved = (dark["scores.weight"] - alike["scores.weight"]).float()[:, :, 0, 0]
    torch.testing.assert_close(moved[:, -1], -expected, rtol=0, atol=2e-3)  # kept in float16
    assert not moved[:, :-1].any()


def test_restoring_needs_scores_and_a_share(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"restore must lie in \[0, 1\], got 2"):
        TrainOptions(restore=2)
    with pytest.raises(UsageError, match=r"last-uniform must lie in \[0, 1\], got -1"):
        TrainOptions(last_uniform=-1)
    with pytest.raises(UsageError, match=r"dark-restore must lie in \[0, 1\], got 1.5"):
        TrainOptions(dark_restore=1.5)
    crop = CropOptions(size_pixels=32)
    options = TrainOptions(model="varga2017", width=0.05, restore=0.5, batch=4, crop=crop)
    with pytest.raises(UsageError, match="no scores that restore or last-uniform could shift"):
        loop.train(options, [photos], tmp_path / "run")
    options = TrainOptions(width=0.05, dark_restore=0.5, batch=4, crop=crop)
    with pytest.raises(UsageError, match="last layer of zhang2016 does not see where it is dark"):
        loop.train(options, [photos], tmp_path / "run")


def test_a_recipe_run_twice_gives_the_same_bits(photos: Path, tmp_path: Path) -> None:
    small = {"width": 0.05, "steps": 2, "batch": 4, "validation": 2, "validate_every": 2}
    options = replace(
        recipe.read_recipe("iizuka2016"),
        **small,  # type: ignore[arg-type]
        labels="clusters:2",
        crop=CropOptions(size_pixels=32),
    )
    first, second = (loop.train(options, [photos], tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_recipes_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a file or one of: .*zhang2016-paper"):
        recipe.read_recipe("zhang")
    path = tmp_path / "r.toml"
    for text, match in (("speed = 3", "names speed"), ("crop = 3", "crop"), ("a = [", "be TOML")):
        path.write_text(text)
        with pytest.raises(UsageError, match=match):
            recipe.read_recipe(str(path))


def test_the_command_line_replaces_a_recipe(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[TrainOptions] = []

    def train(options: TrainOptions, *_: object) -> Path:
        seen.append(options)
        return tmp_path

    monkeypatch.setattr(loop, "train", train)
    arguments = ["train", "--recipe", "hwang2016-paper", "--data", str(photos), "--batch", "2"]
    assert main([*arguments, "--out", str(tmp_path), "--quiet"]) == 0
    assert seen == [replace(recipe.read_recipe("hwang2016-paper"), batch=2)]


def test_the_rate_drops_to_a_tenth() -> None:
    options = replace(TINY, steps=100, warmup_steps=0, decay=0, drops=(50, 80), lr=1.0)
    rates = [learning_rate(s, options) for s in (0, 49, 50, 79, 80)]
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01])


def test_a_run_that_learns_nothing_more_ends(photos: Path, tmp_path: Path) -> None:
    # At a rate of nearly nothing no validation is better than the first.
    options = replace(TINY, steps=50, validate_every=1, patience=2, lr=1e-12, ema=0.5)
    steps: list[int] = []
    loop.train(options, [photos], tmp_path / "run", lambda p: steps.append(p.step))
    assert max(steps) < 50
