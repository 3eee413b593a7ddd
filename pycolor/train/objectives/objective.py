"""What every objective is to the loop: targets, a loss, and what it measures first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.colorizer import Colorizer, Guidance
from pycolor.ops.reference import rgb_to_lab
from pycolor.train.data.photos import Photo, Stream
from pycolor.train.recipes.options import TrainOptions

PICTURES_MEASURED = 4096


@dataclass(frozen=True)
class Sample:
    """A batch as an objective sees it.

    Attributes:
        lightness: N×1×S×S, L* of the luma that film might have recorded, 0 … 100.
        rgb: N×3×S×S, the truth, display-encoded, 0 … 1.
        photos: which photograph of the stream each crop is of; empty in validation.
        generator: the only source of randomness.
        step: of the training.
        made: first pictures of the batch that are made, and known to have no color.
    """

    lightness: Tensor
    rgb: Tensor
    photos: Sequence[int]
    generator: torch.Generator
    step: int
    made: int = 0


class Objective:
    """Targets and loss of a model.

    Attributes:
        measured: names of what `measure` finds; kept in the checkpoint.
        photos: that are trained on, which the loop gives before all else.
    """

    measured: tuple[str, ...] = ()

    def __init__(self, options: TrainOptions, device: torch.device) -> None:
        self.options = options
        self.device = device
        self.photos: Sequence[Photo] = ()

    def measure(self, network: Colorizer, stream: Stream) -> dict[str, Any]:
        """What must be known of the photographs before the first step, as plain lists."""
        return {}

    def load_statistics(self, network: Colorizer, statistics: dict[str, Any]) -> None:
        """Take what `measure` found, now or before the run was interrupted."""

    def on_step(self, step: int, networks: Sequence[Colorizer]) -> None:
        """Called before each step with the network and its average."""

    def loss(self, network: Colorizer, sample: Sample) -> Tensor:
        """The loss of a batch, a scalar."""
        raise NotImplementedError

    def finish(self, network: Colorizer) -> Colorizer:
        """What is left to do once the steps are over; the network whose weights are written."""
        return network

    def arithmetic(self) -> torch.autocast:
        """The precision that the network runs in."""
        low = self.options.dtype == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=low)

    def run(self, network: Colorizer, *inputs: Tensor | Guidance | None) -> Any:
        """The network's output, in that precision."""
        with self.arithmetic():
            return network(*inputs)


def color_target(rgb: Tensor, stride: int) -> Tensor:
    """True chroma at the network's output resolution: N×3×H×W RGB → N×2×H/s×W/s ab."""
    return F.avg_pool2d(rgb_to_lab(rgb)[:, 1:], stride)


def measured_crops(stream: Stream) -> Iterator[Tensor]:
    """The first crops that the training will see, N×3×S×S in 0 … 1."""
    seen = 0
    for batch in stream.batches():
        yield batch.rgb.float() / 255
        seen += len(batch.rgb)
        if seen >= PICTURES_MEASURED:
            break
