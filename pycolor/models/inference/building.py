"""How a network is built that is to be given its weights at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


@contextmanager
def usual_torch() -> Iterator[None]:
    """Networks in float32 whatever the caller's default, whose random state is left as it is."""
    default = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]):
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(default)


class Unfilled(TorchFunctionMode):
    """Leaves out the random numbers that fresh weights begin with: a third of the time of a load.

    For a network whose every weight is loaded afterwards.  What has a generator of its own, and so
    the same numbers each time, is drawn.
    """

    _DRAWS = (torch.Tensor.normal_, torch.Tensor.uniform_)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func in self._DRAWS and kwargs.get("generator") is None:
            return args[0]
        return func(*args, **kwargs)
