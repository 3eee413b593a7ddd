"""What the plain ops do with `out`."""

from __future__ import annotations

from torch import Tensor


def give(result: Tensor, out: Tensor | None) -> Tensor:
    """The result, written into `out` where there is one."""
    return result if out is None else out.copy_(result)
