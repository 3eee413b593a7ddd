"""What looks at a film's shots beside the page."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

SECONDS = 60.0  # that the end of a look is waited for


class Background(ABC):
    """Work on a thread of its own that ends when it is told to, or with the program.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def _run(self) -> None:
        """The work; returns soon after `_ended` is set."""

    def start(self) -> None:
        """Look at the shots in the background, until `close`."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(SECONDS)
