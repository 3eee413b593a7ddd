"""The planes of a frame as tensors."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from pycolor.video.io.frame.pixel_formats import Plane


def as_tensor(plane: Plane) -> Tensor:
    """A plane as a tensor that shares its memory; read-only planes stay the caller's promise."""
    if plane.flags.writeable:
        return torch.from_numpy(plane)
    # torch knows no read-only memory and warns of it; nothing here writes to luma.
    interface = dict(plane.__array_interface__)
    interface["data"] = (interface["data"][0], False)
    holder = _Memory(interface, plane)
    return torch.from_numpy(np.asarray(holder))


class HasLuma(Protocol):
    """A frame, or a picture on its way out: `luma`, and `uploaded`, the same on a GPU or None."""

    @property
    def luma(self) -> Plane: ...

    uploaded: Any


def luma_on(frame: HasLuma, device: torch.device) -> Tensor:
    """The codes of a Y' on a device, 1×H×W; they go to a GPU once, and stay with the frame."""
    if device.type == "cpu":
        return as_tensor(frame.luma)[None]
    if frame.uploaded is None or frame.uploaded.device != device:
        frame.uploaded = upload(frame.luma, device)
    uploaded: Tensor = frame.uploaded
    return uploaded


def upload(plane: Plane, device: torch.device) -> Tensor:
    """A plane on a GPU, 1×H×W; the copy is queued on its current stream, and not waited for."""
    pinned = torch.empty(plane.shape, dtype=as_tensor(plane).dtype, pin_memory=True)
    return pinned.copy_(as_tensor(plane))[None].to(device, non_blocking=True)


class _Memory:
    """Memory by address, which keeps its owner alive."""

    def __init__(self, interface: dict[str, object], owner: object) -> None:
        self.__array_interface__ = interface
        self.owner = owner
