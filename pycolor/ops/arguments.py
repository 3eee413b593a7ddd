"""What the ops ask of their arguments; an error is one sentence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pycolor.encoding import Encoding


def expect(condition: bool, message: str) -> None:
    """ValueError with that message unless the condition holds."""
    if not condition:
        raise ValueError(message)


def sizes_of(tensor: Tensor) -> str:
    """The shape as a message shows it."""
    return "×".join(str(size) for size in tensor.shape) or "a number"


def floats(name: str, tensor: Tensor, shape: str) -> Tensor:
    """The tensor in float32, 4-dimensional; `shape` is for the message."""
    expect(tensor.dim() == 4, f"{name} must be {shape}, got {sizes_of(tensor)}")
    expect(tensor.is_floating_point(), f"{name} must be floating point, got {tensor.dtype}")
    return tensor if tensor.dtype == torch.float32 else tensor.float()


def luma_planes(luma: Tensor, encoding: Encoding) -> Tensor:
    """N×1×H×W with columns that follow each other."""
    expect(luma.dim() == 3, f"luma must be N×H×W, got {sizes_of(luma)}")
    dtype = torch.uint8 if encoding.bit_depth == 8 else torch.uint16
    expect(
        luma.dtype == dtype,
        f"luma of {encoding.bit_depth} bits must be {dtype}, got {luma.dtype}",
    )
    expect(luma.shape[1] > 0 and luma.shape[2] > 0, f"luma must not be empty, got {sizes_of(luma)}")
    if luma.stride(2) != 1:
        luma = luma.contiguous()
    return luma.unsqueeze(1)


def check_out(name: str, out: Tensor, shape: tuple[int, ...], like: Tensor, *kinds: Any) -> None:
    wanted = "×".join(map(str, shape))
    expect(tuple(out.shape) == shape, f"{name} must be {wanted}, got {sizes_of(out)}")
    expect(out.dtype in kinds, f"{name} must be {' or '.join(map(str, kinds))}, got {out.dtype}")
    same_device(name, out, like)


def same_device(name: str, tensor: Tensor, like: Tensor) -> None:
    expect(
        tensor.device == like.device,
        f"{name} must be on {like.device} as the other tensors, got {tensor.device}",
    )


def positive(name: str, value: float) -> None:
    expect(value > 0, f"{name} must be above 0, got {value}")


def check_refinement(sigma_range: float, floor: float) -> None:
    positive("sigma_range", sigma_range)
    expect(floor >= 1e-6, f"floor must be at least 1e-6, got {floor}")


def color_planes(name: str, x: Tensor) -> Tensor:
    """…×3×H×W float32 as N×3×H×W, without a copy where the strides allow it."""
    expect(
        x.dim() >= 3 and x.shape[-3] == 3, f"{name} must be N×3×H×W or …×3×H×W, got {sizes_of(x)}"
    )
    return floats(name, x.reshape(-1, *x.shape[-3:]), "N×3×H×W")
