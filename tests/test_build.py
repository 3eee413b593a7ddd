"""The built modules: instruction sets, threads, forks, and what they say of themselves."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.ops.native import cuda_module
from tests import test_motion


def digest() -> str:
    """Of every op's bytes on inputs that do not fill whole vectors."""
    torch.manual_seed(1)
    results = []
    logits, palette = torch.randn(2, 313, 9, 15) * 5, torch.rand(313, 2) * 200 - 100
    results.append(ops.annealed_mean(logits, palette))
    nhwc = logits.contiguous(memory_format=torch.channels_last)
    results.append(ops.annealed_mean(nhwc, palette))
    chroma, guide = torch.randn(1, 3, 37, 53) * 40, torch.rand(1, 1, 37, 53) * 100
    results.append(ops.joint_bilateral(chroma, guide))
    results.append(ops.joint_bilateral_upsample(chroma, guide, torch.rand(1, 1, 70, 81) * 100))
    rgb = torch.rand(1, 3, 31, 45)
    for name in ("rgb_to_lab", "rgb_to_luv", "lab_to_rgb", "luv_to_rgb", "lab_to_luv"):
        results.append(getattr(ops, name)(rgb))
    yab = torch.cat((torch.rand(1, 1, 60, 60), torch.randn(1, 2, 60, 60) * 50), 1)
    results.append(ops.yab_to_ycbcr(yab))
    for bits, sub in ((8, "420"), (10, "422"), (16, "444"), (8, "410")):
        encoding = Encoding(bit_depth=bits, subsampling=sub)  # type: ignore[arg-type]
        codes = torch.randint(0, 1 << bits, (2, 67, 131), dtype=torch.int32)
        luma = codes.to(torch.uint8 if bits == 8 else torch.uint16)
        results.append(ops.luma_to_lightness(luma, encoding=encoding))
        results += ops.render_chroma(torch.randn(2, 2, 9, 11) * 30, luma, encoding=encoding)
        results.append(ops.render_rgb(torch.randn(2, 2, 80, 90) * 30, luma, encoding=encoding))
    # Several blocks of columns, and bands that the number of threads cuts.
    tall = torch.randint(0, 256, (1, 700, 300), dtype=torch.uint8)
    results += ops.render_chroma(torch.randn(1, 2, 2, 3) * 30, tall, encoding=Encoding())
    logits = torch.randn(1, 313, 12, 17) * 5
    results += ops.fused_frame(logits, palette, tall, encoding=Encoding())
    total = hashlib.sha256()
    for result in results:
        total.update(result.contiguous().numpy().tobytes())
    return total.hexdigest()


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
    )


@pytest.mark.parametrize("level", ops.cpu_features()["levels"])
def test_every_instruction_set_gives_the_same_bytes(level):
    code = "from tests import test_build, test_motion; from pycolor import ops; " + (
        "print(ops.cpu_features()['simd'], test_build.digest(), test_motion.digest())"
    )
    result = run_python(code, PYCOLOR_SIMD=level)
    assert result.stdout.split() == [level, digest(), test_motion.digest()], result.stderr


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_every_number_of_threads_gives_the_same_bytes(threads):
    want, before = digest(), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert digest() == want
    finally:
        torch.set_num_threads(before)


def test_an_unknown_instruction_set_is_refused():
    result = run_python("from pycolor import ops; ops.cpu_features()", PYCOLOR_SIMD="mmx")
    assert result.returncode != 0
    assert "PYCOLOR_SIMD must be one of baseline" in result.stderr
    assert "got 'mmx'" in result.stderr


def test_several_threads_render_at_once():
    field, luma = torch.randn(1, 2, 16, 16) * 20, torch.randint(16, 236, (1, 300, 400))
    luma = luma.to(torch.uint8)
    want = ops.render_chroma(field, luma, encoding=Encoding())
    results: list[bool] = []

    def render() -> None:
        for _ in range(20):
            got = ops.render_chroma(field, luma, encoding=Encoding())
            results.append(all(torch.equal(g, w) for g, w in zip(got, want, strict=True)))

    workers = [threading.Thread(target=render) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 80
    assert all(results)


def test_the_pool_survives_a_fork():
    code = """
import os, torch
from pycolor import ops
torch.set_num_threads(2)
logits, palette = torch.randn(1, 50, 64, 64), torch.rand(50, 2)
want = ops.annealed_mean(logits, palette)
child = os.fork()
if child == 0:
    os._exit(0 if torch.equal(ops.annealed_mean(logits, palette), want) else 3)
assert os.waitpid(child, 0)[1] == 0
assert torch.equal(ops.annealed_mean(logits, palette), want)
print("ok")
"""
    result = run_python(code)
    assert result.stdout == "ok\n", result.stderr


def test_build_info_says_what_runs():
    info = ops.build_info()
    assert info["simd"] in info["levels"]
    assert info["levels"][0] == "baseline"
    assert info["threads"] == torch.get_num_threads()
    assert info["cuda"] or info["cuda_reason"]
    assert not info["cuda"] or "75-real" in info["cuda_archs"]


def test_without_the_cuda_module_the_error_says_how_to_build_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pycolor._cuda", None)
    with pytest.raises(RuntimeError, match=r"PYCOLOR_CUDA=1 pip install"):
        cuda_module()
    assert not ops.build_info()["cuda"]


def test_the_wheel_names_no_torch_library():
    """The extension does not link torch: one build serves every version."""
    from pycolor import _C

    content = Path(_C.__file__).read_bytes()
    assert b"libtorch" not in content
    assert b"libc10" not in content
