"""`pycolor shots`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.table import Table
from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError
from pycolor.options import check_sensitivity
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor shots in.mkv
pycolor shots in.mkv --csv cuts.csv --thumbnails cuts.png
pycolor video in.mkv out.mkv --shots cuts.csv    after correcting the list
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """List the shots of a film: cuts, dissolves and fades, with their confidence.

    Attributes:
        source: the film.
        csv: write the list in PySceneDetect's layout.
        edl: write it as a CMX3600 edit list.
        json: write it as JSON.
        otio: write it as an OpenTimelineIO timeline.
        xml: write it as Final Cut Pro 7 XML.
        thumbnails: write a contact sheet of the shots, PNG.
        sensitivity: 1 is balanced; more finds more transitions, and more false ones.
        rate: frames per second of numbered pictures and of films that do not state it, N or N/D
            (default: 24).
        overwrite: replace existing files.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    csv: Path | None = None
    edl: Path | None = None
    json: Path | None = None
    otio: Path | None = None
    xml: Path | None = None
    thumbnails: Path | None = None
    sensitivity: float = 1.0
    rate: Annotated[str | None, arg(metavar="FPS")] = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_sensitivity(self.sensitivity)
        given = [path for path, _ in self.lists]
        given += [self.thumbnails] if self.thumbnails is not None else []
        twice = {p for p in given if given.count(p) > 1}
        if twice:
            raise UsageError(f"{min(twice)} is named twice; expected a file for each list.")

    @property
    def lists(self) -> list[tuple[Path, str]]:
        """The lists that are wanted, and their kinds."""
        named = {kind: getattr(self, kind) for kind in ("csv", "edl", "json", "otio", "xml")}
        return [(path, kind) for kind, path in named.items() if path is not None]


def run(flags: Flags) -> int:
    from pycolor.system.atomic_file import atomic_write, check_output
    from pycolor.video.io import Reader
    from pycolor.video.io.containers.timecode import later_timecode
    from pycolor.video.job.decisions.shot_lists import list_of
    from pycolor.video.plan.analysis import analyze_film
    from pycolor.video.plan.contact_sheet import draw_sheet
    from pycolor.video.shots.lists.timelines import TimelineFilm

    wanted = [path for path, _ in flags.lists]
    wanted += [flags.thumbnails] if flags.thumbnails is not None else []
    for path in wanted:
        check_output(path, sources=[flags.source], overwrite=flags.overwrite)
    out = flags.output
    with Progress(flags.source.name, None, "frames", out.style) as progress:
        seen = analyze_film(
            flags.source,
            rate=frame_rate(flags.rate),
            sensitivity=flags.sensitivity,
            progress=progress,
        )
    listed = list(seen.shots)

    with Reader(flags.source, rate=frame_rate(flags.rate)) as reader:
        timecode = reader.timecode
    if later_timecode(timecode, 0, seen.rate) is None:
        timecode = ""
    film = TimelineFilm(name=flags.source.name, frames=len(seen), rate=seen.rate, timecode=timecode)
    for path, kind in flags.lists:
        text = list_of(kind, listed, film, seen.times)
        with atomic_write(path, overwrite=flags.overwrite) as part:
            part.write_text(text, encoding="utf-8")
    if flags.thumbnails is not None:
        with atomic_write(flags.thumbnails, overwrite=flags.overwrite) as part:
            draw_sheet(flags.source, seen, part)
    if not wanted:
        table = Table()
        for column in ("shot", "frames", "starts at", "opens with", "confidence", "own color"):
            words = column in ("opens with", "own color")
            table.add_column(column, justify="left" if words else "right")
        looks = [str(look) for look in seen.looks] or ["none"] * len(listed)
        rows = zip(listed, seen.starts, looks, strict=True)
        for number, (shot, start, look) in enumerate(rows, start=1):
            opening = shot.opening
            table.add_row(
                str(number),
                f"{shot.start}:{shot.stop}",
                f"{float(start):.3f} s",
                opening.kind if opening else "",
                f"{opening.confidence:.2f}" if opening else "",
                look,
            )
        Console().print(table)
    return 0
