"""The chart of the README: ours beside each peer, medians and quartiles on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS, THEIRS, MEMORY = "#c8442f", "#8a94a6", "#c9ced8"

# Group of cases → its title; cases that compare us with ourselves are left out.
TITLES = {
    "frame 576p": "logits → 4:2:0 planes, 576p",
    "frame 1080p": "logits → 4:2:0 planes, 1080p",
    "frame 2160p": "logits → 4:2:0 planes, 2160p",
    "render": "chroma field → 4:2:0 planes, 1080p",
    "bilateral": "joint bilateral filter d = 9, 1080p",
    "decode 64×64": "annealed mean, 64×64×313",
    "decode 480×270": "annealed mean, 480×270×313",
    "lab": "Lab → R'G'B' of 8 bits, 1080p",
}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """Milliseconds of one case."""

    name: str
    low: float
    median: float
    high: float


def bars_of(cases: Mapping[str, Mapping[str, float]]) -> list[Bar]:
    """Ours first, then the peers from fast to slow."""
    bars = [
        Bar(name=n, low=c["quartile_1"], median=c["median"], high=c["quartile_3"])
        for n, c in cases.items()
        if n == "ours" or not n.startswith("ours")
    ]
    return sorted(bars, key=lambda bar: (bar.name != "ours", bar.median))


def _draw(axis: Any, title: str, bars: Sequence[Bar]) -> None:
    """One group; the axis is matplotlib's."""
    ours = bars[0].median
    for row, bar in enumerate(bars):
        color = OURS if bar.name == "ours" else MEMORY if "memcpy" in bar.name else THEIRS
        spread = [[bar.median - bar.low], [bar.high - bar.median]]
        axis.barh(row, bar.median, color=color, xerr=spread, error_kw={"lw": 0.8}, height=0.72)
        ratio = "" if bar.name == "ours" else f"  {bar.median / ours:.3g}×"
        axis.text(bar.high * 1.08, row, f"{bar.median:.3g} ms{ratio}", va="center", fontsize=7)
    axis.set_yticks(range(len(bars)), [bar.name for bar in bars], fontsize=7)
    axis.invert_yaxis()
    axis.set_title(title, fontsize=8, loc="left", fontweight="bold")
    axis.tick_params(axis="x", labelsize=6, which="both", length=2)
    axis.spines[["top", "right"]].set_visible(False)


def draw(groups: Mapping[str, Mapping[str, Mapping[str, float]]], caption: str, path: Path) -> None:
    """Write the chart.

    Args:
        groups: group → case → "median", "quartile_1", "quartile_3" in milliseconds.
        caption: the machine and the number of threads.
        path: of an SVG or PNG.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    # One size and one order of numbers whatever the run: a chart that changes little in git.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "pycolor"})
    named = [(title, bars_of(groups[name])) for name, title in TITLES.items() if name in groups]
    heights = [len(bars) + 1.6 for _, bars in named]
    figure, axes = pyplot.subplots(
        len(named), 1, figsize=(7.5, sum(heights) * 0.19), squeeze=False, sharex=True,
        gridspec_kw={"height_ratios": heights}, layout="constrained",
    )  # fmt: skip
    axes[0, 0].set_xscale("log")
    every = [bar for _, bars in named for bar in bars]
    axes[0, 0].set_xlim(min(b.low for b in every) / 2, max(b.high for b in every) * 8)
    for axis, (title, bars) in zip(axes[:, 0], named, strict=True):
        _draw(axis, title, bars)
    figure.supxlabel(f"milliseconds, logarithmic; medians and quartiles; {caption}", fontsize=7)
    figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    pyplot.close(figure)
