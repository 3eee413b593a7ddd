"""The log of a training run: a CSV of its validations, their pictures, and TensorBoard's files."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pycolor.system.optional import extra

PICTURES, EVENTS = "validation", "tensorboard"  # folders beside the CSV


@dataclass(frozen=True)
class Progress:
    """One line of the log."""

    step: int
    steps: int
    loss: float
    lr: float
    pictures_per_second: float
    skipped: int
    validation_loss: float | None = None


class Log:
    """The log of a run; what stands in it after the step that a resumed run starts from is dropped.

    Args:
        out: the run's folder.
        step: that the run starts from.
        tensorboard: whether TensorBoard's files are written too.

    Raises:
        UsageError: TensorBoard is asked for and not installed.
    """

    def __init__(self, out: Path, step: int, *, tensorboard: bool = False) -> None:
        self.path = out / "log.csv"
        self.pictures = out / PICTURES
        self._board: Any = None
        if tensorboard:
            extra("tensorboard")
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(out / EVENTS), purge_step=step + 1)
        rows: list[list[str]] = []
        if self.path.exists() and step:
            with self.path.open(newline="") as f:
                rows = [r for r in csv.reader(f) if r and r[0].isdigit() and int(r[0]) <= step]
        self.validations = [(int(row[0]), float(row[2])) for row in rows]
        with self.path.open("w", newline="") as f:
            writer = csv.writer(f)
            writer.writerow(["step", "loss", "validation_loss", "lr", "pictures_per_second"])
            writer.writerows(rows)

    def write(self, p: Progress) -> None:
        """A line, at a validation."""
        row = [
            f"{p.step}",
            f"{p.loss:.5f}",
            f"{p.validation_loss:.5f}",
            f"{p.lr:.3e}",
            f"{p.pictures_per_second:.1f}",
        ]
        self.validations.append((p.step, float(row[2])))
        with self.path.open("a", newline="") as f:
            csv.writer(f).writerow(row)
        if self._board is not None:
            for name, value in asdict(p).items():
                if name not in ("step", "steps"):
                    self._board.add_scalar(name, value, p.step)
            self._board.flush()

    def show(self, step: int, sheet: Image.Image) -> None:
        """Pictures of the validation at a step."""
        self.pictures.mkdir(exist_ok=True)
        sheet.save(self.pictures / f"{step:07d}.jpg", quality=90)
        if self._board is not None:
            self._board.add_image("validation", np.array(sheet), step, dataformats="HWC")
            self._board.flush()

    def stale(self, patience: int, after: int) -> bool:
        """Whether the last `patience` validations brought nothing, of those after a step."""
        losses = [loss for step, loss in self.validations if step > after]
        return 0 < patience < len(losses) and min(losses[-patience:]) >= min(losses[:-patience])

    def close(self) -> None:
        """Finish TensorBoard's files."""
        if self._board is not None:
            self._board.close()
