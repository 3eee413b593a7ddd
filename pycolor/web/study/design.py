"""Which pictures a participant sees, and in which order."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pycolor.errors import FilmError, UsageError
from pycolor.image.files.picture_files import SUFFIXES

Question = Literal["natural", "real"]


@dataclass(frozen=True)
class Gallery:
    """The pictures of a study.

    Attributes:
        folder: that holds a folder for each way of coloring.
        ways: names of those folders, the truth's first where it is known.
        names: of the pictures that every way has, without their endings.
        files: by (way, name).
    """

    folder: Path
    ways: tuple[str, ...]
    names: tuple[str, ...]
    files: dict[tuple[str, str], Path]


@dataclass(frozen=True)
class Trial:
    """One question.

    Attributes:
        number: from 0.
        name: of the picture.
        shown: the ways in which it is shown, one, or the left and the right one.
        practice: the answer does not count, and is corrected.
    """

    number: int
    name: str
    shown: tuple[str, ...]
    practice: bool = False


def find_gallery(folder: Path, truth: str, question: Question) -> Gallery:
    """Read which pictures there are.

    Args:
        folder: holds a folder of pictures for each way of coloring, names alike.
        truth: name of the folder in true colors; needed to ask which one is real.
        question: the study.

    Raises:
        UsageError: the folder, or the truth in it, is not there.
        FilmError: there are no pictures that all ways have.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder; expected one with a folder for each coloring.")
    ways = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if truth in ways:
        ways.remove(truth)
        ways.insert(0, truth)
    elif question == "real":
        raise UsageError(f"{folder} has no folder {truth!r} of pictures in true colors.")
    least = 2 if question == "real" else 1
    if len(ways) < least:
        raise FilmError(
            f"{folder} holds {len(ways)} folders of pictures, expected {least} or more."
        )
    files = {
        (way, path.stem): path
        for way in ways
        for path in sorted((folder / way).iterdir())
        if path.suffix.lower() in SUFFIXES
    }
    by_way = [{name for w, name in files if w == way} for way in ways]
    names = sorted(set.intersection(*by_way))
    if not names:
        raise FilmError(f"the folders {', '.join(ways)} in {folder} share no picture by name.")
    return Gallery(folder, tuple(ways), tuple(names), files)


def plan(
    gallery: Gallery,
    question: Question,
    *,
    participant: str,
    seed: int,
    most: int = 0,
    practice: int = 0,
) -> list[Trial]:
    """A participant's trials: the same for the same seed and name.

    Every picture is shown once, in one way only, so that nobody compares; ways take turns, and
    each gets as many pictures as the others, give or take one.

    Args:
        gallery: the pictures.
        question: natural shows one picture at a time, real the true one beside another.
        participant: whose.
        seed: of the study.
        most: trials that count, 0 for all there are.
        practice: how many of the first do not count.

    Raises:
        UsageError: practice would leave no trial that counts.
    """
    names = list(gallery.names)
    if practice and practice >= len(names):
        raise UsageError(
            f"{practice} practice trials of {len(names)} pictures would leave none; expected fewer."
        )
    rng = random.Random(f"{seed}/{participant}")
    rng.shuffle(names)
    if most:
        names = names[: practice + most]
    ways = list(gallery.ways if question == "natural" else gallery.ways[1:])
    rng.shuffle(ways)
    turns = [ways[i % len(ways)] for i in range(len(names))]
    counted = turns[practice:]
    rng.shuffle(counted)
    trials = []
    for number, (name, way) in enumerate(zip(names, turns[:practice] + counted, strict=True)):
        shown = [way] if question == "natural" else [gallery.ways[0], way]
        rng.shuffle(shown)
        trials.append(Trial(number, name, tuple(shown), practice=number < practice))
    return trials
