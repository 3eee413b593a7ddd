"""How large a weight file may be."""

from __future__ import annotations

import stat
from pathlib import Path

from pycolor.errors import FilmError

LARGEST = 2 << 30  # bytes; the largest published one has a quarter of it


def size_of_weights(path: Path) -> int:
    """Bytes of a weight file, before it is read.

    Raises:
        FilmError: it is missing, no regular file, or too large for weights.
    """
    try:
        status = path.stat()
    except OSError as e:
        raise FilmError(f"weights {path} cannot be read: {e.strerror}.") from None
    if stat.S_ISDIR(status.st_mode):
        raise FilmError(f"weights {path} must be a file, they are a folder.")
    if not stat.S_ISREG(status.st_mode):
        raise FilmError(f"weights {path} must be a regular file, they are a pipe or a device.")
    if status.st_size > LARGEST:
        raise FilmError(
            f"weights {path} must have {LARGEST >> 20} MiB or less, they have "
            f"{status.st_size >> 20} MiB."
        )
    return status.st_size
