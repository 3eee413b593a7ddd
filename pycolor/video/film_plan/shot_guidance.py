"""What leads the model in a shot: the entries of a plan's "guidance".

    {"kind": "still", "frame": 48, "path": "still.png"}      the film's frame 48 in color
    {"kind": "picture", "path": "uniform.jpg"}               something that looks alike
    {"kind": "style", "path": "poster.jpg"}                  a picture whose style is taken
    {"kind": "palette", "colors": ["#5a6b3c", [52, 8, -31]]} colors that the shot's are drawn to
    {"kind": "color", "frame": 48, "at": [310, 122], "color": "#5a6b3c"}
    {"kind": "keep-gray", "frame": 48, "polygon": [[0, 0], [200, 0], [200, 90]]}
    {"kind": "only-here", "frame": 48, "polygon": [[0, 0], [90, 0], [90, 90]]}

The last three are marks, see `pycolor.models.guidance.marks`.  Frames count from the film's first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pycolor.errors import UsageError
from pycolor.models.guidance.marks import KINDS as MARK_KINDS
from pycolor.models.guidance.marks import Marks, ab_of

Entry = Mapping[str, Any]

_KEYS: dict[str, tuple[str, ...]] = {
    "still": ("kind", "frame", "path", "notes"),
    "picture": ("kind", "path", "notes"),
    "style": ("kind", "path", "notes"),
    "palette": ("kind", "colors", "notes"),
}
ENTRY_KINDS = (*_KEYS, *MARK_KINDS)


class EntryError(ValueError):
    """An entry that cannot be; `key` of it is wrong, empty where one is missing."""

    def __init__(self, text: str, key: str = "") -> None:
        super().__init__(text)
        self.key = key


def check_entry(entry: Entry, start: int, stop: int) -> None:
    """Make sure that an entry can lead a shot of frames start … stop − 1.

    Raises:
        EntryError: it cannot.
    """
    kind = entry.get("kind")
    if kind not in ENTRY_KINDS:
        told = "none" if kind is None else repr(kind)
        key = "kind" if "kind" in entry else ""
        raise EntryError(f"guidance needs a kind, {', '.join(ENTRY_KINDS)}; got {told}", key)
    if kind in MARK_KINDS:
        try:
            Marks.from_json({"version": 1, "marks": [dict(entry)]})
        except UsageError as e:
            raise EntryError(str(e).rstrip(".")) from None
    else:
        for key in entry:
            if key not in _KEYS[kind]:
                raise EntryError(f"{key!r} is not known; expected {', '.join(_KEYS[kind])}", key)
        _check_values(entry, kind)
    frame = entry.get("frame")
    if frame is not None and not start <= frame < stop:
        raise EntryError(
            f"frame {frame} is not of this shot, frames {start} to {stop - 1}", "frame"
        )


def _check_values(entry: Entry, kind: str) -> None:
    path, frame = entry.get("path"), entry.get("frame")
    if "path" in _KEYS[kind] and not (isinstance(path, str) and path):
        raise EntryError(f"a {kind} needs the path of a picture", "path" if "path" in entry else "")
    if kind == "still" and (not isinstance(frame, int) or isinstance(frame, bool)):
        raise EntryError("a still needs the number of its frame", "frame" if frame else "")
    if kind == "palette":
        try:
            palette_of([entry])
        except (UsageError, TypeError, ValueError, KeyError) as e:
            told = str(e).rstrip(".") if isinstance(e, UsageError) else "#rrggbb or [L, a, b]"
            raise EntryError(f"a palette needs colors: {told}", "colors") from None


def palette_of(guidance: Iterable[Entry]) -> tuple[tuple[float, float], ...]:
    """The ab of the colors that a shot's are drawn to."""
    return tuple(
        ab_of(color if isinstance(color, str) else (color[0], color[1], color[2]))
        for entry in guidance
        if entry["kind"] == "palette"
        for color in entry["colors"]
    )


def marks_of(guidance: Iterable[Entry]) -> Marks:
    """The marks of a shot."""
    marks = [dict(entry) for entry in guidance if entry["kind"] in MARK_KINDS]
    return Marks.from_json({"version": 1, "marks": marks})


def stills_twice(guidance: Iterable[Entry]) -> set[int]:
    """The frames of which there is more than one still."""
    frames = [entry["frame"] for entry in guidance if entry["kind"] == "still"]
    return {frame for frame in frames if frames.count(frame) > 1}


def styles_of(guidance: Iterable[Entry]) -> int:
    """How many styles there are, of which one can count."""
    return sum(entry["kind"] == "style" for entry in guidance)


def of_frames(guidance: Iterable[Entry], first: int, stop: int) -> tuple[Entry, ...]:
    """The entries that can lead frames first … stop − 1: of these frames, or of none."""
    return tuple(e for e in guidance if e.get("frame") is None or first <= e["frame"] < stop)
