"""The kernels' thread pool, compiled alone: what a chunk throws reaches the caller."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_pool_outlives_chunks_that_throw(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    program = tmp_path / "pool_check"
    sources = [str(ROOT / "tests/emulation/pool_check.cpp"), str(ROOT / "csrc/cpu/pool.cpp")]
    flags = ["-std=c++17", "-O1", "-g1", "-pthread", "-Wall", "-Wextra"]
    build = subprocess.run(
        ["g++", *flags, *sources, "-o", str(program)], capture_output=True, text=True
    )
    assert build.returncode == 0, build.stderr
    assert "warning" not in build.stderr, build.stderr
    run = subprocess.run([str(program)], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (0, "ok\n"), run.stdout + run.stderr
