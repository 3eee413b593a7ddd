"""The compiled modules: which there are, how tensors reach them, how ops are registered."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch import Tensor

import pycolor._C as _C
from pycolor.encoding import Encoding

_library = torch.library.Library("pycolor", "DEF")
# What computes an op on a "CPU" and on "CUDA", by its name.
IMPLEMENTATIONS: dict[str, dict[str, Any]] = {}
View = tuple[int, tuple[int, ...], tuple[int, ...]]  # address, shape, strides
_Op = TypeVar("_Op", bound=Callable[..., Any])


def _import_cuda() -> tuple[ModuleType | None, str]:
    try:
        return importlib.import_module("pycolor._cuda"), ""
    except ImportError as error:
        return None, str(error)


def cuda_module() -> ModuleType:
    """pycolor._cuda, loaded; a RuntimeError says how to build it where it is missing."""
    module, reason = _import_cuda()
    if module is None:
        raise RuntimeError(
            "a CUDA tensor needs pycolor's CUDA module, which is missing "
            f"({reason}); put nvcc on PATH and run PYCOLOR_CUDA=1 pip install --force-reinstall "
            "--no-deps pycolor from the source tree"
        )
    return module


def cpu_features() -> dict[str, Any]:
    """What the CPU kernels run on: {"simd", "levels", "threads"}."""
    return {
        "simd": _C.simd_in_use(),
        "levels": list(_C.simd_levels()),
        "threads": torch.get_num_threads(),
    }


def build_info() -> dict[str, Any]:
    """`cpu_features()` and {"cuda": bool, "cuda_reason": why not, "cuda_archs": [...]}."""
    module, reason = _import_cuda()
    return {
        **cpu_features(),
        "cuda": module is not None,
        "cuda_reason": reason,
        "cuda_archs": [] if module is None else str(module.architectures).split(),
    }


def view(tensor: Tensor) -> View:
    """What csrc/casters.h reads: the tensor must outlive the call."""
    return tensor.data_ptr(), tuple(tensor.shape), tensor.stride()


def encoding_numbers(encoding: Encoding) -> list[float]:
    """The encoding as numbers, in the order of csrc/render.h's FrameCode."""
    black, white = encoding.luma_code_range
    neutral, span = encoding.chroma_code_range
    kr, kb = encoding.luma_coefficients
    (rows, columns), (center_row, center_column) = encoding.shifts, encoding.chroma_center()
    top = (1 << encoding.bit_depth) - 1
    head = [black, 1 / (white - black), neutral, span, top, kr, kb]
    return [float(x) for x in (*head, rows, columns, center_row, center_column)]


def frame_code(numbers: list[float]) -> tuple[float | int, ...]:
    """`encoding_numbers`, which torch.library carries as floats, as FrameCode's fields."""
    return (*numbers[:7], int(numbers[7]), int(numbers[8]), *numbers[9:])


def threads() -> int:
    """How many threads an op on the CPU may use."""
    return torch.get_num_threads()


def define(schema: str, cpu: Any, cuda: Any) -> None:
    """Register an op that writes into its last arguments; tracing it does nothing."""
    name = schema.split("(", 1)[0]
    _library.define(schema)
    IMPLEMENTATIONS[name] = {"CPU": cpu, "CUDA": cuda}
    for device, implementation in IMPLEMENTATIONS[name].items():
        _library.impl(name, implementation, device)
    torch.library.register_fake(f"pycolor::{name}", lambda *_: None, lib=_library)


def implements(plain: _Op) -> Callable[[_Op], _Op]:
    """Give a fast op the docstring of its reference, and below it its own: what it alone asks."""

    def described(fast: _Op) -> _Op:
        parts = (plain.__doc__, fast.__doc__)
        fast.__doc__ = "\n\n".join(inspect.cleandoc(part) for part in parts if part)
        return fast

    return described


def stream(tensor: Tensor) -> tuple[int, int]:
    """(device index, CUDA stream) to launch on."""
    index = tensor.device.index
    return index, torch.cuda.current_stream(index).cuda_stream
