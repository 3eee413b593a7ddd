"""Which process of which machine a file of a shared folder is."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

_SECONDS_UNTIL_OLD = 86400.0  # for clocks that differ


def process_tag() -> str:
    """This process, as no other one of any machine is called while both are there."""
    return f"{_machine()}-{os.getpid()}"


@cache
def _machine() -> str:
    """This start of this machine and, in a container, its own numbering of processes."""
    told = [socket.gethostname()]
    with suppress(OSError):
        told.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        told.append(str(os.stat("/proc/self/ns/pid").st_ino))
    return hashlib.sha256("\0".join(told).encode()).hexdigest()[:8]


def is_running(process: int) -> bool:
    """Whether a process of this number is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return True


def is_gone(tag: str) -> bool | None:
    """Whether the process of a tag has ended; None where another machine would have to be asked."""
    match = re.match(r"(?:([0-9a-f]{8})-)?(\d{1,18})(?!\w)", tag)
    if match is None or match[1] not in (None, _machine()):
        return None
    return not is_running(int(match[2]))


def is_left_behind(path: Path, tag: str) -> bool:
    """Whether a file that a process writes is what is left of it.

    Another machine's is if nothing was written to it for a day.
    """
    gone = is_gone(tag)
    if gone is not None:
        return gone
    try:
        return time.time() - path.lstat().st_mtime > _SECONDS_UNTIL_OLD
    except OSError:
        return False
