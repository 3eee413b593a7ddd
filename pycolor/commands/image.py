"""`pycolor image`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.options import PredictOptions
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor image plate.tif colored.tif
pycolor image scans/ colored/ --saturation 0.9
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Color a picture, or every picture of a folder.

    Attributes:
        source: a PNG, TIFF or JPEG file of 8 or 16 bits, or a folder of them.
        target: the colored file, PNG, TIFF or JPEG by its extension; for a folder, a folder.
        overwrite: replace existing files.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    overwrite: bool = False
    predict: PredictOptions = field(default_factory=PredictOptions)


def run(flags: Flags) -> int:
    from pycolor.image.colorize import color_stills

    out = flags.output
    with Progress(flags.source.name, None, "pictures", out.style) as progress:
        color_stills(
            flags.source,
            flags.target,
            flags.predict,
            overwrite=flags.overwrite,
            say=out.say,
            progress=progress,
        )
    return 0
