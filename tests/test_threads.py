"""Threads beside the main one: order, bounds, errors, early ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing

import pytest

from pycolor.system.prefetch import BackgroundConsumer, prefetch


def test_ahead_keeps_order_and_bound() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for i in range(20):
            made.append(i)
            yield i

    with closing(prefetch(numbers(), 3)) as items:
        for i, item in enumerate(items):
            assert item == i
            time.sleep(0.002)
            # three waiting, one in the hand of the thread, one in ours
            assert len(made) <= i + 6
    assert made == list(range(20))


def test_ahead_hands_over_errors_in_place() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("film torn")

    items = prefetch(broken(), 2)
    assert next(items) == 1
    with pytest.raises(OSError, match="film torn"):
        next(items)


def test_ahead_stops_its_thread_when_left_early() -> None:
    closed = threading.Event()

    def endless() -> Generator[int, None, None]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    source = endless()
    with closing(prefetch(source, 2)) as items:
        next(items)
    assert not any(t.name == "ahead" for t in threading.enumerate())
    source.close()
    assert closed.is_set()


def test_behind_keeps_order() -> None:
    seen: list[int] = []
    with BackgroundConsumer(seen.append, 2) as worker:
        for i in range(50):
            worker.put(i)
    assert seen == list(range(50))


def test_behind_reports_an_error_and_takes_no_more() -> None:
    seen: list[int] = []

    def fail_at_three(i: int) -> None:
        if i == 3:
            raise OSError("disk full")
        seen.append(i)

    def feed() -> None:
        with BackgroundConsumer(fail_at_three, 2) as worker:
            for i in range(1000):
                worker.put(i)

    with pytest.raises(OSError, match="disk full"):
        feed()
    assert seen == [0, 1, 2]


def test_behind_drops_the_rest_when_interrupted() -> None:
    seen: list[int] = []

    def slow(i: int) -> None:
        time.sleep(0.05)
        seen.append(i)

    def feed() -> None:
        with BackgroundConsumer(slow, 8) as worker:
            for i in range(8):
                worker.put(i)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feed()
    assert len(seen) <= 2
