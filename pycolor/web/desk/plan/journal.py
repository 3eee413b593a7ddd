"""What was changed on the desk, one line a step, so that each can be taken back: also tomorrow.

Each line of the file is a JSON object: an edit, or a step back or forth over edits.  An edit names
the shots that it replaced and what they became, as they stand in the plan's document.  A line is
written before the plan is saved; one whose revision never came to be is passed over.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pycolor.errors import FilmError

ShotDocument = dict[str, Any]
Step = Literal["edit", "undo", "redo"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some neighboring shots, before and after.

    Attributes:
        at: index of the first of them, before the change.
        old: as they were; `new` as they became, perhaps more or fewer.
    """

    at: int
    old: list[ShotDocument]
    new: list[ShotDocument]


@dataclass(frozen=True, kw_only=True)
class Change:
    """Shots before and after.

    Attributes:
        what: a word or two for people.
        parts: of the film, in order and apart.
    """

    what: str
    parts: tuple[Part, ...]

    def applied(self, shots: list[ShotDocument]) -> list[ShotDocument] | None:
        """The shots after it; None if they are no longer those that it is a change of."""
        made = list(shots)
        for part in reversed(self.parts):
            place = slice(part.at, part.at + len(part.old))
            if shots[place] != part.old:
                return None
            made[place] = part.new
        return made

    def back(self) -> Change:
        """The change that takes it back."""
        moved = 0
        parts = []
        for part in self.parts:
            parts.append(Part(at=part.at + moved, old=part.new, new=part.old))
            moved += len(part.new) - len(part.old)
        return Change(what=self.what, parts=tuple(parts))


def difference(what: str, old: list[ShotDocument], new: list[ShotDocument]) -> Change:
    """The change from some shots to others, of as few shots as possible."""
    if len(old) == len(new):
        differs = {n for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b}
        first = sorted(n for n in differs if n - 1 not in differs)
        stop = sorted(n + 1 for n in differs if n + 1 not in differs)
        parts = [Part(at=a, old=old[a:b], new=new[a:b]) for a, b in zip(first, stop, strict=True)]
        return Change(what=what, parts=tuple(parts))
    most = min(len(old), len(new))
    at = next((n for n in range(most) if old[n] != new[n]), most)
    tail = next((n for n in range(most - at) if old[-1 - n] != new[-1 - n]), most - at)
    part = Part(at=at, old=old[at : len(old) - tail], new=new[at : len(new) - tail])
    return Change(what=what, parts=(part,))


class Journal:
    """The file, and how far one has gone back in it.

    Args:
        path: of the file; it is made with the first line.
        revision: of the plan; later lines came to nothing.

    Raises:
        FilmError: it cannot be read.
    """

    def __init__(self, path: Path, revision: int) -> None:
        self.path = path
        self._changes: list[Change] = []
        self._done = 0
        for line in self._came_to_be(revision):
            self._count(line)

    @property
    def undo(self) -> Change | None:
        """The change that was made last and stands."""
        return self._changes[self._done - 1] if self._done else None

    @property
    def redo(self) -> Change | None:
        """The change that was taken back last."""
        return self._changes[self._done] if self._done < len(self._changes) else None

    def write(self, step: Step, revision: int, change: Change | None = None) -> None:
        """Say what will be saved; `count` it when it is.

        Args:
            step: what is done.
            revision: that the plan will have.
            change: of an edit.

        Raises:
            FilmError: it cannot be written.
        """
        line = _line(step, revision, change)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as e:
            raise FilmError(f"{self.path} cannot be written: {e.strerror}.") from None

    def count(self, step: Step, change: Change | None = None) -> None:
        """A step that was written has been saved."""
        self._count(_line(step, 0, change))

    def _count(self, line: dict[str, Any]) -> None:
        if line["step"] == "undo":
            self._done = max(0, self._done - 1)
        elif line["step"] == "redo":
            self._done = min(len(self._changes), self._done + 1)
        else:
            del self._changes[self._done :]
            parts = tuple(Part(**part) for part in line["parts"])
            self._changes.append(Change(what=line["what"], parts=parts))
            self._done += 1

    def _came_to_be(self, revision: int) -> list[dict[str, Any]]:
        """The lines that were saved; a line that the machine's end cut is cut off the file."""
        try:
            content = self.path.read_bytes() if self.path.exists() else b""
            whole = content[: content.rfind(b"\n") + 1]
            if len(whole) < len(content):
                os.truncate(self.path, len(whole))
        except OSError as e:
            raise FilmError(f"{self.path} cannot be read: {e.strerror}.") from None
        found: list[dict[str, Any]] = []
        for number, text in enumerate(whole.splitlines(), 1):
            try:
                line = _with_parts(json.loads(text))
                while found and found[-1]["revision"] >= line["revision"]:
                    found.pop()
                found.append(line)
            except (ValueError, KeyError, TypeError):
                raise FilmError(f"{self.path}, line {number}: expected a step of a plan.") from None
        return [line for line in found if line["revision"] <= revision]


def _with_parts(line: dict[str, Any]) -> dict[str, Any]:
    """A line of a desk before 0.2, whose edits had one part each, as they are now."""
    if "at" in line:
        line["parts"] = [{key: line.pop(key) for key in ("at", "old", "new")}]
    return line


def _line(step: Step, revision: int, change: Change | None) -> dict[str, Any]:
    line: dict[str, Any] = {"step": step, "revision": revision}
    if change is not None:
        line |= {"what": change.what, "parts": [vars(part) for part in change.parts]}
    return line
