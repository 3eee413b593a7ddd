"""What was answered: a CSV that grows line by line, so that nothing is lost."""

from __future__ import annotations

import csv
import io
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from pycolor.errors import FilmError, UsageError
from pycolor.web.study.design import Question, Trial


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A line of the file.

    Attributes:
        time: UTC, ISO 8601.
        participant: as they named themselves.
        question: natural or real.
        seed: of the study.
        trial: number from 0.
        practice: it does not count.
        picture: name of the picture.
        way: of the coloring that is judged: the folder's name.
        left: for real, the way that was shown on the left.
        answer: yes or no; left or right.
        believed: taken for natural; for real, the coloring was taken for the real one.
        milliseconds: from the moment one could answer.
    """

    time: str
    participant: str
    question: Question
    seed: int
    trial: int
    practice: bool
    picture: str
    way: str
    left: str
    answer: str
    believed: bool
    milliseconds: int


FIELDS = [f.name for f in fields(Answer)]


def way_judged(trial: Trial, truth: str) -> str:
    """The coloring that a trial is about: of two, the one that is not the truth."""
    others = [way for way in trial.shown if way != truth]
    return others[0] if len(trial.shown) > 1 else trial.shown[0]


def is_believed(trial: Trial, answer: str, truth: str) -> bool:
    """Whether the coloring was taken for natural, or for the real one."""
    if len(trial.shown) == 1:
        return answer == "yes"
    return trial.shown[("left", "right").index(answer)] != truth


class AnswerFile:
    """Appends answers to a CSV file; several threads may.

    Args:
        path: made with its header where it does not exist.
        say: called for lines that are no answers.

    Raises:
        UsageError: a file of another kind stands there.
        FilmError: it cannot be written.
    """

    def __init__(self, path: Path, say: Callable[[str], None] = lambda _: None) -> None:
        self.path = path
        self._lock = threading.Lock()
        if not path.exists():
            self._write(FIELDS, os.O_CREAT | os.O_EXCL)
            return
        read_answers(path, say)
        cut = path.read_bytes().rpartition(b"\n")[2]
        if cut:  # a line that was cut must not take the next one
            self._append(('"' if cut.count(b'"') % 2 else "") + "\r\n")

    def add(self, answer: Answer) -> None:
        """Append a line; it is in the file when this returns."""
        with self._lock:
            self._write([quoted(value) for value in asdict(answer).values()])

    def _write(self, values: Iterable[object], flags: int = 0) -> None:
        line = io.StringIO()
        csv.writer(line).writerow(values)
        self._append(line.getvalue(), flags)

    def _append(self, text: str, flags: int = 0) -> None:
        """Add to the file; one that was removed meanwhile is an error, not a new one."""
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | flags, 0o644)
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode())
        except OSError as e:
            raise FilmError(f"{self.path} cannot be written: {e.strerror}.") from e


# A spreadsheet takes a cell that begins so for a formula; after an apostrophe it is text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def quoted(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and _is_formula(value.lstrip("'")) else value


def _unquoted(text: str) -> str:
    return text[1:] if text.startswith("'") and _is_formula(text.lstrip("'")) else text


def _is_formula(text: str) -> bool:
    return text.startswith(_FORMULA)


def read_answers(path: Path, say: Callable[[str], None] = lambda _: None) -> list[Answer]:
    """The answers of a file.  A line that is none, cut or edited, is left out and reported.

    Raises:
        UsageError: it is missing, or is not what `AnswerFile` writes.
    """
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames != FIELDS:
                raise UsageError(f"{path} holds no answers of a study; expected its header line.")
            found = []
            for row in rows:
                try:
                    found.append(_parse(row))
                except (KeyError, ValueError, TypeError, AttributeError):
                    say(f"note: {path}, line {rows.line_num} is no answer and is left out")
            return found
    except OSError as e:
        raise UsageError(f"answers {path} cannot be read: {e.strerror}.") from e
    except csv.Error as e:
        raise UsageError(f"{path} holds no answers of a study: {e}.") from e


def _parse(row: dict[str, str]) -> Answer:
    flags = {"True": True, "False": False}
    if None in row.values() or row["answer"] not in ("yes", "no", "left", "right"):
        raise ValueError(row)
    question: Question = "real" if row["question"] == "real" else "natural"
    return Answer(
        time=row["time"],
        participant=_unquoted(row["participant"]),
        question=question,
        seed=int(row["seed"]),
        trial=int(row["trial"]),
        practice=flags[row["practice"]],
        picture=_unquoted(row["picture"]),
        way=_unquoted(row["way"]),
        left=_unquoted(row["left"]),
        answer=row["answer"],
        believed=flags[row["believed"]],
        milliseconds=int(row["milliseconds"]),
    )
