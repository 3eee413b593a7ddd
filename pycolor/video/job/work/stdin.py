"""A film from the standard input, which is read more than once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from pycolor.errors import FilmError
from pycolor.video.io.containers.presets import PIPE


@contextmanager
def materialize_stdin(source: Path) -> Iterator[Path]:
    """The film itself; of the standard input (`-`), which is read more than once, a copy."""
    if str(source) != PIPE:
        yield source
        return
    with TemporaryDirectory(prefix="pycolor-") as folder:
        path = Path(folder, "stdin.y4m")
        try:
            with path.open("wb") as f:
                shutil.copyfileobj(sys.stdin.buffer, f, 1 << 20)
        except OSError as e:
            raise FilmError(
                f"the film from the standard input could not be copied into {folder}: "
                f"{e.strerror}; TMPDIR names another place."
            ) from None
        yield path
