"""What a processor's arithmetic is chosen by.

oneDNN and MKL choose among their kernels by the maker, the instruction sets and the sizes of the
caches, and sum in another order in each; torch's own word for it (AVX2, AVX512) is too short.
"""

from __future__ import annotations

import os
import platform
import re
from functools import cache
from pathlib import Path

import torch

# Instruction sets by which sums are done in another order, as Linux calls them.
_SETS = {
    "flags": re.compile(r"avx\w*|fma4?|amx_\w+", re.ASCII),  # x86
    "Features": re.compile(r"asimd\w*|sve\w*|sme\w*|i8mm|bf16", re.ASCII),  # Arm
}
# What a person may choose them by.
_CHOSEN_BY = (
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "DNNL_DEFAULT_FPMATH_MODE",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
)


def processor() -> str:
    """The processor and what was chosen of it, in a line; two of one line give the same bits."""
    chosen = [f"{name}={os.environ[name]}" for name in _CHOSEN_BY if os.environ.get(name)]
    torchs = torch.backends.cpu.get_cpu_capability()
    return " ".join((platform.machine(), torchs, *_made(), *chosen))


@cache
def _made() -> tuple[str, ...]:
    """Maker, instruction sets and caches, as Linux reports them; nothing where it does not."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    first = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", told.partition("\n\n")[0], re.MULTILINE))
    maker = first.get("vendor_id") or " ".join(
        first.get(f"CPU {name}", "") for name in ("implementer", "part")
    )
    sets = sorted(
        word
        for key, known in _SETS.items()
        for word in first.get(key, "").split()
        if known.fullmatch(word)
    )
    sizes = []
    for cache_of in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (_word(cache_of / name) for name in ("level", "type", "size"))
        if kind != "Instruction" and level in ("1", "2"):  # the third is for many at once
            sizes.append(f"L{level}={size}")
    return (maker.strip(), *sets, *sizes)


def _word(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
