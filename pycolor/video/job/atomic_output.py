"""An output of any kind appears when it is complete: a file, a sequence of pictures, a pipe."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pycolor.errors import FilmError, UsageError
from pycolor.system.atomic_file import atomic_write, check_output
from pycolor.video.io.containers.presets import PIPE, container_of, ending_of
from pycolor.video.io.containers.sequence import numbered, pictures_of


@contextmanager
def atomic_output(
    path: str | Path,
    *,
    preset: str | None = None,
    sources: Iterable[str | Path] = (),
    overwrite: bool = False,
) -> Iterator[Path]:
    """What to give a Writer in place of `path`.

    A file is written under a temporary name (`outfile.atomic_write`).  Numbered pictures are
    written into a hidden folder and moved to their names when the block ends well; a folder that
    is new appears at once.  `-`, the standard output, is written to as it is.

    Raises:
        UsageError: for an ending that is not known, pictures that exist without `overwrite`, or
            an output that is the source.
        FilmError: if the output cannot be put in place.
    """
    path = Path(path)
    if str(path) == PIPE:
        yield path
    elif path.is_dir() and not path.suffix and preset is None:
        raise UsageError(
            f"{path} is a folder; expected the name of a film, or a --preset of pictures."
        )
    elif container_of(ending_of(path, preset)) == "image2":
        with _complete_pictures(path, preset, sources, overwrite=overwrite) as pattern:
            yield pattern
    else:
        with atomic_write(path, sources=sources, overwrite=overwrite) as part:
            yield part


def exists(path: str | Path, preset: str | None = None) -> bool:
    """Is there an output of that name: a file, or a picture of a sequence?"""
    path = Path(path)
    if str(path) == PIPE:
        return False
    if container_of(ending_of(path, preset)) == "image2":
        return bool(pictures_of(numbered(path, ending_of(path, preset))))
    return path.exists()


@contextmanager
def _complete_pictures(
    path: Path, preset: str | None, sources: Iterable[str | Path], *, overwrite: bool
) -> Iterator[Path]:
    pattern = numbered(path, ending_of(path, preset))
    folder = pattern.parent
    new = not folder.exists()
    # A folder of the output's own is made; the one that a pattern lies in must be there.
    check_output(folder if new and pattern != path else pattern)
    taken = {p.resolve() for p in pictures_of(pattern)}
    used = {p.resolve() for source in sources for p in pictures_of(Path(source))}
    if taken & used:
        raise UsageError(f"{path} is the source itself; expected another name for the output.")
    if taken and not overwrite:
        raise UsageError(f"{path} has {len(taken)} pictures already; --overwrite replaces them.")
    part = (folder.parent if new else folder) / f".{folder.name}.part-{os.getpid()}"
    try:
        part.mkdir()
        yield part / pattern.name
        _put_in_place(part, folder, taken, new=new)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _put_in_place(part: Path, folder: Path, old: Iterable[Path], *, new: bool) -> None:
    if not any(part.iterdir()):
        raise FilmError(f"{folder} would hold no picture.")
    try:
        if new:
            os.replace(part, folder)
            return
        for path in old:
            path.unlink()
        for path in sorted(part.iterdir()):
            os.replace(path, folder / path.name)
    except OSError as error:
        raise FilmError(f"{folder} could not be put in place: {error.strerror}.") from error
