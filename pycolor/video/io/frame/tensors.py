"""The planes of a frame as tensors."""

from __future__ import annotations

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


class _Memory:
    """Memory by address, which keeps its owner alive."""

    def __init__(self, interface: dict[str, object], owner: object) -> None:
        self.__array_interface__ = interface
        self.owner = owner
