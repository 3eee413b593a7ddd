"""The optimizers of the papers, and Muon.

A group of weights with a `share` learns at that share of the rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pycolor.errors import UsageError
from pycolor.train.recipes.options import TrainOptions

NARROW = 16  # a kernel's matrix with fewer rows or columns is left to AdamW


class MuonAndAdamW:
    """Muon for the kernels of convolutions and for matrices, AdamW for all else.

    A kernel out×in×h×w is taken as a matrix out × (in·h·w).  The first and the last layer, narrow
    ones, those of single channels, biases, normalization, and what comes trained already are
    AdamW's (Jordan et al., "Muon: An optimizer for hidden
    layers", 2024); the steps are scaled to the size of AdamW's (Liu et al., "Muon is scalable for
    LLM training", 2025, eq. 4), so that one learning rate serves both.

    Args:
        weights: all of them, in the network's order.
        tuned: those that come trained, at their share of the rate.
        share: that share.
        lr: highest learning rate.
        weight_decay: decoupled.
        betas: of AdamW.

    Raises:
        UsageError: there is no hidden layer for Muon.
    """

    def __init__(
        self,
        weights: Sequence[nn.Parameter],
        *,
        tuned: Sequence[nn.Parameter] = (),
        share: float = 1.0,
        lr: float,
        weight_decay: float,
        betas: tuple[float, float],
    ) -> None:
        wide = [p for p in weights if p.ndim in (2, 4)]
        trained = {id(p) for p in tuned}
        hidden = [
            p
            for p in wide[1:-1]
            if id(p) not in trained and p.shape[1] > 1 and min(len(p), p[0].numel()) >= NARROW
        ]
        if not hidden:
            raise UsageError(
                f"muon needs hidden layers of {NARROW} channels or more, this network has none."
            )
        chosen = {id(p) for p in hidden}
        self.kernels = [(p, nn.Parameter(_matrix(p.data, p))) for p in hidden]
        rest = [p for p in weights if id(p) not in chosen | trained]
        matrices = [matrix for _, matrix in self.kernels]
        self.muon = torch.optim.Muon(
            matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
        )
        groups = _groups(rest, tuned, share)
        self.adamw = torch.optim.AdamW(groups, lr=lr, weight_decay=weight_decay, betas=betas)
        self.param_groups = self.muon.param_groups + self.adamw.param_groups

    def step(self) -> None:
        """One step with the gradients that stand in the weights."""
        for kernel, matrix in self.kernels:
            matrix.grad = None if kernel.grad is None else _matrix(kernel.grad, kernel)
        self.muon.step()
        self.adamw.step()

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for kernel, matrix in self.kernels:
            kernel.grad = matrix.grad = None
        self.adamw.zero_grad(set_to_none=set_to_none)

    def state_dict(self) -> dict[str, Any]:
        """Both optimizers' states."""
        return {"muon": self.muon.state_dict(), "adamw": self.adamw.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take both optimizers' states."""
        self.muon.load_state_dict(state["muon"])
        self.adamw.load_state_dict(state["adamw"])
        self.param_groups = self.muon.param_groups + self.adamw.param_groups


def _matrix(values: Tensor, kernel: Tensor) -> Tensor:
    """A kernel's values as a matrix, sharing their memory if they lie as the kernel's do."""
    if kernel.ndim == 4 and kernel.is_contiguous(memory_format=torch.channels_last):
        values = values.permute(0, 2, 3, 1)
    return values.reshape(len(values), -1)


Optimizer = torch.optim.Optimizer | MuonAndAdamW


def make_optimizer(network: nn.Module, options: TrainOptions) -> Optimizer:
    """The optimizer of the options, for all weights that learn.

    Raises:
        UsageError: a share of the rate is asked for a trunk, and the network has none; or muon
            is not in this PyTorch.
    """
    weights = {name: p for name, p in network.named_parameters() if p.requires_grad}
    share, rate, decay = options.trunk_share, options.lr, options.weight_decay
    tuned = [p for name, p in weights.items() if name.startswith("trunk.") and share != 1]
    if share != 1 and not tuned:
        raise UsageError(f"{options.model} has no trunk: trunk-share must be 1, got {share}.")
    betas = (0.9, options.beta2)
    if options.optimizer == "muon":
        if not hasattr(torch.optim, "Muon"):
            raise UsageError(f"muon needs PyTorch 2.9 or newer, got {torch.__version__}.")
        return MuonAndAdamW(
            [*weights.values()],
            tuned=tuned,
            share=share,
            lr=rate,
            weight_decay=decay,
            betas=betas,
        )
    chosen = {id(p) for p in tuned}
    groups = _groups([p for p in weights.values() if id(p) not in chosen], tuned, share)
    if options.optimizer == "adadelta":
        return torch.optim.Adadelta(groups, lr=rate, weight_decay=decay)
    if options.optimizer == "adam":
        return torch.optim.Adam(groups, lr=rate, betas=betas, weight_decay=decay)
    return torch.optim.AdamW(groups, lr=rate, betas=betas, weight_decay=decay)


def _groups(
    rest: list[nn.Parameter], tuned: Sequence[nn.Parameter], share: float
) -> list[dict[str, Any]]:
    """Of an optimizer of torch's: the weights, and those that learn at a share of the rate."""
    return [{"params": rest}, *([{"params": list(tuned), "share": share}] if tuned else [])]
