"""`pycolor video`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command, range_in_frames
from pycolor.errors import UsageError
from pycolor.options import VideoOptions
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor video in.mp4 out.mkv                    lossless FFV1 in Matroska
pycolor video in.mp4 out.mp4                    H.264
pycolor video in.mov out.mov --preset prores    ProRes 422 HQ
pycolor video in.mkv out.mkv --frames 0:240     the first 240 frames
pycolor video in.mkv out.mkv --propagation best --saturation 0.9
pycolor video in.mkv out.mkv --codec libx265 --codec-options crf=16
pycolor video scan_%06d.dpx out_%06d.dpx --rate 24
pycolor video reels/ "more/*.mov" --out colored/
pycolor video in.mkv out.mkv --plan in.mkv.pycolor/plan.json
pycolor video in.mkv out.mkv --slice 2/8        be the second of eight workers
ffmpeg -i in.mkv -f yuv4mpegpipe - | pycolor video - - | ffmpeg -i - out.mkv
"""


@dataclass(frozen=True, kw_only=True)
class VideoFlags(Command):
    """Color a black-and-white film. The luma, the timestamps, sound, subtitles and tags stay as
    they are. An interrupted run continues when the same command is given again.

    Attributes:
        films: IN: the film, a folder of pictures, a pattern such as scan_%06d.dpx, or - for y4m
            from a pipe. OUT: the colored film; its extension chooses the container; also a pattern
            of pictures, a folder (with --preset png, tiff or dpx), or - for y4m into a pipe. With
            --out: any number of films, folders of films, and patterns such as "reels/*.mov".
        out: color all the films into this folder, under their own names.
    """

    films: Annotated[Positional[tuple[Path, ...]], arg(metavar="IN OUT")]
    out: Annotated[Path | None, arg(metavar="DIR")] = None
    film: VideoOptions = field(default_factory=VideoOptions)

    def __post_init__(self) -> None:
        if self.out is None and len(self.films) != 2:
            told = " ".join(map(str, self.films)) or "none"
            raise UsageError(f"video needs IN and OUT, or films and --out DIR; got {told}.")


Flags = VideoFlags


def run(flags: VideoFlags) -> int:
    from pycolor.video.job.film import color_film

    out, film = flags.output, flags.film
    with Progress(flags.films[0].name, None, "frames", out.style) as progress:
        if flags.out is not None:
            from pycolor.video.job.batch import color_films

            items = color_films(flags.films, flags.out, film, say=out.say, progress=progress)
            return int(any(item.error for item in items))
        source, target = flags.films
        film = replace(film, frames=range_in_frames(source, film.frames, film.rate))
        if film.slice is not None:
            from pycolor.video.job.stages.film_slice import color_slice

            joined = color_slice(source, target, film, say=out.say, progress=progress)
            for line in joined.summary() if joined is not None else ():
                out.say(line)
            return 0
        report = color_film(source, target, film, say=out.say, progress=progress)
    for line in report.summary():
        out.say(line)
    return 0
