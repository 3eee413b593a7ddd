"""Training by several processes that torchrun starts, one for each GPU: torch's own DDP.

Every process takes its share of each batch; DDP averages their gradients, so that all of them take
the same step.  The first one alone measures, validates and writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pycolor.models.colorizer import Colorizer
from pycolor.train.objectives.objective import Objective, Sample


@dataclass(frozen=True)
class Processes:
    """This process among all.

    Attributes:
        rank: 0 is the first.
        count: of all.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def from_first(self, make: Callable[[], Any]) -> Any:
        """What the first process makes, in every process; the others wait for it."""
        made = [make() if self.first else None]
        if self.count > 1:
            dist.broadcast_object_list(made)
        return made[0]

    def union(self, names: Iterable[str]) -> set[str]:
        """The names of all processes."""
        if self.count == 1:
            return set(names)
        all_names: list[Any] = [None] * self.count
        dist.all_gather_object(all_names, sorted(names))
        return set().union(*all_names)


ALONE = Processes()


def is_first() -> bool:
    """Whether this process is the one that speaks and writes."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """This process among those of torchrun; alone where torchrun did not start it.

    Args:
        device: of this process, see `own_device`.
    """
    if dist.is_initialized():  # by whoever called
        yield Processes(dist.get_rank(), dist.get_world_size())
        return
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), count)
    finally:
        dist.destroy_process_group()


def own_device(device: torch.device) -> torch.device:
    """The device of this process: `cuda` stands for the GPU of its number on this machine."""
    if str(device) == "cuda":  # without a number
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return device


class LossModule(nn.Module):
    """A network and its objective as one module, whose output is the loss: what DDP can wrap."""

    def __init__(self, network: Colorizer, objective: Objective) -> None:
        super().__init__()
        self.network = network
        self.objective = objective

    def forward(self, sample: Sample) -> Tensor:
        """The loss of a batch, a scalar."""
        return self.objective.loss(self.network, sample)


def shared(loss_module: LossModule, processes: Processes) -> nn.Module:
    """The loss module, whose gradients are averaged over all processes."""
    if processes.count == 1:
        return loss_module
    # Some objectives train only a part of the network at first.
    return DistributedDataParallel(loss_module, find_unused_parameters=True)
