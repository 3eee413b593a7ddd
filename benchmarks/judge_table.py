"""What `benchmarks.judge` found, as a table: a column for each that was judged."""

from __future__ import annotations

from typing import Any

from benchmarks.faults import Faults
from benchmarks.page import table

EXPLAINED = """\
`python -m benchmarks.judge DATA` colors the 60 photographs of `eval/` that no dial was
chosen on since 0.1.0 (the other 40, fixed by a seed, are for choosing), pictures that
have no color, faded copies and the archival clips, and counts what a person would find
fault with, by the rules of `benchmarks/faults.py`: surfaces that are flat by their luma
and came out in several hues, halos along their edges, dark neutral things and skin in
boxes drawn by hand, chroma at the ends of the lightness. What the truth has itself is
left out. Areas are in hundredths, over those of gray; drift is how far color moves over a
shot at places that stay what they are, ab units from the 5th to the 95th percentile."""


def judge_table(columns: list[dict[str, Any]]) -> str:
    """Of the columns of judge.json."""
    rows: dict[str, dict[str, str]] = {}

    def put(label: str, name: str, text: str) -> None:
        rows.setdefault(label, {})[name] = text

    for column in columns:
        name = column["name"]
        for key, value in column["figures"].items():
            put(key, name, f"{value:.0%}" if key == "colorfulness" else f"{value:.2f}")
        for kind, (count, of) in column["faults"].items():
            put(f"{kind}, photographs", name, f"{count} of {of}")
        clips = Faults({})
        for found in column.get("films", {}).values():
            clips += Faults({k: (v[0], v[1]) for k, v in found.items()})
        for kind, (count, of) in clips.counts.items():
            put(f"{kind}, archival clips", name, f"{count} of {of}")
        for key, value in column["chroma of what has none"].items():
            put(f"mean chroma: {key}", name, f"{value:.1f}")
        for key, value in column["faded copies"].items():
            put(f"ab error, {key}, over the clean copy's", name, f"{value:.2f}")
        for film, drifts in column.get("drift", {}).items():
            text = ", ".join("–" if d is None else f"{d:.1f}" for d in drifts)
            put(f"drift by shot: {film}", name, text)
    names = [column["name"] for column in columns]
    lines = [[label, *[cells.get(n, "–") for n in names]] for label, cells in rows.items()]
    return table(["", *names], lines)
