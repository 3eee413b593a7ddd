"""The options that every command has."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from pycolor.system.progress import Style


@dataclass(frozen=True, kw_only=True)
class Messages:
    """What a command prints about its progress.

    Attributes:
        progress: how progress is shown on stderr; auto: a bar on a terminal, lines elsewhere.
        quiet: print errors only.
        debug: show the traceback of an error.
    """

    progress: Style = "auto"
    quiet: bool = False
    debug: bool = False

    @property
    def style(self) -> Style:
        return "none" if self.quiet else self.progress

    def say(self, text: str) -> None:
        """Print one line on stderr, unless told to be quiet."""
        if not self.quiet and self.progress != "json":
            print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, kw_only=True)
class Command:
    """The options that every command has."""

    output: Messages = field(default_factory=Messages)
