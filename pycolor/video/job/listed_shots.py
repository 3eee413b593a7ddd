"""A list of shots in a file, read once the film's length is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from pycolor.errors import UsageError
from pycolor.video.shots import lists
from pycolor.video.shots.detector import Shot

ListedShots = Callable[[int, Fraction], Sequence[Shot]]  # of the number of frames and the rate


def listed_shots(path: Path) -> ListedShots:
    """What gives the shots of a list.

    Raises:
        UsageError: the list cannot be read; and when it is called, it does not fit the film.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"the list of shots {path} cannot be read: {e}.") from None

    def shots(frames: int, rate: Fraction) -> list[Shot]:
        try:
            return lists.read(path.suffix, text, frames, rate)
        except ValueError as e:
            raise UsageError(f"the list of shots {path} does not fit: {e}.") from None

    return shots
