"""A network's layers as they are best for prediction."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from pycolor.models.convolution import Convolution
from pycolor.models.doubling import Doubling


def fold_layers(module: nn.Module) -> None:
    """Put a `Convolution` or a `Doubling` in the place of every layer that they know, in depth.

    A ReLU or ReLU6 right behind it in an `nn.Sequential` becomes a part of it.  Names and values of
    the weights stay.
    """
    names = [name for name, _ in module.named_children()]
    for name, following in pairwise([*names, ""]):
        child = getattr(module, name)
        if Doubling.fits(child):
            setattr(module, name, Doubling(child, _taken(module, following)))
        elif type(child) is nn.Conv2d and Convolution.fits(child):
            setattr(module, name, Convolution(child, _taken(module, following)))
        else:
            fold_layers(child)


def _taken(module: nn.Module, following: str) -> nn.ReLU | nn.ReLU6 | None:
    """The ReLU that a sequence goes on with; what stands in its place does nothing any more."""
    if not isinstance(module, nn.Sequential) or not following:
        return None
    after = getattr(module, following)
    if not isinstance(after, nn.ReLU | nn.ReLU6):
        return None
    setattr(module, following, nn.Identity())
    return after
