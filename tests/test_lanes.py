"""The lists of tests/lanes.py name tests that exist."""

from __future__ import annotations

import ast
from pathlib import Path

from tests import lanes

FILES = sorted(Path(__file__).parent.glob("test_*.py"))


def test_every_name_is_that_of_a_test() -> None:
    trees = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    names = {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    }
    assert trees.keys() >= lanes.DOCS_FILES | lanes.SLOW_FILES
    assert names >= lanes.SLOW_TESTS
