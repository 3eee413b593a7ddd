"""Descriptors and the domain transform against other implementations and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage.feature import daisy as skimage_daisy

from pycolor.models.networks.features import gist as gist_module
from pycolor.models.networks.features.daisy import CHANNELS, daisy
from pycolor.models.networks.features.domain_transform import domain_transform
from pycolor.models.networks.features.gist import gist


def picture(seed: int, height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 1, 9, 11, generator=generator, dtype=torch.float64)
    smooth = F.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    grain = torch.rand(1, 1, height, width, generator=generator, dtype=torch.float64)
    return 0.9 * smooth + 0.1 * grain


@pytest.mark.parametrize("size", [(40, 57), (7, 30)])
def test_daisy_against_scikit_image(size: tuple[int, int]) -> None:
    gray = picture(1, *size)
    wide = np.pad(gray[0, 0].numpy(), 45, mode="edge")
    want = skimage_daisy(
        wide, step=1, radius=15, rings=1, histograms=3, orientations=8, normalization="l1"
    )
    got = daisy(gray)[0].permute(1, 2, 0).numpy()
    assert got.shape == (*size, CHANNELS)
    np.testing.assert_allclose(got, want[30:-30, 30:-30], atol=1e-9)
    single = daisy(gray.float())[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(single, got, atol=2e-5)


def test_daisy_of_an_even_picture_is_zero_and_of_any_other_sums_to_one() -> None:
    assert daisy(torch.full((1, 1, 20, 20), 0.4)).abs().max() == 0
    total = daisy(picture(2, 30, 30)).sum(1)
    torch.testing.assert_close(total, torch.ones_like(total), atol=1e-6, rtol=0)


def test_daisy_knows_no_brightness() -> None:
    gray = picture(3, 30, 30)
    torch.testing.assert_close(daisy(gray), daisy(0.3 * gray + 0.5), atol=1e-7, rtol=0)


def plain_domain_transform(
    signal: np.ndarray, guide: np.ndarray, space: float, tone: float, iterations: int
) -> np.ndarray:
    """The recursion, sample by sample, for one channel."""
    out = signal.astype(np.float64).copy()
    for i in range(iterations):
        sigma = space * math.sqrt(3) * 2 ** (iterations - i - 1) / math.sqrt(4**iterations - 1)
        a = math.exp(-math.sqrt(2) / sigma)
        for lines, edges in ((out, guide), (out.T, guide.T)):
            for line, edge in zip(lines, edges, strict=True):
                d = [1 + space / tone * abs(edge[k] - edge[k - 1]) for k in range(1, len(edge))]
                for k in range(1, len(line)):
                    line[k] += a ** d[k - 1] * (line[k - 1] - line[k])
                for k in range(len(line) - 2, -1, -1):
                    line[k] += a ** d[k] * (line[k + 1] - line[k])
    return out


@pytest.mark.parametrize(("height", "width"), [(9, 13), (1, 6), (5, 1)])
@pytest.mark.parametrize("iterations", [1, 3])
def test_domain_transform_against_the_plain_recursion(
    height: int, width: int, iterations: int
) -> None:
    signal = torch.rand(2, 3, height, width, dtype=torch.float64)
    guide = torch.rand(2, 1, height, width, dtype=torch.float64)
    got = domain_transform(signal, guide, sigma_space=5, sigma_range=0.3, iterations=iterations)
    for n in range(2):
        for c in range(3):
            want = plain_domain_transform(
                signal[n, c].numpy(), guide[n, 0].numpy(), 5, 0.3, iterations
            )
            np.testing.assert_allclose(got[n, c].numpy(), want, atol=1e-12)
    single = domain_transform(
        signal.float(), guide.float(), sigma_space=5, sigma_range=0.3, iterations=iterations
    )
    torch.testing.assert_close(single.double(), got, atol=1e-5, rtol=0)


def test_domain_transform_keeps_edges_constants_and_its_input() -> None:
    guide = torch.zeros(1, 1, 20, 40)
    guide[..., 20:] = 1
    noise = guide + 0.1 * torch.randn(1, 1, 20, 40)
    before = noise.clone()
    smooth = domain_transform(noise, guide, sigma_space=30, sigma_range=0.1)
    assert torch.equal(noise, before)
    assert (smooth[..., 20] - smooth[..., 19]).min() > 0.8
    assert smooth[..., :20].std() < 0.02
    even = torch.full((1, 2, 20, 40), 0.25)
    torch.testing.assert_close(domain_transform(even, guide), even)


def test_domain_transform_refuses_nonsense() -> None:
    x = torch.zeros(1, 1, 4, 4)
    with pytest.raises(ValueError, match="positive"):
        domain_transform(x, x, sigma_range=0)


def grating(cycles_per_pixel: float, turn: float) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    phase = 2 * math.pi * cycles_per_pixel * (x * math.cos(turn) + y * math.sin(turn))
    return (0.5 + 0.4 * torch.sin(phase)).reshape(1, 1, 128, 128)


@pytest.mark.parametrize("scale", range(gist_module.SCALES))
@pytest.mark.parametrize("orientation", [0, 3, 6])
def test_gist_finds_scale_and_orientation_of_a_grating(scale: int, orientation: int) -> None:
    descriptor = gist(grating(0.25 / 2**scale, math.pi * orientation / 8))
    energy = descriptor.reshape(gist_module.SCALES, gist_module.ORIENTATIONS, -1).mean(-1)
    assert divmod(int(energy.argmax()), gist_module.ORIENTATIONS) == (scale, orientation)


def test_gist_is_local_and_of_any_size() -> None:
    scene = torch.full((1, 1, 128, 128), 0.5)
    scene[..., :64, :64] = grating(0.125, 0)[..., :64, :64]
    cells = gist(scene).reshape(-1, 4, 4).sum(0)
    assert cells[:2, :2].min() > 3 * cells[2:, 2:].max()
    assert gist(torch.rand(3, 1, 50, 201)).shape == (3, gist_module.CHANNELS)


def test_gist_of_an_even_picture_is_zero() -> None:
    assert gist(torch.full((1, 1, 64, 64), 0.3)).max() < 1e-4


def test_gist_hardly_sees_brightness() -> None:
    gray = picture(4, 128, 128).float()
    dark = gist(0.6 * gray)
    assert (gist(gray) - dark).norm() < 0.15 * dark.norm()
