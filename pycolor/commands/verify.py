"""`pycolor verify`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import Positional, arg

from pycolor.commands.base import Command, range_in_frames
from pycolor.encoding import Matrix, TagOverride
from pycolor.errors import UsageError
from pycolor.options import Range
from pycolor.options.frame_ranges import frame_range, frame_rate

if TYPE_CHECKING:
    from pycolor.video.verify import Check

EXAMPLES = """
pycolor verify in.mp4 out.mkv
pycolor verify in.mp4 part.mkv --frames 0:240
pycolor verify out.mp4 --trust anchors.pem
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Compare a colored film with its source: luma, timestamps, every other stream, chapters, tags,
    and its Content Credentials if it is signed.

    With OUT alone, a film or a picture, only its Content Credentials are checked.

    The exit code is 0 if nothing differs, 1 if something does or OUT alone is not signed.

    Attributes:
        films: the film, and the colored film.
        frames: the frames that were colored, from A up to, not including, B; or timecodes.
        rate: frames per second, if the film was colored with --rate.
        range: of the source, if it was colored with --range.
        matrix: of the source, if it was colored with --matrix.
        trust: PEM file of certificates that are trusted to vouch for signers; others then differ.
        json: print the report as JSON.
    """

    films: Annotated[Positional[tuple[Path, ...]], arg(metavar="[IN] OUT")]
    frames: Annotated[str, arg(metavar="A:B")] = ":"
    rate: Annotated[str | None, arg(metavar="FPS")] = None
    range: Range | None = None
    matrix: Matrix | None = None
    trust: Path | None = None
    json: bool = False

    def __post_init__(self) -> None:
        if len(self.films) not in (1, 2):
            told = " ".join(map(str, self.films)) or "none"
            raise UsageError(f"verify needs IN and OUT, or a signed OUT alone; got {told}.")


def run(flags: Flags) -> int:
    if len(flags.films) == 1:
        return _check_alone(flags, flags.films[0])
    from pycolor.credentials.check import checks_of_pair
    from pycolor.video.verify import verify as compare

    source, result = flags.films
    report = compare(
        source,
        result,
        frames=frame_range(range_in_frames(source, flags.frames, flags.rate)),
        rate=frame_rate(flags.rate),
        override=TagOverride.of(flags.range, flags.matrix),
    )
    signed = checks_of_pair(source, result, flags.trust)
    report = replace(report, checks=(*report.checks, *signed))
    if flags.json:
        print(json.dumps(report.to_json(), indent=2, allow_nan=False))
    else:
        _print(f"{source.name} and {result.name}", report.checks)
    return 0 if report.ok else 1


def _check_alone(flags: Flags, target: Path) -> int:
    from pycolor.credentials.check import check_credentials

    found = check_credentials(target, flags.trust)
    checks = list(found.checks())
    ok = found.ok and all(check.state != "differs" for check in checks)
    if flags.json:
        told = {"ok": ok, "result": str(target), "credentials": found.to_json()}
        told["checks"] = [asdict(check) for check in checks]
        print(json.dumps(told, indent=2, allow_nan=False))
    else:
        _print(target.name, checks)
    return 0 if ok else 1


def _print(title: str, checks: Iterable[Check]) -> None:
    table = Table(title=title)
    for column in ("check", "result", "detail"):
        table.add_column(column, overflow="fold")  # digests are to be read whole
    for check in checks:
        color = {"ok": "green", "differs": "red"}.get(check.state, "yellow")
        table.add_row(check.name, f"[{color}]{check.state}[/]", escape(check.detail))
    Console().print(table)
