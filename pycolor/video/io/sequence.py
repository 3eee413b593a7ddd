"""A film that is a folder of pictures, or a numbered pattern such as `scan_%06d.dpx`."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from pycolor.errors import FilmError

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
    if path.exists() or not _NUMBER.search(path.name):
        return None
    before, _, after = _NUMBER.split(path.name, maxsplit=1)
    wanted = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    numbers = [int(m[1]) for name in names if (m := wanted.fullmatch(name))]
    if not numbers:
        raise FilmError(f"{path} matches no file.")
    return str(path), options | {"pattern_type": "sequence", "start_number": str(min(numbers))}


# Silent film and sound film alike were mostly scanned for 24; a sequence does not say.
DEFAULT_RATE = Fraction(24)
