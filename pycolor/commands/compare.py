"""`pycolor compare`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.options import CompareOptions
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor compare in.mkv out.mkv beside.mp4
pycolor compare in.mkv out.mkv reference.mov --view second --burn-in
pycolor compare first.mkv second.mkv wipe.mp4 --view wipe --plot color.png
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Show two films beside each other: a film to watch, and a plot of their color.

    Attributes:
        first: a film.
        second: another, of the same size and length.
        target: the film to make: .mp4, .mov or .mkv.
    """

    first: Annotated[Positional[Path], arg(metavar="A")]
    second: Annotated[Positional[Path], arg(metavar="B")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    compare: CompareOptions = field(default_factory=CompareOptions)


def run(flags: Flags) -> int:
    from pycolor.evaluate.comparison.compare import compare

    with Progress(flags.target.name, None, "frames", flags.output.style) as progress:
        compare(flags.first, flags.second, flags.target, flags.compare, progress)
    flags.output.say(f"wrote {flags.target}")
    if flags.compare.plot is not None:
        flags.output.say(f"wrote {flags.compare.plot}")
    return 0
