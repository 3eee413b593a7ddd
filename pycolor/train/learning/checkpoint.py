"""A run's state in a file, and which options a run that goes on must keep."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pycolor.errors import UsageError
from pycolor.system.atomic_file import atomic_write
from pycolor.train.learning.learner import Learner
from pycolor.train.recipes.options import TrainOptions


def save_atomically(state: object, path: Path) -> None:
    """`torch.save` that leaves the old file or the new one, never half of one."""
    # By a path, torch would put the temporary name, which is never the same, into the file.
    with atomic_write(path, overwrite=True) as part, part.open("wb") as file:
        torch.save(state, file)


def save(
    path: Path,
    learner: Learner,
    options: TrainOptions,
    *,
    step: int,
    found: dict[str, Any],
    skipped: set[str],
) -> None:
    """Write all that a run needs to go on exactly.

    Args:
        path: of the checkpoint.
        learner: its weights, their average, and the optimizer.
        options: of the run.
        step: steps taken.
        found: what the objective measured.
        skipped: names of pictures that could not be read.
    """
    state = {
        "fixed": _fixed(options),
        "step": step,
        "model": learner.model.state_dict(),
        "average": learner.average.state_dict(),
        "optimizer": learner.optimizer.state_dict(),
        **found,
        "skipped": sorted(skipped),
    }
    save_atomically(state, path)


def restored(
    path: Path, learner: Learner, options: TrainOptions
) -> tuple[int, set[str], dict[str, Any]]:
    """Take what a checkpoint holds.

    Args:
        path: of the checkpoint.
        learner: takes the weights, their average, and the optimizer's state.
        options: of the run.

    Returns:
        Steps taken, pictures that could not be read, what the objective measured.

    Raises:
        UsageError: it is of a run with other options.
    """
    saved = torch.load(path, map_location=learner.objective.device, weights_only=True)
    if saved["fixed"] != _fixed(options):
        raise UsageError(
            f"{path.parent} holds a training with other options: expected {_fixed(options)}, "
            f"got {saved['fixed']}."
        )
    learner.model.load_state_dict(saved["model"])
    learner.average.load_state_dict(saved["average"])
    learner.optimizer.load_state_dict(saved["optimizer"])
    found = {name: saved[name] for name in learner.objective.measured}
    return saved["step"], set(saved["skipped"]), found


def _fixed(options: TrainOptions) -> dict[str, Any]:
    """The options that a continued run may not change: all that shape the optimizer's state."""
    every, usual = asdict(options), asdict(TrainOptions())
    names = ("model", "width", "batch", "seed", "uniform", "validation", "gray_limit")
    # Options that came later are named where they are not the usual: older runs go on.
    later = [
        n
        for n in (
            *("network", "optimizer", "beta2", "huber", "labels", "pair", "trunk_share"),
            *("sampling", "made", "guided", "only"),
        )
        if every[n] != usual[n]
    ]
    return {name: every[name] for name in (*names, *later)}
