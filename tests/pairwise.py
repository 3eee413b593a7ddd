"""Cases in which every two values meet, where all combinations would repeat one path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def pairs(one: Iterable[Any], other: Iterable[Any], third: Sequence[Any]) -> list[Any]:
    """Triples in which each value of one list meets each of the other two lists.

    All pairs of the first two are there; the third takes turns along both of them.
    """
    others = list(other)
    cases = [
        (a, b, third[(i + j) % len(third)]) for i, a in enumerate(one) for j, b in enumerate(others)
    ]
    return cases
