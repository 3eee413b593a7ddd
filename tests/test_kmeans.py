"""k-means: its fixed point, its order, its limits."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pycolor.train.clustering.kmeans import kmeans


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 9))
def test_centers_are_the_means_of_their_nearest_samples(seed: int, clusters: int) -> None:
    samples = torch.randn(60, 3, generator=chance(seed), dtype=torch.float64)
    centers, label = kmeans(samples, clusters, chance(seed), iterations=500)
    assert torch.equal(label, torch.cdist(samples, centers).argmin(1))
    for k in range(clusters):
        torch.testing.assert_close(centers[k], samples[label == k].mean(0))


def test_far_clusters_are_found() -> None:
    true = torch.tensor([[0.0, 0], [100, 0], [0, 100], [100, 100], [50, 200]])
    samples = true.repeat_interleave(40, 0) + torch.randn(200, 2, generator=chance())
    centers, label = kmeans(samples, 5, chance(3))
    assert torch.cdist(true, centers).min(1).values.max() < 1
    assert torch.bincount(label).tolist() == [40] * 5


def test_same_chance_same_clusters() -> None:
    samples = torch.randn(100, 4)
    assert torch.equal(kmeans(samples, 7, chance(5))[0], kmeans(samples, 7, chance(5))[0])


def test_equal_samples_and_as_many_clusters_as_samples() -> None:
    same = torch.full((6, 2), 3.0)
    centers, label = kmeans(same, 3, chance())
    assert torch.equal(centers, torch.full((3, 2), 3.0))
    assert label.shape == (6,)
    few = torch.arange(4.0)[:, None]
    assert kmeans(few, 4, chance())[0].flatten().sort().values.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("clusters", [0, 5])
def test_too_many_or_no_clusters_are_refused(clusters: int) -> None:
    with pytest.raises(ValueError, match="1 to 4 samples"):
        kmeans(torch.zeros(4, 2), clusters, chance())
