"""What the ops ask of their arguments; an error is one sentence."""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import index
from typing import Any

import torch
from torch import Tensor

from pycolor.encoding import Encoding


def expect(condition: bool, message: str, *values: object) -> None:
    """ValueError with that message unless the condition holds.

    `values` fill the message's {}, tensors by their sizes; they are put into words only then.
    """
    if not condition:
        words = (sizes_of(x) if isinstance(x, Tensor) else x for x in values)
        raise ValueError(message.format(*words) if values else message)


def sizes_of(tensor: Tensor) -> str:
    """The shape as a message shows it."""
    return sizes(tensor.shape)


def sizes(shape: Iterable[int]) -> str:
    return "×".join(map(str, shape)) or "a number"


def check_tensor(name: str, tensor: object, shape: str) -> None:
    """Refuse what is no tensor, and one whose gradient an op would drop.

    Args:
        name: of the argument, for the message.
        tensor: what was given for it.
        shape: that it must have, for the message.

    Raises:
        TypeError: it is no tensor.
        ValueError: it requires a gradient where gradients are recorded.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"{name} must be a torch tensor, {shape}, got {type(tensor).__name__}; "
            "torch.from_numpy makes one of an array"
        )
    expect(
        not (tensor.requires_grad and torch.is_grad_enabled()),
        "{} requires a gradient, which the fast ops do not give; expected {}.detach(), or "
        "pycolor.ops.reference, which does",
        name,
        name,
    )


def floats(name: str, tensor: Tensor, shape: str) -> Tensor:
    """The tensor in float32, 4-dimensional; `shape` is for the message."""
    check_tensor(name, tensor, shape)
    expect(tensor.dim() == 4, "{} must be {}, got {}", name, shape, tensor)
    expect(tensor.is_floating_point(), "{} must be floating point, got {}", name, tensor.dtype)
    return tensor if tensor.dtype == torch.float32 else tensor.float()


def luma_planes(luma: Tensor, encoding: Encoding) -> Tensor:
    """N×1×H×W with columns that follow each other."""
    check_encoding(encoding)
    check_tensor("luma", luma, "N×H×W")
    expect(luma.dim() == 3, "luma must be N×H×W, got {}", luma)
    dtype = torch.uint8 if encoding.bit_depth == 8 else torch.uint16
    expect(
        luma.dtype == dtype,
        "luma of {} bits must be {}, got {}",
        encoding.bit_depth,
        dtype,
        luma.dtype,
    )
    expect(luma.shape[1] > 0 and luma.shape[2] > 0, "luma must not be empty, got {}", luma)
    if luma.stride(2) != 1:
        luma = luma.contiguous()
    return luma.unsqueeze(1)


def check_out(name: str, out: Tensor, shape: tuple[int, ...], like: Tensor, *kinds: Any) -> None:
    if out.shape != shape:
        raise ValueError(f"{name} must be {sizes(shape)}, got {sizes_of(out)}")
    if out.dtype not in kinds:
        raise ValueError(f"{name} must be {' or '.join(map(str, kinds))}, got {out.dtype}")
    same_device(name, out, like)


def same_device(name: str, tensor: Tensor, like: Tensor) -> None:
    expect(
        tensor.device == like.device,
        "{} must be on {} as the other tensors, got {}",
        name,
        like.device,
        tensor.device,
    )


def positive(name: str, value: float) -> None:
    expect(value > 0, "{} must be above 0, got {}", name, value)


def check_radius(radius: Any, most: int) -> int:
    """The radius, which may be a whole number of any kind (NumPy's too)."""
    try:
        found = index(radius)
    except TypeError:
        found = -1
    expect(0 <= found <= most, "radius must be a whole number in 0 to {}, got {}", most, radius)
    return found


def check_size(size: Any) -> tuple[int, int]:
    """The size, whose numbers may be whole ones of any kind."""
    try:
        height, width = map(index, size)
    except (TypeError, ValueError):
        height = width = 0
    expect(
        height > 0 and width > 0,
        "size must be (height, width), whole numbers of at least 1, got {}",
        repr(size),
    )
    return height, width


def check_encoding(encoding: object) -> None:
    """Refuse what is no `pycolor.Encoding`."""
    if not isinstance(encoding, Encoding):
        raise TypeError(f"encoding must be a pycolor.Encoding, got {type(encoding).__name__}")


def check_refinement(sigma_range: float, floor: float) -> None:
    positive("sigma_range", sigma_range)
    expect(floor >= 1e-6, "floor must be at least 1e-6, got {}", floor)


def color_planes(name: str, x: Tensor) -> Tensor:
    """…×3×H×W float32 as N×3×H×W, without a copy where the strides allow it."""
    check_tensor(name, x, "N×3×H×W or …×3×H×W")
    expect(
        x.dim() >= 3 and x.shape[-3] == 3, f"{name} must be N×3×H×W or …×3×H×W, got {sizes_of(x)}"
    )
    return floats(name, x.reshape(math.prod(x.shape[:-3]), *x.shape[-3:]), "N×3×H×W")
