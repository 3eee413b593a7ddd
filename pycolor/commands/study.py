"""`pycolor study`."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError, counted
from pycolor.options import StudyOptions

EXAMPLES = """
pycolor study pictures/              a page at http://127.0.0.1:8765/
pycolor study pictures/ --question real
pycolor study pictures/ --results
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Ask people how the colors look, on a web page that only this computer can open.

    Ctrl-C ends the study and prints the results.

    Attributes:
        folder: a folder with one folder of pictures for each coloring, with equal file names.
        answers: CSV file of the answers, continued if it exists (default: DIR/answers.csv); the
            results are written beside it.
        port: of the page; 0: any free one.
        results: only print the results of the answers so far.
    """

    folder: Annotated[Positional[Path], arg(metavar="DIR")]
    answers: Path | None = None
    port: int = 8765
    results: bool = False
    study: StudyOptions = field(default_factory=StudyOptions)


def run(flags: Flags) -> int:
    from pycolor.web.local_server import HERE
    from pycolor.web.study.answers import AnswerFile
    from pycolor.web.study.design import find_gallery
    from pycolor.web.study.server import Study, serve

    path = flags.answers or flags.folder / "answers.csv"
    if not flags.results:
        options = flags.study
        gallery = find_gallery(flags.folder, options.truth, options.question)
        study = Study(gallery, options, AnswerFile(path, say=flags.output.say))
        with serve(study, flags.port) as server:
            flags.output.say(
                f"http://{HERE}:{server.server_port}/ asks about "
                f"{counted(study.trials, 'picture')}, colored "
                f"by {', '.join(gallery.ways)}; Ctrl-C ends the study"
            )
            with suppress(KeyboardInterrupt):
                server.serve_forever()
    return _print_results(path, flags)


def _print_results(path: Path, flags: Flags) -> int:
    from pycolor.system.atomic_file import atomic_write
    from pycolor.web.study.answers import read_answers
    from pycolor.web.study.results import results, table, write_results

    if not path.exists():
        raise UsageError(f"{path} does not exist: nobody has answered yet.")
    found = results(read_answers(path, say=flags.output.say))
    with atomic_write(path.with_name(f"{path.stem}-results.csv"), overwrite=True) as part:
        write_results(found, part)
    Console(width=None if sys.stdout.isatty() else 120).print(table(found))
    return 0
