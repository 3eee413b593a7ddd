"""The self-organizing map: its fixed points, its order, and what it must never do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from pycolor.train.clustering.som import grid, nearest_neuron, quantization_error, train_som


def clouds(seed: int, count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centers = rng.uniform(-60, 60, (5, 2))
    return centers[rng.integers(0, 5, count)] + rng.normal(0, 8, (count, 2))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 5))
def test_neurons_stay_in_the_hull_of_the_samples(seed: int, rows: int, columns: int) -> None:
    samples = clouds(seed)
    neurons = train_som(samples, rows, columns, iterations=10)
    assert neurons.shape == (rows * columns, 2)
    planes = ConvexHull(samples).equations
    assert (neurons @ planes[:, :2].T + planes[:, 2] <= 1e-6).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_more_neurons_lower_the_error(seed: int) -> None:
    samples = clouds(seed)
    one, four, nine = (quantization_error(samples, train_som(samples, n, n)) for n in (1, 2, 3))
    assert nine < four < one


def test_one_neuron_is_the_mean() -> None:
    samples = clouds(0)
    np.testing.assert_allclose(train_som(samples, 1, 1)[0], samples.mean(0), atol=1e-9)


def test_separate_clusters_get_a_neuron_each() -> None:
    rng = np.random.default_rng(1)
    centers = np.array([[-50.0, -50], [-50, 50], [50, -50], [50, 50]])
    samples = np.repeat(centers, 200, axis=0) + rng.normal(0, 1, (800, 2))
    neurons = train_som(samples, 2, 2)
    gaps = np.linalg.norm(neurons[:, None] - centers[None], axis=-1)
    assert sorted(gaps.argmin(1)) == [0, 1, 2, 3]
    assert gaps.min(1).max() < 1.5


def test_map_keeps_the_order_of_a_line() -> None:
    line = np.stack([np.linspace(-80, 80, 500), np.zeros(500)], axis=1)
    position = train_som(line, 1, 7)[:, 0]
    steps = np.diff(position)
    assert (steps > 5).all() or (steps < -5).all()


def test_neighbors_on_the_map_are_neighbors_in_color() -> None:
    samples = np.random.default_rng(2).uniform(-50, 50, (4000, 2))
    neurons, place = train_som(samples, 4, 4), grid(4, 4)
    on_map = np.abs(place[:, None] - place[None]).sum(-1)
    in_color = np.linalg.norm(neurons[:, None] - neurons[None], axis=-1)
    assert in_color[on_map == 1].max() < in_color[on_map >= 4].min()


def test_order_of_the_samples_does_not_matter() -> None:
    samples = clouds(3)
    shuffled = samples[np.random.default_rng(4).permutation(len(samples))]
    np.testing.assert_allclose(train_som(samples, 3, 3), train_som(shuffled, 3, 3), atol=1e-6)


def test_equal_samples_give_equal_neurons() -> None:
    same = np.full((10, 2), 7.0)
    np.testing.assert_allclose(train_som(same, 3, 2), np.full((6, 2), 7.0))


def test_nearest_neuron_against_all_distances() -> None:
    rng = np.random.default_rng(5)
    samples, neurons = rng.normal(size=(200, 3)), rng.normal(size=(11, 3))
    want = np.linalg.norm(samples[:, None] - neurons[None], axis=-1).argmin(1)
    np.testing.assert_array_equal(nearest_neuron(samples, neurons), want)


@pytest.mark.parametrize(
    ("samples", "rows", "message"),
    [
        (np.zeros((0, 2)), 2, "M > 0"),
        (np.array([[0.0, np.nan]]), 2, "finite"),
        (np.zeros((3, 2)), 0, "1 or more"),
    ],
)
def test_bad_input_is_refused(samples: np.ndarray, rows: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train_som(samples, rows, 2)
