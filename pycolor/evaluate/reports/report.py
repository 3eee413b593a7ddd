"""What was found: distributions, strict JSON, a table."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from rich.table import Table

from pycolor.evaluate.metrics.measures import ERRORS, MEASURES, OWN
from pycolor.evaluate.metrics.over_time import TIMES, Timeline

FORMAT = 1  # of the JSON; raised when a name in it changes its meaning
QUANTILES = (10, 25, 50, 75, 90)
# Whose values: the judged picture's, its truth's, and those of the truth without its color.
WHOSE = ("found", "true", "gray")


@dataclass(frozen=True)
class Distribution:
    """Of the values that are numbers.

    Attributes:
        count: of them; `beyond` counts the infinite ones (the PSNR of equal pictures), `undefined`
            those that a picture does not have (a share of the color of a gray one).
        mean, least, most: None where there is no number.
        quantiles: by percent.
    """

    count: int
    beyond: int
    mean: float | None
    least: float | None
    most: float | None
    quantiles: dict[str, float]
    undefined: int = 0

    @property
    def median(self) -> float | None:
        return self.quantiles.get("50")


def distribution(values: Iterable[float]) -> Distribution:
    """Of some values."""
    every = list(values)
    numbers = np.array([v for v in every if math.isfinite(v)], dtype=np.float64)
    undefined = sum(math.isnan(v) for v in every)
    beyond = len(every) - len(numbers) - undefined
    if not len(numbers):
        return Distribution(0, beyond, None, None, None, {}, undefined)
    return Distribution(
        count=len(numbers),
        beyond=beyond,
        mean=float(numbers.mean()),
        least=float(numbers.min()),
        most=float(numbers.max()),
        quantiles={str(q): float(np.percentile(numbers, q)) for q in QUANTILES},
        undefined=undefined,
    )


@dataclass(frozen=True)
class Row:
    """A picture, or a frame of a film: its values by whose they are, then by measure."""

    name: str
    values: dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Report:
    """An evaluation.

    Attributes:
        rows: pictures, and frames of films.
        films: the timeline of each film by its name.
        curves: by whose: the share of all pixels whose ab error is at most 1, 2, … 150 units.
        balanced: by whose: class-balanced ab AuC of the whole set.
        settings: what was compared, and how.
        record: what ran it: versions, commit, machine, time.
    """

    rows: list[Row]
    films: dict[str, Timeline]
    curves: dict[str, list[float]]
    balanced: dict[str, float]
    settings: dict[str, Any]
    record: dict[str, Any] = field(default_factory=dict)

    def values(self, measure: str, whose: str = "found") -> list[float]:
        """Of all rows."""
        return [row.values[whose][measure] for row in self.rows if measure in row.values[whose]]

    def over_time(self, measure: str, whose: str = "found") -> list[float]:
        """Of all films."""
        lines = (film.values.get(measure, {}).get(whose, []) for film in self.films.values())
        return [value for line in lines for value in line]

    def summary(self) -> dict[str, dict[str, Distribution]]:
        """By measure, then by whose."""
        found: dict[str, dict[str, Distribution]] = {}
        for measures, values in (
            ([m.name for m in MEASURES], self.values),
            (TIMES, self.over_time),
        ):
            for measure in measures:
                by_whose = {whose: values(measure, whose) for whose in WHOSE}
                if by_whose["found"]:
                    found[measure] = {w: distribution(v) for w, v in by_whose.items() if v}
        return found

    def to_json(self) -> dict[str, Any]:
        """Plain values; what is no number is None.  `record` alone differs from run to run."""
        plain = {
            "format": FORMAT,
            "settings": self.settings,
            "record": self.record,
            "summary": {
                measure: {whose: asdict(d) for whose, d in by_whose.items()}
                for measure, by_whose in self.summary().items()
            },
            "balanced_ab_auc": self.balanced,
            "ab_error_curve": self.curves,
            "rows": [{"name": row.name, **row.values} for row in self.rows],
            "films": {
                name: {"cuts": film.cuts, **film.values} for name, film in self.films.items()
            },
        }
        strict: dict[str, Any] = _finite(plain)
        return strict

    def dumps(self) -> str:
        """Strict JSON: without NaN and Infinity."""
        return json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def curve(counts: Iterable[float], pixels: int) -> list[float]:
    """Cumulative shares from the counts of whole units."""
    return [float(c) / pixels for c in np.cumsum(list(counts))[:ERRORS]]


def table(report: Report, title: str) -> Table:
    """Every measure in a line: mean and quantiles, beside gray and the truth."""
    lines = Table(title=title)
    for column in ("measure", "better", "mean", "median", "10 % … 90 %", "gray", "truth"):
        lines.add_column(column, justify="left" if column in ("measure", "better") else "right")
    titles = {m.name: (m.title, m.better) for m in MEASURES}
    titles |= {name: (text, "less") for name, text in TIMES.items()}
    for measure, by_whose in report.summary().items():
        name, better = titles[measure]
        d = by_whose["found"]
        others = [_mean(by_whose.get(whose)) for whose in ("gray", "true")]
        if measure not in (*OWN, *TIMES):
            others[1] = ""
        spread = f"{digits(d.quantiles.get('10'))} … {digits(d.quantiles.get('90'))}"
        lines.add_row(name, better, _mean(d), digits(d.median), spread, *others)
    if report.balanced:
        gray = digits(report.balanced.get("gray"))
        found = digits(report.balanced["found"])
        lines.add_row("ab AuC, every bin alike", "more", found, "", "", gray, "")
    return lines


def _mean(found: Distribution | None) -> str:
    if found is None:
        return ""
    return "∞" if found.mean is None and found.beyond else digits(found.mean)


def digits(value: float | None, missing: str = "–") -> str:
    """A number to three digits that count, for people."""
    if value is None:
        return missing
    if abs(value) < 1e-3:
        return f"{value:.2g}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _finite(value: Any) -> Any:
    """The same with None for NaN and infinities."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value
