"""Where figures go: docs/results/*.json, and the tables of pages that people read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
RESULTS = DOCS / "results"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown; the first column to the left, numbers to the right."""
    lines = [list(columns), ["---"] + ["---:"] * (len(columns) - 1), *map(list, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def filled_in(page: str, name: str, text: str) -> str:
    """A page with the text between `<!-- name -->` and `<!-- end of name -->` replaced.

    Raises:
        ValueError: the page has no such place.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    head, opened, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not opened or not closed:
        raise ValueError(f"expected a page with {begin.strip()} and {end.strip()}, found none")
    return head + begin + text + "\n" + end + tail


def fill_in(name: str, text: str, page: Path = DOCS / "models.md") -> None:
    """`filled_in`, of a file."""
    page.write_text(filled_in(page.read_text(encoding="utf-8"), name, text), encoding="utf-8")
