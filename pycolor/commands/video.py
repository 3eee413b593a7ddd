"""`pycolor video`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
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
ffmpeg -i in.mkv -f yuv4mpegpipe - | pycolor video - - | ffmpeg -i - out.mkv
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Color a black-and-white film. The luma, the timestamps, sound, subtitles and tags stay as
    they are. An interrupted run continues when the same command is given again.

    Attributes:
        source: the film, a folder of pictures, a pattern such as scan_%06d.dpx, or - for y4m from a
            pipe.
        target: the colored film; its extension chooses the container. Also a pattern of pictures,
            a folder (with --preset png, tiff or dpx), or - for y4m into a pipe.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    film: VideoOptions = field(default_factory=VideoOptions)


def run(flags: Flags) -> int:
    from pycolor.video.job.film import color_film

    out = flags.output
    with Progress(flags.source.name, None, "frames", out.style) as progress:
        report = color_film(flags.source, flags.target, flags.film, say=out.say, progress=progress)
    for line in report.summary():
        out.say(line)
    return 0
