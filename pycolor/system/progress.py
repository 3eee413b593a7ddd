"""How far the work has come, on stderr: a bar, plain lines, JSON lines, or nothing."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Literal, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

Style = Literal["auto", "plain", "json", "none"]
SECONDS_BETWEEN_LINES = 10.0


class Progress(AbstractContextManager["Progress"]):
    """Counts steps; `total` may be unknown (None).

    Args:
        title: what is being done.
        total: steps in all; may be set later.
        unit: of a step, for the rate.
        style: auto draws a bar on a terminal and writes plain lines elsewhere.
        stream: where to; stderr by default.
    """

    def __init__(
        self,
        title: str,
        total: int | None,
        unit: str = "frames",
        style: Style = "auto",
        stream: TextIO | None = None,
    ) -> None:
        self.title, self.total, self.unit = title, total, unit
        self.stream = stream or sys.stderr
        if style == "auto" and not self.stream.isatty():
            style = "plain"
        self.style = style
        self.done = self._earlier = 0
        self._began = self._last = time.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> Progress:
        self._began = self._last = time.monotonic()
        if self.style == "auto":
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=Console(file=self.stream),
                transient=False,
            )
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.total, rate="")
        return self

    def stage(self, title: str, total: int | None, unit: str = "frames") -> None:
        """Begin to count anew, for the next part of the work."""
        self.title, self.total, self.unit = title, total, unit
        self.done = self._earlier = 0
        self._began = self._last = time.monotonic()
        if self._bar is not None:
            self._bar.reset(self._task, total=total, description=title, rate="")

    @property
    def rate(self) -> float:
        """Steps a second since the beginning."""
        return (self.done - self._earlier) / max(1e-9, time.monotonic() - self._began)

    def passed(self, steps: int) -> None:
        """Count steps that an earlier run did; they say nothing of the rate."""
        self._earlier += steps
        self.advance(steps)

    def advance(self, steps: int = 1) -> None:
        """Count further steps."""
        self.done += steps
        now = time.monotonic()
        if self._bar is not None:
            rate = f"{self.rate:.1f} {self.unit}/s"
            self._bar.update(self._task, advance=steps, total=self.total, rate=rate)
        elif now - self._last >= SECONDS_BETWEEN_LINES:
            self._last = now
            self._line()

    def _line(self) -> None:
        left = None
        if self.total is not None and self.rate:
            left = max(0.0, (self.total - self.done) / self.rate)
        if self.style == "json":
            state = {
                "event": "progress",
                "title": self.title,
                "done": self.done,
                "total": self.total,
                "rate": round(self.rate, 3),
                "seconds_left": None if left is None else round(left, 1),
            }
            print(json.dumps(state), file=self.stream, flush=True)
        elif self.style == "plain":
            total = "" if self.total is None else f"/{self.total}"
            rest = "" if left is None else f", {_clock(left)} left"
            one = self.done == 1 and not total
            unit = self.unit.removesuffix("s") if one else self.unit
            text = f"{self.title}: {self.done}{total} {unit}, {self.rate:.1f}/s{rest}"
            print(text, file=self.stream, flush=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            if kind is None:  # the estimate of the total may have been off
                self._bar.update(self._task, total=self.done)
            self._bar.stop()
        elif kind is None and self.done and self.style in ("plain", "json"):
            self.total = self.done
            self._line()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def begin_stage(
    progress: Progress | None, title: str, total: int | None, unit: str = "frames"
) -> Callable[[], None]:
    """Begin to count a part of the work; the answer counts one step, or nothing."""
    if progress is None:
        return lambda: None
    progress.stage(title, total, unit)
    return progress.advance
