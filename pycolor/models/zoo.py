"""The models that pycolor knows: one visible list of cards, and their weight files.

A new model is one file in this folder, a subclass of `Colorizer`, and one card here.
"""

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
from pycolor.models import (
    cheng2015,
    hwang2016,
    iizuka2016,
    richart2017,
    varga2017,
    zhang2016,
    zhang2017,
)
from pycolor.models.colorizer import Colorizer
from pycolor.models.foreign import read_foreign
from pycolor.models.header import in_order

WEIGHTS = Path(__file__).parent.parent / "weights"
State = Mapping[str, Tensor]
FOREIGN_SUFFIXES = {".pth", ".pt", ".caffemodel"}


@dataclass(frozen=True, kw_only=True)
class Card:
    """What there is to know of a model before running it.

    Attributes:
        name: `<author><year>`, as on the command line.
        paper: authors, title, venue.
        year: of the paper.
        build: makes the network from its options; without any, the published one.
        recognize: the options of the network that a state dict belongs to, None if another's.
        convert: a state dict in a published layout as ours; it may be a part of the network.
        parameters: of the published network.
        gflops: of the published network for one input of 256×256; a multiply-add counts two.
        temperature: at which our weights are decoded (Zhang et al. 2016, eq. 5; 0 is the mode);
            None for a model that predicts chroma itself.
        short_side: of the network's input, in pixels.
        license: of the code.
        options: of the network whose weights the package carries.
        weights: file name below `pycolor/weights`, its model card beside it as `.md`; empty if
            the package carries none.
        sha256: of that file.
        weights_license: of that file.
        trained_on: in one phrase.
        source: where weights come from.
        quality: measured, by name.
    """

    name: str
    paper: str
    year: int
    build: Callable[..., Colorizer]
    recognize: Callable[[State], dict[str, Any] | None]
    convert: Callable[[State], dict[str, Tensor]] = dict
    parameters: int
    gflops: float
    temperature: float | None
    short_side: int
    license: str = "Apache-2.0"
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: str = ""
    sha256: str = ""
    weights_license: str = ""
    trained_on: str = ""
    source: str = ""
    quality: Mapping[str, float] = field(default_factory=dict)


CARDS = [
    Card(
        name="zhang2016",
        paper="Zhang, Isola, Efros: Colorful Image Colorization, ECCV 2016",
        year=2016,
        build=zhang2016.Zhang2016,
        recognize=zhang2016.recognize,
        convert=zhang2016.convert,
        parameters=32_236_011,
        gflops=83.5,
        temperature=0.5,
        short_side=144,
        options={"width": 0.375},
        weights="zhang2016.safetensors",
        sha256="601a278be61e7ff15f9b1208c5232da9bc3c35d246e2b3b029a867339ac44b52",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="15,932 photographs (5,114 open, 10,818 research-only)",
        source="packaged; `pycolor train` makes others",
        quality={"balanced AuC": 0.6222, "AuC": 0.8600, "colorfulness": 36.5},
    ),
    Card(
        name="iizuka2016",
        paper="Iizuka, Simo-Serra, Ishikawa: Let there be Color!, SIGGRAPH 2016",
        year=2016,
        build=iizuka2016.Iizuka2016,
        recognize=iizuka2016.recognize,
        parameters=42_169_826,
        gflops=29.1,
        temperature=None,
        short_side=176,
        options={"width": 0.35, "side": 96, "classes": 32},
        weights="iizuka2016.safetensors",
        sha256="aead9db24e0ff78ce666100a6e4738497ed47c74242f9b1ac6938f1286dd3571",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="15,932 photographs (5,114 open, 10,818 research-only)",
        source="packaged; Iizuka's own with `pycolor weights import`; `pycolor train` makes others",
    ),
    Card(
        name="hwang2016",
        paper="Hwang, Zhou: Image Colorization with Deep Convolutional Neural Networks, 2016",
        year=2016,
        build=hwang2016.Hwang2016,
        recognize=hwang2016.recognize,
        convert=hwang2016.convert,
        parameters=8_886_820,
        gflops=139.0,
        temperature=0.38,
        short_side=96,
        options={"width": 0.25},
        weights="hwang2016.safetensors",
        sha256="41b86feaa2e22dc0ff8e23a6e1de4baf444b3c6c5dbf35387273eb1e2dae010a",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="15,932 photographs (5,114 open, 10,818 research-only)",
        source="packaged; `pycolor train` makes others",
    ),
    Card(
        name="varga2017",
        paper="Varga, Szirányi: Twin Deep Convolutional Neural Network, CAIP 2017",
        year=2017,
        build=varga2017.Varga2017,
        recognize=varga2017.recognize,
        convert=varga2017.convert,
        parameters=64_473_174,
        gflops=83.5,
        temperature=0.38,
        short_side=96,
        options={"width": 0.2},
        weights="varga2017.safetensors",
        sha256="151a30b487549b1693602140bb881ab2d9e91d6a09f074d733190a533d72b0b1",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="15,932 photographs (5,114 open, 10,818 research-only)",
        source="packaged; `pycolor train` makes others",
    ),
    Card(
        name="cheng2015",
        paper="Cheng, Yang, Sheng: Deep Colorization, ICCV 2015, and its extension",
        year=2015,
        build=cheng2015.Cheng2015,
        recognize=cheng2015.recognize,
        parameters=300_548,
        gflops=3.5,
        temperature=None,
        short_side=96,
        options={"width": 0.1, "networks": 40},
        weights="cheng2015.safetensors",
        sha256="360a0c3bbaa6c0a19661344fa2ead0c6d56402c500edef77c227241e5a9b1b8d",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="15,932 photographs (5,114 open, 10,818 research-only)",
        source="packaged; `pycolor train` makes others",
        quality={"balanced AuC": 0.6063, "AuC": 0.8809, "colorfulness": 18.4},
    ),
    Card(
        name="richart2017",
        paper="Richart, Visca, Baliosian: Image Colorization with Neural Networks, WVC 2017",
        year=2017,
        build=richart2017.Richart2017,
        recognize=richart2017.recognize,
        parameters=5_909,
        gflops=0.76,
        temperature=1.0,
        short_side=160,
        options={"width": 1.0},
        weights="richart2017.safetensors",
        sha256="281ae22dc8e29fda1a48ea5e8bb2a734471942cb8dee798176c1bd746c48bd20",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="15,932 photographs (5,114 open, 10,818 research-only)",
        source="packaged; `pycolor train` makes others",
        quality={"balanced AuC": 0.6041, "AuC": 0.8792, "colorfulness": 12.0},
    ),
    Card(
        name="zhang2017",
        paper="Zhang, Zhu, Isola et al.: Real-Time User-Guided Image Colorization, SIGGRAPH 2017",
        year=2017,
        build=zhang2017.Zhang2017,
        recognize=zhang2017.recognize,
        convert=zhang2017.convert,
        parameters=34_187_027,
        gflops=150.4,
        temperature=None,
        short_side=256,
        source="`pycolor weights pull siggraph17` (BSD-2-Clause)",
    ),
]
DEFAULT = "zhang2016"


def card(name: str | None) -> Card:
    """The card of a model; None stands for the default.

    Raises:
        UsageError: there is none of this name.
    """
    for c in CARDS:
        if c.name == (name or DEFAULT):
            return c
    known = ", ".join(c.name for c in CARDS)
    raise UsageError(f"model {name!r} is not known; expected one of: {known}.")


def create(name: str, **options: Any) -> Colorizer:
    """A network with fresh weights, by its card's name; `options` go to its class.

    Raises:
        UsageError: the model is not known, or does not take these options.
    """
    c = card(name)
    try:
        return c.build(**options)
    except (TypeError, ValueError) as e:
        raise UsageError(f"{name} cannot be built: {e}.") from None


def recognize(state: State) -> tuple[str, dict[str, Any]] | None:
    """Which model a state dict belongs to, by its keys and shapes: name and options, or None."""
    for c in CARDS:
        options = c.recognize(state)
        if options is not None:
            return c.name, options
    return None


def place(network: Colorizer, device: torch.device) -> Colorizer:
    """The network on a device, its kernels channels last: the layout that runs fastest."""
    network.to(device)
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


@dataclass(frozen=True)
class WeightFile:
    """A state dict in float32, what it belongs to, and where it comes from.

    `temperature` and `short_side` stand in place of the card's where the file names them.
    """

    model: str
    options: dict[str, Any]
    provenance: dict[str, str]
    state: dict[str, Tensor]
    sha256: str
    temperature: float | None = None
    short_side: int | None = None


def write_weights(
    path: Path,
    model: str,
    state: Mapping[str, Tensor],
    options: Mapping[str, Any],
    provenance: Mapping[str, str],
    *,
    temperature: float | None = None,
    short_side: int | None = None,
    half: bool = True,
) -> None:
    """Write a state dict as safetensors; complete or not at all.

    Matrices and kernels are stored in float16 if `half`, vectors (biases, normalization
    statistics) in float32, which they need.

    Args:
        path: of the file.
        model: name of its card.
        state: parameters and buffers.
        options: that build the network.
        provenance: where the weights come from.
        temperature: of the decode, where it is not the card's.
        short_side: of the input, where it is not the card's.
        half: whether matrices and kernels are stored in float16.

    Raises:
        ValueError: a value does not fit its storage type.
    """
    stored: dict[str, Tensor] = {}
    for key, value in state.items():
        value = value.detach().cpu().contiguous()
        small = half and value.is_floating_point() and value.dim() > 1
        stored[key] = value.half() if small else value
        if value.is_floating_point() and not torch.isfinite(stored[key]).all():
            raise ValueError(f"weight {key} must be finite in {stored[key].dtype}, it is not")
    metadata = {
        "model": model,
        "options": json.dumps(dict(options), sort_keys=True),
        "provenance": json.dumps(dict(provenance), sort_keys=True),
    }
    if temperature is not None:
        metadata["temperature"] = repr(float(temperature))
    if short_side is not None:
        metadata["short_side"] = str(short_side)
    part = path.with_suffix(".part")
    part.write_bytes(in_order(save(stored, metadata=metadata)))  # save_file: the owner's alone
    os.replace(part, path)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str], str]:
    """The tensors of a weight file, its metadata and its SHA-256; no code in it can run.

    Raises:
        FilmError: it is missing or damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as e:
        raise FilmError(f"weights {path} cannot be read: {e.strerror}.") from None
    digest = hashlib.sha256(content).hexdigest()
    del content
    try:
        with safe_open(path, framework="pt") as f:
            metadata = dict(f.metadata() or {})
            state = {key: f.get_tensor(key) for key in f.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as e:
        raise FilmError(f"weights {path} must be a whole safetensors file: {e}.") from None
    return (
        {k: v.float() if v.is_floating_point() else v for k, v in state.items()},
        metadata,
        digest,
    )


def read_weights(path: Path) -> WeightFile:
    """Read a weight file; one without our metadata is recognized by its keys and shapes.

    Raises:
        FilmError: it is missing, damaged, or of no model that is known.
    """
    if path.suffix in FOREIGN_SUFFIXES:
        return _read_published(path)
    state, metadata, digest = read_tensors(path)
    if "model" in metadata:
        temperature, short_side = metadata.get("temperature"), metadata.get("short_side")
        return WeightFile(
            model=metadata["model"],
            options=json.loads(metadata.get("options", "{}")),
            provenance=json.loads(metadata.get("provenance", "{}")),
            state=state,
            sha256=digest,
            temperature=None if temperature is None else float(temperature),
            short_side=None if short_side is None else int(short_side),
        )
    found = recognize(state)
    if found is None:
        known = ", ".join(c.name for c in CARDS)
        raise FilmError(f"weights {path} belong to no known model; expected one of: {known}.")
    name, options = found
    return WeightFile(name, options, {}, card(name).convert(state), digest)


def _read_published(path: Path) -> WeightFile:
    """Weights as their authors published them, of another program's format."""
    foreign = read_foreign(path)
    if all(c.name != foreign.model for c in CARDS):
        raise FilmError(f"weights {path} belong to {foreign.model}, which is no model of pycolor.")
    with path.open("rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    return WeightFile(
        model=foreign.model,
        options=foreign.options,
        provenance={"published as": path.name},
        state=foreign.state,
        sha256=digest,
        temperature=foreign.temperature,
    )


def fill(network: Colorizer, state: State, path: Path, *, partly: bool = False) -> None:
    """Put the weights of a file into a network.

    Args:
        network: of the same shape.
        state: of the file.
        path: of the file, for the message.
        partly: the file may lack some; what it has must fit all the same.

    Raises:
        FilmError: a name or a size differs.
    """
    try:
        foreign = network.load_state_dict(state, strict=not partly).unexpected_keys
        if foreign or not state:
            raise RuntimeError(f"\nunexpected key {foreign[0]}" if foreign else "\nnone is known")
    except RuntimeError as e:
        # torch lists every difference, a line each; the first says enough.
        first = (*str(e).splitlines()[1:2], str(e))[0].strip().rstrip(". ")
        raise FilmError(f"weights {path} do not fit the network: {first}.") from None


def start_from(network: Colorizer, name: str, path: Path) -> None:
    """Begin a training from a weight file: the model's own, or one that its `convert` knows.

    Raises:
        FilmError: it cannot be read or does not fit.
    """
    state, metadata, _ = read_tensors(path)
    if metadata.get("model") == name:
        fill(network, state, path)
    else:
        fill(network, card(name).convert(state), path, partly=True)


@dataclass(frozen=True)
class Loaded:
    """A network ready to predict, with its card and the digest of its weights."""

    network: Colorizer
    card: Card
    sha256: str
    temperature: float | None
    short_side: int


def load(name: str | None = None, weights: Path | None = None) -> Loaded:
    """A network with its packaged weights, or with those of a file.

    Args:
        name: of the model; None is the default, or the one that `weights` belong to.
        weights: a file that `pycolor train` wrote, or a published one.

    Raises:
        UsageError: the model is not known, has no packaged weights, or the file is another's.
        FilmError: the weights are missing, damaged or do not fit.
    """
    path = _packaged(card(name)) if weights is None else weights
    file = read_weights(path)
    if name is not None and file.model != name:
        raise UsageError(f"weights {path} belong to {file.model}, expected those of {name}.")
    c = card(file.model)
    if weights is None and file.sha256 != c.sha256:
        raise FilmError(
            f"weights {path} are damaged: expected SHA-256 {c.sha256}, got {file.sha256}."
        )
    try:
        network = c.build(**file.options)
    except (TypeError, ValueError) as e:
        raise FilmError(f"weights {path} do not fit {c.name}: {e}.") from None
    fill(network, file.state, path)
    network.eval().requires_grad_(False)
    network.fold()
    return Loaded(
        network=network,
        card=c,
        sha256=file.sha256,
        temperature=c.temperature if file.temperature is None else file.temperature,
        short_side=file.short_side or c.short_side,
    )


def _packaged(c: Card) -> Path:
    """The weight file that the package carries for a model."""
    if not c.weights:
        raise UsageError(f"{c.name} has no packaged weights; expected a file with --weights.")
    return WEIGHTS / c.weights
