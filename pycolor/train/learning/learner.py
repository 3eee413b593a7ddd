"""What learns: a network, its average, its optimizer and its objective."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from pycolor.errors import FilmError, UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import Colorizer, place
from pycolor.train.data.photos import Photo
from pycolor.train.learning.optimizers import Optimizer, make_optimizer
from pycolor.train.objectives.choice import network_options, objective_for
from pycolor.train.objectives.objective import Objective, Sample
from pycolor.train.recipes.options import TrainOptions


def learning_rate(step: int, options: TrainOptions) -> float:
    """Warm-up, plateau, drops, decay: a plateau lets a longer run start from a shorter one."""
    start = options.steps * (1 - options.decay)
    rate = options.lr * min(1.0, (step + 1) / max(1, options.warmup_steps))
    if step > start:
        rate *= 1 - math.sqrt((step - start) / max(1.0, options.steps - start))
    return rate * 0.1 ** sum(step >= drop for drop in options.drops)


@dataclass(frozen=True, kw_only=True, eq=False)
class Learner:
    """One run's network and what moves it.

    Attributes:
        model: the network.
        average: of its weights over the steps, which is shipped.
        optimizer: of the weights that learn.
        objective: the loss.
        trunk: comes trained, and stays as it is for a while; None where all learns.
    """

    model: Colorizer
    average: AveragedModel
    optimizer: Optimizer
    objective: Objective
    trunk: nn.Module | None

    @property
    def _weights(self) -> list[nn.Parameter]:
        return [p for p in self.model.parameters() if p.requires_grad]

    @property
    def averaged(self) -> Colorizer:
        """The network with the averaged weights."""
        return cast(Colorizer, self.average.module)

    @classmethod
    def of(cls, options: TrainOptions, photos: Sequence[Photo], device: torch.device) -> Learner:
        """A network at its beginning.

        Args:
            options: of the run.
            photos: to be trained on.
            device: to be trained on.

        Raises:
            UsageError: an option is not for this network.
        """
        model = zoo.create(options.model, **network_options(options, list(photos)))
        if options.init is not None:
            weight_files.start_from(model, options.model, options.init)
        place(model, device)
        _hold_all_but(model, options)
        average = AveragedModel(
            model, multi_avg_fn=get_ema_multi_avg_fn(options.ema), use_buffers=True
        )
        trunk = dict(model.named_children()).get("trunk") if options.trunk_after else None
        if options.trunk_after and trunk is None:
            raise UsageError(
                f"{options.model} has no trunk: trunk-after must be 0, got {options.trunk_after}."
            )
        optimizer = make_optimizer(model, options)
        objective = objective_for(model, options, device)
        objective.photos = photos
        return cls(
            model=model, average=average, optimizer=optimizer, objective=objective, trunk=trunk
        )

    def step(
        self, loss_module: nn.Module, sample: Sample, options: TrainOptions
    ) -> tuple[float, float]:
        """Learn from a batch.

        Args:
            loss_module: the network and its objective as one module, see `distributed.LossModule`.
            sample: the batch.
            options: of the run.

        Returns:
            The loss, and the learning rate.

        Raises:
            FilmError: the loss is no number.
        """
        step = sample.step
        self.model.train()
        if self.trunk is not None:
            self.trunk.eval().requires_grad_(step >= options.trunk_after and not options.only)
        if options.only:
            _hold_statistics(self.model)
        rate = learning_rate(step, options)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("share", 1.0)
        self.objective.on_step(step, (self.model, self.averaged))
        loss = loss_module(sample)
        loss.backward()
        nn.utils.clip_grad_norm_(self._weights, options.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update_parameters(self.model)
        found = float(loss.detach())  # at the end: a GPU is waited for once a step
        if not math.isfinite(found):
            raise FilmError(f"the loss must stay finite, got {found} at step {step}.")
        return found, rate

    def finish(self, options: TrainOptions) -> Colorizer:
        """The network whose weights are written, once the steps are over."""
        if options.keep and options.init is not None:
            _keep_start(self.averaged, options)
        return self.objective.finish(self.averaged)


def _hold_all_but(model: Colorizer, options: TrainOptions) -> None:
    """Let only the weights of the options learn.

    Raises:
        UsageError: there are none of this name.
    """
    if not options.only:
        return
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(options.only))
    if not any(p.requires_grad for p in model.parameters()):
        raise UsageError(f"{options.model} has no weights whose name begins with {options.only}.")


def _hold_statistics(model: nn.Module) -> None:
    """Normalize as in prediction."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def _keep_start(averaged: Colorizer, options: TrainOptions) -> None:
    """Move the averaged weights towards those that the run began with, by the share `keep`."""
    assert options.init is not None
    start = weight_files.starting_state(options.model, options.init)
    with torch.no_grad():
        for name, value in averaged.state_dict().items():
            if name in start and value.is_floating_point():
                value.lerp_(start[name].to(value), options.keep)
