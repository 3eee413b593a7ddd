"""`pycolor video`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command, range_in_frames
from pycolor.options import VideoOptions
from pycolor.system.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Color a film; its luma, sound and everything else stay as they are.

    Attributes:
        source: the film; a folder of pictures or a pattern of them (scan_%06d.dpx) is one too.
        target: the colored film; its extension chooses the container. A pattern of pictures, or a
            folder with a preset of pictures, is written as such.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    film: VideoOptions = field(default_factory=VideoOptions)


def run(flags: Flags) -> int:
    from pycolor.video.job.film import color_film

    out, film = flags.output, flags.film
    film = replace(film, frames=range_in_frames(flags.source, film.frames, film.rate))
    with Progress(flags.source.name, None, "frames", out.style) as progress:
        report = color_film(flags.source, flags.target, film, say=out.say, progress=progress)
    for line in report.summary():
        out.say(line)
    return 0
