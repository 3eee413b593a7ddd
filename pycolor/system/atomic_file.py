"""An output file appears under its name only when it is complete."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pycolor.errors import FilmError, UsageError
from pycolor.system.process_tag import is_left_behind, process_tag


def check_output(
    path: str | Path, *, sources: Iterable[str | Path] = (), overwrite: bool = False
) -> Path:
    """Make sure that `path` can be written, before any work is done for it.

    Raises:
        UsageError: if it is one of the sources, exists without `overwrite` (a link to nothing
            does too), is a folder, a pipe or a device, or lies in a folder that does not exist or
            cannot be written.
    """
    path = Path(path)
    for source in sources:
        if _same_file(path, Path(source)):
            raise UsageError(f"{path} is the source itself; expected another name for the output.")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; expected the name of a file to write.")
    kind = _special(path)
    if kind:
        raise UsageError(f"{path} is {kind}; expected the name of a regular file to write.")
    if os.path.lexists(path) and not overwrite:
        what = "exists" if path.exists() else "is a link to a file that does not exist"
        raise UsageError(f"{path} {what}; --overwrite replaces it.")
    folder = path.parent
    if not folder.exists():
        raise UsageError(f"{folder} does not exist; {path.name} cannot be written into it.")
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; {path.name} cannot be written into it.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} may not be written to; {path.name} needs a folder that may.")
    return path


# What a name may stand for besides a file, a folder and a link; none of these is replaced.
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _special(path: Path) -> str:
    """What stands under a name if it is neither file nor folder; empty for these, or nothing."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    return next((name for is_kind, name in _KINDS if is_kind(mode)), "")


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
    behind, the next one for the same `path` removes.  The temporary name is hidden, ends as `path`
    does, and says whose process of which machine it is, so two runs do not meet.

        with atomic_write("out.mkv", sources=["in.mp4"]) as part:
            write(part)

    Raises:
        UsageError: see `check_output`.
        FilmError: if the finished file cannot be renamed, was never written, or its name was taken
            meanwhile without `overwrite`.
    """
    path = check_output(path, sources=sources, overwrite=overwrite)
    _remove_leftovers(path)
    part = part_path(path)
    part.unlink(missing_ok=True)  # another process's of the same number, or a link
    try:
        yield part
        if not part.exists():
            raise FilmError(f"{path} was not written.")
        put_in_place(part, path, overwrite=overwrite)
    finally:
        part.unlink(missing_ok=True)


def put_in_place(part: Path, path: Path, *, overwrite: bool) -> None:
    """Give a finished file its name; what took that name meanwhile stays, without `overwrite`.

    A hard link fails where the name is taken, and a rename does not.  File systems without links
    (FAT) get an empty file under the name first, which is then replaced.

    Raises:
        FilmError: the name is taken, or the file cannot be moved.
    """
    try:
        if overwrite:
            os.replace(part, path)
            return
        try:
            os.link(part, path, follow_symlinks=False)
            part.unlink()
        except FileExistsError:
            raise
        except OSError:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW))
            os.replace(part, path)
    except FileExistsError:
        raise FilmError(
            f"{path} appeared while it was being made; it is left as it is, and --overwrite "
            "replaces it."
        ) from None
    except OSError as error:
        raise FilmError(f"{path} could not be put in place: {error.strerror}.") from error


def part_path(path: Path) -> Path:
    """The temporary name beside `path`: hidden, of this process, ending as `path` does."""
    return path.with_name(f".{path.stem}.part-{process_tag()}{path.suffix}")


def _remove_leftovers(path: Path) -> None:
    """Temporary files for `path` whose process is gone (it was killed)."""
    for old in path.parent.glob(f".{glob.escape(path.stem)}.part-*{glob.escape(path.suffix)}"):
        tag = old.name.removesuffix(path.suffix).removeprefix(f".{path.stem}.part-")
        if is_left_behind(old, tag):
            old.unlink(missing_ok=True)
