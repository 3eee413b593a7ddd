"""The process of a command: `python -m pycolor`, and the script `pycolor`."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

from pycolor.cli import main

# Containers made and not freed before cycles are looked for.  With Python's 700 the searches take
# about a seventh of the time in which PyTorch is imported.
OBJECTS_BETWEEN_SEARCHES = 50_000


def run() -> NoReturn:
    """Run the command that the process was started for, and end the process.

    Once everything is closed, written out and cleaned up, the process ends at once: to take the
    modules of PyTorch apart object by object would cost a third of a second and change nothing.
    """
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES)
    _open_streams()
    status = 1
    atexit.register(lambda: _leave(status))  # the first that is registered is the last to run
    try:
        status = main()
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else int(e.code is not None)
        raise
    sys.exit(status)


def _open_streams() -> None:
    """Give a process that was started without standard streams (`>&-`) ones of its own.

    Else the first files it opens would take their places, and what is printed would go into
    them.  What is asked for on a closed stdin or stdout fails; nobody hears stderr.
    """
    for name, flags in (("stdin", os.O_WRONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, flags)  # the lowest that is free: the stream's own
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def _leave(status: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # whoever read it has gone
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    run()
