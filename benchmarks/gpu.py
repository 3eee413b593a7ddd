"""Everything that needs a GPU, in one run of eight minutes at most: for the first one at hand.

    python -m benchmarks.gpu [--json docs/results/gpu.json] [--leave build sanitizer film]

Builds the CUDA module for this GPU, runs the tests marked `needs_cuda` and the same under
compute-sanitizer, races the fused frame (16 frames of 1080p at once) against the same in torch,
eager and compiled, sets it beside the bandwidth of a plain copy, and colors a 1080p film on the GPU
and on the CPU.  A step that fails is told in the file and does not keep the others from running.
Where torch sees no GPU, one sentence says so, and the exit code is 2.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
STEPS = ("build", "tests", "sanitizer", "race", "film")
FRAMES, SIZE, LOW, PALETTE = 16, (1080, 1920), (64, 64), 313
ROUNDS, CALLS = 15, 10  # of the race; calls a round
FILM_FRAMES, COMPARED_FRAMES = 240, 48
COPIED_BYTES = 256 << 20
# Codes of chroma between the GPU's film and the CPU's, whose networks count in other precision.
MOST_MEAN_DIFFERENCE = 1.0

Figures = dict[str, Any]


def why_not() -> str:
    """Why this machine cannot; empty where it can."""
    if torch.cuda.is_available():
        return ""
    seen = f"torch {torch.__version__} sees none here"
    return f"the GPU's run needs an NVIDIA GPU that torch sees; {seen}."


def called(words: list[str], seconds: float, **environment: str) -> str:
    """What a command prints.

    Raises:
        RuntimeError: it fails or takes too long; with the end of what it printed.
    """
    try:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{words[0]} took over {seconds:.0f} s") from None
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} failed: {done.stdout[-2000:]}")
    return done.stdout


def build() -> Figures:
    """The modules, for this GPU's chip alone."""
    chip = "{}{}".format(*torch.cuda.get_device_capability())
    words = [sys.executable, "setup.py", "build_ext", "--inplace"]
    called(words, 300, PYCOLOR_CUDA="1", PYCOLOR_CUDA_ARCHITECTURES=chip)
    return {"chip": f"sm_{chip}"}


def tests() -> Figures:
    """All tests that need a GPU, and none of them skipped."""
    words = [sys.executable, "-m", "pytest", "-q", "-m", "needs_cuda", "tests"]
    return {"pytest": called(words, 180, PYCOLOR_REQUIRE_CUDA="1").strip().splitlines()[-1]}


def sanitizer() -> Figures:
    """The same on the kernels' own tests, watched for memory errors and races."""
    if shutil.which("compute-sanitizer") is None:
        return {"left": "compute-sanitizer is not installed"}
    found = {}
    for tool in ("memcheck", "racecheck", "synccheck"):
        watch = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9"]
        tested = ["tests/test_ops.py", "tests/test_motion.py"]
        words = [*watch, sys.executable, "-m", "pytest", "-q", "-m", "needs_cuda", *tested]
        text = called(words, 100, PYTORCH_NO_CUDA_MEMORY_CACHING="1")
        found[tool] = next(s for s in reversed(text.splitlines()) if "SUMMARY" in s).strip("= ")
    return found


def torch_frames(
    size: tuple[int, int], device: torch.device, *, compiled: bool
) -> Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]:
    """`ops.fused_frame` of several frames in torch's own operations."""
    from benchmarks import kernel_peers as peers

    plan = peers.render_plan(*size, LOW)
    rows, columns = ([t.to(device) for t in axis] for axis in (plan.rows, plan.columns))
    plan = replace(plan, rows=rows, columns=columns)

    def one(field: Tensor, luma: Tensor) -> tuple[Tensor, Tensor]:
        low = peers.torch_low_guide(luma, plan.low_size)
        return peers.torch_samples(peers.torch_spread(field, low, plan), luma, plan)

    def whole(logits: Tensor, palette: Tensor, luma: Tensor) -> tuple[Tensor, Tensor]:
        field = peers.decode_planes(logits, palette)
        u, v = torch.vmap(one)(field[:, None], luma[:, None])
        return u[:, 0], v[:, 0]

    return torch.compile(whole, dynamic=False) if compiled else whole


def made_frames(
    frames: int, size: tuple[int, int], device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, palette and luma."""
    from benchmarks import kernel_cases as cases
    from pycolor.models.palette import gamut_bins

    torch.manual_seed(0)
    palette = torch.tensor(gamut_bins(), dtype=torch.float32)
    fields = [cases.smooth(2, (12, 12), LOW) * 12 for _ in range(frames)]
    logits = torch.cat([cases.logits_of(field, palette) for field in fields])
    luma = torch.cat([cases.luma_of(*size) for _ in range(frames)])
    return logits.to(device), palette.to(device), luma.to(device)


def milliseconds(case: Callable[[], object]) -> float:
    """Of one call, on the device's own clock."""
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(CALLS):
        case()
    end.record()
    end.synchronize()
    return float(begin.elapsed_time(end)) / CALLS


def recorded(case: Callable[[], object]) -> Callable[[], object]:
    """The same as a CUDA graph: without what launching costs the host."""
    graph = torch.cuda.CUDAGraph()
    torch.cuda.synchronize()
    with torch.cuda.graph(graph):
        case()
    return graph.replay


def race() -> Figures:
    """The fused frame against torch, interleaved; and against a copy of as many bytes."""
    from benchmarks import kernel_peers as peers
    from pycolor import ops

    device = torch.device("cuda")
    logits, palette, luma = made_frames(FRAMES, SIZE, device)
    hc, wc = peers.ENCODING.chroma_shape(*SIZE)
    out = tuple(torch.empty(FRAMES, hc, wc, dtype=torch.uint8, device=device) for _ in range(2))

    def ours() -> object:
        return ops.fused_frame(logits, palette, luma, encoding=peers.ENCODING, out=(out[0], out[1]))

    eager = torch_frames(SIZE, device, compiled=False)
    quick = torch_frames(SIZE, device, compiled=True)
    source = torch.zeros(COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    cases: dict[str, Callable[[], object]] = {
        "ours": ours,
        "torch": lambda: eager(logits, palette, luma),
        "torch.compile": lambda: quick(logits, palette, luma),
        "copy": lambda: target.copy_(source),
    }
    for _ in range(3):
        for case in cases.values():
            case()
    cases["ours, CUDA graph"] = recorded(ours)
    off = {name: differing(out, peer(logits, palette, luma)) for name, peer in
           (("torch", eager), ("torch.compile", quick))}  # fmt: skip
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, case in cases.items():
            times[name].append(milliseconds(case))
    median = {name: statistics.median(values) for name, values in times.items()}
    moved = logits.numel() * 4 + luma.numel() + 2 * out[0].numel()
    bandwidth = 2 * COPIED_BYTES / median["copy"]  # bytes a millisecond, read and written
    return {
        "frames": FRAMES,
        "size": list(SIZE),
        "milliseconds": median,
        "times torch": median["torch"] / median["ours"],
        "times torch.compile": median["torch.compile"] / median["ours"],
        "copy, GB/s": bandwidth / 1e6,
        "share of copy bandwidth": moved / median["ours"] / bandwidth,
        "samples of the peers that differ by over 1 code": off,
    }


def differing(ours: tuple[Tensor, ...], theirs: tuple[Tensor, ...]) -> float:
    """The share of samples that differ by more than one code."""
    far = [(a.short() - b.short()).abs() > 1 for a, b in zip(ours, theirs, strict=True)]
    return float(torch.stack(far).double().mean())


def film() -> Figures:
    """A 1080p film from file to file on the GPU, and its first frames against the CPU's."""
    from benchmarks.films import make_film

    with tempfile.TemporaryDirectory(prefix="pycolor-") as name:
        folder = Path(name)
        source = make_film(folder / "gray.mp4", SIZE[0], FILM_FRAMES)
        fast = ("--codec-options", "preset=ultrafast")
        color(source, folder / "warm.mp4", "cuda", f":{COMPARED_FRAMES}", *fast)
        began = time.perf_counter()
        color(source, folder / "cuda.mp4", "cuda", ":", *fast)
        seconds = time.perf_counter() - began
        for device in ("cuda", "cpu"):
            color(source, folder / f"{device}.mkv", device, f":{COMPARED_FRAMES}")
        worst, mean = chroma_difference(folder / "cuda.mkv", folder / "cpu.mkv")
    if mean > MOST_MEAN_DIFFERENCE:
        raise RuntimeError(f"the GPU's film differs from the CPU's by {mean:.2f} codes in the mean")
    return {
        "frames": FILM_FRAMES,
        "seconds, the start included": seconds,
        "frames a second": FILM_FRAMES / seconds,
        "chroma codes against the CPU": {"worst": worst, "mean": mean},
    }


def color(source: Path, target: Path, device: str, frames: str, *more: str) -> None:
    words = [sys.executable, "-m", "pycolor", "video", str(source), str(target)]
    words += ["--device", device, "--frames", frames, "--quiet", "--overwrite", *more]
    called(words, 200)


def chroma_difference(one: Path, other: Path) -> tuple[int, float]:
    """The largest and the mean difference of the chroma codes of two films."""
    worst, total, frames = 0, 0.0, 0
    with av.open(str(one)) as a, av.open(str(other)) as b:
        for x, y in zip(a.decode(video=0), b.decode(video=0), strict=True):
            height = x.height
            found, wanted = (f.to_ndarray()[height:].astype(np.int16) for f in (x, y))
            far = np.abs(found - wanted)
            worst, total, frames = max(worst, int(far.max())), total + float(far.mean()), frames + 1
    return worst, total / max(1, frames)


def run(leave: list[str]) -> Figures:
    """All steps; each with its seconds, and with `failed` where it does."""
    steps = {"build": build, "tests": tests, "sanitizer": sanitizer, "race": race, "film": film}
    results: Figures = {}
    for name, step in steps.items():
        if name in leave:
            results[name] = {"left": "as asked"}
            continue
        began = time.perf_counter()
        try:
            found = step()
        except Exception as error:  # told in the file: the other steps are worth having
            found = {"failed": f"{type(error).__name__}: {error}"}
        results[name] = {**found, "seconds": round(time.perf_counter() - began, 1)}
        print(f"{name}: {json.dumps(results[name], ensure_ascii=False)}", flush=True)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--leave", nargs="+", default=[], choices=STEPS, help="steps to leave out")
    options = parser.parse_args()
    reason = why_not()
    if reason:
        print(reason, file=sys.stderr)
        return 2
    results = run(options.leave)
    facts = {
        "GPU": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "CUDA": torch.version.cuda,
        "processors": os.cpu_count(),
    }
    if options.json:
        text = json.dumps({"machine": facts, **results}, indent=1, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 1 if any("failed" in found for found in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
