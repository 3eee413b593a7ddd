"""Seconds by stage."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

from pycolor.system.trace import Trace

T = TypeVar("T")

_END = object()


class Stopwatch:
    """Adds up the time that stages take; threads may time stages side by side.

    Attributes:
        seconds: by stage, each without the stages inside it.  Threads work side by side, so they do
            not add up to the time that passed.
        trace: takes each stage as an event, if it is set.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.trace: Trace | None = None
        self._lock = threading.Lock()
        self._thread = threading.local()

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        before = getattr(self._thread, "inside", 0.0)
        self._thread.inside = 0.0
        try:
            with nullcontext() if self.trace is None else self.trace.event(stage):
                yield
        finally:
            passed = time.perf_counter() - began
            with self._lock:
                self.seconds[stage] += passed - self._thread.inside
            self._thread.inside = before + passed

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
