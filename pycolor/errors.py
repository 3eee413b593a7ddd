"""The two ways in which a command can fail.

A message is one sentence: what was wrong, what was expected, what came, and the file and the
timestamp where there is one.  The command line prints it without a traceback.
"""

from __future__ import annotations


class PycolorError(Exception):
    """Anything that pycolor reports in a sentence; `exit_code` is what the command returns."""

    exit_code = 1


class FilmError(PycolorError):
    """The film or the machine is at fault: unreadable, truncated, disk full, refused by a codec."""

    exit_code = 1


class UsageError(PycolorError):
    """The command is at fault: a wrong name, a missing folder, output and input the same file."""

    exit_code = 2


def counted(number: int, noun: str) -> str:
    """A number and its noun, which is given in the singular: "1 frame", "2 frames"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
