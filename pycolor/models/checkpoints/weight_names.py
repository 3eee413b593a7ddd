"""Which weight file a name stands for."""

from __future__ import annotations

from pathlib import Path

from pycolor.errors import UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints.cache import imported
from pycolor.models.checkpoints.published import PUBLISHED

PACKAGED = Path(__file__).parents[2] / "weights"
OPEN = Path("open")  # what the weights of open photographs are called on the command line


def located(path: Path) -> Path:
    """A weight file, or the one that a bare name stands for.

    Names are `open`, those of models with packaged weights, and those of published files.
    A file of such a name comes first, a folder does not.

    Raises:
        UsageError: the name is that of a published file which was not fetched yet.
    """
    if path.is_file():
        return path
    if path == OPEN:
        return PACKAGED / zoo.OPEN_WEIGHTS
    for c in zoo.CARDS:
        if str(path) == c.name and c.weights:
            return PACKAGED / c.weights
    for item in PUBLISHED:
        if str(path) == item.name:
            if not imported(item).exists():
                raise UsageError(f"{path} is not here yet: run pycolor weights pull {path} first.")
            return imported(item)
    return path


def packaged(c: zoo.Card) -> Path:
    """The weight file that the package carries for a model."""
    if not c.weights:
        raise UsageError(f"{c.name} has no packaged weights; expected a file with --weights.")
    return PACKAGED / c.weights
