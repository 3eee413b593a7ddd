#!/usr/bin/env bash
# Guess: where a compiler of PyTorch meets a call that it cannot follow, it makes one graph of what
#   stands before it and one of what comes after, whether the function is called by itself or is
#   mapped over a batch by torch.vmap; so little is lost by one such call.
# Truth: by itself that is so.  Under torch.vmap nothing of the mapped function is compiled, neither
#   before the call nor behind it: there is no graph at all, the results are right, the speed is that
#   of eager PyTorch, and no warning is given.
# Version: torch 2.13.0 (the race in which it was met ran on 2.11).
# Film work meets it: frames are rendered by a function of one frame that is mapped over a batch, and
#   a matrix of a color space asked for its numbers (`.tolist()`) in it is such a call.  A benchmark
#   against the compiler then races against eager PyTorch.  `fullgraph=True` raises an error instead.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/look.py" <<'PYTHON'
import sys
import warnings

import torch

compiled: list[int] = []


def counting(graph: torch.fx.GraphModule, _inputs: list[torch.Tensor]):
    compiled.append(sum(node.op.startswith("call_") for node in graph.graph.nodes))
    return graph.forward


WEIGHTS = torch.tensor([0.2126, 0.7152, 0.0722])


def luma(rgb: torch.Tensor) -> torch.Tensor:
    rgb = rgb.clamp(0, 1)
    red, green, blue = WEIGHTS.tolist()
    y = red * rgb[0] + green * rgb[1] + blue * rgb[2]
    for _ in range(10):
        y = y * 0.9 + 0.05
    return y


def one_frame(rgb: torch.Tensor) -> torch.Tensor:
    return luma(rgb)


def frames(batch: torch.Tensor) -> torch.Tensor:
    return torch.vmap(luma)(batch)


print("torch", torch.__version__)
found = {}
for name, function, picture in (
    ("by itself", one_frame, torch.rand(3, 8, 8)),
    ("under vmap", frames, torch.rand(2, 3, 8, 8)),
):
    torch.compiler.reset()
    compiled.clear()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        result = torch.compile(function, backend=counting)(picture)
    assert torch.allclose(result, function(picture))
    found[name] = (len(compiled), sum(compiled), len(said))
    print(f"{name}: {len(compiled)} graphs of {sum(compiled)} operations, {len(said)} warnings")
try:
    torch.compiler.reset()
    torch.compile(frames, backend=counting, fullgraph=True)(torch.rand(2, 3, 8, 8))
    strict = "compiled"
except Exception as error:
    strict = type(error).__name__
print(f"under vmap, fullgraph=True: {strict}")
as_seen = found["by itself"][1] > 20 and found["under vmap"] == (0, 0, 0) and strict != "compiled"
sys.exit(0 if as_seen else "this has changed")
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
