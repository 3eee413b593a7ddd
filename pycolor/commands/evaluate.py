"""`pycolor evaluate`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError, counted
from pycolor.options import EvaluateOptions, PredictOptions, PropagationOptions, VideoOptions
from pycolor.system.progress import Progress

if TYPE_CHECKING:
    from pycolor.evaluate.reports.report import Report
    from pycolor.evaluate.reports.sheets import SampleRow

EXAMPLES = """
pycolor evaluate photographs/ --out report/
pycolor evaluate film.mkv --model zhang2016
pycolor evaluate --truth film.mkv --result colored.mkv --json
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Measure a model on color photographs and films, or any coloring beside its truth.

    Attributes:
        source: a color photograph, a color film or a folder of them, for the model to color.
        truth: in place of PATH: a file or folder in true colors, to compare with --result.
        result: the same pictures or film, colored by any tool.
        out: folder for evaluation.json, the plots and a contact sheet; made if missing.
        json: print the report as JSON.
        overwrite: replace files in OUT.
    """

    source: Annotated[Positional[Path | None], arg(metavar="PATH")] = None
    truth: Annotated[Path | None, arg(metavar="PATH")] = None
    result: Annotated[Path | None, arg(metavar="PATH")] = None
    out: Annotated[Path | None, arg(metavar="DIR")] = None
    json: bool = False
    overwrite: bool = False
    judging: EvaluateOptions = field(default_factory=EvaluateOptions)
    predict: PredictOptions = field(default_factory=PredictOptions)
    propagation: PropagationOptions = field(default_factory=PropagationOptions)

    def __post_init__(self) -> None:
        given = (self.source is not None, self.truth is not None, self.result is not None)
        if given not in ((True, False, False), (False, True, True)):
            raise UsageError("expected either PATH, or both --truth and --result.")


def run(flags: Flags) -> int:
    from pycolor.evaluate.reports.report import table
    from pycolor.evaluate.run import evaluate
    from pycolor.system.atomic_file import check_output

    true = flags.source or flags.truth
    assert true is not None, "Flags has seen to it"
    if flags.out is not None:
        flags.out.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            check_output(flags.out / name, sources=[true], overwrite=flags.overwrite)
    out = flags.output
    video = VideoOptions(predict=flags.predict, propagation=flags.propagation)
    with Progress(true.name, None, "pictures and frames", out.style) as progress:
        report, specimens = evaluate(
            true, flags.result, flags.judging, video, say=out.say, progress=progress
        )
    if flags.out is not None:
        _write(flags.out, report, specimens, overwrite=flags.overwrite)
    if flags.json:
        print(report.dumps(), end="")
    else:
        Console(width=None if sys.stdout.isatty() else 120).print(
            table(report, f"{counted(len(report.rows), 'picture')} of {true.name}")
        )
    return 0


FILES = ("evaluation.json", "distributions.png", "over-time.png", "sheet.jpg")


def _write(folder: Path, report: Report, specimens: list[SampleRow], *, overwrite: bool) -> None:
    from pycolor.evaluate.reports.plots import draw_distributions, draw_over_time
    from pycolor.evaluate.reports.sheets import sheet
    from pycolor.system.atomic_file import atomic_write

    data, distributions, over_time, contact = (folder / name for name in FILES)
    with atomic_write(data, overwrite=overwrite) as part:
        part.write_text(report.dumps(), encoding="utf-8")
    with atomic_write(distributions, overwrite=overwrite) as part:
        draw_distributions(report, part)
    if report.films:
        with atomic_write(over_time, overwrite=overwrite) as part:
            draw_over_time(report, part)
    with atomic_write(contact, overwrite=overwrite) as part:
        page = sheet(specimens, report.values("ab_auc"), "ab AuC")
        page.save(part, quality=92)
