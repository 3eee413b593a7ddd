"""`pycolor layer`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg

from pycolor.commands.base import OF_A_RUN, UNPLANNED, Command
from pycolor.errors import UsageError, counted
from pycolor.options import VideoOptions
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor layer in.mkv color.mkv                   by in.mkv.pycolor/plan.json
pycolor layer in.mkv color.mkv --preset prores   for a delivery in ProRes
pycolor layer in.mkv nuke/color_%06d.exr
pycolor apply color.mkv in.mkv out.mkv
"""
BITS = (10, 12, 16)


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Write a film's color as a master without the film: chroma of 4:4:4 over a mid-gray Y', FFV1
    in Matroska, or OpenEXR pictures of half floats (red Cr, green Y', blue Cb). `pycolor apply`
    takes it back: bit for bit what `pycolor video` writes with the same options.

    Attributes:
        source: the film; its project, IN.pycolor, has the plan.
        target: the master: .mkv, a pattern such as color_%06d.exr, or a folder for pictures.
        bits: of the chroma, 10, 12 or 16 (default: the fewest that hold the delivery's).
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    bits: Annotated[int | None, arg(metavar="N")] = None
    film: VideoOptions = field(default_factory=VideoOptions)
    UNUSED: ClassVar[frozenset[str]] = UNPLANNED | OF_A_RUN

    def __post_init__(self) -> None:
        if self.bits is not None and self.bits not in BITS:
            raise UsageError(f"bits must be 10, 12 or 16, got {self.bits}.")
        if self.film.slice is not None or self.film.framemd5 or self.film.trace is not None:
            raise UsageError(
                "a master is written by one worker, and alone: no slice, framemd5 or trace."
            )


def run(flags: Flags) -> int:
    from pycolor.video.job.decisions.plan_file import read_plan_file
    from pycolor.video.job.decisions.project import project_of
    from pycolor.video.job.masters.make_master import write_master

    path = flags.film.plan or project_of(flags.source) / "plan.json"
    film = replace(flags.film, plan=path)  # which is of the whole film
    if not path.exists():
        raise UsageError(f"{path} is not there; `pycolor plan {flags.source}` makes it.")
    out = flags.output
    with Progress(flags.source.name, None, "frames", out.style) as progress:
        report = write_master(
            flags.source,
            flags.target,
            read_plan_file(path),
            film,
            bits=flags.bits,
            say=out.say,
            progress=progress,
        )
    exact = "" if report.warnings else f"; apply gives the chroma of {report.delivery} exactly"
    out.say(
        f"{report.target}: {counted(report.frames, 'frame')}, chroma of {report.bits} bits{exact}"
    )
    return 0
