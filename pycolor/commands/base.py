"""What every command has: its output, and what it says."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from pycolor.system.progress import Style


@dataclass(frozen=True, kw_only=True)
class ContainerWriter:
    """What a command says, and how.

    Attributes:
        progress: auto (a bar on a terminal, lines elsewhere), plain, json or none; on stderr.
        quiet: say nothing but errors.
        debug: show the traceback of an error.
    """

    progress: Style = "auto"
    quiet: bool = False
    debug: bool = False

    @property
    def style(self) -> Style:
        return "none" if self.quiet else self.progress

    def say(self, text: str) -> None:
        """One line for the person who waits, on stderr."""
        if not self.quiet and self.progress != "json":
            print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What every command has."""

    output: ContainerWriter = field(default_factory=ContainerWriter)
