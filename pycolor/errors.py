"""Errors that a person is meant to read: one sentence, no traceback."""

from __future__ import annotations


class PycolorError(Exception):
    """What was wrong, what was expected, what came.  `exit_code` is the command's."""

    exit_code = 1


class FilmError(PycolorError):
    """The film, the picture or the machine is at fault (exit code 1)."""


class UsageError(PycolorError, ValueError):
    """The command or its options are at fault (exit code 2)."""

    exit_code = 2
