"""Workers on several mounts of one folder, as machines are on a NAS: locks tell them nothing.

`benchmarks/slices.py --mount` kills a hundred of them, of up to 16 slices, and mounts by SFTP too.
"""

from __future__ import annotations

import errno
import fcntl
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pycolor.errors import FilmError
from pycolor.video.job.work.folder_lock import OWNER, lock_folder
from tests.mounts import KINDS, CannotMount, mounts

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(params=KINDS[:2])
def mounted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, list[Path]]]:
    """Two mounts of one folder."""
    try:
        with mounts(request.param, tmp_path / "mounts") as places:
            yield request.param, places
    except CannotMount as e:
        pytest.skip(str(e))


def locked_twice(one: Path, other: Path) -> bool:
    """Whether the mounts' locks do not see each other; False where there are none."""
    with (one / "lock").open("wb") as first, (other / "lock").open("ab") as second:
        try:
            fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            if e.errno != errno.ENOLCK:
                raise
            return False
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True


def test_locks_are_as_said(mounted: tuple[str, list[Path]]) -> None:
    kind, (one, other) = mounted
    assert locked_twice(one, other) == (kind != "bindfs without locks")


@pytest.mark.parametrize("kind", KINDS[:2])
def test_killed_on_two_mounts(kind: str, tmp_path: Path) -> None:
    """In a process of its own: its workers are forks, and one of this process might never end."""
    try:
        with mounts(kind, tmp_path / "tried"):
            pass
    except CannotMount as e:
        pytest.skip(str(e))
    words = [
        "--mount",
        kind,
        "--counts",
        "3",
        "--kills",
        "2",
        "--json",
        str(tmp_path / "told.json"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.slices", *words, "--folder", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout
    (told,) = json.loads((tmp_path / "told.json").read_text())
    assert told["outputs"] >= 1
    assert (told["differing"], told["failed"]) == (0, 0)
    assert told["killed"] >= 2


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
