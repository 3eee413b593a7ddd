#!/usr/bin/env bash
# Guess: `module.compile()` and `torch.compile(module)` are two spellings of one thing, for a layer of
#   PyTorch's own as for a network.
# Truth: of a plain Conv2d, and of a Sequential of plain layers, `compile()` in place compiles nothing:
#   no graph reaches the backend, results are right, the speed is eager PyTorch's, and no warning is
#   given.  `torch.compile(module)` compiles both, and `compile()` of a class of one's own compiles
#   the layers in it.  With fullgraph=True the plain layer raises an error.
# Version: torch 2.13.0.
# Film work meets it: to compile a colorizer's last layer beside its trunk one calls `compile()` on
#   it, and that layer, the widest of the network, stays as slow as it was.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cat > "$folder/look.py" <<'PYTHON'
import sys
import warnings

import torch
from torch import nn

convolutions = 0


def counting(graph: torch.fx.GraphModule, _inputs: list[torch.Tensor]):
    global convolutions
    convolutions += sum(node.target is torch.conv2d for node in graph.graph.nodes)
    return graph.forward


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, 1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        return self.last(self.first(picture).relu())


def in_place(module: nn.Module) -> nn.Module:
    module.compile(backend=counting)
    return module


print("torch", torch.__version__)
picture = torch.rand(1, 1, 8, 8)
found = {}
for name, make in (
    ("Conv2d, torch.compile", lambda: torch.compile(nn.Conv2d(1, 4, 3), backend=counting)),
    ("Conv2d, compile()", lambda: in_place(nn.Conv2d(1, 4, 3))),
    ("Sequential, torch.compile", lambda: torch.compile(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), backend=counting)),
    ("Sequential, compile()", lambda: in_place(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()))),
    ("own class of two, compile()", lambda: in_place(Network())),
):
    torch.compiler.reset()
    convolutions = 0
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        make()(picture)
    found[name] = (convolutions, len(said))
    print(f"{name}: {convolutions} convolutions compiled, {len(said)} warnings")
strict = nn.Conv2d(1, 4, 3)
strict.compile(backend=counting, fullgraph=True)
torch.compiler.reset()
try:
    strict(picture)
    raised = "nothing"
except RuntimeError as error:
    raised = type(error).__name__
print(f"Conv2d, compile(fullgraph=True) raises {raised}")
as_seen = [n for n, _ in found.values()] == [1, 0, 1, 0, 2] and raised == "RuntimeError"
sys.exit(0 if as_seen else "this has changed")
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
