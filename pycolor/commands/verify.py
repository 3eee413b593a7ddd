"""`pycolor verify`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import Positional, arg

from pycolor.commands.base import Command, range_in_frames
from pycolor.encoding import Matrix, TagOverride
from pycolor.options import Range
from pycolor.options.frame_ranges import frame_range, frame_rate

EXAMPLES = """
pycolor verify in.mp4 out.mkv
pycolor verify in.mp4 part.mkv --frames 0:240
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Compare a colored film with its source: luma, timestamps, every other stream, chapters, tags.

    The exit code is 0 if nothing differs, 1 if something does.

    Attributes:
        source: the film.
        result: the colored film.
        frames: the frames that were colored, from A up to, not including, B; or timecodes.
        rate: frames per second, if the film was colored with --rate.
        range: of the source, if it was colored with --range.
        matrix: of the source, if it was colored with --matrix.
        json: print the report as JSON.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    result: Annotated[Positional[Path], arg(metavar="OUT")]
    frames: Annotated[str, arg(metavar="A:B")] = ":"
    rate: Annotated[str | None, arg(metavar="FPS")] = None
    range: Range | None = None
    matrix: Matrix | None = None
    json: bool = False


def run(flags: Flags) -> int:
    from pycolor.video.verify import verify as compare

    report = compare(
        flags.source,
        flags.result,
        frames=frame_range(range_in_frames(flags.source, flags.frames, flags.rate)),
        rate=frame_rate(flags.rate),
        override=TagOverride.of(flags.range, flags.matrix),
    )
    if flags.json:
        print(json.dumps(report.to_json(), indent=2, allow_nan=False))
    else:
        table = Table(title=f"{flags.source.name} and {flags.result.name}")
        for column in ("check", "result", "detail"):
            table.add_column(column)
        for check in report.checks:
            color = {"ok": "green", "differs": "red"}.get(check.state, "yellow")
            table.add_row(check.name, f"[{color}]{check.state}[/]", escape(check.detail))
        Console().print(table)
    return 0 if report.ok else 1
