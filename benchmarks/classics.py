"""Classic colorizers that need no training: color transfer by reference, and scribbles.

They are baselines: what one reference picture, or a few hints, give without a network.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter
from scipy.sparse import coo_array, csc_array
from scipy.sparse.linalg import spsolve

Plane = npt.NDArray[np.float64]
# ℓαβ of Ruderman et al. 1998, as Reinhard et al. 2001 and Welsh et al. 2002 use it.
_RGB_TO_LMS = np.array(
    [[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]]
)
_LMS_TO_LAB = np.diag(1 / np.sqrt([3.0, 6.0, 2.0])) @ np.array(
    [[1.0, 1.0, 1.0], [1.0, 1.0, -2.0], [1.0, -1.0, 0.0]]
)
_DARKEST = 1 / 255  # the logarithm of black is none


def rgb_to_ruderman(rgb: Plane) -> Plane:
    """H×W×3 RGB in 0 … 1 → ℓαβ."""
    lms = np.maximum(rgb, _DARKEST) @ _RGB_TO_LMS.T
    return np.asarray(np.log10(lms) @ _LMS_TO_LAB.T)


def ruderman_to_rgb(lab: Plane) -> Plane:
    """The way back; may exceed 0 … 1."""
    lms = 10.0 ** (lab @ np.linalg.inv(_LMS_TO_LAB).T)
    return lms @ np.linalg.inv(_RGB_TO_LMS).T


def reinhard(target: Plane, reference: Plane) -> Plane:
    """Color transfer by mean and deviation in ℓαβ (Reinhard et al. 2001).

    A gray target has no spread in α and β to be scaled, so it takes the reference's mean color:
    the least that a reference can give.

    Args:
        target: H×W×3 RGB, 0 … 1.
        reference: h×w×3.

    Returns:
        H×W×3 RGB, 0 … 1.
    """
    a, b = rgb_to_ruderman(target), rgb_to_ruderman(reference)
    mean_a, mean_b = a.mean((0, 1)), b.mean((0, 1))
    spread_a, spread_b = a.std((0, 1)), b.std((0, 1))
    scale = np.divide(spread_b, spread_a, out=np.ones(3), where=spread_a > 1e-6)
    scale[0], mean_b[0] = 1.0, mean_a[0]  # a colorizer leaves the luminance alone
    return ruderman_to_rgb((a - mean_a) * scale + mean_b).clip(0, 1)


def welsh(luma: Plane, reference: Plane, *, samples: int = 256, seed: int = 0) -> Plane:
    """Color by the most similar sample of a reference (Welsh, Ashikhmin, Mueller 2002).

    A pixel takes α and β of the sample that is nearest in luminance and in its deviation over
    5×5 pixels, half and half; the reference's luminance is first given the target's mean and
    deviation.  Samples are drawn from a jittered grid.

    Args:
        luma: H×W, 0 … 1.
        reference: h×w×3 RGB, 0 … 1.
        samples: about so many.
        seed: of the jitter.

    Returns:
        H×W×3 RGB, 0 … 1.
    """
    target = rgb_to_ruderman(np.repeat(luma[..., None], 3, 2))
    lab = rgb_to_ruderman(reference)
    light, known = target[..., 0], lab[..., 0]
    scale = light.std() / max(known.std(), 1e-6)
    known = (known - known.mean()) * scale + light.mean()
    rows, columns = _jittered(known.shape[0], known.shape[1], samples, seed)
    features = np.stack([known, _deviation(known)], -1)[rows, columns]
    wanted = np.stack([light, _deviation(light)], -1).reshape(-1, 2)
    spread = np.maximum(wanted.std(0), 1e-6)
    gap = ((wanted[:, None] - features[None]) / spread) ** 2
    nearest = gap.sum(-1).argmin(1)
    colored = target.copy()
    colored[..., 1:] = lab[rows, columns, 1:][nearest].reshape(*luma.shape, 2)
    return ruderman_to_rgb(colored).clip(0, 1)


def levin(luma: Plane, hints: Plane, given: npt.NDArray[np.bool_]) -> Plane:
    """Scribbles spread where luma is alike (Levin, Lischinski, Weiss 2004, eq. 1, 2).

    Each pixel's chroma is the weighted mean of its eight neighbors', the weight being
    exp(−(Y − Y′)² / 2σ²) with σ² the variance of luma around the pixel; hints stand fast.

    Args:
        luma: H×W, 0 … 1.
        hints: H×W×C chroma where it is given.
        given: H×W.

    Returns:
        H×W×C chroma everywhere.

    Raises:
        ValueError: nothing is given.
    """
    if not given.any():
        raise ValueError("expected one hint or more, got none")
    system = _affinity(luma, given)
    solved = [
        spsolve(system, np.where(given, hint, 0.0).ravel()) for hint in np.moveaxis(hints, 2, 0)
    ]
    return np.stack(solved, -1).reshape(*luma.shape, -1)


def _affinity(luma: Plane, given: npt.NDArray[np.bool_]) -> csc_array:
    """The sparse system: identity where a hint stands, else 1 minus the neighbors' weights."""
    height, width = luma.shape
    index = np.arange(luma.size).reshape(luma.shape)
    mean = uniform_filter(luma, 3)
    variance = np.maximum(uniform_filter(luma**2, 3) - mean**2, 1e-6)
    rows, columns, weights = [], [], []
    total = np.zeros_like(luma)
    for dy, dx in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        own = (slice(max(0, -dy), height - max(0, dy)), slice(max(0, -dx), width - max(0, dx)))
        other = (slice(max(0, dy), height + min(0, dy)), slice(max(0, dx), width + min(0, dx)))
        weight = np.exp(-((luma[own] - luma[other]) ** 2) / (2 * variance[own]))
        weight = np.maximum(weight, 1e-6)  # no pixel is cut off from all others
        total[own] += weight
        rows.append(index[own].ravel())
        columns.append(index[other].ravel())
        weights.append(weight.ravel())
    row, column, weight = (np.concatenate(x) for x in (rows, columns, weights))
    free = ~given.ravel()[row]
    row, column, weight = row[free], column[free], weight[free] / total.ravel()[row[free]]
    every = index.ravel()
    data = np.concatenate([np.ones(luma.size), -weight])
    places = (np.concatenate([every, row]), np.concatenate([every, column]))
    return coo_array((data, places), shape=(luma.size, luma.size)).tocsc()


def _deviation(plane: Plane) -> Plane:
    """Standard deviation over 5×5 pixels."""
    mean = uniform_filter(plane, 5)
    return np.asarray(np.sqrt(np.maximum(uniform_filter(plane**2, 5) - mean**2, 0)))


def _jittered(
    height: int, width: int, samples: int, seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """A point by chance in each cell of a grid."""
    across = max(1, round((samples * width / height) ** 0.5))
    down = max(1, round(samples / across))
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:down, :across].reshape(2, -1) + chance.random((2, down * across))
    return (y / down * height).astype(np.intp), (x / across * width).astype(np.intp)
