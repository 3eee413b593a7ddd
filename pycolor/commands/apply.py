"""`pycolor apply`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from tyro.conf import Positional, arg

from pycolor.commands.base import UNPLANNED, Command
from pycolor.errors import UsageError
from pycolor.options import VideoOptions
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor apply in.mkv.pycolor regrade.mov out.mov --preset prores
pycolor apply in.mkv.pycolor trimmed.mov out.mov --offset 120
pycolor apply in.mkv.pycolor wide.mov out.mov --crop 0:60:1440:960
pycolor apply color.mkv in.mkv out.mkv           a master of pycolor layer
pycolor apply nuke/color_%06d.exr in.mkv out.mkv
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Give a new grade, or a cleaned, resized, trimmed or cropped version, the color of a film. No
    network runs, and the luma of the version stays as it is.

    Attributes:
        layer: where the color is: IN.pycolor, or the plan in it, of a film that was colored by
            --plan; or a master of `pycolor layer`, as it is or as another program changed it.
        source: the other version.
        target: the colored version.
        offset: number of the film's frame that is the version's first (default: of a project,
            found where it is beyond doubt; of a master, both have the same frames).
        crop: the part of the film's picture that the version shows, in the film's stored pixels
            (default: all of it).
    """

    layer: Annotated[Positional[Path], arg(metavar="LAYER")]
    source: Annotated[Positional[Path], arg(metavar="REGRADE")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    offset: Annotated[int | None, arg(metavar="N")] = None
    crop: Annotated[str | None, arg(metavar="X:Y:W:H")] = None
    film: VideoOptions = field(default_factory=VideoOptions)
    UNUSED: ClassVar[frozenset[str]] = UNPLANNED | {"plan"}

    def __post_init__(self) -> None:
        if self.film.plan is not None or self.film.slice is not None:
            raise UsageError("apply takes the plan of the project: no plan or slice beside it.")
        if self.offset is not None and self.offset < 0:
            raise UsageError(f"offset must be 0 or more, got {self.offset}.")


def run(flags: Flags) -> int:
    from pycolor.video.job.masters.apply_master import apply_master
    from pycolor.video.job.masters.regrade import apply_layer
    from pycolor.video.master.framing import crop_of

    out, layer = flags.output, flags.layer
    crop = None if flags.crop is None else crop_of(flags.crop)
    in_project = layer / "plan.json"
    is_project = in_project.is_file() or layer.suffix in (".json", ".pycolor")
    apply = apply_layer if is_project else apply_master
    with Progress(flags.source.name, None, "frames", out.style) as progress:
        report = apply(
            in_project if layer.is_dir() and is_project else layer,
            flags.source,
            flags.target,
            flags.film,
            offset=flags.offset,
            crop=crop,
            say=out.say,
            progress=progress,
        )
    for line in report.summary():
        out.say(line)
    return 0
