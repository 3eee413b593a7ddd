"""Who computes: one at a time, for each takes all cores; whoever waits for a picture goes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

IDLE = 3.0  # seconds in which nobody asks for a picture
PLAYS = 0.5  # seconds in which another picture is asked for while the film is played


class Turns:
    """See the module.

    Attributes:
        work: held by whoever computes.
        news: of all that somebody may wait for.
    """

    def __init__(self) -> None:
        self.work, self.news = threading.Lock(), threading.Condition()
        self._waiting = 0  # people who wait for a picture
        self._asked = time.monotonic()  # when somebody did last
        self._played = -PLAYS  # when the film was played last

    @contextmanager
    def for_a_person(self) -> Iterator[None]:
        """While it lasts, a picture is made that somebody waits for."""
        with self.news:
            self._waiting += 1
            self._asked = time.monotonic()
        try:
            with self.work:
                yield
        finally:
            with self.news:
                self._waiting -= 1
                self.news.notify_all()

    def play_on(self) -> None:
        """Somebody plays the film: for a moment nothing is made in the background."""
        with self.news:
            self._asked = self._played = time.monotonic()

    def give_way(self, ended: Callable[[], bool]) -> None:
        """Whoever computes in the background lets people go first.

        Args:
            ended: there is nothing to wait for any more.
        """
        self.work.release()
        try:
            with self.news:
                while not ended() and (self._waiting or self._plays()):
                    self.news.wait(PLAYS)
        finally:
            self.work.acquire()

    @contextmanager
    def spare(
        self,
        busy: Callable[[], bool],
        ended: threading.Event,
        hurried: Callable[[], bool] = lambda: False,
    ) -> Iterator[bool]:
        """While it lasts, nobody else computes; begins when nobody has asked for a while.

        Args:
            busy: something more urgent is being made.
            ended: stops the waiting; what is given then is False.
            hurried: somebody waits for this, too, and it may begin at once.
        """
        while not ended.is_set():
            with self.news:
                idle = IDLE if hurried() else time.monotonic() - self._asked
                if self._waiting or busy() or idle < IDLE:
                    self.news.wait(min(0.5, max(0.05, IDLE - idle)))
                    continue
            with self.work:
                yield True
            return
        yield False

    def _plays(self) -> bool:
        return time.monotonic() - self._played < PLAYS
