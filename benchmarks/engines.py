"""The packaged network by other engines: onnxruntime, and OpenVINO where it is installed.

    python -m benchmarks.engines [--rounds 10] [--threads 1 2] [--json FILE]

From 192×256 of gray to scores; what comes before and after is the same for all.  Processor time of
all threads, in turns; `difference` is the mean distance of the scores from those of torch in
float32.  int8: weights of the layers, quantized by onnxruntime as it runs ("dynamic").
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands set it

import torch
from torch import Tensor, nn

from benchmarks.kernel_peers import optional
from pycolor.evaluate.environment import record
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files, weight_names
from pycolor.models.colorizer import Colorizer, place
from pycolor.models.networks.pycolor2026 import Encoded, Pycolor2026

HEIGHT, WIDTH = 192, 256
Inputs = tuple[Tensor, Tensor]
Runner = Callable[[], Tensor]


class Scores(nn.Module):
    """The layers: from the trunk's input to the scores."""

    def __init__(self, network: Colorizer) -> None:
        super().__init__()
        assert isinstance(network, Pycolor2026)
        self.network = network

    def forward(self, gray: Tensor, light: Tensor) -> Tensor:
        x4, x8, x16, x32 = self.network.trunk(gray)
        seen = Encoded(lightness=gray, light=light, taps=(x4, x8, x16, x32))
        return self.network.logits(self.network.decode(seen).last)


def plain_network() -> Colorizer:
    """As it was trained: layers of torch that other engines know."""
    card = zoo.card(zoo.DEFAULT)
    path = weight_names.PACKAGED / card.weights
    file = weight_files.read(path)
    network = card.build(**file.options)
    weight_files.fill(network, file.state, path)
    return network.eval().requires_grad_(False)


def by_torch(x: Inputs, *, low: bool) -> Runner:
    network = Scores(place(weight_files.load().network, torch.device("cpu")))
    gray = x[0].contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def run() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            return network(gray, x[1])  # type: ignore[no-any-return]

    return run


def exported(x: Inputs, folder: Path) -> Path:
    path = folder / "network.onnx"
    torch.onnx.export(Scores(plain_network()), x, str(path), dynamo=False, opset_version=17)
    return path


def by_onnxruntime(runtime: Any, path: Path, x: Inputs, threads: int) -> Runner:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    given = dict(zip(names, (part.numpy() for part in x), strict=True))
    return lambda: torch.from_numpy(session.run(None, given)[0])


def by_openvino(openvino: Any, path: Path, x: Inputs, threads: int, precision: str) -> Runner:
    hints = {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
    }
    compiled = openvino.Core().compile_model(str(path), "CPU", hints)
    request = compiled.create_infer_request()
    given = dict(enumerate(part.numpy() for part in x))
    return lambda: torch.from_numpy(request.infer(given)[compiled.output(0)].copy())


def runners(x: Inputs, threads: int, folder: Path) -> dict[str, Runner]:
    found = {"pycolor, float32": by_torch(x, low=False)}
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        found["pycolor, bfloat16"] = by_torch(x, low=True)
    path = exported(x, folder)
    runtime, openvino = optional("onnxruntime"), optional("openvino")
    if runtime is not None:
        found["onnxruntime, float32"] = by_onnxruntime(runtime, path, x, threads)
        small = folder / "int8.onnx"
        quantization = optional("onnxruntime.quantization")
        quantization.quantize_dynamic(str(path), str(small))
        found["onnxruntime, int8"] = by_onnxruntime(runtime, small, x, threads)
    if openvino is not None:
        found["OpenVINO, float32"] = by_openvino(openvino, path, x, threads, "f32")
        found["OpenVINO, bfloat16"] = by_openvino(openvino, path, x, threads, "bf16")
    return found


def measure(rounds: int, threads: int, folder: Path) -> list[dict[str, Any]]:
    """All runners in turns."""
    torch.set_num_threads(threads)
    noise = torch.rand(1, 1, HEIGHT // 16, WIDTH // 16, generator=torch.Generator().manual_seed(0))
    gray = 2 * nn.functional.interpolate(noise, (HEIGHT, WIDTH), mode="bicubic").clamp(0, 1) - 1
    x = gray, (nn.functional.avg_pool2d(gray, 4) + 1) / 2
    found = runners(x, threads, folder)
    first = {name: run() for name, run in found.items()}
    times: dict[str, list[float]] = {name: [] for name in found}
    for turn in range(rounds + 1):
        for name, run in found.items():
            began = time.process_time()
            run()
            if turn:  # the first one warms up
                times[name].append(1e3 * (time.process_time() - began))
    return [
        {
            "runner": name,
            "threads": threads,
            "least_ms": min(ms),
            "median_ms": statistics.median(ms),
            "difference": float((first[name] - first["pycolor, float32"]).abs().mean()),
        }
        for name, ms in times.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = [row for n in options.threads for row in measure(options.rounds, n, Path(name))]
    for row in rows:
        print(
            f"{row['runner']:24} {row['threads']} threads: least {row['least_ms']:.1f} ms, median "
            f"{row['median_ms']:.1f} ms, scores differ by {row['difference']:.4f}"
        )
    if options.json:
        told = {"record": record(), "rows": rows}
        options.json.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
