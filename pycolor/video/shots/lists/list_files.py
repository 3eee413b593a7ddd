"""Lists of shots from files, for a film or for a range of one."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from pycolor.errors import UsageError
from pycolor.video.shots.lists.csv_list import read_csv
from pycolor.video.shots.lists.edl_list import read_edl
from pycolor.video.shots.lists.film_times import FilmTimes
from pycolor.video.shots.lists.json_list import read_filling_json
from pycolor.video.shots.lists.timelines import read_timeline
from pycolor.video.shots.shot import Shot, Transition

_LARGEST = 16 << 20  # bytes of a list; one of ours takes some hundred a shot


def read_file(path: Path) -> str:
    """The text of a list.

    Raises:
        UsageError: it cannot be read, or is too large for a list.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"the list of shots {path} must be a regular file.")
        if status.st_size > _LARGEST:
            raise UsageError(
                f"the list of shots {path} must have {_LARGEST >> 20} MiB or less, it has "
                f"{status.st_size >> 20} MiB."
            )
        return path.read_text(encoding="utf-8-sig")
    except OSError as e:
        raise UsageError(f"the list of shots {path} cannot be read: {e.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"the list of shots {path} must be UTF-8 text.") from None


def read(suffix: str, text: str, times: FilmTimes, first: int | None = None) -> list[Shot]:
    """A list by the ending of its file: .csv, .edl, .json, .otio or .xml.

    Args:
        suffix: of the file.
        text: its content.
        times: of the frames of the film or of the range, which the shots must fill.
        first: number of the range's first frame in the film, from whose beginning the list counts;
            None for a whole film.

    Returns:
        shots of the range; one that it cuts begins or ends with it.

    Raises:
        ValueError: the ending is another, or the list does not fit the film.
    """
    frames, whole = times.frames, times if first is None else replace(times, timeline=None)
    readers: dict[str, Callable[..., list[Shot]]] = {
        ".csv": partial(read_csv, times=whole),
        ".edl": partial(read_edl, rate=times.rate),
        ".json": read_filling_json,
        ".otio": partial(read_timeline, times=whole),
        ".xml": partial(read_timeline, times=whole, adapter="fcp_xml"),
    }
    reader = readers.get(suffix.lower())
    if reader is None:
        names = f"{', '.join([*readers][:-1])} or {[*readers][-1]}"
        raise ValueError(f"expected a file named {names}, got {suffix or 'no ending'}")
    if times.varies and first is not None and suffix.lower() in (".csv", ".otio", ".xml"):
        raise ValueError(
            "the film's rate varies; a list is put right by time for a whole film only"
        )
    if first is None:
        return reader(text, frames)
    # The film may go on behind the range: nobody knows how far.
    shots = reader(text, first + frames, open_end=True)
    return shots_in_range(shots, first, frames)


def shots_in_range(shots: Sequence[Shot], first: int, frames: int) -> list[Shot]:
    """The shots of `frames` frames from `first` on, counted from there."""

    def moved(mark: Transition | None) -> Transition | None:
        if mark is None or mark.stop < first or mark.start > first + frames:
            return None
        start, stop = (min(max(n - first, 0), frames) for n in (mark.start, mark.stop))
        return replace(mark, start=start, stop=stop)

    found = []
    for shot in shots:
        start, stop = max(shot.start, first), min(shot.stop, first + frames)
        if start < stop:
            found.append(
                Shot(
                    start - first,
                    stop - first,
                    moved(shot.opening) if start > first else None,
                    moved(shot.closing) if stop < first + frames else None,
                    tuple(m for d in shot.disturbances if (m := moved(d)) and m.start < m.stop),
                )
            )
    return found
