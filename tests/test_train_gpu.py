"""What a training on a GPU does its own way, looked at on the processor."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.errors import FilmError
from pycolor.models import palette
from pycolor.models.checkpoints import weight_names
from pycolor.train import loop
from pycolor.train.data import guidance_batch
from pycolor.train.data.guidance import simulated
from pycolor.train.data.guidance_batch import simulated_together
from pycolor.train.data.made import Bank
from pycolor.train.data.photos import Stream, find_photos
from pycolor.train.data.resident import ResidentStream
from pycolor.train.objectives import objective
from pycolor.train.recipes.option_groups import CropOptions
from pycolor.train.recipes.options import TrainOptions

CPU = torch.device("cpu")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "photos.tar"
    with tarfile.open(path, "w") as tar:
        for i, size in enumerate([(60, 48), (40, 90), (33, 35), (70, 64), (48, 48), (64, 40)]):
            low = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
            out = io.BytesIO()
            Image.fromarray(low).resize(size).save(out, "PNG")
            member = tarfile.TarInfo(f"set/{i}.png")
            member.size = out.tell()
            out.seek(0)
            tar.addfile(member, out)
    return path


@pytest.mark.parametrize("size", [24, 64])
def test_kept_photographs_give_the_crops_of_the_stream(photos: Path, size: int) -> None:
    """But for Pillow's rounding between its two passes; smaller and larger than the pictures."""
    found, crop = find_photos([photos]), CropOptions(size_pixels=size)
    weights = {"photos": 1.5}
    for share in ((0, 1), (1, 2)):
        plain = Stream(found, 8, crop, seed=3, weights=weights).batches(2, share)
        kept = ResidentStream(found, 8, crop, 3, weights=weights, device=CPU).batches(2, share)
        for a, b in islice(zip(plain, kept, strict=False), 3):
            assert a.photos == b.photos
            assert (a.rgb.int() - b.rgb.int()).abs().max() <= 1


def test_kept_photographs_that_cannot_be_read(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), "red").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    crop = CropOptions(size_pixels=16)
    stream = ResidentStream(find_photos([tmp_path]), 4, crop, 0, device=CPU)
    batch = next(stream.batches())
    assert set(batch.photos) == {0}
    assert set(batch.skipped) == {"b.png"}
    assert batch.rgb.shape == (4, 3, 16, 16)
    (tmp_path / "a.png").unlink()
    stream = ResidentStream(find_photos([tmp_path]), 4, crop, 0, device=CPU)
    with pytest.raises(FilmError, match=r"none of 1 pictures could be read, b\.png first"):
        next(stream.batches())


def test_large_photographs_are_kept_smaller(tmp_path: Path) -> None:
    Image.new("RGB", (170, 130), (10, 200, 30)).save(tmp_path / "a.png")
    stream = ResidentStream(find_photos([tmp_path]), 2, CropOptions(size_pixels=32), 0, device=CPU)
    assert stream.sizes == [[85, 65]]
    assert next(stream.batches()).rgb.flatten(2).unique(dim=2)[0, :, 0].tolist() == [10, 200, 30]


def test_a_bank_of_made_pictures() -> None:
    crops = torch.randint(0, 256, (6, 3, 32, 32), generator=torch.Generator().manual_seed(1))
    one, two = (Bank(crops.byte(), 5, workers).pictures for workers in (1, 3))
    torch.testing.assert_close(one, two, rtol=0, atol=0)
    bank = Bank(crops.byte(), 5, 1)
    rng = torch.Generator().manual_seed(2)
    drawn = bank.draw(40, rng)
    assert drawn.shape == (40, 3, 32, 32)
    assert (drawn[:, 0] == drawn[:, 2]).all()
    mirrored = {
        tuple(f.flatten().tolist())
        for p in bank.pictures[:, 0]
        for f in (p, p.flip(0), p.flip(1), p.flip(0, 1))
    }
    shown = [tuple(p.flatten().tolist()) for p in (drawn[:, 0] * 255).round().byte()]
    assert set(shown) <= mirrored
    assert len(set(shown)) > 6


def test_guidance_of_a_batch_is_as_that_of_single_pictures() -> None:
    """As often, on as many cells, as surely and about as right; repeatable."""
    coarse = torch.randn(400, 2, 5, 5, generator=torch.Generator().manual_seed(3)) * 20
    ab = torch.nn.functional.interpolate(coarse, (40, 40), mode="bicubic")

    def looks(simulate: object) -> torch.Tensor:
        given = simulate(ab, 0.8, torch.Generator().manual_seed(4))  # type: ignore[operator]
        assert ((given.weight >= 0) & (given.weight <= 1)).all()
        assert (given.hints.abs().sum(1, keepdim=True)[given.weight == 0]).isfinite().all()
        error = (given.hints - ab).norm(dim=1, keepdim=True) * given.weight
        some = (given.weight > 0).flatten(1).any(1).float().mean()
        seen = (given.weight > 0).float().mean()
        return torch.stack([some, seen, given.weight.mean(), error.sum() / given.weight.sum() / 20])

    torch.testing.assert_close(looks(simulated_together), looks(simulated), rtol=0.15, atol=0.02)
    again = [simulated_together(ab, 0.8, torch.Generator().manual_seed(4)) for _ in range(2)]
    assert torch.equal(again[0].hints, again[1].hints)
    assert torch.equal(again[0].weight, again[1].weight)


def test_points_of_a_batch_tell_the_truth() -> None:
    """On one color, whatever is hinted by a point is that color."""
    ab = torch.tensor([30.0, -20.0]).view(1, 2, 1, 1).repeat(50, 1, 24, 32)
    rng = guidance_batch._BatchRng(ab, torch.Generator().manual_seed(6))
    hints, weight = guidance_batch._points(ab, rng)
    known = (weight > 0).expand(-1, 2, -1, -1)
    assert known.flatten(1).any(1).all()
    torch.testing.assert_close(hints[known], ab[known])
    assert (hints[~known] == 0).all()
    assert weight[weight > 0].min() >= 0.25
    assert weight.max() == 1


def test_least_is_topk() -> None:
    score = torch.randn(50, 313, generator=torch.Generator().manual_seed(5))
    value, index = palette._least(score.clone(), 5)
    expected = score.topk(5, dim=1, largest=False)
    assert torch.equal(value, expected.values)
    assert torch.equal(index, expected.indices)


def test_a_training_with_kept_photographs_is_resumed(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "BANK", 8)
    monkeypatch.setattr(objective, "PICTURES_MEASURED", 16)
    options = TrainOptions(
        width=0.05,
        steps=4,
        until=4,
        batch=4,
        made=0.25,
        warmup_steps=1,
        validate_every=2,
        validation=1,
        dtype="float32",
        resident=True,
        crop=CropOptions(size_pixels=32),
    )
    whole = loop.train(options, [photos], tmp_path / "whole")
    loop.train(replace(options, until=2), [photos], tmp_path / "parts")
    parts = loop.train(options, [photos], tmp_path / "parts")
    assert whole.read_bytes() == parts.read_bytes()


def test_the_name_of_a_model_stands_for_its_packaged_weights() -> None:
    assert weight_names.located(Path("richart2017")).name == "richart2017.safetensors"
    assert weight_names.located(Path("richart2017")).is_file()
