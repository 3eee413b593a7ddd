"""The distributions drawn, by matplotlib."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pycolor.evaluate.metrics.measures import MEASURES
from pycolor.evaluate.metrics.over_time import TIMES
from pycolor.evaluate.reports.report import Report
from pycolor.system.optional import extra

COLORS = {"found": "#b5472f", "true": "#2f6f8f", "gray": "#8c8c88"}
NAMES = {"found": "colored", "true": "true", "gray": "gray"}
COLUMNS, BINS = 4, 24


def draw_distributions(report: Report, path: Path) -> None:
    """A histogram of every measure, and the cumulative ab error.

    Raises:
        UsageError: matplotlib is not installed.
    """
    lines = math.ceil((len(MEASURES) + 1) / COLUMNS)
    figure, axes = _figure(lines, COLUMNS, (3.1, 2.3))
    places = list(axes.flat)
    for measure, place in zip(MEASURES, places, strict=False):
        own = measure.better == "as true"
        drawn = [w for w in ("true" if own else "gray", "found") if report.rows]
        _histogram(place, {w: report.values(measure.name, w) for w in drawn}, measure.title)
    _curve(places[len(MEASURES)], report.curves)
    for place in places[len(MEASURES) + 1 :]:
        place.axis("off")
    handles = [extra("matplotlib.patches").Patch(color=COLORS[w], label=NAMES[w]) for w in NAMES]
    places[-1].legend(handles=handles, loc="center", frameon=False)
    figure.savefig(path, dpi=110)


def draw_over_time(report: Report, path: Path) -> None:
    """Chroma flicker and warp error of every film, frame by frame, with its cuts.

    Raises:
        UsageError: matplotlib is not installed.
    """
    measures = ("chroma_flicker", "warp_error")
    figure, axes = _figure(len(report.films), len(measures), (6.4, 2.3))
    for row, (name, film) in zip(axes, report.films.items(), strict=True):
        for place, measure in zip(row, measures, strict=True):
            for whose, values in film.values.get(measure, {}).items():
                place.plot(values, color=COLORS[whose], linewidth=1, label=NAMES[whose])
            for cut in film.cuts:
                place.axvline(cut, color="#d9d9d4", zorder=0)
            place.set_title(f"{name}: {TIMES[measure]}", fontsize=8)
            place.set_ylim(bottom=0)
    axes[0, 0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)


def _figure(rows: int, columns: int, cell: tuple[float, float]) -> Any:
    """(figure, rows×columns axes), drawn without a screen."""
    figure = extra("matplotlib.figure").Figure(
        figsize=(columns * cell[0], rows * cell[1]), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False)
    for place in axes.flat:
        place.tick_params(labelsize=7)
        place.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _histogram(place: Any, values: dict[str, list[float]], title: str) -> None:
    numbers = {w: [v for v in line if math.isfinite(v)] for w, line in values.items()}
    every = [v for line in numbers.values() for v in line]
    place.set_title(title, fontsize=8)
    if not every:
        return
    span = _span(every)
    for whose, line in numbers.items():
        place.hist(line, bins=BINS, range=span, color=COLORS[whose], alpha=0.6)


def _span(values: list[float]) -> tuple[float, float]:
    """Where the bins lie: from the least to the greatest, or around them where all are alike."""
    least, most = min(values), max(values)
    # Bins narrower than what float64 tells apart have no edges of their own.
    if most - least > 1e-9 * max(abs(least), abs(most), 1.0):
        return least, most
    return least - 0.5, most + 0.5


def _curve(place: Any, curves: dict[str, list[float]]) -> None:
    place.set_title("pixels within an ab error of …", fontsize=8)
    for whose, shares in curves.items():
        place.plot(range(1, len(shares) + 1), shares, color=COLORS[whose], linewidth=1.2)
    place.set_ylim(0, 1)
