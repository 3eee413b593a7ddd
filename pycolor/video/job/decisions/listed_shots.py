"""A list of shots in a file, read once the film's length is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pycolor.errors import UsageError
from pycolor.video.shots.lists import list_files
from pycolor.video.shots.lists.film_times import FilmTimes
from pycolor.video.shots.shot import Shot

ListedShots = Callable[[FilmTimes], Sequence[Shot]]  # of the film's frames, or the range's


def listed_shots(path: Path, first: int | None = None) -> ListedShots:
    """What gives the shots of a list.

    Args:
        path: of the list.
        first: number of the range's first frame in the film, None for a whole film.

    Raises:
        UsageError: the list cannot be read; and when it is called, it does not fit the film.
    """
    text = list_files.read_file(path)

    def shots(times: FilmTimes) -> list[Shot]:
        try:
            return list_files.read(path.suffix, text, times, first)
        except ValueError as e:
            raise UsageError(f"the list of shots {path} does not fit: {e}.") from None

    return shots
