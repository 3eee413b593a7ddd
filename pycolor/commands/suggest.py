"""`pycolor suggest`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError, counted
from pycolor.options import PredictOptions, PropagationOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.progress import Progress

EXAMPLES = """
pycolor suggest in.mkv stills/ --stills 8
pycolor video in.mkv out.mkv --reference stills/    after coloring them
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Choose the frames of a film that are most worth coloring by hand, and write them as pictures.

    The pictures are gray, upright and with square pixels; their names end in the frames' numbers.
    Color them in an editor and give them to pycolor video --reference.

    Attributes:
        source: the film.
        target: a folder for the pictures, made if missing.
        stills: the number of frames at most.
        colored: write them as the model colors them, for correction, instead of gray.
        rate: frames per second of numbered pictures and of films that do not state it, N, N/D or
            a decimal (default: 24).
        overwrite: replace existing files.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    target: Annotated[Positional[Path], arg(metavar="DIR")]
    stills: int = 12
    colored: bool = False
    rate: Annotated[str | None, arg(metavar="FPS")] = None
    overwrite: bool = False
    predict: PredictOptions = field(default_factory=PredictOptions)

    def __post_init__(self) -> None:
        if self.stills < 1:
            raise UsageError(f"stills must be 1 or more, got {self.stills}.")


def run(flags: Flags) -> int:
    from pycolor.image.guidance.guides import load_predictor
    from pycolor.video.job.decisions.suggest import (
        check_stills_folder,
        suggest_stills,
        write_stills,
    )
    from pycolor.video.plan.analysis import analyze_film
    from pycolor.video.plan.planning import plan_of

    check_stills_folder(flags.source, flags.target, overwrite=flags.overwrite)
    out = flags.output
    rate = frame_rate(flags.rate)
    with Progress(flags.source.name, None, "frames", out.style) as progress:
        analysis = analyze_film(flags.source, rate=rate, progress=progress)
        plan = plan_of(analysis, PropagationOptions(), recolor=False)
        predictor = load_predictor(flags.predict)
        progress.stage(f"{flags.source.name}: choosing stills", len(plan))
        chosen = suggest_stills(
            flags.source, plan, predictor, flags.stills, rate=rate, on_frame=progress.advance
        )
    paths = write_stills(
        flags.source,
        [still.frame for still in chosen],
        flags.target,
        rate=rate,
        predictor=predictor if flags.colored else None,
        overwrite=flags.overwrite,
    )
    for still, path in zip(chosen, paths, strict=True):
        out.say(
            f"{path}: frame {still.frame} speaks for {counted(still.frames, 'frame')}, doubt "
            f"{still.doubt:.2f}"
        )
    return 0
