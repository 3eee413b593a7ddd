"""The CUDA kernels' own source, compiled for the CPU under the sanitizers: see tests/emulation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.films import make_film, planes_of
from tests.made_once import made_once

ROOT = Path(__file__).parent.parent
BINDINGS = "bindings_cuda.cpp"  # only hands addresses on, and is most of what is compiled
KERNELS = [
    f"cuda/{n}.cu" for n in ("annealed_mean", "color", "joint_bilateral", "motion", "render")
]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]


def runtime_libraries() -> list[str]:
    """The sanitizers' libraries of g++; skips where one of them is missing."""
    found = []
    for name in ("libasan.so", "libubsan.so"):
        printed = subprocess.run(
            ["g++", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        if not Path(printed).is_absolute():
            pytest.skip(f"g++ is here without {name}")
        found.append(printed)
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Builds the module; the environment of a Python that can load it."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    pybind11 = pytest.importorskip("pybind11")
    libraries = runtime_libraries()
    folder = made_once("emulated", tmp_path_factory, lambda to: build(to, pybind11.get_include()))
    return {
        **os.environ,
        "LD_PRELOAD": ":".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0,detect_stack_use_after_return=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYCOLOR_EMULATED": str(folder / "_cuda.so"),
        "OMP_NUM_THREADS": "1",
    }


def build(folder: Path, pybind11: str) -> None:
    """The module, as `_cuda.so` in a folder; `pybind11` is where its headers lie."""
    flags = ["-std=c++17", "-g1", "-fPIC", "-fvisibility=hidden", "-ffp-contract=off"]
    flags += ["-Wall", "-Wextra", '-DPYCOLOR_CUDA_ARCHITECTURES="emulated"']
    flags += [f"-I{ROOT / 'tests/emulation'}", f"-I{pybind11}"]
    flags += [f"-I{sysconfig.get_paths()['include']}", "-x", "c++", "-c"]

    def compiled(source: str) -> str:
        to = str(folder / f"{Path(source).stem}.o")
        own = ["-O0"] if source == BINDINGS else ["-O1", *SANITIZE]
        command = ["g++", *flags, *own, str(ROOT / "csrc" / source), "-o", to]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "warning" not in done.stderr, done.stderr
        return to

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compiled, [BINDINGS, *KERNELS]))
    module = str(folder / "_cuda.so")
    subprocess.run(["g++", "-shared", *SANITIZE, *objects, "-o", module], check=True)


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=280,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "chosen"), [(0, ""), (1, "annealed or lightness")])
def test_every_op_agrees_with_the_cpu(environment, seed, chosen):
    """Those whose threads work together, with the threads in two orders."""
    shuffled = {**environment, "PYCOLOR_EMULATION_SEED": str(seed)}
    file = "tests/emulation/emulated_ops.py"
    words = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, file)
    done = run(shuffled, *words)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.slow
def test_a_read_beyond_a_plane_is_seen(environment):
    """That the sanitizer watches at all: a field that says it is taller than it is."""
    code = """
import torch
from tests.emulation.emulated_ops import module, view
chroma, guide = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 9, 8)
address, _, strides = view(chroma)
module.joint_bilateral((address, (1, 1, 9, 8), strides), view(guide), 1, 1.0, 1.0,
                       view(torch.zeros(1, 1, 9, 8)), 0, 0)
"""
    done = run(environment, "-c", code)
    assert done.returncode != 0
    assert "AddressSanitizer: heap-buffer-overflow" in done.stderr, done.stderr[-4000:]
    assert "joint_bilateral.cu" in done.stderr


@pytest.mark.slow
def test_a_film_is_the_cpu_s_but_for_rounding(environment, tmp_path):
    source = make_film(tmp_path / "in.mkv", frames=3, width=48, height=32, fields="tff")
    films = [tmp_path / "cpu.mkv", tmp_path / "gpu.mkv"]
    words = ["-m", "tests.emulation.emulated_film", str(source), *map(str, films)]
    done = run(environment, *words)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    both = zip(*(planes_of(film) for film in films), strict=True)
    for (luma_of_cpu, chroma_of_cpu), (luma, chroma) in both:
        assert np.array_equal(luma, luma_of_cpu)
        off = np.abs(chroma - chroma_of_cpu)
        assert off.max() <= 2
        assert (off > 0).mean() < 0.02
        assert (chroma_of_cpu != 128).any()
