"""A picture's planes where the network runs, to be rendered there.

Luma goes to a GPU once, pinned and without anyone waiting for it (`tensors.luma_on`); U and V alone
come back.  Rendering has a stream of its own: what the network and the motion search have queued
meanwhile does not hold it up beyond the color that it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor

from pycolor.video.io import Picture
from pycolor.video.io.frame.tensors import as_tensor, luma_on


@contextmanager
def planes_on(device: torch.device, picture: Picture) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Luma to read, U and V to write, 1×h×w each, for as long as the context is entered.

    On the CPU they are the picture's own memory.  Of a GPU's, U and V are in the picture when the
    context is left; all of them must have been written.
    """
    if device.type == "cpu":
        u, v = (as_tensor(plane)[None] for plane in picture.chroma)
        yield luma_on(picture, device), u, v
        return
    luma = luma_on(picture, device)
    stream = _stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    own = [as_tensor(plane)[None] for plane in picture.chroma]
    with torch.cuda.stream(stream):
        u, v = (torch.empty(plane.shape, dtype=plane.dtype, device=device) for plane in own)
        yield luma, u, v
        pinned = [torch.empty(plane.shape, dtype=plane.dtype, pin_memory=True) for plane in own]
        for here, there in zip(pinned, (u, v), strict=True):
            here.copy_(there, non_blocking=True)
        stream.synchronize()  # luma and the color are free for others to write from here on, too
    for plane, here in zip(own, pinned, strict=True):
        plane.copy_(here)


@lru_cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)
