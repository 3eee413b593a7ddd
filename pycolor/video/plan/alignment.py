"""Where a version of a film that lacks frames at its ends begins in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import correlate

_FEWEST = 24  # frames
# Of the correlation of the changes from frame to frame: at the place, and less anywhere else.
_ALIKE, _MARGIN = 0.9, 0.1


def offset_of(film: npt.NDArray[np.float32], version: npt.NDArray[np.float32]) -> int | None:
    """Number of the film's frame that is the version's first; None where that is in doubt.

    Args:
        film: of each frame how much it differs from the one before.
        version: the same of its version, which has fewer frames.

    Returns:
        the place where the two correlate by 0.9 or more (Pearson's r), and by 0.1 less at any
        other.
    """
    count, places = len(version) - 1, len(film) - len(version) + 1
    if count < _FEWEST or places < 2:
        return None
    changes, own = film[1:].astype(np.float64), version[1:].astype(np.float64)
    own = own - own.mean()
    spread = np.sqrt((own**2).sum())
    sums, squares = (np.concatenate([[0.0], np.cumsum(x)]) for x in (changes, changes**2))
    mean = (sums[count:] - sums[:-count]) / count
    power = squares[count:] - squares[:-count] - count * mean**2
    scale = spread * np.sqrt(power.clip(1e-12))
    r = correlate(changes, own, "valid") / np.maximum(scale, 1e-12)
    best = int(r.argmax())
    second = np.delete(r, best).max()
    return best if r[best] >= _ALIKE and r[best] - second >= _MARGIN else None
