"""What every metric takes: a batch in torch or in NumPy, seen as float64."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy.typing as npt
import torch
from torch import Tensor

Batch: TypeAlias = Tensor | npt.NDArray[Any]


def doubles(batch: Batch, shape: str) -> Tensor:
    """The batch in float64, on the device where it is.

    Args:
        batch: of any dtype; codes stay codes, so that bytes cannot overflow.
        shape: what its axes are, such as "N×3×H×W"; a digit is a size that must be met.

    Raises:
        ValueError: it has another shape.
    """
    tensor = torch.as_tensor(batch)
    axes = shape.split("×")
    sizes = tuple(tensor.shape)
    if len(axes) != len(sizes) or any(
        axis.isdigit() and int(axis) != size for axis, size in zip(axes, sizes, strict=True)
    ):
        raise ValueError(f"expected {shape}, got {'×'.join(map(str, sizes))}")
    return tensor.double()


def pair(a: Batch, b: Batch, shape: str) -> tuple[Tensor, Tensor]:
    """Two batches of one shape, as `doubles`.

    Raises:
        ValueError: their shapes differ, or are not as expected.
    """
    first, second = doubles(a, shape), doubles(b, shape)
    if first.shape != second.shape:
        sizes = ["×".join(map(str, t.shape)) for t in (first, second)]
        raise ValueError(f"expected two batches of one shape, got {sizes[0]} and {sizes[1]}")
    return first, second
