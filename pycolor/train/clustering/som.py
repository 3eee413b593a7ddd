"""A self-organizing map: a small palette learned from a set of colors.

Kohonen's batch map (T. Kohonen, "The self-organizing map", Proc. IEEE 78, 1990; the batch rule in
"Self-Organizing Maps", 1995, section 3.6).  Unlike the online rule it has no learning rate and
does not depend on the order of the samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Width of the neighborhood at the last iteration, in map units: the next neuron counts 0.4 %.
# Every neuron is then nearly the mean of its own samples, yet none can die.
LAST_SIGMA = 0.3


def grid(rows: int, columns: int) -> Floats:
    """Places of the neurons on the map, (rows·columns)×2, row by row."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.stack([row, column], axis=1).astype(np.float64)


def nearest_neuron(samples: Floats, neurons: Floats) -> npt.NDArray[np.int64]:
    """Index of the neuron nearest to each sample.

    Args:
        samples: M×D.
        neurons: Q×D.

    Returns:
        M indices; the first of several equally near.
    """
    score = (neurons**2).sum(1) - 2 * samples @ neurons.T
    return np.asarray(score.argmin(1))


def quantization_error(samples: Floats, neurons: Floats) -> float:
    """Mean distance of the samples from their nearest neurons."""
    return float(np.linalg.norm(samples - neurons[nearest_neuron(samples, neurons)], axis=1).mean())


def _plane(samples: Floats, rows: int, columns: int) -> Floats:
    """Neurons on a regular sheet along the first two principal axes, two deviations wide."""
    mean = samples.mean(0)
    value, axes = np.linalg.eigh(np.cov(samples.T, bias=True).reshape(samples.shape[1], -1))
    # The longer side of the map lies along the longest axis of the samples.
    order = np.argsort(value)[::-1][:2]
    across, along = (order[0], order[-1]) if rows > columns else (order[-1], order[0])
    place = grid(rows, columns)
    middle = np.array([rows - 1, columns - 1]) / 2
    unit = (place - middle) / np.maximum(middle, 1)
    deviation = np.sqrt(np.maximum(value, 0))
    sheet = mean + 2 * unit[:, :1] * deviation[across] * axes[:, across]
    if across != along:
        sheet = sheet + 2 * unit[:, 1:] * deviation[along] * axes[:, along]
    return np.asarray(sheet)


def train_som(samples: Floats, rows: int, columns: int, iterations: int = 60) -> Floats:
    """The neurons of a map trained on samples.

    Each iteration moves neuron i to Σ_x h(i, c(x)) x / Σ_x h(i, c(x)), where c(x) is the neuron
    nearest to x and h a Gaussian of the distance on the map, whose width falls geometrically from
    half of the map's longer side to `LAST_SIGMA`.

    Args:
        samples: M×D, finite.
        rows: of the map.
        columns: of the map.
        iterations: passes over the samples.

    Returns:
        (rows·columns)×D neurons, row by row; each lies in the convex hull of the samples.

    Raises:
        ValueError: no samples, one that is not finite, or an empty map.
    """
    if samples.ndim != 2 or len(samples) == 0:
        raise ValueError(f"samples must be M×D with M > 0, got {samples.shape}")
    if not np.isfinite(samples).all():
        raise ValueError("samples must be finite, they are not")
    if rows < 1 or columns < 1 or iterations < 1:
        raise ValueError(
            f"rows, columns and iterations must be 1 or more, got {rows}, {columns}, {iterations}"
        )
    place = grid(rows, columns)
    distance = ((place[:, None] - place[None]) ** 2).sum(-1)
    first = max(max(rows, columns) / 2, LAST_SIGMA)
    neurons = _plane(samples, rows, columns)
    for sigma in np.geomspace(first, LAST_SIGMA, iterations):
        winner = nearest_neuron(samples, neurons)
        count = np.bincount(winner, minlength=len(place)).astype(np.float64)
        total = np.stack([np.bincount(winner, x, minlength=len(place)) for x in samples.T], axis=1)
        # Scaled so that the nearest neuron with samples weighs 1: nothing underflows to 0/0.
        near = np.where(count > 0, distance, np.inf).min(1, keepdims=True)
        h = np.exp((near - distance) / (2 * sigma**2))
        h[:, count == 0] = 0
        neurons = (h @ total) / (h @ count)[:, None]
    return neurons
