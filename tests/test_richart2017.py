"""The perceptron and its map: as a plain re-computation, and trained on a world of two colors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.errors import UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.networks.richart2017 import PATCH, Richart2017, recognize
from pycolor.train import loop
from pycolor.train.data.augment import CLEAN
from pycolor.train.recipes.option_groups import CropOptions
from pycolor.train.recipes.options import TrainOptions


def test_the_convolution_is_the_perceptron_on_every_patch() -> None:
    network = Richart2017(rows=2, columns=2).requires_grad_(False)
    network.colors.uniform_(-50, 50)
    lightness = torch.rand(2, 1, 9, 12) * 100
    state = {key: value.double() for key, value in network.state_dict().items()}
    w1, b1 = state["hidden.weight"].flatten(1), state["hidden.bias"]
    w2, b2 = state["classes.weight"].flatten(1), state["classes.bias"]
    assert w1.shape == (100, 49)
    padded = np.pad(lightness[:, 0].double().numpy(), ((0, 0), (3, 3), (3, 3)), mode="edge")
    scores = network(lightness).double()
    for n, y, x in ((0, 0, 0), (0, 4, 5), (1, 8, 11), (1, 3, 0)):
        patch = torch.from_numpy(padded[n, y : y + PATCH, x : x + PATCH].reshape(-1)) / 50 - 1
        want = w2 @ (w1 @ patch + b1).clamp_min(0) + b2
        torch.testing.assert_close(scores[n, :, y, x], want, atol=1e-5, rtol=1e-5)
    mean = torch.einsum("nqhw,qc->nchw", scores.softmax(1), state["colors"])
    got = network.chroma(lightness).double()
    torch.testing.assert_close(got, mean, atol=1e-3, rtol=1e-4)
    mode = network.chroma(lightness, temperature=0)
    assert torch.equal(mode, network.colors[scores.argmax(1)].permute(0, 3, 1, 2))


def test_size_of_the_published_perceptron() -> None:
    assert sum(p.numel() for p in Richart2017().parameters()) == 49 * 100 + 100 + 100 * 9 + 9


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 130)])
def test_any_size(size: tuple[int, int]) -> None:
    assert Richart2017(width=0.1)(torch.rand(1, 1, *size) * 100).shape == (1, 9, *size)


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (3, 3), (1, 7), (2, 6)])
def test_recognized_by_its_state(rows: int, columns: int) -> None:
    found = recognize(Richart2017(0.5, rows, columns).state_dict())
    assert found is not None
    assert found["width"] == 0.5
    assert found["rows"] * found["columns"] == rows * columns


def test_an_empty_map_is_refused() -> None:
    with pytest.raises(UsageError, match="rows and columns must be 1 or more"):
        zoo.create("richart2017", rows=0)


def test_dark_is_blue_and_light_is_orange(tmp_path: Path) -> None:
    """Two colors told apart by their gray: the map finds both, the perceptron tells which."""
    folder = tmp_path / "photos"
    folder.mkdir()
    dark, light = np.array([20, 40, 130]), np.array([250, 190, 90])
    for i in range(8):
        cells = np.random.default_rng(i).integers(0, 2, (4, 4))
        picture = np.kron(cells, np.ones((12, 12), int))[..., None]
        rgb = np.where(picture > 0, light, dark).astype(np.uint8)
        Image.fromarray(rgb).save(folder / f"{i}.png")
    options = TrainOptions(
        model="richart2017",
        width=0.2,
        network="rows=1,columns=2",
        steps=60,
        batch=8,
        lr=2e-2,
        warmup_steps=1,
        validate_every=60,
        validation=1,
        ema=0.5,
        dtype="float32",
        film=CLEAN,
        crop=CropOptions(size_pixels=32, max_stretch=1),
    )
    loaded = weight_files.load(weights=loop.train(options, [folder], tmp_path / "run"))
    with torch.no_grad():
        field = loaded.network.chroma(
            torch.tensor([20.0, 80.0]).reshape(2, 1, 1, 1).repeat(1, 1, 9, 9)
        )
    (_, b_dark), (_, b_light) = field.mean((2, 3)).tolist()
    assert b_dark < -30
    assert b_light > 30
    gray = tmp_path / "gray"
    gray.mkdir()
    Image.new("RGB", (40, 40), (90, 90, 90)).save(gray / "0.png")
    with pytest.raises(UsageError, match="are gray"):
        loop.train(replace(options, steps=1), [gray], tmp_path / "none")
