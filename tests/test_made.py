"""Made pictures without color, sampling by tar, and what the loop does with both."""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.errors import UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.train import loop
from pycolor.train.data import made
from pycolor.train.data.augment import CLEAN, film_luma
from pycolor.train.data.photos import Stream, find_photos
from pycolor.train.losses import rebalanced_classification
from pycolor.train.recipes.option_groups import CropOptions, FilmOptions
from pycolor.train.recipes.options import TrainOptions


def a_tar(path: Path, color: tuple[int, int, int], count: int) -> None:
    with tarfile.open(path, "w") as tar:
        for i in range(count):
            rng = np.random.default_rng(i)
            noise = rng.integers(0, 30, (40, 40, 3)) + np.array(color)
            buffer = io.BytesIO()
            Image.fromarray(noise.clip(0, 255).astype(np.uint8)).save(buffer, "png")
            info = tarfile.TarInfo(f"{i}.png")
            info.size = len(buffer.getvalue())
            tar.addfile(info, io.BytesIO(buffer.getvalue()))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    a_tar(folder / "red.tar", (180, 40, 40), 12)
    a_tar(folder / "blue.tar", (40, 40, 180), 8)
    return folder


def test_every_kind_is_gray_in_range_and_repeatable() -> None:
    photo = np.random.default_rng(1).random((64, 64))
    for seed in range(40):
        first, again = (made.made_picture(photo, np.random.default_rng(seed)) for _ in range(2))
        assert first.shape == (64, 64)
        assert np.isfinite(first).all()
        assert first.min() >= 0
        assert first.max() <= 1
        assert (first == again).all()
    rgb = made.grays(torch.rand(3, 3, 32, 32), torch.Generator().manual_seed(0))
    assert torch.equal(rgb[:, 0], rgb[:, 2])


def test_sampling_gives_each_tar_its_passes(photos: Path) -> None:
    found = find_photos([photos])
    weights = {"red": 0.5, "blue": 3.0}  # an epoch of 6 + 24
    stream = Stream(found, 10, CropOptions(size_pixels=16), 3, weights=weights)
    seen = Counter(found[p].path.stem for b in islice(stream.batches(), 3) for p in b.photos)
    assert abs(seen["red"] - 6) <= 1
    assert abs(seen["blue"] - 24) <= 1
    later = next(stream.batches(2)).photos
    assert later == [b.photos for b in islice(stream.batches(), 3)][2]
    with pytest.raises(ValueError, match="sampling names green, which is no tar or folder"):
        Stream(found, 4, CropOptions(size_pixels=16), 0, weights={"green": 1})


def test_sampling_is_read_from_its_option() -> None:
    assert TrainOptions(sampling="a=0.5,b=2").sampling_weights == {"a": 0.5, "b": 2.0}
    with pytest.raises(UsageError, match="sampling a must be a weight in 0 to 16, got x"):
        TrainOptions(sampling="a=x")


def test_made_pictures_count_though_they_are_gray() -> None:
    bins = torch.tensor([[0.0, 0], [40, 0], [0, 40], [-40, 0], [0, -40], [40, 40]])
    logits = torch.zeros(2, 6, 2, 2)
    logits[:, 1] = 2.0  # the wrong one
    gray, loss = torch.zeros(2, 2, 2, 2), rebalanced_classification
    assert loss(logits, gray, bins, torch.ones(6)) == 0
    one = loss(logits, gray, bins, torch.ones(6), made=1)
    assert float(one) == pytest.approx(float(logits[0, :, 0, 0].logsumexp(0)), abs=1e-3)


def test_fading_leaves_little_contrast_and_other_chance_alone() -> None:
    rgb = torch.rand(16, 3, 24, 24)
    options = replace(CLEAN, fade=1.0)
    luma = film_luma(rgb, options, torch.Generator().manual_seed(0))
    clean = film_luma(rgb, CLEAN, torch.Generator().manual_seed(0))
    span = (luma.amax((1, 2, 3)) - luma.amin((1, 2, 3))) / (
        clean.amax((1, 2, 3)) - clean.amin((1, 2, 3))
    )
    assert (span < 0.58).all()
    assert (span > 0.12).all()
    with pytest.raises(UsageError, match="fade must be a probability"):
        FilmOptions(fade=2)


def test_a_training_with_all_of_it_resumes_to_the_same_weights(
    photos: Path, tmp_path: Path
) -> None:
    options = TrainOptions(
        model="pycolor2026",
        width=0.25,
        network="levels=true,attention=true,hints=true",
        steps=2,
        batch=4,
        validation=2,
        validate_every=1,
        dtype="float32",
        threads=1,
        made=0.25,
        guided=0.7,
        sampling="red=2",
        crop=CropOptions(size_pixels=32),
    )
    whole = weight_files.read(loop.train(options, [photos], tmp_path / "whole"))
    loop.train(replace(options, until=1), [photos], tmp_path / "cut")
    resumed = weight_files.read(loop.train(options, [photos], tmp_path / "cut"))
    assert all(torch.equal(v, resumed.state[k]) for k, v in whole.state.items())
    assert whole.options == {"width": 0.25, "levels": True, "attention": True, "hints": True}
    with pytest.raises(UsageError, match="takes no hints: guided must be 0"):
        loop.train(replace(options, network=""), [photos], tmp_path / "none")


def test_only_some_weights_learn_and_no_statistics(photos: Path, tmp_path: Path) -> None:
    start = zoo.create("pycolor2026", width=0.25, hints=True)
    file = tmp_path / "start.safetensors"
    weight_files.write(file, "pycolor2026", start.state_dict(), start.options, {}, half=False)
    options = TrainOptions(
        model="pycolor2026",
        width=0.25,
        network="hints=true",
        init=file,
        only="hints.",
        steps=2,
        batch=4,
        validation=2,
        validate_every=2,
        warmup_steps=1,
        guided=1.0,
        crop=CropOptions(size_pixels=32),
    )
    loop.train(options, [photos], tmp_path / "run")
    kept = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["model"]
    moved = {k for k, v in start.state_dict().items() if not torch.equal(kept[k], v)}
    assert moved
    assert all(name.startswith("hints.") for name in moved)
    with pytest.raises(UsageError, match="has no weights whose name begins with ears"):
        loop.train(replace(options, only="ears"), [photos], tmp_path / "none")


def test_half_of_the_start_is_kept(photos: Path, tmp_path: Path) -> None:
    start = zoo.create("zhang2016", width=0.05)
    file = tmp_path / "start.safetensors"
    weight_files.write(file, "zhang2016", start.state_dict(), start.options, {}, half=False)
    options = TrainOptions(
        width=0.05, init=file, steps=2, batch=4, validation=2, crop=CropOptions(size_pixels=16)
    )
    key = "model8.6.bias"
    moved, kept = (
        weight_files.read(loop.train(replace(options, keep=k), [photos], tmp_path / str(k))).state
        for k in (0.0, 0.5)
    )
    expected = (moved[key] + start.state_dict()[key]) / 2
    torch.testing.assert_close(kept[key], expected)
    assert not torch.equal(moved[key], kept[key])
