"""A network's code made by torch.compile."""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager, nullcontext

import torch

from pycolor.errors import UsageError
from pycolor.models.colorizer import Colorizer


def compile_network(network: Colorizer, device: torch.device) -> None:
    """Have torch.compile make the network's code, for a size of picture when it comes.

    Raises:
        UsageError: no C++ compiler is there.
    """
    compiler = os.environ.get("CXX", "g++")  # where torch looks for it
    if device.type == "cpu" and shutil.which(compiler) is None:
        raise UsageError(f"compile needs a C++ compiler, expected {compiler}; CXX names another.")
    network.compile()


def frozen_weights() -> AbstractContextManager[object]:
    """While code is compiled: weights become constants of it, laid out ahead."""
    try:
        import torch._inductor.config as inductor

        frozen: AbstractContextManager[object] = inductor.patch(freezing=True)
    except (ImportError, AttributeError):  # not documented by torch, and only faster
        return nullcontext()
    return frozen
