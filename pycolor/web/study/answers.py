"""What was answered: a CSV that grows line by line, so that nothing is lost."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterable
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

    Raises:
        UsageError: a file of another kind stands there.
        FilmError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        if path.exists():
            read_answers(path)
            return
        self._write(FIELDS, "w")

    def add(self, answer: Answer) -> None:
        """Append a line; it is on the disk when this returns."""
        with self._lock:
            self._write(list(asdict(answer).values()), "a")

    def _write(self, values: Iterable[object], mode: str) -> None:
        try:
            with self.path.open(mode, newline="", encoding="utf-8") as file:
                csv.writer(file).writerow(values)
        except OSError as e:
            raise FilmError(f"{self.path} cannot be written: {e.strerror}.") from e


def read_answers(path: Path) -> list[Answer]:
    """The answers of a file.

    Raises:
        UsageError: it is missing, or is not what `AnswerFile` writes.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames != FIELDS:
                raise UsageError(f"{path} holds no answers of a study; expected its header line.")
            return [_parse(row) for row in rows]
    except OSError as e:
        raise UsageError(f"answers {path} cannot be read: {e.strerror}.") from e
    except (KeyError, ValueError, TypeError) as e:
        raise UsageError(f"{path} has a line that is no answer: {e}.") from e


def _parse(row: dict[str, str]) -> Answer:
    flags = {"True": True, "False": False}
    question: Question = "real" if row["question"] == "real" else "natural"
    return Answer(
        time=row["time"],
        participant=row["participant"],
        question=question,
        seed=int(row["seed"]),
        trial=int(row["trial"]),
        practice=flags[row["practice"]],
        picture=row["picture"],
        way=row["way"],
        left=row["left"],
        answer=row["answer"],
        believed=flags[row["believed"]],
        milliseconds=int(row["milliseconds"]),
    )
