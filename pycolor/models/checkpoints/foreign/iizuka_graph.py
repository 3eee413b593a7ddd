"""Iizuka's released network, `colornet.t7`, by the names of our iizuka2016.

The file holds a graph of Torch modules.  Its layers are told apart by their shapes and by what they
feed, starting at the only one with a single input channel.  Normalization is taken into the
convolution before it, since ours have a shift but no scale of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pycolor.models.checkpoints.foreign.torch7 import Module, in_order
from pycolor.models.networks.iizuka2016 import GRAY_MEAN

_EPS = 1e-5  # of our normalization
_MOST_VISITS, _DEEPEST = 2000, 100  # of modules; Iizuka's network has some hundred

# Output channels, input channels, stride.
_LOW = ((64, 1, 2), (128, 64, 1), (128, 128, 2), (256, 128, 1), (256, 256, 2), (512, 256, 1))
_MID = ((512, 512, 1), (256, 512, 1))
_GLOBAL = ((512, 512, 2), (512, 512, 1), (512, 512, 2), (512, 512, 1))
_FULL = ((1024, 25088, 0), (512, 1024, 0), (256, 512, 0))
_FUSION = (256, 512, 1)
_COLOR = ((128, 256, 1), (64, 128, 1), (64, 64, 1), (32, 64, 1))
_OUTPUT = (2, 32, 1)


@dataclass
class Layer:
    """A convolution or full connection (stride 0), its normalization, and what it feeds."""

    weight: npt.NDArray[Any]
    bias: npt.NDArray[Any]
    stride: int
    norm: Module | None = None
    next: list[Layer] = field(default_factory=list)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Output channels, input channels, stride."""
        return self.weight.shape[0], self.weight.shape[1], self.stride


def layers_of(module: Any) -> list[Layer]:
    """The layers with weights of a network of Torch modules, in order, linked.

    Raises:
        ValueError: it is no network, or visits its modules more often than any network does.
    """
    walk = _Walk()
    walk.visit(module, [])
    return walk.found


class _Walk:
    """One way through the modules; one that is shared is met each time that it is used."""

    def __init__(self) -> None:
        self.found: list[Layer] = []
        self.visits = 0
        self.depth = 0

    def visit(self, module: Any, before: list[Layer]) -> list[Layer]:
        """Add a module's layers behind those `before` it; the ones whose output leaves it."""
        self.visits += 1
        self.depth += 1
        if self.visits > _MOST_VISITS or self.depth > _DEEPEST:
            raise ValueError("its modules are in one another without end")
        try:
            return self._visit(module, before)
        finally:
            self.depth -= 1

    def _visit(self, module: Any, before: list[Layer]) -> list[Layer]:
        if not isinstance(module, Module):
            return before
        kind = module.kind.rpartition(".")[2]
        if kind == "gModule":
            return self._visit_graph(module, before)
        if kind in ("ConcatTable", "ParallelTable", "Concat", "DepthConcat"):
            return _union(self.visit(child, before) for child in module.children())
        if module.children():
            for child in module.children():
                before = self.visit(child, before)
            return before
        if "BatchNormalization" in kind:
            for layer in before:
                layer.norm = module
            return before
        if kind.startswith("SpatialConvolution") or kind == "Linear":
            layer = _layer(module, kind == "Linear")
            for earlier in before:
                earlier.next.append(layer)
            self.found.append(layer)
            return [layer]
        return before

    def _visit_graph(self, graph: Module, before: list[Layer]) -> list[Layer]:
        """The nodes of an nngraph module, in the order of its forward pass."""
        nodes = graph.fields.get("forwardnodes")
        if not isinstance(nodes, dict):
            raise ValueError("its graph has no order of nodes")
        leaving: dict[int, list[Layer]] = {}
        out = before
        for node in in_order(nodes):
            data = node.fields["data"]
            inputs = data.get("mapindex", {})
            known = [leaving.get(id(i), before) for i in in_order(inputs)]
            out = leaving[id(data)] = self.visit(
                data.get("module"), _union(known) if known else before
            )
        return out


def _union(groups: Iterable[list[Layer]]) -> list[Layer]:
    """All layers of some groups, each once."""
    unique = {id(layer): layer for group in groups for layer in group}
    return list(unique.values())


def _layer(module: Module, full: bool) -> Layer:
    f = module.fields
    weight = _array(f.get("weight"), "a weight")
    if not full and weight.ndim == 2:  # SpatialConvolutionMM keeps its kernels flat
        weight = weight.reshape(weight.shape[0], f["nInputPlane"], f["kH"], f["kW"])
    if weight.ndim != (2 if full else 4):
        raise ValueError(f"a weight has {weight.ndim} dimensions")
    bias = f.get("bias")
    bias = np.zeros(len(weight), np.float32) if bias is None else _array(bias, "a bias")
    return Layer(weight, bias, 0 if full else int(f.get("dW", 1)))


def _array(value: Any, name: str) -> npt.NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{name} is {type(value).__name__}, no tensor")
    return value


def iizuka2016_state(content: Any) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Options and state dict of our iizuka2016 from what the file holds.

    The scene classifier, which colors nothing, is left out.

    Raises:
        ValueError: it is not that network.
    """
    mean = content.get("mean") if isinstance(content, dict) else None
    if not isinstance(mean, float) or abs(mean - GRAY_MEAN) > 1e-6:
        raise ValueError(f"its mean must be {GRAY_MEAN:.6f}, got {mean}")
    layers = layers_of(content.get("model"))
    low = _chain(layers, _LOW, "low")
    # Where the layers are there twice, once for each input, one of them feeds each way.
    own = low[-1].weight
    twins = [x for x in layers if x.weight is own or np.array_equal(x.weight, own)]
    behind = _union(twin.next for twin in twins)
    # Both ways end in the fusion, which tells the global one from the classifier's.
    *mid, fusion = _chain(behind, (*_MID, _FUSION), "mid")
    *deep, _ = _chain(behind, (*_GLOBAL, *_FULL, _FUSION), "global")
    color = _chain(fusion.next, (*_COLOR, _OUTPUT), "color")
    named = {f"low.{i}": layer for i, layer in enumerate(low)}
    named |= {f"mid.{i}": layer for i, layer in enumerate(mid)}
    named |= {f"global_features.conv.{i}": layer for i, layer in enumerate(deep[:4])}
    named |= {f"global_features.full.{i}": layer for i, layer in enumerate(deep[4:])}
    named |= {"fusion": fusion, "output": color[-1]}
    named |= {f"color.{i}": layer for i, layer in enumerate(color[:-1])}
    state: dict[str, Tensor] = {}
    for name, layer in named.items():
        state |= {f"{name}.{key}": value for key, value in _ours(layer, name).items()}
    side = fusion.weight.shape[-1]
    return {"width": 1.0, "fusion": f"{side}x{side}"}, state


def _chain(
    begin: Sequence[Layer], shapes: Sequence[tuple[int, int, int]], name: str
) -> list[Layer]:
    """Layers of these shapes, each fed by the one before; the first is one of `begin`."""
    dead: set[tuple[int, int]] = set()  # layers from which the chain does not go on

    def search(candidates: Sequence[Layer], at: int) -> list[Layer] | None:
        if at == len(shapes):
            return []
        for layer in candidates:
            if layer.shape == shapes[at] and (id(layer), at) not in dead:
                dead.add((id(layer), at))
                rest = search(layer.next, at + 1)
                if rest is not None:
                    return [layer, *rest]
        return None

    found = search(begin, 0)
    if found is None:
        raise ValueError(f"it must have the {name} layers of iizuka2016, it has not")
    return found


def _ours(layer: Layer, name: str) -> dict[str, Tensor]:
    """Parameters and statistics of one of our layers, which normalize with a shift alone."""
    weight = torch.from_numpy(layer.weight.astype(np.float64))
    bias = torch.from_numpy(layer.bias.astype(np.float64))
    if name == "output":
        return {"weight": weight.float(), "bias": bias.float()}
    mean, scale, shift = torch.zeros_like(bias), torch.ones_like(bias), torch.zeros_like(bias)
    if layer.norm is not None:
        f = layer.norm.fields
        mean = torch.from_numpy(f["running_mean"].astype(np.float64))
        if "running_var" in f:
            variance = torch.from_numpy(f["running_var"].astype(np.float64))
            scale = (variance + float(f.get("eps", _EPS))).rsqrt()
        else:  # older files keep its inverse root
            scale = torch.from_numpy(f["running_std"].astype(np.float64))
        if f.get("weight") is not None:
            scale = scale * torch.from_numpy(f["weight"].astype(np.float64))
            shift = torch.from_numpy(f["bias"].astype(np.float64))
    scaled = weight * scale.reshape(-1, *[1] * (weight.dim() - 1))
    return {
        "weight": scaled.float(),
        "bias": shift.float(),
        "running_mean": ((mean - bias) * scale).float(),
        "running_var": torch.full_like(bias, 1 - _EPS).float(),
    }
