"""A network's layers as they are best for prediction."""

from __future__ import annotations

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from pycolor.models.inference.packed_conv import Convolution
from pycolor.models.inference.upsample2x import Doubling


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


def fold_normalization(layer: nn.Sequential, after: nn.ReLU | nn.ReLU6 | None) -> None:
    """Put the batch normalization behind a convolution, and what follows it, into the convolution.

    Names stay as they are.  The normalization does nothing any more; where the convolution has no
    offsets of its own, it keeps them.

    Args:
        layer: the convolution and its normalization come first.
        after: what follows.
    """
    conv, norm = layer[0], layer[1]
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    has_offset = conv.bias is not None
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight,
        conv.bias,
        norm.running_mean,
        norm.running_var,
        norm.eps,
        norm.weight,
        norm.bias,
    )
    offset = conv.bias.detach()
    norm.reset_running_stats()
    nn.init.constant_(norm.weight, (1 + norm.eps) ** 0.5)
    nn.init.zeros_(norm.bias)
    if not has_offset:
        norm.bias.data.copy_(offset)
        conv.bias = None
    layer[0] = ready = Convolution(conv, after)
    if not has_offset:
        del ready.bias
        ready.register_buffer("bias", offset, persistent=False)


def _taken(module: nn.Module, following: str) -> nn.ReLU | nn.ReLU6 | None:
    """The ReLU that a sequence goes on with; what stands in its place does nothing any more."""
    if not isinstance(module, nn.Sequential) or not following:
        return None
    after = getattr(module, following)
    if not isinstance(after, nn.ReLU | nn.ReLU6):
        return None
    setattr(module, following, nn.Identity())
    return after
