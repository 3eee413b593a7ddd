"""`pycolor train`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError
from pycolor.options import TrainOptions
from pycolor.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Train a model on color photographs; a run that stands in OUT is continued.

    Attributes:
        data: folders and .tar files of photographs.
        out: folder for checkpoint, log and weights.
    """

    data: Annotated[tuple[Path, ...], arg(metavar="PATH ...")]
    out: Path
    training: TrainOptions = field(default_factory=TrainOptions)


def run(flags: Flags) -> int:
    from pycolor.train import loop

    out = flags.output
    with Progress(flags.training.model, flags.training.steps, "steps", out.style) as progress:

        def report(state: loop.Progress) -> None:
            progress.advance(state.step - progress.done)
            if state.validation_loss is not None:
                out.say(
                    f"step {state.step}: loss {state.loss:.4f}, "
                    f"validation {state.validation_loss:.4f}"
                )

        try:
            path = loop.train(flags.training, list(flags.data), flags.out, report)
        except (FileNotFoundError, ValueError) as e:
            raise UsageError(str(e)) from e
    out.say(f"wrote {path}")
    return 0
