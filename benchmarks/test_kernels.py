"""The race of `benchmarks.kernels` by pytest-benchmark, for its comparisons and its JSON.

    pytest benchmarks --benchmark-only [-k 'render and ours'] [--benchmark-json FILE]

The same cases: a group's outputs are checked before any of it is timed.  Contenders take turns test
by test here, not round by round, so what the machine does meanwhile does not cancel out: the
figures in the documentation are those of `make bench`.  OMP_NUM_THREADS sets the threads.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch

from benchmarks.kernel_cases import Case
from benchmarks.kernel_peers import optional
from benchmarks.kernels import GROUPS, prepare

pytest.importorskip("pytest_benchmark")

TORCH = ("torch", "torch.compile")
FRAME = ("ours", *TORCH, "torch + OpenCV bilateral", "torch + OpenCV guided", "torch + kornia")
RENDER = ("ours", "ours, 10 bits", "ours, 2160p", "ours, strong colors", *TORCH,
          "memcpy of the planes")  # fmt: skip
DECODE = ("ours", "ours, channels last", "torch, planes", "torch, pixels",
          "torch.compile, planes", "torch.compile, pixels")  # fmt: skip
CONTENDERS = {
    **{name: FRAME for name in GROUPS if name.startswith("frame")},
    **{name: DECODE for name in GROUPS if name.startswith("decode")},
    "render": RENDER,
    "bilateral": ("ours", "OpenCV"),
    "lab": ("ours", *TORCH, "OpenCV", "kornia", "scikit-image"),
}


@cache
def checked(group: str) -> dict[str, Case]:
    threads = torch.get_num_threads()
    prepare(threads)
    cv2 = optional("cv2")
    if cv2 is not None:
        cv2.setNumThreads(threads)
    cases = GROUPS[group]()
    assert set(cases) <= set(CONTENDERS[group])
    return cases


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("group", "contender"), [(group, name) for group in GROUPS for name in CONTENDERS[group]]
)
def test_kernels(benchmark: Any, group: str, contender: str) -> None:
    cases = checked(group)
    if contender not in cases:
        pytest.skip(f"{contender}: not installed, or left out at this size")
    benchmark.group = group
    benchmark(cases[contender])
