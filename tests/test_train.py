"""Training: data, augmentation, loss and a loop that can be killed."""

from __future__ import annotations

import io
import math
import sys
import tarfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.errors import FilmError, UsageError
from pycolor.models import palette, zoo
from pycolor.models.checkpoints import weight_files
from pycolor.ops.reference import rgb_to_lab
from pycolor.train import loop
from pycolor.train.data.augment import CLEAN, film_luma
from pycolor.train.data.photos import Stream, find_photos, random_crop
from pycolor.train.learning.learner import learning_rate
from pycolor.train.losses import rebalanced_classification, soft_cross_entropy
from pycolor.train.monitor.log import Progress
from pycolor.train.monitor.validation_sheet import sheet
from pycolor.train.recipes.option_groups import CropOptions, FilmOptions
from pycolor.train.recipes.options import TrainOptions

TINY = TrainOptions(
    width=0.05,
    steps=4,
    batch=4,
    warmup_steps=1,
    validate_every=2,
    validation=2,
    dtype="float32",
    crop=CropOptions(size_pixels=32),
)


def jpeg(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    low = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(low).resize((60, 48)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    for i in range(6):
        (folder / "deep" / f"{i}.jpg").write_bytes(jpeg(i))
    with tarfile.open(folder / "more.tar", "w") as tar:
        for i in range(6, 12):
            member = tarfile.TarInfo(f"set/{i}.jpg")
            content = jpeg(i)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return folder


def test_folders_and_tars_hold_the_same_pictures(photos: Path) -> None:
    found = find_photos([photos])
    assert [Path(p.name).stem for p in found] == [str(i) for i in range(12)]
    for i, photo in enumerate(found):
        assert photo.read() == jpeg(i)


def test_missing_and_empty_data_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        find_photos([tmp_path / "nowhere"])
    with pytest.raises(UsageError, match="found none in"):
        find_photos([tmp_path])
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    with pytest.raises(UsageError, match=r"folders or \.tar"):
        find_photos([text])


def test_stream_goes_on_where_it_was(photos: Path) -> None:
    def take(first: int, count: int) -> list[torch.Tensor]:
        batches = Stream(find_photos([photos]), 5, CropOptions(size_pixels=16), 7).batches(first)
        return [next(batches).rgb for _ in range(count)]

    for whole, late in zip(take(0, 6)[3:], take(3, 3), strict=True):
        assert torch.equal(whole, late)


def test_damaged_pictures_are_skipped_and_named(photos: Path) -> None:
    (photos / "deep" / "3.jpg").write_bytes(jpeg(3)[:200])
    (photos / "deep" / "4.jpg").write_bytes(b"not a picture")
    batch = next(Stream(find_photos([photos]), 12, CropOptions(size_pixels=16), 0).batches())
    assert {Path(s).stem for s in batch.skipped} == {"3", "4"}
    assert batch.rgb.shape == (12, 3, 16, 16)


def test_random_crop_covers_small_and_long_pictures() -> None:
    rng = np.random.default_rng(0)
    for size in ((8, 200), (200, 8), (1, 1)):
        crop = random_crop(Image.new("RGB", size, (10, 200, 30)), CropOptions(size_pixels=16), rng)
        assert crop.shape == (16, 16, 3)
        assert (crop == (10, 200, 30)).all()


def test_clean_film_is_luma() -> None:
    rgb = torch.rand(2, 3, 24, 24)
    luma = film_luma(rgb, CLEAN, torch.Generator().manual_seed(0))
    expected = 0.299 * rgb[:, 0] + 0.587 * rgb[:, 1] + 0.114 * rgb[:, 2]
    torch.testing.assert_close(luma[:, 0], expected)


def test_film_stays_in_range_and_is_repeatable() -> None:
    rgb = torch.rand(8, 3, 24, 24)
    always = FilmOptions(emulsion=1, tone=1, vignette=1, blur=1, grain=1, scratch=1)
    a = film_luma(rgb, always, torch.Generator().manual_seed(3))
    b = film_luma(rgb, always, torch.Generator().manual_seed(3))
    assert torch.equal(a, b)
    assert a.min() >= 0
    assert a.max() <= 1
    assert not torch.equal(a, film_luma(rgb, always, torch.Generator().manual_seed(4)))


def test_film_options_check_themselves() -> None:
    with pytest.raises(UsageError, match="probability"):
        FilmOptions(grain=1.5)


def test_soft_cross_entropy_against_the_sum() -> None:
    logits = torch.randn(2, 7, 3, 4, dtype=torch.float64)
    weights = torch.rand(24, 3, dtype=torch.float64).softmax(1)
    index = torch.randint(0, 7, (24, 3))
    dense = torch.zeros(24, 7, dtype=torch.float64).scatter_add_(1, index, weights)
    log_p = torch.log_softmax(logits, 1).permute(0, 2, 3, 1).reshape(24, 7)
    got = soft_cross_entropy(logits, weights.float(), index)
    torch.testing.assert_close(got.double(), -(dense * log_p).sum(1), rtol=1e-5, atol=1e-5)


def test_gradient_of_the_soft_cross_entropy() -> None:
    """Softmax minus the target, under any weight of a pixel, also where scores are extreme."""
    logits = torch.randn(1, 9, 2, 3)
    logits[0, :, 0, 0] *= 1e4
    logits.requires_grad_()
    weights = torch.rand(6, 4).softmax(1)
    index = torch.stack([torch.randperm(9)[:4] for _ in range(6)])
    outer = torch.rand(6)
    soft_cross_entropy(logits, weights, index).backward(outer)
    dense = torch.zeros(6, 9).scatter_add_(1, index, weights)
    softmax = logits.detach().softmax(1).permute(0, 2, 3, 1).reshape(6, 9)
    expected = ((softmax - dense) * outer[:, None]).reshape(1, 2, 3, 9).permute(0, 3, 1, 2)
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, expected, rtol=1e-5, atol=1e-6)


def test_loss_ignores_gray_pictures_and_starts_at_the_uniform_entropy() -> None:
    bins = torch.tensor(palette.gamut_bins().tolist(), dtype=torch.float32)
    ab = torch.zeros(2, 2, 4, 4)
    ab[0] = 40
    logits = torch.zeros(2, 313, 4, 4)
    loss = rebalanced_classification(logits, ab, bins, torch.ones(313))
    assert loss.item() == pytest.approx(math.log(313), rel=1e-5)
    logits[1] = torch.randn(313, 4, 4)
    again = rebalanced_classification(logits, ab, bins, torch.ones(313))
    assert again.item() == pytest.approx(loss.item())


def test_learning_rate_warms_up_holds_and_falls() -> None:
    o = replace(TINY, steps=100, warmup_steps=10, decay=0.5, lr=1.0)
    rates = [learning_rate(s, o) for s in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9:51] == [1.0] * 42
    assert all(a > b for a, b in pairwise(rates[50:]))
    assert rates[-1] < 0.02


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_killed_training_resumes_to_the_same_weights(
    photos: Path, tmp_path: Path, optimizer: Literal["adamw", "muon"]
) -> None:
    tiny = replace(TINY, optimizer=optimizer)
    whole = loop.train(tiny, [photos], tmp_path / "whole")

    class KilledError(Exception):
        pass

    def kill(progress: Progress) -> None:
        if progress.step == 3:
            raise KilledError

    # Reports come once a second or at a validation: validate at every step to die at step 3.
    with pytest.raises(KilledError):
        loop.train(replace(tiny, validate_every=1), [photos], tmp_path / "cut", kill)
    resumed = loop.train(tiny, [photos], tmp_path / "cut")
    a, b = weight_files.read(whole).state, weight_files.read(resumed).state
    assert a.keys() == b.keys()
    assert all(torch.equal(a[k], b[k]) for k in a)
    lines = (tmp_path / "cut" / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "1", "2", "4"]


def test_a_run_that_ends_early_is_the_beginning_of_a_longer_one(
    photos: Path, tmp_path: Path
) -> None:
    whole = loop.train(TINY, [photos], tmp_path / "whole")
    early = loop.train(replace(TINY, until=2), [photos], tmp_path / "early")
    lines = (tmp_path / "early" / "log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["step", "2"]
    a, b = weight_files.read(whole).state, weight_files.read(early).state
    assert not all(torch.equal(a[k], b[k]) for k in a)
    b = weight_files.read(loop.train(TINY, [photos], tmp_path / "early")).state
    assert all(torch.equal(a[k], b[k]) for k in a)
    with pytest.raises(UsageError, match=r"until must lie in 0 … 4, got 5"):
        replace(TINY, until=5)


def test_a_trunk_waits_and_keeps_its_statistics(photos: Path, tmp_path: Path) -> None:
    """It is as it came until its steps begin; then its kernels move, its running means do not."""
    start = zoo.create("pycolor2026", width=0.25)
    file = tmp_path / "start.safetensors"
    weight_files.write(file, "pycolor2026", start.state_dict(), start.options, {}, half=False)
    options = TrainOptions(
        model="pycolor2026",
        width=0.25,
        init=file,
        steps=2,
        trunk_after=2,
        batch=4,
        validation=2,
        validate_every=1,
        crop=CropOptions(size_pixels=32),
    )
    loop.train(options, [photos], tmp_path / "run")
    kept = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["model"]
    trunk = {k: v for k, v in start.state_dict().items() if k.startswith("trunk.")}
    assert all(torch.equal(kept[k], v) for k, v in trunk.items())
    assert not torch.equal(kept["scores.bias"], start.state_dict()["scores.bias"])
    loop.train(replace(options, steps=3), [photos], tmp_path / "run")
    moved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["model"]
    stem, mean = "trunk.stem.0.weight", "trunk.stem.1.running_mean"
    assert not torch.equal(moved[stem], trunk[stem])
    assert torch.equal(moved[mean], trunk[mean])


def test_only_a_trunk_can_wait(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="zhang2016 has no trunk: trunk-after must be 0, got 2"):
        loop.train(replace(TINY, trunk_after=2), [photos], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_starting_weights_must_fit(photos: Path, tmp_path: Path) -> None:
    weights = loop.train(replace(TINY, steps=1), [photos], tmp_path / "small")
    again = loop.train(replace(TINY, steps=1, init=weights, seed=1), [photos], tmp_path / "on")
    assert again.exists()
    with pytest.raises(FilmError, match=r"do not fit the network: size mismatch for model1") as e:
        loop.train(replace(TINY, steps=1, init=weights, width=0.2), [photos], tmp_path / "wide")
    assert "\n" not in str(e.value)


def test_training_refuses_another_runs_folder(photos: Path, tmp_path: Path) -> None:
    loop.train(replace(TINY, steps=1), [photos], tmp_path)
    with pytest.raises(UsageError, match="other options"):
        loop.train(replace(TINY, steps=1, batch=2), [photos], tmp_path)


def test_training_learns_one_color(tmp_path: Path) -> None:
    """A world of orange pictures is orange: the loop must get there, in a few steps."""
    folder = tmp_path / "orange"
    folder.mkdir()
    for i in range(8):
        gray = np.linspace(40, 200, 48 * 48).reshape(48, 48) + 4 * i
        rgb = np.stack([gray, gray * 0.6, gray * 0.25], -1).clip(0, 255).astype(np.uint8)
        Image.fromarray(rgb).save(folder / f"{i}.png")
    options = replace(TINY, steps=60, lr=5e-3, validate_every=60, film=CLEAN, ema=0.8)
    loaded = weight_files.load("zhang2016", loop.train(options, [folder], tmp_path / "run"))
    with torch.no_grad():
        logits = loaded.network(torch.full((1, 1, 32, 32), 50.0))
    ab = torch.einsum("nqhw,qc->nchw", (logits / 0.38).softmax(1), loaded.network.palette)
    a, b = ab.mean((0, 2, 3)).tolist()
    assert a > 5
    assert b > 25


def test_validations_are_shown_gray_colored_and_true(photos: Path, tmp_path: Path) -> None:
    loop.train(TINY, [photos], tmp_path)
    shown = sorted((tmp_path / "validation").iterdir())
    assert [p.name for p in shown] == ["0000002.jpg", "0000004.jpg"]
    with Image.open(shown[0]) as page:
        assert page.size == (3 * 32, 2 * 32)  # two pictures are held out


def test_a_sheet_of_known_colors() -> None:
    rgb = torch.rand(2, 3, 8, 8)
    lab = rgb_to_lab(rgb)
    page = np.asarray(sheet(lab[:, :1], lab[:, 1:], rgb)).astype(int)
    gray, colored, true = page[:, :8], page[:, 8:16], page[:, 16:]
    assert (gray == gray[..., :1]).all()
    assert np.abs(colored - true).max() <= 1
    assert (true[:8] == (rgb[0] * 255).round().permute(1, 2, 0).numpy()).all()


def test_tensorboard_has_scalars_and_pictures(photos: Path, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    loop.train(replace(TINY, tensorboard=True), [photos], tmp_path)
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [e.step for e in events.Scalars("validation_loss")] == [2, 4]
    assert [e.step for e in events.Images("validation")] == [2, 4]


def test_tensorboard_is_asked_for_by_name(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    loop.train(replace(TINY, steps=1), [photos], tmp_path / "without")
    with pytest.raises(UsageError, match=r"pip install 'pycolor-film\[tensorboard\]'"):
        loop.train(replace(TINY, steps=1, tensorboard=True), [photos], tmp_path / "with")


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_training_run_twice_gives_the_same_bits(
    photos: Path, tmp_path: Path, optimizer: Literal["adamw", "muon"]
) -> None:
    options = replace(TINY, steps=3, optimizer=optimizer, dtype="bfloat16", workers=2)
    first, second = (loop.train(options, [photos], tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
