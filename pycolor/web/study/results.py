"""What the answers say: shares with their intervals, and medians over participants."""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rich.table import Table
from scipy.stats import binomtest

from pycolor.web.study.answers import Answer, quoted
from pycolor.web.study.design import Question

CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Result:
    """How one way of coloring fared in one study.

    Attributes:
        question: natural or real.
        way: name of its folder.
        participants: that judged it.
        answers: that count.
        share: of them that believed it, 0 … 1.  Asked which one is real, 0.5 is perfect.
        low, high: Wilson's interval of that share at 95 %.
        standard_error: of the share, as Zhang et al. print it.
        median: of the participants' own shares, as Iizuka et al. print it.
        quartile_low, quartile_high: of the same, where two or more took part.
        median_seconds: to answer.
    """

    question: Question
    way: str
    participants: int
    answers: int
    share: float
    low: float
    high: float
    standard_error: float
    median: float
    quartile_low: float
    quartile_high: float
    median_seconds: float


def results(answers: Sequence[Answer]) -> list[Result]:
    """One for each question and way, by name; practice does not count."""
    groups: defaultdict[tuple[Question, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        if not answer.practice:
            groups[answer.question, answer.way].append(answer)
    return [_result(*key, group) for key, group in sorted(groups.items())]


def _result(question: Question, way: str, answers: list[Answer]) -> Result:
    by_person: defaultdict[str, list[bool]] = defaultdict(list)
    for answer in answers:
        by_person[answer.participant].append(answer.believed)
    shares = [statistics.fmean(believed) for believed in by_person.values()]
    count, believed = len(answers), sum(a.believed for a in answers)
    share = believed / count
    interval = binomtest(believed, count).proportion_ci(CONFIDENCE, method="wilson")
    quartiles = statistics.quantiles(shares, method="inclusive") if len(shares) > 1 else shares * 3
    return Result(
        question=question,
        way=way,
        participants=len(shares),
        answers=count,
        share=share,
        low=float(interval.low),
        high=float(interval.high),
        standard_error=(share * (1 - share) / count) ** 0.5,
        median=statistics.median(shares),
        quartile_low=quartiles[0],
        quartile_high=quartiles[2],
        median_seconds=statistics.median(a.milliseconds for a in answers) / 1000,
    )


def write_results(found: Sequence[Result], path: Path) -> None:
    """The same as CSV, a line each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.DictWriter(file, [f.name for f in fields(Result)])
        lines.writeheader()
        lines.writerows(asdict(result) | {"way": quoted(result.way)} for result in found)


def table(found: Sequence[Result]) -> Table:
    """For people; percentages as the papers print them."""
    lines = Table()
    for column in ("question", "coloring", "people", "answers", "believed", "95 %", "median",
                   "quartiles", "seconds"):  # fmt: skip
        lines.add_column(column, justify="left" if column in ("question", "coloring") else "right")
    for r in found:
        lines.add_row(
            r.question,
            r.way,
            str(r.participants),
            str(r.answers),
            f"{100 * r.share:.1f} ± {100 * r.standard_error:.1f} %",
            f"{100 * r.low:.1f} … {100 * r.high:.1f} %",
            f"{100 * r.median:.1f} %",
            f"{100 * r.quartile_low:.1f} … {100 * r.quartile_high:.1f} %",
            f"{r.median_seconds:.2f}",
        )
    return lines
