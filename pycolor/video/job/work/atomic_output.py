"""An output of any kind appears when it is complete: a file, a sequence of pictures, a pipe."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pycolor.errors import FilmError, UsageError, counted
from pycolor.system.atomic_file import atomic_write, check_output, put_in_place
from pycolor.system.process_tag import is_left_behind, process_tag
from pycolor.video.io.containers.presets import PIPE, container_of, ending_of
from pycolor.video.io.containers.sequence import is_pattern, numbered, pictures_of


@contextmanager
def atomic_output(
    path: str | Path,
    *,
    preset: str | None = None,
    sources: Iterable[str | Path] = (),
    overwrite: bool = False,
) -> Iterator[Path]:
    """What to give a Writer in place of `path`.

    A file is written under a temporary name (`atomic_file.atomic_write`).  Numbered pictures are
    written into a hidden folder and moved to their names when the block ends well; a folder that
    is new appears at once, that of a pattern is made.  `-`, the standard output, is written to as
    it is.

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
        suffix = ending_of(path, preset)
        with atomic_pictures(path, suffix, sources=sources, overwrite=overwrite) as pattern:
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
    return os.path.lexists(path)


def pattern_of(path: Path, preset: str | None = None) -> Path:
    """What names an output's files: itself, or the pattern of its numbered pictures."""
    if str(path) == PIPE or container_of(ending_of(path, preset)) != "image2":
        return path
    return numbered(path, ending_of(path, preset))


def placed_files(path: Path, part: Path) -> list[tuple[str, Path]]:
    """What `part` holds, each file with the name that it gets when the block of `path` ends."""
    if not is_pattern(part):
        return [(path.name, part)]
    return [(p.name, p) for p in sorted(part.parent.iterdir())]


@contextmanager
def atomic_pictures(
    path: Path, suffix: str, *, sources: Iterable[str | Path] = (), overwrite: bool = False
) -> Iterator[Path]:
    """The same for numbered pictures of any kind: gives the pattern of their names for now.

    Raises:
        UsageError, FilmError: see `atomic_output`.
    """
    pattern = numbered(path, suffix)
    folder = pattern.parent
    new = not folder.exists()
    check_output(folder if new else pattern)
    taken = {p.resolve() for p in pictures_of(pattern)}
    used = {p.resolve() for source in sources for p in pictures_of(Path(source))}
    if taken & used:
        raise UsageError(f"{path} is the source itself; expected another name for the output.")
    if taken and not overwrite:
        raise UsageError(
            f"{path} has {counted(len(taken), 'picture')} already, which --overwrite replaces."
        )
    # A folder of the output's own appears at once; in that of a pattern other files may lie.
    made = new and pattern == path
    own = new and not made
    part = (folder.parent if own else folder) / f".{folder.name}.part-{process_tag()}"
    _remove_leftovers(part)
    try:
        if made:
            folder.mkdir(exist_ok=True)
        part.mkdir()
    except OSError as error:
        raise FilmError(f"{part} cannot be made: {error.strerror}.") from error
    try:
        yield part / pattern.name
        _put_in_place(part, folder, taken if overwrite else None, new=own)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        if made:
            with suppress(OSError):  # something lies in it
                folder.rmdir()


def _remove_leftovers(part: Path) -> None:
    """Folders of the kind of `part` whose process is gone (it was killed)."""
    prefix = part.name.removesuffix(process_tag())
    for old in part.parent.glob(f"{glob.escape(prefix)}*"):
        if old == part or is_left_behind(old, old.name.removeprefix(prefix)):
            shutil.rmtree(old, ignore_errors=True)


def _put_in_place(part: Path, folder: Path, old: Iterable[Path] | None, *, new: bool) -> None:
    """Move the finished pictures; `old` ones are replaced, None replaces nothing."""
    pictures = sorted(part.iterdir())
    if not pictures:
        raise FilmError(f"{folder} would hold no picture.")
    try:
        if new:
            os.rename(part, folder)  # fails where the folder was made and filled meanwhile
            return
        if old is None:
            _add(pictures, folder)
            return
        for path in pictures:
            os.replace(path, folder / path.name)
        for name in {p.name for p in old} - {p.name for p in pictures}:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise FilmError(f"{folder} could not be put in place: {error.strerror}.") from error


def _add(pictures: Iterable[Path], folder: Path) -> None:
    """Move pictures to names that are free; if one is not, none is moved."""
    moved: list[Path] = []
    try:
        for path in pictures:
            put_in_place(path, folder / path.name, overwrite=False)
            moved.append(folder / path.name)
    except BaseException:
        for path in moved:
            path.unlink(missing_ok=True)
        raise
