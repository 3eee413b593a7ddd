"""The papers' run-time tables measured again, beside the published figures.

    python -m benchmarks.runtimes [--seconds 60] [--json FILE]

A picture of S×S pixels in memory is colored with the network at that very size, as the papers did:
luma to lightness, network, decode, render to RGB.  Both sizes of each network are timed: that of
its paper, whose weights need not be there, since time does not depend on them, and the one in the
package.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands set it

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.evaluate.environment import record
from pycolor.models import zoo
from pycolor.models.colorizer import Colorizer, place
from pycolor.models.inference.device import choose_device, choose_dtype

# Cheng et al. 2015, table II: an Intel Xeon at 2.30 GHz.  Iizuka et al. 2016, table 3: an Intel
# Core i7-5960X with 8 cores at 3.00 GHz, and an NVIDIA GeForce GTX TITAN X.  Seconds by side.
PUBLISHED = {
    "cheng2015, table II, CPU": {256: 6.780, 512: 17.413, 1024: 63.142},
    "Deshpande et al., by cheng2015, CPU": {256: 251.709, 512: 712.149, 1024: 5789.075},
    "iizuka2016, table 3, CPU": {224: 0.399, 512: 1.676, 1024: 5.629, 2048: 20.116},
    "iizuka2016, table 3, GPU": {224: 0.080, 512: 0.339, 1024: 1.084, 2048: 4.218},
}
SIDES = (224, 256, 512, 1024, 2048)
STILL = Encoding(bit_depth=8, full_range=True, matrix="bt601", subsampling="444")


@dataclass(frozen=True)
class Runtime:
    """One network at one size; `seconds` None where it would take or need too much."""

    model: str
    network: str
    side: int
    seconds: float | None
    repeats: int


def networks() -> Iterator[tuple[str, str, Colorizer]]:
    """Every network of the zoo, as published and, where another is packaged, that too."""
    for card in zoo.CARDS:
        yield card.name, "published", zoo.create(card.name)
        if card.weights and card.options:
            words = ", ".join(f"{k} {v}" for k, v in card.options.items())
            yield card.name, f"packaged ({words})", zoo.create(card.name, **card.options)


@torch.inference_mode()
def color(network: Colorizer, luma: Tensor, dtype: torch.dtype, temperature: float) -> Tensor:
    """1×S×S codes to 1×S×S×3 RGB."""
    device = next(network.parameters()).device
    side = luma.shape[1]
    lightness = ops.mean_lightness(luma.to(device), (side, side), encoding=STILL)
    with torch.autocast(device.type, torch.bfloat16, enabled=dtype != torch.float32):
        x = lightness.contiguous(memory_format=torch.channels_last)
        field = network.chroma(x, network.context(lightness), temperature)
    return ops.render_rgb(field.cpu(), luma, encoding=STILL)


def timed(network: Colorizer, side: int, temperature: float, limit: float) -> tuple[float, int]:
    """Median seconds, and of how many runs: ten at most, and no new one after the limit."""
    dtype = choose_dtype("auto", next(network.parameters()).device)
    luma = torch.randint(0, 256, (1, side, side), dtype=torch.uint8)
    times: list[float] = []
    if side <= 512:
        color(network, luma, dtype, temperature)  # once for the caches
    while not times or (len(times) < 10 and sum(times) < limit / 4):
        began = time.perf_counter()
        color(network, luma, dtype, temperature)
        times.append(time.perf_counter() - began)
    return statistics.median(times), len(times)


def measure(limit: float) -> list[Runtime]:
    """All networks at all sizes; a size that would take more than `limit` seconds is left out."""
    device = choose_device("auto")
    found = []
    for model, kind, network in networks():
        place(network.eval(), device)
        temperature = zoo.card(model).temperature or 0.0
        last: Runtime | None = None
        for side in SIDES:
            expected = 0.0
            if last is not None and last.seconds is not None:
                expected = last.seconds * (side / last.side) ** 2
            elif last is not None:
                expected = float("inf")
            if expected > limit or side * side > network.max_pixels:
                last = Runtime(model, kind, side, None, 0)
            else:
                last = Runtime(model, kind, side, *timed(network, side, temperature, limit))
            found.append(last)
    return found


def show(found: list[Runtime], console: Console) -> None:
    """Measured lines, then published ones."""
    table = Table(title="seconds for a picture of S×S pixels")
    for column in ("", "network", *map(str, SIDES)):
        table.add_column(column, justify="left" if not column.isdigit() else "right")
    for model, kind in dict.fromkeys((r.model, r.network) for r in found):
        by_side = {r.side: r.seconds for r in found if (r.model, r.network) == (model, kind)}
        table.add_row(model, kind, *[_number(by_side.get(side)) for side in SIDES])
    table.add_section()
    for name, printed in PUBLISHED.items():
        table.add_row(name, "as printed", *[_number(printed.get(side)) for side in SIDES])
    console.print(table)


def _number(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=60, help="the longest one picture may take"
    )
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    torch.manual_seed(0)
    found = measure(options.seconds)
    show(found, Console(width=130))
    if options.json:
        result = {
            "record": record(),
            "published": PUBLISHED,
            "rows": [asdict(r) for r in found],
        }
        options.json.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
