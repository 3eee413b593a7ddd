"""How fast the kernels are, beside what else can be installed.

    python -m benchmarks.kernels [--json FILE] [--chart FILE] [--threads 1 2] [--seconds 4]

Every group of cases runs in one process, case after case, round after round, so that all of them
meet the same machine; medians are compared.  Results are checked before the clock runs.  Peers
that are not installed are named and left out: pip install '.[bench]'.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle workers of one case must not spin on

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import kernel_cases as make
from benchmarks import kernel_chart, kernel_work
from benchmarks.kernel_cases import Case, Size
from benchmarks.kernel_peers import optional
from pycolor import ops
from pycolor.evaluate.environment import record

Times = dict[str, list[float]]
SAMPLE = 0.02  # seconds that one sample of a short case fills with calls
MISSING = "not there"
FRAMES: dict[str, Size] = {"576p": (576, 720), "1080p": make.HD, "2160p": (2160, 3840)}
# Peer of the fused frame → the ratio wanted at 1080p.
FRAME_PEERS = {
    "torch + OpenCV bilateral": 150.0,
    "torch + kornia": 300.0,
    "torch + OpenCV guided": 35.0,
    "torch": None,
    "torch.compile": None,
}


GROUPS: dict[str, Callable[[], dict[str, Case]]] = {
    **{f"frame {name}": partial(make.frame_cases, size) for name, size in FRAMES.items()},
    "render": make.render_cases,
    "bilateral": make.bilateral_cases,
    "decode 64×64": partial(make.decode_cases, (64, 64)),
    "decode 480×270": partial(make.decode_cases, (270, 480)),
    "lab": make.lab_cases,
    "matching": make.matching_cases,
}


@dataclass(frozen=True)
class Row:
    """One line of the table: `ratio` is theirs / ours, or ours / theirs where `wanted` is a cap."""

    name: str
    threads: int
    ours_ms: float | None
    peer: str
    peer_ms: float | None
    ratio: float | None
    wanted: str
    met: bool | None


# ---- the clock ---------------------------------------------------------------------------------


def seconds_of(case: Case, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        case()
    return (time.perf_counter() - start) / calls


def race(cases: dict[str, Case], seconds: float) -> Times:
    """Milliseconds of each case, in rounds over all of them: 5 rounds at least, 40 at most."""
    calls = {}
    for name, case in cases.items():
        case()
        calls[name] = max(1, int(SAMPLE / seconds_of(case, 1)))
    times: Times = {name: [] for name in cases}
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < 5 or (rounds < 40 and time.perf_counter() < end):
        for name, case in cases.items():
            times[name].append(1e3 * seconds_of(case, calls[name]))
        rounds += 1
    return times


def median(times: Times, name: str) -> float | None:
    return statistics.median(times[name]) if name in times else None


def with_avx2(threads: int, seconds: float) -> Times:
    """The race of `make.render_cases` in a child process that is held to AVX2."""
    if "avx2" not in ops.cpu_features()["levels"]:
        return {}
    command = [sys.executable, "-m", "benchmarks.kernels", "--child"]
    command += ["--threads", str(threads), "--seconds", str(seconds)]
    environment = {**os.environ, "PYCOLOR_SIMD": "avx2"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    times: Times = json.loads(done.stdout)
    return times


# ---- the table ---------------------------------------------------------------------------------


def beside(name: str, threads: int, times: Times, peer: str, wanted: float | None = None,
           ours: str = "ours") -> Row:  # fmt: skip
    """A row where more is better: their time over ours."""
    mine, theirs = median(times, ours), median(times, peer)
    ratio = None if mine is None or theirs is None else theirs / mine
    met = None if ratio is None or wanted is None else ratio >= wanted
    return Row(name, threads, mine, peer, theirs, ratio, f"≥ {wanted:g}×" if wanted else "", met)


def against(name: str, threads: int, times: Times, ours: str, cap: float) -> Row:
    """A row where less is better: our time over that of our plain case."""
    mine, plain = statistics.median(times[ours]), statistics.median(times["ours"])
    ratio = mine / plain
    return Row(name, threads, mine, "1080p 8-bit", plain, ratio, f"≤ {cap:g}×", ratio <= cap)


def best(times: Times, prefix: str) -> str:
    names = [name for name in times if name.startswith(prefix)]
    return min(names, key=lambda name: statistics.median(times[name]))


def run(threads: int, groups: dict[str, dict[str, Case]], seconds: float) -> tuple[list[Row], Any]:
    cv2 = optional("cv2")
    if cv2 is not None:
        cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
    times = {name: race(cases, seconds) for name, cases in groups.items()}
    times["render, AVX2"] = with_avx2(threads, seconds)
    render, lab, n = times["render"], times["lab"], threads
    rows = [
        beside(
            f"logits → planes, {size}",
            n,
            times[f"frame {size}"],
            peer,
            wanted if size == "1080p" else None,
        )
        for size in FRAMES
        for peer, wanted in FRAME_PEERS.items()
    ]
    rows += [
        beside("render_chroma", n, render, "torch.compile", 9),
        beside("render_chroma, AVX2", n, times["render, AVX2"], "torch.compile", 4.5),
        beside("render_chroma", n, render, "torch"),
        beside("render_chroma", n, render, "memcpy of the planes"),
        beside("render_chroma, strong colors", n, render, "torch.compile",
               ours="ours, strong colors"),
        beside("joint_bilateral d=9", n, times["bilateral"], "OpenCV", 16),
    ]  # fmt: skip
    for size, wanted in (("64×64", 4.5), ("480×270", 11)):
        times_here = times[f"decode {size}"]
        name = f"annealed_mean {size}×313"
        rows.append(beside(name, n, times_here, best(times_here, "torch"), wanted))
        rows.append(beside(f"{name}, channels last", n, times_here, best(times_here, "torch"),
                           ours="ours, channels last"))  # fmt: skip
    found = times["matching"]
    rows.append(beside("attention 6480×6480", n, found, best(found, "torch")))
    rows += [
        beside("lab_to_rgb, 8 bits", n, lab, "OpenCV", 3),
        *(beside("lab_to_rgb, 8 bits", n, lab, peer)
          for peer in ("torch", "torch.compile", "kornia", "scikit-image")),
        against("render_chroma 2160p", n, render, "ours, 2160p", 4.2),
        against("render_chroma 10 bits", n, render, "ours, 10 bits", 1.15),
    ]  # fmt: skip
    return rows, times


def show(rows: list[Row], console: Console) -> None:
    table = Table(title="1080p where no size is named; milliseconds, medians")
    for column in ("", "threads", "ours", "beside", "theirs", "ratio", "wanted", ""):
        table.add_column(
            column, justify="left" if column in ("", "beside") else "right", no_wrap=True
        )
    for row in rows:
        number = ["—" if x is None else f"{x:.3g}" for x in (row.ours_ms, row.peer_ms)]
        ratio = MISSING if row.ratio is None else f"{row.ratio:.3g}×"
        verdict = "" if row.met is None else "met" if row.met else "[red]missed[/red]"
        table.add_row(
            row.name, str(row.threads), number[0], row.peer, number[1], ratio, row.wanted, verdict
        )
    console.print(table)


def summary(samples: list[float]) -> dict[str, float]:
    """Median and quartiles, in milliseconds."""
    low, middle, high = statistics.quantiles(samples, n=4, method="inclusive")
    return {"quartile_1": low, "median": middle, "quartile_3": high, "samples": len(samples)}


def traffic(times: dict[str, Times], speed: float) -> list[dict[str, Any]]:
    """What our ops moved and computed, beside what the memory can (bytes a second)."""
    rows = []
    for (group, case), work in kernel_work.OURS.items():
        seconds = statistics.median(times[group][case]) / 1e3
        rows.append({
            "group": group, "case": case, "bytes": work.bytes, "flops": work.flops,
            "gigabytes_per_second": work.bytes / seconds / 1e9,
            "share_of_bandwidth": work.bytes / seconds / speed,
            "gigaflops_per_second": work.flops / seconds / 1e9,
        })  # fmt: skip
    return rows


def show_traffic(rows: list[dict[str, Any]], threads: int, speed: float, console: Console) -> None:
    table = Table(
        title=f"ours, {threads} threads; copying large memory moves {speed / 1e9:.1f} GB/s"
    )
    for column in ("", "MB", "MFLOP", "GB/s", "of the memory's", "GFLOP/s"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for row in rows:
        table.add_row(
            f"{row['group']}{row['case'].removeprefix('ours')}",
            f"{row['bytes'] / 1e6:.2f}",
            f"{row['flops'] / 1e6:.0f}",
            f"{row['gigabytes_per_second']:.2f}",
            f"{row['share_of_bandwidth']:.0%}",
            f"{row['gigaflops_per_second']:.1f}",
        )
    console.print(table)


# ---- what ran it -------------------------------------------------------------------------------


def peers_here() -> dict[str, str]:
    """Versions of what is raced."""
    found = {}
    for package in ("torch", "opencv-contrib-python-headless", "kornia", "scikit-image"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = MISSING
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.add_argument("--chart", type=Path, help="where to draw them, SVG or PNG")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=3.0, help="for each group of cases")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare(threads: int) -> None:
    """Torch as it is timed: without gradients, one compilation for all numbers of threads."""
    warnings.filterwarnings("ignore", module=r"torch\..*")
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    inductor = optional("torch._inductor.config")
    inductor.cpp.dynamic_threads = True
    torch.set_num_threads(threads)


def measure(groups: dict[str, dict[str, Case]], threads: int, seconds: float) -> dict[str, Any]:
    """Rows of the table, milliseconds of every case, and what our ops moved and computed."""
    rows, times = run(threads, groups, seconds)
    speed = kernel_work.bandwidth()
    return {
        "rows": rows,
        "milliseconds": {
            group: {name: summary(samples) for name, samples in found.items()}
            for group, found in times.items()
        },
        "bytes_per_second_copied": speed,
        "work": traffic(times, speed),
    }


def main() -> None:
    options = arguments()
    most = max(options.threads)
    prepare(most)
    if options.child:
        cases = make.render_cases(alone=True)
        torch.set_num_threads(most)
        print(json.dumps(race(cases, options.seconds)))
        return
    ran, simd = record(), ops.cpu_features()["simd"]
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(f"{ran['processor']}, {ran['processors']} cores, load {ran['load']}; {simd}")
    groups = {name: cases() for name, cases in GROUPS.items()}
    found = {n: measure(groups, n, options.seconds) for n in options.threads}
    show([row for n in found for row in found[n]["rows"]], console)
    show_traffic(found[most]["work"], most, found[most]["bytes_per_second_copied"], console)
    if options.json:
        for part in found.values():
            part["rows"] = [asdict(row) for row in part["rows"]]
        result = {"record": ran, "peers": peers_here(), "threads": found}
        text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
        options.json.write_text(text + "\n")
    if options.chart:
        caption = f"{ran['processor']}, {most} threads, {simd}, torch {torch.__version__}"
        kernel_chart.draw(found[most]["milliseconds"], caption, options.chart)


if __name__ == "__main__":
    main()
