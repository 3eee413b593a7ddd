"""Signals for child processes."""

from __future__ import annotations

import signal


def take_interrupts() -> None:
    """For `preexec_fn`: a background job of a shell ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
