"""The models that pycolor knows: one visible list of cards, and their weight files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pycolor.errors import FilmError, UsageError
from pycolor.models import zhang2016

WEIGHTS = Path(__file__).parent.parent / "weights"


@dataclass(frozen=True, kw_only=True)
class Card:
    """What there is to know of a model before running it.

    Attributes:
        name: `<author><year>`, as on the command line.
        paper: authors, title, venue.
        build: makes the network from its options.
        options: of the network whose weights the package carries.
        temperature: at which the logits are decoded (Zhang et al. 2016, eq. 5).
        short_side: of the network's input, in pixels.
        license: of code and of the packaged weights.
        weights: file name below `pycolor/weights`, its model card beside it as `.md`.
        sha256: of that file.
        trained_on: in one phrase.
    """

    name: str
    paper: str
    build: Callable[..., zhang2016.Zhang2016]
    options: Mapping[str, Any] = field(default_factory=dict)
    temperature: float
    short_side: int
    license: str
    weights: str
    sha256: str
    trained_on: str


CARDS = [
    Card(
        name="zhang2016",
        paper="Zhang, Isola, Efros: Colorful Image Colorization, ECCV 2016",
        build=zhang2016.Zhang2016,
        options={"width": 0.375},
        temperature=0.38,
        short_side=176,
        license="Apache-2.0; weights trained in part on photographs for non-commercial research",
        weights="zhang2016.safetensors",
        sha256="8d64d552ed4d0336c06f61294fa90f6a5b11069e23ec9e405a30d109a91c1016",
        trained_on="15,932 photographs (5,114 open, 10,818 research-only)",
    ),
]
DEFAULT = "zhang2016"


def card(name: str) -> Card:
    """The card of a model.

    Raises:
        UsageError: there is none of this name.
    """
    for c in CARDS:
        if c.name == name:
            return c
    known = ", ".join(c.name for c in CARDS)
    raise UsageError(f"model {name!r} is not known; expected one of: {known}.")


def create(name: str, **options: Any) -> zhang2016.Zhang2016:
    """A network with fresh weights, by its card's name; `options` go to its class."""
    return card(name).build(**options)


def place(network: zhang2016.Zhang2016, device: torch.device) -> zhang2016.Zhang2016:
    """The network on a device, its kernels channels last: the layout that runs fastest."""
    network.to(device)
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


@dataclass(frozen=True)
class WeightFile:
    """A state dict in float32, what it belongs to, and where it comes from."""

    model: str
    options: dict[str, Any]
    provenance: dict[str, str]
    state: dict[str, Tensor]
    sha256: str


def write_weights(
    path: Path,
    model: str,
    state: Mapping[str, Tensor],
    options: Mapping[str, Any],
    provenance: Mapping[str, str],
) -> None:
    """Write a state dict as safetensors; complete or not at all.

    Matrices and kernels are stored in float16, vectors (biases, normalization statistics) in
    float32, which they need.

    Raises:
        ValueError: a value does not fit its storage type.
    """
    stored: dict[str, Tensor] = {}
    for key, value in state.items():
        value = value.detach().cpu().contiguous()
        small = value.is_floating_point() and value.dim() > 1
        stored[key] = value.half() if small else value
        if value.is_floating_point() and not torch.isfinite(stored[key]).all():
            raise ValueError(f"weight {key} must be finite in {stored[key].dtype}, it is not")
    metadata = {
        "model": model,
        "options": json.dumps(dict(options), sort_keys=True),
        "provenance": json.dumps(dict(provenance), sort_keys=True),
    }
    part = path.with_suffix(".part")
    part.write_bytes(save(stored, metadata=metadata))  # save_file makes it the owner's alone
    os.replace(part, path)


def read_weights(path: Path) -> WeightFile:
    """Read a weight file of ours; no code in it can run.

    Raises:
        FilmError: it is missing, damaged, or not a weight file of pycolor.
    """
    try:
        content = path.read_bytes()
    except OSError as e:
        raise FilmError(f"weights {path} cannot be read: {e.strerror}.") from None
    digest = hashlib.sha256(content).hexdigest()
    del content
    try:
        with safe_open(path, framework="pt") as f:
            metadata = f.metadata() or {}
            state = {key: f.get_tensor(key) for key in f.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as e:
        raise FilmError(f"weights {path} must be a whole safetensors file: {e}.") from None
    if "model" not in metadata:
        raise FilmError(f"weights {path} must name their model in the metadata, they do not.")
    return WeightFile(
        model=metadata["model"],
        options=json.loads(metadata.get("options", "{}")),
        provenance=json.loads(metadata.get("provenance", "{}")),
        state={k: v.float() if v.is_floating_point() else v for k, v in state.items()},
        sha256=digest,
    )


def fill(network: zhang2016.Zhang2016, file: WeightFile, path: Path) -> None:
    """Put the weights of a file into a network of the same shape.

    Raises:
        FilmError: a name or a size differs.
    """
    try:
        network.load_state_dict(file.state)
    except RuntimeError as e:
        # torch lists every difference, a line each; the first says enough.
        first = (*str(e).splitlines()[1:2], str(e))[0].strip().rstrip(". ")
        raise FilmError(f"weights {path} do not fit the network: {first}.") from None


@dataclass(frozen=True)
class Loaded:
    """A network ready to predict, with its card and the digest of its weights."""

    network: zhang2016.Zhang2016
    card: Card
    sha256: str


def load(name: str = DEFAULT, weights: Path | None = None) -> Loaded:
    """A network with its packaged weights, or with those of a file.

    Args:
        name: of the model.
        weights: a file that `pycolor train` wrote.

    Raises:
        UsageError: the model is not known, or the file belongs to another.
        FilmError: the weights are missing, damaged or do not fit.
    """
    c = card(name)
    path = WEIGHTS / c.weights if weights is None else weights
    file = read_weights(path)
    if file.model != name:
        raise UsageError(f"weights {path} belong to {file.model}, expected those of {name}.")
    if weights is None and file.sha256 != c.sha256:
        raise FilmError(
            f"weights {path} are damaged: expected SHA-256 {c.sha256}, got {file.sha256}."
        )
    try:
        network = c.build(**file.options)
    except (TypeError, ValueError) as e:
        raise FilmError(f"weights {path} do not fit {name}: {e}.") from None
    fill(network, file, path)
    network.eval().requires_grad_(False)
    return Loaded(network=network, card=c, sha256=file.sha256)
