"""`pycolor image`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError
from pycolor.options import PredictOptions
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor image plate.tif colored.tif
pycolor image scans/ colored/ --saturation 0.9
pycolor image plate.tif colored.tif --record
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Color a picture, or every picture of a folder.

    Attributes:
        source: a picture file (PNG, TIFF, JPEG, DPX, OpenEXR and most others), or a folder of them.
        target: the colored file, PNG, TIFF or JPEG by its extension; for a folder, a folder.
        overwrite: replace existing files.
        record: write OUT.json beside each result: the source's hash, model, weights, options; what
            `pycolor sign` signs.
        most_megapixels: a picture of more pixels is refused before it is decoded; each megapixel
            takes some 10 MB of memory (at 8 bits).
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="OUT")]
    overwrite: bool = False
    record: bool = False
    most_megapixels: float = 180.0
    predict: PredictOptions = field(default_factory=PredictOptions)

    def __post_init__(self) -> None:
        if self.most_megapixels <= 0:
            raise UsageError(f"most_megapixels must be above 0, got {self.most_megapixels}.")


def run(flags: Flags) -> int:
    from pycolor.image.colorize import color_stills

    out = flags.output
    with Progress(flags.source.name, None, "pictures", out.style) as progress:
        color_stills(
            flags.source,
            flags.target,
            flags.predict,
            overwrite=flags.overwrite,
            record=flags.record,
            most_megapixels=flags.most_megapixels,
            say=out.say,
            progress=progress,
        )
    return 0
