"""The planes of a frame, between NumPy, torch and the kernels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pycolor import ops
from pycolor.encoding import Encoding, Field
from pycolor.video.io import Picture, Plane

FIELDS: tuple[Field, Field] = ("top", "bottom")


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


def render(field: Tensor, picture: Picture, encoding: Encoding, *, interlaced: bool) -> None:
    """Write a chroma field into a picture's chroma planes.

    Args:
        field: 2×h×w ab, over the whole frame.
        picture: its luma guides, its chroma is overwritten.
        encoding: of the picture.
        interlaced: the picture holds two fields, each with chroma lines of its own.
    """
    luma, u, v = (as_tensor(p)[None] for p in (picture.luma, *picture.chroma))
    fields = field[None].cpu()
    # A frame of one line of chroma has one field.
    if not (interlaced and encoding.shifts[0] and u.shape[1] > 1):
        ops.render_chroma(fields, luma, encoding=encoding, out=(u, v))
        return
    for first, name in enumerate(FIELDS):
        planes = u[:, first::2], v[:, first::2]
        # Where the lines do not divide evenly the last of luma may have no chroma of its own.
        lines = planes[0].shape[1] << encoding.shifts[0]
        ops.render_chroma(
            fields,
            luma[:, first::2][:, :lines],
            encoding=replace(encoding, field=name),
            out=planes,
        )
