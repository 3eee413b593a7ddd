"""docs/results.md says what the files beside it say."""

from __future__ import annotations

import json

import pytest

from benchmarks.results import FILES, PAGE, page


def test_the_page_is_written_from_its_files() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m benchmarks.results --write"


@pytest.mark.parametrize("path", sorted(FILES.glob("*.json")), ids=lambda p: p.stem)
def test_every_file_is_strict_and_says_where_it_is_from(path) -> None:
    told = json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert len(told["record"]["commit"]) == 40
    assert told["record"]["processor"]
    assert told["record"]["facts"]["machine"]
