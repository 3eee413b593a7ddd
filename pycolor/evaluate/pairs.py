"""What is compared with what: files by their names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pycolor.errors import FilmError, UsageError
from pycolor.image.files.picture_files import SUFFIXES as STILLS

Kind = Literal["picture", "film"]

FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mxf", ".mpg", ".ts")


@dataclass(frozen=True)
class Pair:
    """A true file and the file to be judged; None where a model is to make it."""

    kind: Kind
    true: Path
    found: Path | None = None


def kind_of(path: Path) -> Kind:
    """By the ending; a folder is a film whose frames are pictures."""
    return "picture" if path.suffix.lower() in STILLS else "film"


def items(path: Path) -> list[Path]:
    """The file itself, or the pictures and films of a folder by name.

    Raises:
        UsageError: it is not there.
        FilmError: the folder holds none.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist; expected a picture, a film or a folder of them.")
    if not path.is_dir():
        return [path]
    found = [
        p
        for p in sorted(path.iterdir())
        if p.suffix.lower() in (*STILLS, *FILMS) and not p.name.startswith(".")
    ]
    if not found:
        raise FilmError(f"{path} holds neither pictures nor films.")
    return found


def pair_up(true: Path, found: Path | None, *, as_film: bool = False) -> list[Pair]:
    """Pairs of files: of two folders those whose names agree but for the ending.

    Args:
        true: a file or a folder, in color.
        found: the same colored; None where a model is to color it.
        as_film: a folder of pictures is the frames of one film.

    Raises:
        UsageError: a name is missing, one is a folder and the other is none, or names repeat.
        FilmError: a folder holds nothing to compare, or lacks a file that the other has.
    """
    for path in (true, found):
        if path is not None and not path.exists():
            raise UsageError(f"{path} does not exist; expected a picture, a film or a folder.")
    if as_film:
        return [Pair("film", true, found)]
    if found is None:
        return [Pair(kind_of(p), p) for p in items(true)]
    if true.is_dir() != found.is_dir():
        raise UsageError(
            f"expected two files or two folders, got {true} and {found}, of which one is a folder."
        )
    if not true.is_dir():
        return [Pair(kind_of(true), true, found)]
    wanted, there = _by_stem(true), _by_stem(found)
    missing = sorted(wanted.keys() - there.keys())
    if missing:
        raise FilmError(
            f"{found} lacks {len(missing)} of the {len(wanted)} files in {true}; "
            f"first: {wanted[missing[0]].name}."
        )
    return [Pair(kind_of(p), p, there[stem]) for stem, p in wanted.items()]


def _by_stem(folder: Path) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for path in items(folder):
        if path.stem in named:
            raise UsageError(
                f"{folder} holds {named[path.stem].name} and {path.name}; "
                "expected names that differ in more than their endings."
            )
        named[path.stem] = path
    return named
