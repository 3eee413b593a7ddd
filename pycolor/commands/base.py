"""The options that every command has."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from pycolor.errors import UsageError
from pycolor.options.frame_ranges import frame_range, frame_rate, has_timecodes
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


# Options of a film that mean nothing where a plan, which is of the whole film, leads it.
UNPLANNED = frozenset(("frames", "shots", "reference", "guidance", "slice", "ray"))
# Those of a run of `pycolor video`, of which there is none.
OF_A_RUN = frozenset(
    ("batch", "cache_size", "sensitivity", "work_dir", "keep_work", "segment_frames")
) | {"framemd5", "trace"}


@dataclass(frozen=True, kw_only=True)
class Command:
    """The options that every command has.

    A command names fields of its options that it has no use for as `UNUSED`, see `help.entries`.
    """

    output: Messages = field(default_factory=Messages)


def range_in_frames(source: Path, text: str, rate: str | None) -> str:
    """A range of a film in frame numbers, A:B; timecodes are turned by the film's own rate.

    Raises:
        UsageError: there is no such range.
        FilmError: the film cannot be read.
    """
    if not has_timecodes(text):
        return text
    if str(source) == "-":
        raise UsageError(
            "frames must be A:B for a film from the standard input, whose rate is not known yet."
        )
    from pycolor.video.io import Reader

    with Reader(source, rate=frame_rate(rate)) as reader:
        found = frame_range(text, reader.info.rate)
    if found is None:
        return ":"
    return f"{found[0]}:{'' if found[1] is None else found[1]}"
