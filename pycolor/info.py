"""What this installation can do: versions, processor features, devices."""

from __future__ import annotations

import os
import platform
from importlib import metadata

import torch

from pycolor import __version__, ops
from pycolor.colorize import bfloat16_in_hardware


def collect() -> dict[str, object]:
    """Facts by name, plain values."""
    build = ops.build_info()
    archs = ", ".join(_arch(name) for name in build["cuda_archs"])
    cuda = f"built for {archs}" if build["cuda"] else f"not there: {build['cuda_reason']}"
    gpus = [f"{torch.cuda.get_device_name(i)} (cuda:{i})" for i in range(torch.cuda.device_count())]
    facts: dict[str, object] = {
        "pycolor": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
    }
    for package in ("torch", "av", "numpy", "safetensors"):
        facts[package] = metadata.version(package)
    facts |= {
        "threads": torch.get_num_threads(),
        "SIMD in use": build["simd"],
        "SIMD available": ", ".join(build["levels"]),
        "bfloat16 in hardware": bfloat16_in_hardware(),
        "CUDA module": cuda,
        "GPUs": ", ".join(gpus) or "none",
    }
    return facts


def _arch(name: str) -> str:
    """CMake's name of a target, as CUDA's documents have it: code for a chip, or PTX for later."""
    number, _, kind = name.partition("-")
    return f"compute_{number} (PTX)" if kind == "virtual" else f"sm_{number}"
