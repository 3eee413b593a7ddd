"""`pycolor report`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import counted


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Write a cue sheet of a colored film: of each shot its times, model, weights, guidance, grade,
    reviewer and notes, and a picture before and after. OUT.json, its record, must lie beside it.

    Attributes:
        film: the colored film.
        html: the sheet (default: OUT.cues.html).
        csv: the same as a table (default: OUT.cues.csv).
        overwrite: replace existing files.
    """

    film: Annotated[Positional[Path], arg(metavar="OUT")]
    html: Path | None = None
    csv: Path | None = None
    overwrite: bool = False


def run(flags: Flags) -> int:
    from pycolor.system.atomic_file import atomic_write, check_output
    from pycolor.video.job.record.cue_sheet import cues_csv, cues_html, read_cues

    html = flags.html or flags.film.with_suffix(".cues.html")
    table = flags.csv or flags.film.with_suffix(".cues.csv")
    for path in (html, table):
        check_output(path, sources=[flags.film], overwrite=flags.overwrite)
    sheet = read_cues(flags.film)
    for path, text in ((table, cues_csv(sheet)), (html, cues_html(sheet))):
        with atomic_write(path, overwrite=flags.overwrite) as part:
            part.write_text(text, encoding="utf-8")
    flags.output.say(f"{html}, {table}: {counted(len(sheet.cues), 'shot')}")
    return 0
