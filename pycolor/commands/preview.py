"""`pycolor preview`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from tyro.conf import Positional, arg

from pycolor.commands.base import OF_A_RUN, UNPLANNED, Command
from pycolor.errors import UsageError
from pycolor.options import VideoOptions
from pycolor.options.frame_ranges import check_frame, frame_number, frame_rate
from pycolor.system.progress import Progress

if TYPE_CHECKING:
    from pycolor.video.job.decisions.plan_file import PlanFile
    from pycolor.video.job.frames.preview import Preview

EXAMPLES = """
pycolor preview in.mkv --frame 1200 frame.png    by in.mkv.pycolor/plan.json
pycolor preview in.mkv --shot 7 shot7.png --saturation 1.2
pycolor preview in.mkv --draft draft.mp4         all of it, at small size
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Color one frame of a film exactly as `pycolor video --plan` will show it, or all of it at
    small size.

    Attributes:
        source: the film.
        target: the picture, PNG; the draft, .mp4, .mov or .mkv.
        frame: number of the frame, from 0, or its timecode HH:MM:SS:FF, counted from the first.
        shot: number of a shot, from 1: its middle frame.
        draft: the whole film, H.264 without sound; its color is kept for the film to come.
        height: of a draft in pixels.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    frame: Annotated[str | None, arg(metavar="N|TC")] = None
    shot: int | None = None
    draft: bool = False
    height: int = 270
    film: VideoOptions = field(default_factory=VideoOptions)
    UNUSED: ClassVar[frozenset[str]] = UNPLANNED | OF_A_RUN

    def __post_init__(self) -> None:
        if (self.frame is not None) + (self.shot is not None) + self.draft != 1:
            raise UsageError("preview needs --frame, --shot or --draft, one of them.")
        if not self.draft and self.target.suffix.lower() != ".png":
            raise UsageError(f"a preview of one frame is a .png, got {self.target.name}.")
        if self.frame is not None:
            check_frame(self.frame)
        if self.height < 16:
            raise UsageError(f"height must be 16 or more, got {self.height}.")


def run(flags: Flags) -> int:
    from pycolor.system.atomic_file import check_output
    from pycolor.video.job.decisions.plan_file import read_plan_file
    from pycolor.video.job.decisions.project import project_of
    from pycolor.video.job.frames.preview import open_preview
    from pycolor.video.plan.analysis import FilmAnalysis, analyze_film

    out = flags.output
    path = flags.film.plan or project_of(flags.source) / "plan.json"
    film = replace(flags.film, plan=path)  # which is of the whole film
    check_output(flags.target, sources=[flags.source], overwrite=film.overwrite)
    if not path.exists():
        raise UsageError(f"{path} is not there; `pycolor plan {flags.source}` makes it.")
    file = read_plan_file(path)
    with Progress(flags.source.name, None, "frames", out.style) as progress:

        def analyze() -> FilmAnalysis:
            return analyze_film(flags.source, rate=frame_rate(film.rate), progress=progress)

        preview = open_preview(flags.source, file, film, analyze)
        if flags.draft:
            from pycolor.video.job.frames.draft import write_draft

            write_draft(
                preview, flags.target, flags.height, overwrite=film.overwrite, progress=progress
            )
            return 0
    _write_frame(flags, file, preview)
    return 0


def _write_frame(flags: Flags, file: PlanFile, preview: Preview) -> None:
    """One frame as a picture."""
    from PIL import Image

    from pycolor.system.atomic_file import atomic_write

    shots = file.plan.shots
    if flags.frame is not None:
        with preview.source.reader(0, 1) as reader:
            frame = frame_number(flags.frame, reader.info.rate)
    if flags.shot is not None:
        if not 1 <= flags.shot <= len(shots):
            raise UsageError(f"{file.path} has shots 1 to {len(shots)}, got {flags.shot}.")
        shot = shots[flags.shot - 1]
        frame = (shot.start + shot.stop) // 2
    codes = preview.codes(frame)
    with atomic_write(flags.target, overwrite=flags.film.overwrite) as part:
        Image.fromarray(codes).save(part, "PNG")
