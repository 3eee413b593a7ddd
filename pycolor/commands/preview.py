"""`pycolor preview`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError
from pycolor.options import VideoOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor preview in.mkv --frame 1200 frame.png    by in.mkv.pycolor/plan.json
pycolor preview in.mkv --shot 7 shot7.png --saturation 1.2
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Color one frame of a film exactly as `pycolor video --plan` will show it.

    Attributes:
        source: the film.
        target: the picture, PNG.
        frame: number of the frame, from 0.
        shot: number of a shot, from 1: its middle frame.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    frame: int | None = None
    shot: int | None = None
    film: VideoOptions = field(default_factory=VideoOptions)

    def __post_init__(self) -> None:
        if (self.frame is None) == (self.shot is None):
            raise UsageError("preview needs --frame or --shot, one of them.")


def run(flags: Flags) -> int:
    from PIL import Image

    from pycolor.system.atomic_file import atomic_write, check_output
    from pycolor.video.job.decisions.plan_file import read_plan_file
    from pycolor.video.job.decisions.project import project_of
    from pycolor.video.job.preview import open_preview
    from pycolor.video.plan.analysis import FilmAnalysis, analyze_film

    film, out = flags.film, flags.output
    check_output(flags.target, sources=[flags.source], overwrite=film.overwrite)
    path = film.plan or project_of(flags.source) / "plan.json"
    if not path.exists():
        raise UsageError(f"{path} is not there; `pycolor plan {flags.source}` makes it.")
    file = read_plan_file(path)

    def analyze() -> FilmAnalysis:
        with Progress(flags.source.name, None, "frames", out.style) as progress:
            return analyze_film(flags.source, rate=frame_rate(film.rate), progress=progress)

    preview = open_preview(flags.source, file, film, analyze)
    frame = flags.frame
    if flags.shot is not None:
        if not 1 <= flags.shot <= len(file.plan.shots):
            raise UsageError(f"{path} has shots 1 to {len(file.plan.shots)}, got {flags.shot}.")
        shot = file.plan.shots[flags.shot - 1]
        frame = (shot.start + shot.stop) // 2
    assert frame is not None
    codes = preview.codes(frame)
    with atomic_write(flags.target, overwrite=film.overwrite) as part:
        Image.fromarray(codes).save(part, "PNG")
    return 0
