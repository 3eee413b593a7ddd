"""Everything that needs a GPU, in one run of eight minutes at most: for the first one at hand.

    python -m benchmarks.gpu [--json docs/results/gpu.json] [--leave build sanitizer film]

Builds the CUDA module for this GPU, runs the tests marked `needs_cuda` and those of the ops under
compute-sanitizer, races the fused frame (16 frames of 1080p at once) against the same in torch,
eager and compiled, sets it beside the bandwidth of a plain copy and, by ncu's counters, beside what
the chip can do, and colors a 1080p film on the GPU and on the CPU, with a plain transcode beside
them.  A step that fails is told in the file and does not keep the others from running.  Where torch
sees no GPU, one sentence says so, and the exit code is 2.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import gpu_film
from benchmarks.gpu_film import Figures, called
from pycolor.evaluate.environment import record

ROOT = Path(__file__).resolve().parents[1]
STEPS = ("build", "tests", "sanitizer", "race", "counters", "film")
FRAMES, SIZE, LOW, PALETTE = 16, (1080, 1920), (64, 64), 313
ROUNDS, CALLS = 15, 10  # of the race; calls a round
COPIED_BYTES = 256 << 20
KERNELS = re.compile(r"annealed_\w+|mean_cells|render_samples")  # of a fused frame


def why_not() -> str:
    """Why this machine cannot; empty where it can."""
    if torch.cuda.is_available():
        return ""
    seen = f"torch {torch.__version__} sees none here"
    return f"the GPU's run needs an NVIDIA GPU that torch sees; {seen}."


def build(found: Figures) -> None:
    """The modules, for this GPU's chip alone."""
    chip = "{}{}".format(*torch.cuda.get_device_capability())
    words = [sys.executable, "setup.py", "build_ext", "--inplace"]
    called(words, 300, PYCOLOR_CUDA="1", PYCOLOR_CUDA_ARCHITECTURES=chip)
    found["chip"] = f"sm_{chip}"


def tests(found: Figures) -> None:
    """All tests that need a GPU, and none of them skipped."""
    files = [str(p) for p in sorted(ROOT.glob("tests/test_*.py")) if "needs_cuda" in p.read_text()]
    words = [sys.executable, "-m", "pytest", "-q", "-m", "needs_cuda", *files]
    text = called(words, 180, PYCOLOR_REQUIRE_CUDA="1")
    found["pytest"] = text.strip().splitlines()[-1]


def sanitizer(found: Figures) -> None:
    """The ops' own tests, with our kernels watched for memory errors and races."""
    if shutil.which("compute-sanitizer") is None:
        found["left"] = "compute-sanitizer is not installed"
        return

    def watch(tool: str) -> None:
        words = ["compute-sanitizer", "--tool", tool, "--error-exitcode", "9"]
        words += ["--kernel-name", "kns=pycolor"]  # of torch's own kernels nothing is asked
        words += [sys.executable, "-m", "pytest", "-q", "-m", "needs_cuda"]
        words += ["-k", "not (film or model or pictures or recorded)"]
        words += ["tests/test_cuda.py", "tests/test_motion.py"]
        try:
            text = called(words, 150, PYTORCH_NO_CUDA_MEMORY_CACHING="1")
        except RuntimeError as error:
            found[tool], found["failed"] = str(error), f"{tool} found something"
        else:
            found[tool] = next(s for s in reversed(text.splitlines()) if "SUMMARY" in s).strip("= ")

    tools = ("memcheck", "racecheck", "synccheck")
    with ThreadPoolExecutor(len(tools)) as pool:
        list(pool.map(watch, tools))


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

    return torch.compile(whole, dynamic=False, fullgraph=True) if compiled else whole


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


def race(found: Figures) -> None:
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
    found |= {
        "frames": FRAMES,
        "size": list(SIZE),
        "milliseconds": median,
        "times torch": median["torch"] / median["ours"],
        "times torch.compile": median["torch.compile"] / median["ours"],
        "copy, GB/s": bandwidth / 1e6,
        "share of copy bandwidth": moved / median["ours"] / bandwidth,
        "samples of the peers that differ by over 1 code": off,
    }


def counters(found: Figures) -> None:
    """What ncu's counters say of the fused frame's kernels: shares of what the chip can do."""
    if shutil.which("ncu") is None:
        found["left"] = "ncu is not installed"
        return
    metrics = {
        "gpu__time_duration.sum": "microseconds",
        "sm__throughput.avg.pct_of_peak_sustained_elapsed": "% of the multiprocessors",
        "dram__throughput.avg.pct_of_peak_sustained_elapsed": "% of the memory",
        "sm__inst_executed.sum": "instructions",
        "launch__registers_per_thread": "registers",
    }
    words = ["ncu", "--kernel-name", f"regex:{KERNELS.pattern}", "--csv"]
    words += ["--print-units", "base", "--metrics", ",".join(metrics), "--launch-skip", "3"]
    words += ["--launch-count", "3", sys.executable, "-m", "benchmarks.gpu", "--fused-frames", "2"]
    text = called(words, 90)
    for row in csv.DictReader(text[text.index('"ID"') :].splitlines()):
        kernel = KERNELS.findall(row["Kernel Name"])[0]
        value = float(row["Metric Value"].replace(",", ""))
        name = row["Metric Name"]
        found.setdefault(kernel, {})[metrics[name]] = value / 1e3 if "time" in name else value


def fused_frames(times: int) -> None:
    """Nothing but fused frames, for a profiler to look at."""
    from benchmarks import kernel_peers as peers
    from pycolor import ops

    logits, palette, luma = made_frames(FRAMES, SIZE, torch.device("cuda"))
    for _ in range(times):
        ops.fused_frame(logits, palette, luma, encoding=peers.ENCODING)
    torch.cuda.synchronize()


def differing(ours: tuple[Tensor, ...], theirs: tuple[Tensor, ...]) -> float:
    """The share of samples that differ by more than one code."""
    far = [(a.short() - b.short()).abs() > 1 for a, b in zip(ours, theirs, strict=True)]
    return float(torch.stack(far).double().mean())


def run(leave: list[str], keep: Callable[[Figures], None]) -> Figures:
    """All steps; each with its seconds, and with `failed` where it does.

    Args:
        leave: steps that are left out.
        keep: is called after each step with all that is known: what cuts the run loses one step.
    """
    steps: dict[str, Callable[[Figures], None]] = {
        "build": build,
        "tests": tests,
        "sanitizer": sanitizer,
        "race": race,
        "counters": counters,
        "film": gpu_film.film,
    }
    results: Figures = {}
    for name, step in steps.items():
        found: Figures = {}
        results[name] = found
        if name in leave:
            found["left"] = "as asked"
            continue
        began = time.perf_counter()
        try:
            step(found)
        except Exception as error:  # told in the file: the other steps are worth having
            found["failed"] = f"{type(error).__name__}: {error}"
        found["seconds"] = round(time.perf_counter() - began, 1)
        print(f"{name}: {json.dumps(found, ensure_ascii=False)}", flush=True)
        keep(results)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--leave", nargs="+", default=[], choices=STEPS, help="steps to leave out")
    parser.add_argument(
        "--fused-frames", type=int, metavar="N", help="that many alone, to be watched"
    )
    options = parser.parse_args()
    reason = why_not()
    if reason:
        print(reason, file=sys.stderr)
        return 2
    if options.fused_frames:
        fused_frames(options.fused_frames)
        return 0
    of = record()

    def keep(results: Figures) -> None:
        if options.json:
            text = json.dumps({"record": of, **results}, indent=1, ensure_ascii=False)
            options.json.write_text(text + "\n", encoding="utf-8")

    results = run(options.leave, keep)
    return 1 if any("failed" in found for found in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
