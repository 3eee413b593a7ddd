"""The classic colorizers that ours is measured beside."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.classics import levin, reinhard, rgb_to_ruderman, ruderman_to_rgb, welsh
from benchmarks.peers import load, measure, most_alike, run_peer, scribbled
from pycolor.errors import FilmError


def noise(
    height: int, width: int, seed: int = 0
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.random.default_rng(seed).uniform(0.1, 0.9, (height, width, 3))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(3):
        large = np.kron(noise(5, 6, i), np.ones((8, 8, 1)))
        Image.fromarray((255 * large).astype(np.uint8)).save(tmp_path / f"{i}.png")
    return tmp_path


def test_ruderman_space_has_gray_on_one_axis_and_a_way_back() -> None:
    rgb = noise(6, 5)
    assert np.allclose(ruderman_to_rgb(rgb_to_ruderman(rgb)), rgb)
    gray = rgb_to_ruderman(np.full((1, 1, 3), 0.5))[0, 0]
    assert np.abs(gray[1:]).max() < 0.01  # to the four digits that the matrices are printed with


def test_reinhard_gives_back_its_own_reference_and_the_mean_color_to_gray() -> None:
    rgb = noise(8, 8)
    assert np.allclose(reinhard(rgb, rgb), rgb)
    gray = np.repeat(noise(8, 8, 1)[..., :1], 3, 2)
    colored = rgb_to_ruderman(reinhard(gray, rgb))
    expected = rgb_to_ruderman(rgb).mean((0, 1))
    assert np.allclose(colored.mean((0, 1))[1:], expected[1:], atol=0.02)


def test_welsh_takes_the_color_of_like_luma() -> None:
    left, right = np.array([0.8, 0.3, 0.3]), np.array([0.1, 0.2, 0.5])
    reference = np.empty((32, 32, 3))
    reference[:, :16], reference[:, 16:] = left, right
    light = rgb_to_ruderman(reference)[..., 0]
    gray = 10 ** (light * np.sqrt(3) / 3)  # the gray of that lightness
    colored = rgb_to_ruderman(welsh(gray, reference, samples=64))
    wanted = rgb_to_ruderman(reference)
    inner = [(8, 4), (8, 27), (20, 5), (20, 26)]
    for y, x in inner:
        assert np.allclose(colored[y, x, 1:], wanted[y, x, 1:], atol=0.02)


def test_levin_fills_an_even_area_from_one_hint() -> None:
    hints, given = np.zeros((12, 16, 2)), np.zeros((12, 16), bool)
    hints[3, 2], given[3, 2] = (0.3, -0.1), True
    assert np.allclose(levin(np.full((12, 16), 0.2), hints, given), (0.3, -0.1))
    with pytest.raises(ValueError, match="one hint or more"):
        levin(np.zeros((12, 16)), hints, np.zeros_like(given))


def test_levin_mixes_hints_and_changes_at_edges() -> None:
    edge = np.full((12, 16), 0.2)
    edge[:, 8:] = 0.9
    hints, given = np.zeros((12, 16, 1)), np.zeros((12, 16), bool)
    hints[:, 13] = 1
    given[:, [2, 13]] = True
    soft, sharp = (levin(luma, hints, given)[..., 0] for luma in (np.full((12, 16), 0.2), edge))
    # Between two scribbles on even luma: a straight line.
    assert np.allclose(soft[:, 2:14], np.linspace(0, 1, 12))
    assert sharp.min() > -1e-9
    assert sharp.max() < 1 + 1e-9
    assert (sharp[:, 7] < soft[:, 7]).all()
    step = sharp[:, 8] - sharp[:, 7]
    assert (step > 4 * (sharp[:, 6] - sharp[:, 5])).all()


def test_more_scribbles_are_nearer_to_the_truth(folder: Path) -> None:
    photos = load(folder, 3)
    assert len(photos) == 3
    assert most_alike(photos[0], photos) is not photos[0]
    few = measure("few", lambda p, _: scribbled(p, 0.01), photos[:1])
    many = measure("many", lambda p, _: scribbled(p, 0.3), photos[:1])
    assert many.values["ciede2000"] < few.values["ciede2000"]
    full = scribbled(photos[0], 1.0)
    assert torch.allclose(full, photos[0].true, atol=0.01)


def test_a_peers_own_command_colors_the_folder(folder: Path) -> None:
    photos = load(folder, 3)
    copy = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=True)"
    method = run_peer("copier", f'{sys.executable} -c "{copy}" {{in}} {{out}}', photos)
    assert torch.allclose(method(photos[0], photos).double(), photos[0].gray, atol=1e-6)
    with pytest.raises(FilmError, match="copier wrote no picture named 0"):
        run_peer("copier", f"{sys.executable} -c pass", photos)
    with pytest.raises(FilmError, match=r"ended with code 1: .*no_such_module"):
        run_peer("copier", f"{sys.executable} -c 'import no_such_module'", photos)
