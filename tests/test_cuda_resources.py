"""Registers and spills of the CUDA kernels, as the compiler's last stage reports them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent.parent / "csrc" / "cuda"
# Of one thread.  Up to 40 leave 1536 threads to a multiprocessor of 65,536 registers, its full
# house but for a quarter; the motion search keeps a block of the picture in registers instead.
MOST = {"annealed_mean": 40, "color": 40, "joint_bilateral": 40, "motion": 168, "render": 40}


def compiled(name: str, folder: Path) -> str:
    """What ptxas says of each kernel of a file."""
    command = ["nvcc", "-std=c++17", "-arch=sm_90", "-fmad=false", "-Xptxas=-v", "-c"]
    command += [str(SOURCES / f"{name}.cu"), "-o", str(folder / f"{name}.o")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", MOST)
def test_no_kernel_spills_or_crowds_out_others(name: str, tmp_path: Path) -> None:
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc here")
    report = compiled(name, tmp_path)
    registers = [int(n) for n in re.findall(r"Used (\d+) registers", report)]
    spills = [int(n) for n in re.findall(r"(\d+) bytes spill (?:stores|loads)", report)]
    assert registers, report
    assert len(spills) == 2 * len(registers), report
    assert max(registers) <= MOST[name], report
    assert max(spills) == 0, report
