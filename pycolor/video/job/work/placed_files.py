"""Which files became an output, so that a run after a kill knows its own.

A run that is killed when its output has its name, and its work folder is still there, is started
again by the same command: what stands in its way then is its own result.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from pycolor.errors import UsageError
from pycolor.video.io.containers.sequence import pictures_of
from pycolor.video.job.work.atomic_output import exists, pattern_of
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


def is_own_output(target: Path, preset: str | None, folder: Path) -> bool:
    """Whether a run that was killed at its very end gave the output its name.

    Args:
        target: the output.
        preset: its name, which decides the kind of output.
        folder: the work folder.
    """
    try:
        return has_placed(folder, pattern_of(target, preset))
    except UsageError:  # told later, with all that else may be wrong
        return False


def refuse_finished(target: Path, preset: str | None, folder: Path) -> None:
    """Between the first look at the output's name and the lock, another run may have ended.

    Args: see `is_own_output`.

    Raises:
        UsageError: one has.
    """
    if exists(target, preset) and not has_placed(folder, pattern_of(target, preset)):
        raise UsageError(
            f"{target} was finished by another run while this one began; --overwrite replaces it."
        )


def _identity(path: Path) -> list[int]:
    """What a rename leaves as it is."""
    status = path.lstat()
    return [status.st_ino, status.st_size, status.st_mtime_ns]
