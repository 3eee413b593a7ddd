"""The process of a command: `python -m pycolor`, and the script `pycolor`."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

from pycolor.cli import main

# Containers made and not freed before cycles are looked for.  Python's 700 come to some hundred
# searches while PyTorch is imported, a seventh of the time that takes.
OBJECTS_BETWEEN_SEARCHES = 50_000


def run() -> NoReturn:
    """Run the command that the process was started for, and end the process.

    Once everything is closed, written out and cleaned up, the process ends at once: to take the
    modules of PyTorch apart object by object would cost a third of a second and change nothing.
    """
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES)
    status = 1
    atexit.register(lambda: _leave(status))  # the first that is registered is the last to run
    try:
        status = main()
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else int(e.code is not None)
        raise
    sys.exit(status)


def _leave(status: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it has gone
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
