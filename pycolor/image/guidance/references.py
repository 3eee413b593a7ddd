"""What `--reference` names: stills of the film at a frame, folders of them, pictures of the like.

48=still.png            the film's frame 48, in color
00:00:02:00=still.png   the same, by its time from the film's first frame (hours, minutes,
                        seconds, frames)
stills/                 pictures whose names end in a frame's number or time: shot_000048.png,
                        shot_00-00-02-00.png
uniform.jpg             something that looks like what the film shows
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pycolor.errors import UsageError
from pycolor.image.files.picture_files import READABLE, SUFFIXES

_TIME = r"(\d{2})[:;_.-](\d{2})[:;_.-](\d{2})[:;_.-](\d{2,3})"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A picture that leads.

    Attributes:
        path: of its file.
        frame: of the film that it shows, None if it shows something alike.
    """

    path: Path
    frame: int | None = None


def references(given: Sequence[Path], rate: Fraction | None) -> list[Reference]:
    """What some values of `--reference` name, in order.

    Args:
        given: as on the command line.
        rate: frames per second of the film, for times; None of a picture.

    Raises:
        UsageError: a picture of a folder names no frame, or two name the same one.
    """
    found: list[Reference] = []
    for value in given:
        found += _named(value, rate)
    frames = [r.frame for r in found if r.frame is not None]
    for reference in found:
        if reference.frame is not None and frames.count(reference.frame) > 1:
            raise UsageError(f"two references are of frame {reference.frame}; expected one.")
    return found


def _named(value: Path, rate: Fraction | None) -> list[Reference]:
    text = str(value)
    label, equals, path = text.partition("=")
    if equals and not value.exists():
        if label.isdecimal():
            return [Reference(path=Path(path), frame=int(label))]
        if time := re.fullmatch(_TIME, label):
            return [Reference(path=Path(path), frame=_frame_at(time, rate, text))]
        raise UsageError(f"reference must be FRAME=FILE, a file or a folder; got {text}.")
    if not value.is_dir():
        return [Reference(path=value)]
    pictures = _pictures_in(value)
    if not pictures:
        raise UsageError(f"{value} holds no picture; expected {', '.join(READABLE)} files.")
    return [Reference(path=p, frame=frame_of(p, rate)) for p in pictures]


def _pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder; of a document that lies beside its export, the export."""
    files = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    exports = [p for p in files if p.suffix.lower() in SUFFIXES]
    stems = {p.stem for p in exports}
    others = [p for p in files if p.suffix.lower() in READABLE and p.stem not in stems]
    return sorted({*exports, *others})


def frame_of(path: Path, rate: Fraction | None) -> int:
    """The frame that a picture's name ends in.

    Raises:
        UsageError: it ends in none.
    """
    if time := re.search(_TIME + "$", path.stem):
        return _frame_at(time, rate, str(path))
    number = re.search(r"(\d+)$", path.stem)
    if number is None:
        raise UsageError(
            f"{path} names no frame; expected a name that ends in a frame's number or timecode."
        )
    return int(number[1])


def _frame_at(time: re.Match[str], rate: Fraction | None, text: str) -> int:
    hours, minutes, seconds, frames = map(int, time.groups())
    if rate is None:
        raise UsageError(f"{text} names a time; expected a frame's number, as no film is colored.")
    nominal = round(rate)
    if minutes > 59 or seconds > 59 or frames >= nominal:
        raise UsageError(f"{text} names no time of a film of {nominal} frames a second.")
    return ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
