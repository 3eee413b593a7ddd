"""zhang2016 at full width beside what else runs it: one picture of 256², one process, in turns.

    python -m benchmarks.inference [--rounds 10] [--threads 1] [--json FILE]

Every runner takes lightness and gives chroma: the network, then the annealed mean of the kernels.
Times are processor time of all threads, which other programs disturb least.  The weights are
random, time does not depend on them.  OpenVINO is left out, by name, where it is not installed.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands set it

import torch
import torch._inductor.config
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from benchmarks.kernel_peers import optional
from pycolor import ops
from pycolor.evaluate.environment import record
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import Colorizer, place
from pycolor.models.predictor.compilation import compile_network

SIDE, TEMPERATURE = 256, 0.38
CPU = torch.device("cpu")
OURS = "pycolor, bfloat16"
PACKAGED = f"pycolor, {zoo.DEFAULT} as packaged, bfloat16"
PEERS = ("torch.compile, bfloat16", "OpenVINO, bfloat16")
Runner = Callable[[], Tensor]


@dataclass(frozen=True)
class Row:
    """A runner's milliseconds: the least and the median of its turns.

    `ratio` is the median, over the turns, of its time to that of the faster of the peers.
    """

    runner: str
    least_ms: float
    median_ms: float
    ratio: float
    difference: float  # mean distance of its chroma from that of float32, in ab


def network() -> Colorizer:
    """Full width, with statistics of normalization that are no identity."""
    torch.manual_seed(0)
    made = zoo.create("zhang2016").eval().requires_grad_(False)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return made


def by_torch(net: Colorizer, x: Tensor, *, low: bool) -> Runner:
    """As `Predictor` runs it."""

    @torch.inference_mode()
    def run() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            return net.chroma(x.contiguous(memory_format=torch.channels_last), None, TEMPERATURE)

    return run


def by_compile(net: Colorizer, x: Tensor) -> Runner:
    """By torch.compile, its weights frozen."""
    compile_network(place(net, CPU), CPU)
    run = by_torch(net, x, low=True)
    with torch._inductor.config.patch(freezing=True):
        run()
    return run


def by_openvino(openvino: Any, net: Colorizer, x: Tensor, threads: int) -> Runner:
    """By OpenVINO's CPU plugin, from the traced network."""
    model = openvino.convert_model(net, example_input=x)
    model.reshape({model.inputs[0]: list(x.shape)})
    hints = {
        "INFERENCE_PRECISION_HINT": "bf16",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
    }
    compiled = openvino.Core().compile_model(model, "CPU", hints)
    request, palette = compiled.create_infer_request(), net.palette
    assert palette is not None
    palette = palette.contiguous()

    def run() -> Tensor:
        logits = request.infer({0: x.numpy()})[compiled.output(0)]
        return ops.annealed_mean(torch.from_numpy(logits), palette, TEMPERATURE)

    return run


def runners(x: Tensor, threads: int) -> dict[str, Runner]:
    """All that are here, by name."""
    plain = network()
    ours, compiled = copy.deepcopy(plain), copy.deepcopy(plain)
    for net in (ours, compiled):
        net.fold()
        place(net, CPU)
    packaged = place(weight_files.load().network, CPU)
    found = {
        "torch, float32": by_torch(place(copy.deepcopy(plain), CPU), x, low=False),
        "torch, bfloat16": by_torch(place(copy.deepcopy(plain), CPU), x, low=True),
        OURS: by_torch(ours, x, low=True),
        "pycolor --compile, bfloat16": by_compile(compiled, x),
        PACKAGED: by_torch(packaged, x, low=True),
        PEERS[0]: by_compile(copy.deepcopy(plain), x),
    }
    openvino = optional("openvino")
    if openvino is not None:
        found[PEERS[1]] = by_openvino(openvino, plain, x, threads)
    return found


def measure(rounds: int, threads: int) -> list[Row]:
    """All runners in turns."""
    torch.set_num_threads(threads)
    x = torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 100
    found = runners(x, threads)
    first = {name: run() for name, run in found.items()}
    times: dict[str, list[float]] = {name: [] for name in found}
    for turn in range(rounds + 1):
        for name, run in found.items():
            began = time.process_time()
            run()
            if turn:  # the first one warms up
                times[name].append(1e3 * (time.process_time() - began))
    faster = min((p for p in PEERS if p in found), key=lambda p: statistics.median(times[p]))
    return [
        Row(
            runner=name,
            least_ms=min(ms),
            median_ms=statistics.median(ms),
            ratio=statistics.median(a / b for a, b in zip(ms, times[faster], strict=True)),
            difference=float((first[name] - first["torch, float32"]).norm(dim=1).mean()),
        )
        for name, ms in times.items()
    ]


def show(rows: list[Row], console: Console) -> None:
    table = Table(title="zhang2016, 256², processor time; ratio to the faster peer")
    for column in ("", "least ms", "median ms", "ratio", "ab from float32"):
        table.add_column(column, justify="right" if column else "left")
    for r in rows:
        table.add_row(
            r.runner,
            f"{r.least_ms:.1f}",
            f"{r.median_ms:.1f}",
            f"{r.ratio:.2f}",
            f"{r.difference:.3f}" if r.runner != PACKAGED else "",
        )
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    rows = measure(options.rounds, options.threads)
    console = Console(width=110)
    show(rows, console)
    if optional("openvino") is None:
        console.print("OpenVINO: left out, it is not installed")
    if options.json:
        told = {"record": record(), "threads": options.threads, "rows": [asdict(r) for r in rows]}
        options.json.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
