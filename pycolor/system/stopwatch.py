"""Seconds by stage."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_END = object()


class Stopwatch:
    """Adds up the time that stages take; threads may time stages side by side.

    Attributes:
        seconds: by stage.  Stages overlap, so they do not add up to the time that passed.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            passed = time.perf_counter() - began
            with self._lock:
                self.seconds[stage] += passed

    def timed(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """The items, with the time it takes to make each counted."""
        iterator = iter(items)
        while True:
            with self(stage):
                item = next(iterator, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]
            del item
