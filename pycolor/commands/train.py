"""`pycolor train`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import arg

from pycolor.commands.base import Command
from pycolor.system.progress import Progress
from pycolor.train.recipes.options import TrainOptions

EXAMPLES = """
pycolor train --data photographs/ --out run/ --recipe pycolor2026
pycolor train --data photos.tar --out run/ --model zhang2016 --steps 2000
pycolor video in.mkv out.mkv --weights run/zhang2016.safetensors
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Train a model on color photographs. A run that is in OUT already is continued.

    On several GPUs: torchrun --nproc-per-node N -m pycolor train ... --device cuda.

    Attributes:
        recipe: a TOML file of options, or the name of a packaged one: MODEL, MODEL-paper or
            MODEL-gpu; options on the command line take precedence.
        data: folders and .tar files of photographs.
        out: folder for the checkpoint, the log, validation pictures and the weights.
    """

    recipe: str = ""
    data: Annotated[tuple[Path, ...], arg(metavar="PATH ...")]
    out: Annotated[Path, arg(metavar="DIR")]
    training: TrainOptions = field(default_factory=TrainOptions)


def defaults(arguments: Sequence[str]) -> Flags | None:
    """What the command line starts from: the options of its recipe, if it names one."""
    from pycolor.train.recipes.recipe import read_recipe

    for i, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag == "--recipe" and (equals or i + 1 < len(arguments)):
            name = value if equals else arguments[i + 1]
            missing: Any = tyro.MISSING
            return Flags(recipe=name, data=missing, out=missing, training=read_recipe(name))
    return None


def run(flags: Flags) -> int:
    from pycolor.train import loop
    from pycolor.train.learning import distributed
    from pycolor.train.monitor import log

    out = flags.output if distributed.is_first() else replace(flags.output, quiet=True)
    with Progress(flags.training.model, flags.training.end, "steps", out.style) as progress:

        def report(state: log.Progress) -> None:
            count = progress.advance if progress.done else progress.passed  # a run may go on
            count(state.step - progress.done)
            if state.validation_loss is not None:
                out.say(
                    f"step {state.step}: loss {state.loss:.4f}, "
                    f"validation {state.validation_loss:.4f}"
                )

        path = loop.train(flags.training, list(flags.data), flags.out, report)
    out.say(f"wrote {path}")
    return 0
