"""What this installation can do: versions, processor features, devices."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import torch

from pycolor import ops
from pycolor.models.inference.device import bfloat16_in_hardware
from pycolor.version import __version__


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


def record() -> dict[str, object]:
    """What a measurement ran on, to stand beside its numbers: `collect`, commit, processor, time.

    `commit` is None outside a checkout; `changed` says that files but for docs differ from it.
    """
    return {
        "facts": collect(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "commit": _git("rev-parse", "HEAD") or None,
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no", ":!docs")),
        "load": round(os.getloadavg()[0], 2),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo")
    text = lines.read_text(encoding="utf-8") if lines.exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()


def _git(*words: str) -> str:
    """What git says of this checkout; empty where there is none."""
    home = Path(__file__).resolve().parents[2]
    if not (home / ".git").exists():
        return ""
    try:
        done = subprocess.run(
            ["git", *words], cwd=home, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
