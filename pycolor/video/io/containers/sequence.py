"""A film that is a folder of pictures, or a numbered pattern such as `scan_%06d.dpx`."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from pycolor.errors import FilmError, UsageError

SUFFIXES = (".png", ".tif", ".tiff", ".dpx", ".jpg", ".jpeg")
_NUMBER = re.compile(r"%0?(\d*)d")


def sequence_options(path: Path, rate: Fraction | None) -> tuple[str, dict[str, str]] | None:
    """FFmpeg's address of a sequence and the options to open it; None if `path` is none.

    Raises:
        FilmError: for a folder without pictures or with several kinds, or a pattern that no
            file matches.
    """
    options = {"framerate": str(rate or DEFAULT_RATE)}
    if path.is_dir():
        kinds = sorted({p.suffix for p in path.iterdir() if p.suffix.lower() in SUFFIXES})
        if not kinds:
            raise FilmError(
                f"{path} is a folder; expected a film, or a folder of {', '.join(SUFFIXES)} files."
            )
        if len(kinds) > 1:
            raise FilmError(f"{path} holds pictures of several kinds: {', '.join(kinds)}.")
        address = re.sub(r"([\\*?\[\]{}%])", r"\\\1", str(path)) + f"/*{kinds[0]}"
        return address, options | {"pattern_type": "glob"}
    if path.exists() or not is_pattern(path):
        return None
    numbers = [number for number, _ in _matching(path)]
    if not numbers:
        raise FilmError(f"{path} matches no file.")
    return address_of(path), options | {
        "pattern_type": "sequence",
        "start_number": str(min(numbers)),
    }


# Silent film and sound film alike were mostly scanned for 24; a sequence does not say.
DEFAULT_RATE = Fraction(24)


def _matching(pattern: Path) -> list[tuple[int, Path]]:
    before, _, after = _NUMBER.split(pattern.name, maxsplit=1)
    wanted = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    paths = pattern.parent.iterdir() if pattern.parent.is_dir() else ()
    found = ((wanted.fullmatch(path.name), path) for path in paths)
    return [(int(match[1]), path) for match, path in found if match]


def pictures_of(path: Path) -> list[Path]:
    """The files that a folder of pictures or a pattern stands for; none where it is a film."""
    if path.is_dir():
        return [p for p in path.iterdir() if p.suffix.lower() in SUFFIXES]
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


def first_number(path: Path) -> int:
    """The number of a sequence's first picture; 0 for a film, whose frames count from there."""
    found = sequence_options(path, None)
    if found is None:
        return 0
    if "start_number" in found[1]:
        return int(found[1]["start_number"])
    names = sorted(p.stem for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
    digits = re.search(r"(\d+)$", names[0])
    return int(digits[1]) if digits else 0
