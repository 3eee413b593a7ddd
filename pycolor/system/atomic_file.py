"""An output file appears under its name only when it is complete."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pycolor.errors import FilmError, UsageError


def check_output(
    path: str | Path, *, sources: Iterable[str | Path] = (), overwrite: bool = False
) -> Path:
    """Make sure that `path` can be written, before any work is done for it.

    Raises:
        UsageError: if it is one of the sources, exists without `overwrite`, is a folder, or lies
            in a folder that does not exist or cannot be written.
    """
    path = Path(path)
    for source in sources:
        if _same_file(path, Path(source)):
            raise UsageError(f"{path} is the source itself; expected another name for the output.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; expected the name of a file to write.")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists; --overwrite replaces it.")
    folder = path.parent
    if not folder.exists():
        raise UsageError(f"{folder} does not exist; {path.name} cannot be written into it.")
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; {path.name} cannot be written into it.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} may not be written to; {path.name} needs a folder that may.")
    return path


def _same_file(path: Path, source: Path) -> bool:
    try:
        if path.samefile(source):
            return True
    except OSError:
        pass  # one of them does not exist
    return os.path.realpath(path) == os.path.realpath(source)


@contextmanager
def atomic_write(
    path: str | Path, *, sources: Iterable[str | Path] = (), overwrite: bool = False
) -> Iterator[Path]:
    """A temporary name beside `path`, which takes the name when the block ends well.

    On any exception the temporary file is removed and `path` is as it was; what a killed run left
    behind, the next one for the same `path` removes.  The temporary name
    is hidden, ends as `path` does, and carries the process number, so two runs do not meet.

        with complete_file("out.mkv", sources=["in.mp4"]) as part:
            write(part)

    Raises:
        UsageError: see `check_output`.
        FilmError: if the finished file cannot be renamed, or was never written.
    """
    path = check_output(path, sources=sources, overwrite=overwrite)
    _remove_leftovers(path)
    part = part_path(path)
    try:
        yield part
        if not part.exists():
            raise FilmError(f"{path} was not written.")
        try:
            os.replace(part, path)
        except OSError as error:
            raise FilmError(f"{path} could not be put in place: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def part_path(path: Path) -> Path:
    """The temporary name beside `path`: hidden, of this process, ending as `path` does."""
    return path.with_name(f".{path.stem}.part-{os.getpid()}{path.suffix}")


def _remove_leftovers(path: Path) -> None:
    """Temporary files for `path` whose process is gone (it was killed)."""
    for old in path.parent.glob(f".{glob.escape(path.stem)}.part-*{glob.escape(path.suffix)}"):
        number = old.name.removesuffix(path.suffix).rpartition("-")[2]
        if number.isdigit() and not _runs(int(number)):
            old.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as another user
    return True
