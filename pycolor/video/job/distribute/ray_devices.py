"""The devices of a Ray cluster, by what its nodes say they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_NAMES = {"num_gpus": "GPU", "num_cpus": "CPU"}


def nodes_of(ray: Any) -> list[dict[str, float]]:
    """What each node of a cluster has, by Ray's names."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def one_device(nodes: Sequence[dict[str, float]], device: str) -> dict[str, float]:
    """What an actor is to ask for: a GPU and its share of the processors, or a whole machine.

    Args:
        nodes: see `nodes_of`.
        device: of `PredictOptions`.
    """
    gpus = [node for node in nodes if node.get("GPU")]
    if device == "cuda" or (gpus and device == "auto"):
        share = min((node.get("CPU", 1) // node["GPU"] for node in gpus), default=1)
        return {"num_gpus": 1, "num_cpus": max(1, share)}
    return {"num_cpus": min((node["CPU"] for node in nodes if node.get("CPU")), default=1)}


def count_devices(nodes: Sequence[dict[str, float]], one: dict[str, float]) -> int:
    """How many of them there are, whoever uses them."""
    return sum(
        min(int(node.get(_NAMES[name], 0) // amount) for name, amount in one.items())
        for node in nodes
    )
