"""Where a network runs, and in which arithmetic."""

from __future__ import annotations

import os
import platform

import torch

from pycolor import ops
from pycolor.errors import UsageError


def choose_device(name: str, *, kernels: bool = True) -> torch.device:
    """The device behind an option.

    Args:
        name: auto, cpu, cuda, cuda:1, ….
        kernels: whether our own kernels must run there, too.

    Raises:
        UsageError: it is not there.
    """
    if name == "auto":
        # The GPU path needs our CUDA module too: the network's output never leaves the device.
        usable = torch.cuda.is_available() and not _module_missing()
        return torch.device("cuda" if usable else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as e:
        first = str(e).splitlines()[0]
        raise UsageError(f"device {name!r} cannot be used here: {first}.") from None
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"device {name!r} cannot be used here: expected cpu or cuda.")
    if kernels and device.type == "cuda" and (reason := _module_missing()):
        raise UsageError(f"device {name!r} needs pycolor's CUDA module: {reason}.")
    return device


def _module_missing() -> str:
    """Why the GPU's kernels are not here; empty where they are."""
    info = ops.build_info()
    return "" if info["cuda"] else f"it was not built ({info['cuda_reason']})"


def why_cpu(name: str) -> str:
    """What keeps `auto` from a GPU that is there, as a note; empty where nothing does."""
    if name != "auto" or not torch.cuda.is_available() or not (reason := _module_missing()):
        return ""
    return f"the CPU is used, though there is a GPU: pycolor's CUDA module is missing, {reason}"


# The process in which a network has run.  A child that is forked from it has none of the threads
# that torch and the kernels wait for.
_ran_in: int | None = None


def check_not_forked() -> None:
    """Note that a network runs in this process.

    Raises:
        UsageError: it was forked from one in which a network has run.
    """
    global _ran_in
    if _ran_in not in (None, os.getpid()) and torch.get_num_threads() > 1:
        raise UsageError(
            "this process was forked from one in which a model has run, whose threads it has not; "
            'expected multiprocessing.get_context("spawn"), or torch.set_num_threads(1).'
        )
    _ran_in = os.getpid()


def bfloat16_in_hardware() -> bool:
    """Whether this processor multiplies bfloat16 itself (AVX-512 BF16, AMX, Arm's BF16).

    oneDNN also takes it where AVX-512 can only imitate it, which is slower than float32.
    """
    # Names that torch does not document: where one is missing, float32 is the safe choice.
    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    takes = asked is not None and bool(asked())
    told = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # newer than torch 2.5
    if told is None or platform.machine() not in ("x86_64", "AMD64"):
        return takes
    return takes and bool(told())


def choose_dtype(name: str, device: torch.device) -> torch.dtype:
    """The arithmetic behind an option: bfloat16 where the hardware multiplies it."""
    if name != "auto":
        return {"float32": torch.float32, "bfloat16": torch.bfloat16}[name]
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = bfloat16_in_hardware()
    return torch.bfloat16 if native else torch.float32
