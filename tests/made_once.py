"""What takes long to make, made by one process of a run for all of them.

The marks of pytest-xdist that keep tests together are no help: with pytest 9.2 xdist 3.8 does not
see them (findings/pytest-xdist-groups.sh).
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(name: str, factory: pytest.TempPathFactory, make: Callable[[Path], None]) -> Path:
    """A folder of that name, filled by whoever comes first; others wait until it is full.

    Args:
        name: of the folder.
        factory: of this process; those of a run lie in one folder.
        make: fills a folder, which is there and empty.
    """
    base = factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a try that failed
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
