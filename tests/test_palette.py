"""The 313 bins, their soft encoding, prior and weights, against published values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pycolor.models import palette

BINS = torch.tensor(palette.gamut_bins().tolist(), dtype=torch.float64)


def test_bins_are_the_published_313() -> None:
    bins = palette.gamut_bins()
    np.testing.assert_array_equal(bins, palette.derived_bins())
    assert bins.shape == (313, 2)
    assert [0, 0] in bins.tolist()
    assert (bins % 10 == 0).all()
    assert bins.tolist() == sorted(bins.tolist())
    with pytest.raises(ValueError, match="read-only"):
        bins[0, 0] = 1


@pytest.mark.needs_data
def test_bins_and_weights_equal_the_released_files(data_folder) -> None:
    released = np.load(data_folder / "palette" / "pts_in_hull.npy")
    np.testing.assert_array_equal(palette.gamut_bins(), released)
    prior = np.load(data_folder / "palette" / "prior_probs.npy")
    weights = palette.rebalancing_weights(prior)
    bins = palette.gamut_bins().tolist()
    assert weights[bins.index([0, 0])] == pytest.approx(0.096503, abs=1e-6)
    assert weights.max() == pytest.approx(6.174868, abs=1e-6)
    assert bins[int(weights.argmax())] == [100, -90]


@given(st.floats(-110, 110), st.floats(-110, 110), st.integers(1, 10))
def test_soft_encoding_is_a_distribution_over_the_nearest(a: float, b: float, k: int) -> None:
    ab = torch.tensor([[a, b]], dtype=torch.float64)
    weights, index = palette.soft_encode(ab, BINS, k=k)
    assert weights.sum().item() == pytest.approx(1)
    assert (weights[:, :-1] >= weights[:, 1:] - 1e-12).all()
    distance = (BINS - ab).square().sum(1)
    np.testing.assert_allclose(
        distance[index[0]].numpy(), distance.sort().values[:k].numpy(), atol=1e-9
    )


def test_soft_encoding_of_a_bin_follows_the_gaussian() -> None:
    # From a bin well inside the hull: itself at distance 0 and four neighbors at 10.
    weights, index = palette.soft_encode(torch.tensor([[0.0, 0.0]]), BINS.float())
    assert BINS[index[0, 0]].tolist() == [0, 0]
    neighbor = np.exp(-100 / 50)
    assert weights[0, 0].item() == pytest.approx(1 / (1 + 4 * neighbor), abs=1e-6)


def test_prior_of_one_color_peaks_there() -> None:
    ab = torch.tensor([[30.0, -20.0]]).expand(100, 2)
    bins = palette.gamut_bins()
    prior = palette.prior_from_histogram(palette.histogram(ab), bins)
    assert prior.sum() == pytest.approx(1)
    assert bins[int(prior.argmax())].tolist() == [30, -20]


def test_prior_needs_pixels() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        palette.prior_from_histogram(np.zeros((256, 256)), palette.gamut_bins())


@given(st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_rebalancing_keeps_the_mean(uniform: float, seed: int) -> None:
    prior = np.random.default_rng(seed).dirichlet(np.ones(313)) + 1e-9
    prior /= prior.sum()
    weights = palette.rebalancing_weights(prior, uniform)
    assert (prior * weights).sum() == pytest.approx(1)
    order = np.argsort(prior)
    assert (np.diff(weights[order]) <= 1e-9 * weights.max()).all()
    if uniform == 1:
        np.testing.assert_allclose(weights, 1)
