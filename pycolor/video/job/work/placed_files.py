"""Which files became an output, so that a run after a kill knows its own.

A run that is killed when its output has its name, and its work folder is still there, is started
again by the same command: what stands in its way then is its own result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from pycolor.video.io.containers.sequence import pictures_of
from pycolor.video.job.work.own_files import read_own, sealed, unsealed, write_whole

_PLACED = "placed.json"


def write_placed(folder: Path, files: Iterable[tuple[str, Path]]) -> None:
    """Note in a work folder which files are about to become the output.

    Args:
        folder: the work folder.
        files: the name that each gets, and where it is now.

    Raises:
        OSError: it cannot be written.
    """
    write_whole(
        folder / _PLACED,
        sealed(json.dumps({name: _identity(path) for name, path in files})),
    )


def has_placed(folder: Path, target: Path) -> bool:
    """Whether all that stands under an output's name is what `write_placed` noted.

    Args:
        folder: the work folder, which may not be there.
        target: the output; of numbered pictures, their pattern.
    """
    try:
        placed = json.loads(unsealed(read_own(folder / _PLACED)))
        present = [target] if os.path.lexists(target) else pictures_of(target)
        return bool(present) and all(placed.get(p.name) == _identity(p) for p in present)
    except (OSError, ValueError, AttributeError):
        return False


def _identity(path: Path) -> list[int]:
    """What a rename leaves as it is."""
    status = path.lstat()
    return [status.st_ino, status.st_size, status.st_mtime_ns]
