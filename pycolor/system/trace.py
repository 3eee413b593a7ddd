"""Where the time goes, as a file that Chrome's and Perfetto's viewers show: a row a thread."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from pycolor.errors import FilmError
from pycolor.system.atomic_file import atomic_write


class Trace:
    """Writes what threads do, as "complete events" of Chrome's Trace Event Format.

    An event holds its wall time (`ts`, `dur`) and the processor time of its thread (`tdur`), both
    in microseconds; that of a codec's own threads is not in it.

    Args:
        file: takes one event a line; at the end `close` makes it a whole JSON document.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._began = time.perf_counter()
        self._lock = threading.Lock()
        self._threads: dict[int, int] = {}  # identity → row
        self._put({"name": "process_name", "ph": "M", "args": {"name": "pycolor"}}, start="[\n")

    @contextmanager
    def event(self, stage: str) -> Iterator[None]:
        """What the block does, as one event of this thread."""
        began, busy = time.perf_counter(), time.thread_time()
        try:
            yield
        finally:
            passed, worked = time.perf_counter() - began, time.thread_time() - busy
            self._put(
                {
                    "name": stage,
                    "ph": "X",
                    "ts": round(1e6 * (began - self._began), 1),
                    "dur": round(1e6 * passed, 1),
                    "tdur": round(1e6 * worked, 1),
                },
                row=self._row(stage),
            )

    def close(self) -> None:
        self._file.write("\n]\n")

    def _row(self, stage: str) -> int:
        """The number of this thread, which is named after the first stage that ends in it."""
        thread = threading.get_ident()
        row = self._threads.get(thread)
        if row is None:
            row = self._threads[thread] = len(self._threads) + 1
            name = "main" if threading.current_thread() is threading.main_thread() else stage
            self._put({"name": "thread_name", "ph": "M", "args": {"name": name}}, row=row)
        return row

    def _put(self, event: dict[str, Any], *, row: int = 0, start: str = ",\n") -> None:
        line = json.dumps({**event, "pid": os.getpid(), "tid": row})
        with self._lock:
            self._file.write(start + line)


@contextmanager
def traced(path: Path | None, *, overwrite: bool = False) -> Iterator[Trace | None]:
    """A trace into a file, which appears when the block ends well; None without a name.

    Raises:
        UsageError: the file exists without `overwrite`, or cannot be written there.
        FilmError: it cannot be written.
    """
    if path is None:
        yield None
        return
    with atomic_write(path, overwrite=overwrite) as part:
        try:
            with part.open("w", encoding="utf-8") as file:
                trace = Trace(file)
                yield trace
                trace.close()
        except OSError as e:
            raise FilmError(f"the trace {path} could not be written: {e.strerror}.") from None
