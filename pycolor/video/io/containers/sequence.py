"""A film that is a folder of pictures, or a numbered pattern such as `scan_%06d.dpx`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import gcd
from pathlib import Path

from pycolor.errors import FilmError, UsageError

SUFFIXES = (
    *(".png", ".tif", ".tiff", ".dpx", ".exr", ".jpg", ".jpeg"),
    *(".jp2", ".j2k", ".bmp", ".webp", ".pgm", ".ppm", ".pnm", ".tga"),
)
_SAME_KIND = {".tiff": ".tif", ".jpeg": ".jpg", ".ppm": ".pnm", ".pgm": ".pnm"}
_NUMBER = re.compile(r"%0?(\d*)d")
_NAMED = 5  # missing pictures that a message names

# Silent film and sound film alike were mostly scanned for 24; a sequence does not say.
DEFAULT_RATE = Fraction(24)


@dataclass(frozen=True, kw_only=True)
class PictureSequence:
    """Pictures that are the frames of a film.

    Attributes:
        paths: in the order in which they are shown.
        ticks: of each, when it is shown, in frames from the first; with holes where numbers are
            missing.
        first_number: of the first picture, 0 if they bear none.
        notes: sentences on what their names leave open, and on what is missing.
    """

    paths: tuple[Path, ...]
    ticks: tuple[int, ...]
    first_number: int
    notes: tuple[str, ...] = ()


def sequence_of(path: Path) -> PictureSequence | None:
    """The pictures that a folder, a pattern or one of them stands for; None if `path` is none.

    Numbers count as numbers: 2 comes before 10.

    Raises:
        FilmError: for a folder without pictures or with several kinds, or a pattern that no
            file matches.
    """
    if path.is_dir():
        pictures = pictures_of(path)
        kinds = sorted({kind(p) for p in pictures})
        if not kinds:
            raise FilmError(
                f"{path} is a folder; expected a film, or a folder of {', '.join(SUFFIXES)} files."
            )
        if len(kinds) > 1:
            raise FilmError(
                f"{path} holds pictures of several kinds, {', '.join(kinds)}; expected one, or a "
                f"pattern such as {path / ('%06d' + kinds[0])}."
            )
        return _of_folder(sorted(pictures, key=natural_order))
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return PictureSequence(paths=(path,), ticks=(0,), first_number=0)
    if path.exists() or not is_pattern(path):
        return None
    matching = _matching(path)
    if not matching:
        raise FilmError(f"{path} matches no file.")
    return _numbered(matching)


def kind(path: Path) -> str:
    """The ending, in small letters, one for each kind of file."""
    suffix = path.suffix.lower()
    return _SAME_KIND.get(suffix, suffix)


def natural_order(path: Path) -> tuple[tuple[bool, int, str], ...]:
    """A key that sorts names as people count: frame2 before frame10."""
    parts = re.split(r"(\d+)", path.name)
    return tuple((part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)


def _of_folder(pictures: list[Path]) -> PictureSequence:
    """By the one number in which the names differ; as they come where there is no such number."""
    split = [re.split(r"(\d+)", p.stem) for p in pictures]
    lengths = {len(parts) for parts in split}
    differing = (
        [i for i in range(lengths.pop()) if len({parts[i].lstrip("0") for parts in split}) > 1]
        if len(lengths) == 1
        else []
    )
    if len(pictures) == 1 and len(split[0]) > 1:
        differing = [len(split[0]) - 2]  # the last number of its name
    if len(differing) != 1 or not differing[0] % 2:
        notes = []
        if len(pictures) > 1:
            notes.append(
                "the pictures' names differ in more than one number: they are shown one after the "
                f"other, from {pictures[0].name} to {pictures[-1].name}"
            )
        return PictureSequence(
            paths=tuple(pictures),
            ticks=tuple(range(len(pictures))),
            first_number=0,
            notes=tuple(notes),
        )
    place = differing[0]
    return _numbered(
        [(int(parts[place]), path) for parts, path in zip(split, pictures, strict=True)]
    )


def _numbered(pictures: list[tuple[int, Path]]) -> PictureSequence:
    """Pictures with a number each, which are in its order."""
    pictures = sorted(pictures, key=lambda item: (item[0], item[1].name))
    numbers = [number for number, _ in pictures]
    paths = tuple(path for _, path in pictures)
    steps = Counter(b - a for a, b in pairwise(numbers))
    consecutive = tuple(range(len(numbers)))
    if steps[0]:
        twice = next(k for k, (a, b) in enumerate(pairwise(numbers)) if a == b)
        note = f"{paths[twice].name} and {paths[twice + 1].name} bear one number: both are shown"
        return PictureSequence(
            paths=paths, ticks=consecutive, first_number=numbers[0], notes=(note,)
        )
    step = gcd(*steps) if steps else 1
    ticks = tuple((number - numbers[0]) // step for number in numbers)
    missing = ticks[-1] + 1 - len(ticks)
    if missing > len(ticks):
        note = (
            f"{missing} numbers are missing between {paths[0].name} and {paths[-1].name}: the "
            f"{len(paths)} pictures are shown one after the other"
        )
        return PictureSequence(
            paths=paths, ticks=consecutive, first_number=numbers[0], notes=(note,)
        )
    notes = [f"the pictures' numbers rise by {step}: each is a frame"] if step > 1 else []
    notes += _missing(paths, ticks)
    return PictureSequence(paths=paths, ticks=ticks, first_number=numbers[0], notes=tuple(notes))


def _missing(paths: tuple[Path, ...], ticks: tuple[int, ...]) -> list[str]:
    """A sentence that names the numbers which are not there."""
    gaps = [
        (path.name, b - a - 1)
        for path, (a, b) in zip(paths, pairwise(ticks), strict=False)
        if b - a > 1
    ]
    if not gaps:
        return []
    count = sum(size for _, size in gaps)
    named = ", ".join(f"{size} behind {name}" for name, size in gaps[:_NAMED])
    more = ", …" if len(gaps) > _NAMED else ""
    are = "picture is" if count == 1 else "pictures are"
    return [
        f"{count} {are} missing ({named}{more}): the picture before each hole is shown for as long"
    ]


def _matching(pattern: Path) -> list[tuple[int, Path]]:
    before, _, after = _NUMBER.split(pattern.name, maxsplit=1)
    wanted = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    paths = pattern.parent.iterdir() if pattern.parent.is_dir() else ()
    found = ((wanted.fullmatch(path.name), path) for path in paths)
    numbered: dict[int, Path] = {}
    for match, path in found:
        # Of two names with one number the pattern means the one with its own number of digits.
        if match and (
            int(match[1]) not in numbered or picture_name(pattern, int(match[1])) == path
        ):
            numbered[int(match[1])] = path
    return sorted(numbered.items())


def pictures_of(path: Path) -> list[Path]:
    """The files that a folder of pictures or a pattern stands for; none where it is a film."""
    if path.is_dir():
        return [
            p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")
        ]
    if path.exists() or not is_pattern(path):
        return []
    return [found for _, found in _matching(path)]


def is_pattern(path: Path) -> bool:
    """Does the name number its pictures, as `scan_%06d.dpx` does?"""
    return _NUMBER.search(path.name) is not None


def numbered(path: Path, suffix: str) -> Path:
    """The pattern of the pictures of an output: itself, or numbers inside a folder.

    Raises:
        UsageError: for the name of a single picture.
    """
    if is_pattern(path):
        return path
    if path.suffix.lower() == suffix and not path.is_dir():
        raise UsageError(
            f"{path.name} names one picture; expected a pattern such as "
            f"{path.stem}_%06d{suffix}, or a folder."
        )
    return path / f"%08d{suffix}"


def picture_name(pattern: Path, number: int) -> Path:
    """The file of one picture."""
    before, digits, after = _NUMBER.split(pattern.name, maxsplit=1)
    return pattern.with_name(f"{before}{number:0{int(digits or 1)}d}{after}")


def picture_stem(pattern: Path) -> str:
    """What stands before the number in a pattern's name, without `_`, `-`, `.` and spaces."""
    return _NUMBER.split(pattern.name, maxsplit=1)[0].rstrip("_-. ")


def address_of(pattern: Path) -> str:
    """FFmpeg's spelling of a pattern: a percent sign in a folder's name is doubled."""
    return str(Path(str(pattern.parent).replace("%", "%%")) / pattern.name)
