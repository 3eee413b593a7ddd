"""Colors a film as the CPU does, and as a GPU does: every op is the CUDA kernel, emulated.

    python -m tests.emulation.emulated_film IN BY_CPU BY_GPU

Run by tests/test_cuda_emulated.py in a child.  The ops' own Python for CUDA runs, too: it is put in
the place of that for the CPU, with the emulated module for pycolor._cuda.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from pycolor.ops import color, decode, gamut, luma, motion, native, refine, render
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.job.film import color_film
from pycolor.video.propagation import lookahead
from tests.emulation.emulated_ops import module


class OneByOne:
    """The emulated module, whose fibers serve one kernel at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., None]:
        op = getattr(module, name)

        def locked(*arguments: Any) -> None:
            with self._lock:
                op(*arguments)

        return locked


def emulate() -> torch.library.Library:
    """Have all ops on CPU tensors go to the CUDA kernels, for as long as the result is kept."""
    kernels = OneByOne()
    for room in (color, decode, gamut, luma, motion, refine, render):
        vars(room).update(cuda_module=lambda: kernels, stream=lambda _: (0, 0))
    library = torch.library.Library("pycolor", "IMPL")
    for name, implementation in native.IMPLEMENTATIONS.items():
        library.impl(name, implementation["CUDA"], "CPU", allow_override=True)
    return library


def main(source: Path, by_cpu: Path, by_gpu: Path) -> None:
    # Each thread is a fiber: small pictures.
    lookahead.MOTION_SHORT_SIDE = 16
    predict = PredictOptions(device="cpu", dtype="float32", short_side=32)
    color_film(source, by_cpu, VideoOptions(predict=predict))
    kept = emulate()
    color_film(source, by_gpu, VideoOptions(predict=predict))
    del kept


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
