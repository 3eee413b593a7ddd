"""Workers on several mounts of one folder, as machines are on a NAS: locks tell them nothing.

`benchmarks/slices.py --mount` kills a hundred of them, of up to 16 slices.
"""

from __future__ import annotations

import fcntl
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.slices import Film, trial
from pycolor.errors import FilmError
from pycolor.video.job.work.folder_lock import OWNER, lock_folder
from tests.mounts import KINDS, CannotMount, mounts

pytestmark = pytest.mark.slow


@pytest.fixture(params=KINDS)
def mounted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, list[Path]]]:
    """Two mounts of one folder."""
    try:
        with mounts(request.param, tmp_path / "mounts") as places:
            yield request.param, places
    except CannotMount as e:
        pytest.skip(str(e))


def test_killed_on_two_mounts(mounted: tuple[str, list[Path]]) -> None:
    kind, (one, other) = mounted
    with (one / "lock").open("wb") as first, (other / "lock").open("ab") as second:
        try:  # the mounts are what they are taken for
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            assert (kind, e.strerror) == ("bindfs without locks", "No locks available")
        else:
            assert kind != "bindfs without locks"
    film = Film([one, other])
    told = trial(film, 3, 2, random.Random(1), locks=True, place=kind)
    assert told.outputs >= 1
    assert (told.killed, told.differing, told.failed, told.left_over) == (2, 0, 0, 0)


def test_a_work_folder_is_held_without_locks(tmp_path: Path) -> None:
    try:
        with mounts("bindfs without locks", tmp_path / "mounts", count=2) as (one, other):
            held = lock_folder(one / "work")
            with pytest.raises(FilmError, match="another run is at work"):
                lock_folder(other / "work")
            held.close()
            assert not (one / "work" / OWNER).exists()
    except CannotMount as e:
        pytest.skip(str(e))
