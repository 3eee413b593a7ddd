"""`pycolor apply`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError
from pycolor.options import VideoOptions
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor apply in.mkv.pycolor regrade.mov out.mov --preset prores
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Give a new grade, or a cleaned or resized version, the color that the film's project keeps.
    It must have the same frames and the same framing. No network runs.

    Attributes:
        project: IN.pycolor, or the plan in it; the film was colored by --plan.
        source: the other version.
        target: the colored version.
    """

    project: Annotated[Positional[Path], arg(metavar="LAYER")]
    source: Annotated[Positional[Path], arg(metavar="REGRADE")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    film: VideoOptions = field(default_factory=VideoOptions)

    def __post_init__(self) -> None:
        if self.film.plan is not None or self.film.slice is not None:
            raise UsageError("apply takes the plan of the project: no plan or slice beside it.")


def run(flags: Flags) -> int:
    from pycolor.video.job.regrade import apply_layer

    plan = flags.project / "plan.json" if flags.project.is_dir() else flags.project
    out = flags.output
    with Progress(flags.source.name, None, "frames", out.style) as progress:
        report = apply_layer(
            plan, flags.source, flags.target, flags.film, say=out.say, progress=progress
        )
    for line in report.summary():
        out.say(line)
    return 0
