"""Weight files: written, read, recognized, and put into networks.

A file of ours is safetensors that names its model, the options that build it and where its weights
come from.  One without our metadata is recognized by its keys and shapes; published ones of other
formats are read by `foreign`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from pycolor.errors import FilmError, UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints.file_metadata import check_options, parse_metadata
from pycolor.models.checkpoints.foreign.detect import read_foreign
from pycolor.models.checkpoints.header import in_order
from pycolor.models.checkpoints.size import size_of_weights
from pycolor.models.checkpoints.weight_names import OPEN, located, packaged
from pycolor.models.colorizer import Colorizer
from pycolor.models.inference.building import Unfilled, usual_torch
from pycolor.system.atomic_file import atomic_write

FOREIGN_SUFFIXES = {".pth", ".pt", ".caffemodel", ".t7"}


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


def write(
    path: Path,
    model: str,
    state: Mapping[str, Tensor],
    options: Mapping[str, Any],
    provenance: Mapping[str, str],
    *,
    temperature: float | None = None,
    short_side: int | None = None,
    half: bool = True,
    overwrite: bool = True,
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
        overwrite: replace a file of that name, even one that appears meanwhile.

    Raises:
        ValueError: a value does not fit its storage type.
        UsageError: the file exists without `overwrite`, or cannot be written there.
        FilmError: it cannot be written.
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
    content = in_order(save(stored, metadata=metadata))  # save_file: the owner's alone
    try:
        with atomic_write(path, overwrite=overwrite) as part:
            part.write_bytes(content)
    except OSError as e:
        raise FilmError(f"weights {path} could not be written: {e.strerror}.") from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str], str]:
    """The tensors of a weight file, its metadata and its SHA-256; no code in it can run.

    Raises:
        FilmError: it is missing or damaged.
    """
    size_of_weights(path)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        with safe_open(path, framework="pt") as f:
            metadata = dict(f.metadata() or {})
            state = {key: f.get_tensor(key) for key in f.keys()}  # noqa: SIM118
    except OSError as e:
        raise FilmError(f"weights {path} cannot be read: {e.strerror or e}.") from None
    except (SafetensorError, ValueError, RuntimeError) as e:
        raise FilmError(f"weights {path} must be a whole safetensors file: {e}.") from None
    state = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    for key, value in state.items():  # single precision is looked through in half the time of half
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise FilmError(f"weights {path} must be finite, those of {key} are not.")
    return state, metadata, digest


def read(path: Path) -> WeightFile:
    """Read a weight file; one without our metadata is recognized by its keys and shapes.

    Raises:
        FilmError: it is missing, damaged, or of no model that is known.
    """
    if path.suffix.lower() in FOREIGN_SUFFIXES:
        return _read_published(path)
    state, metadata, digest = read_tensors(path)
    if "model" in metadata:
        try:
            said = parse_metadata(metadata)
        except ValueError as e:
            raise FilmError(f"weights {path} must say what they are: {e}.") from None
        return WeightFile(
            model=said.model,
            options=said.options,
            provenance=said.provenance,
            state=state,
            sha256=digest,
            temperature=said.temperature,
            short_side=said.short_side,
        )
    try:
        found = zoo.recognize(state)
        converted = None if found is None else zoo.card(found[0]).convert(state)
    except Exception:  # of tensors whose names are right and whose shapes are anything
        found = converted = None
    if found is None or converted is None:
        known = ", ".join(c.name for c in zoo.CARDS)
        raise FilmError(f"weights {path} belong to no known model; expected one of: {known}.")
    name, options = found
    return WeightFile(name, options, {}, converted, digest)


def _read_published(path: Path) -> WeightFile:
    """Weights as their authors published them, of another program's format."""
    foreign = read_foreign(path)
    if all(c.name != foreign.model for c in zoo.CARDS):
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


def fill(
    network: Colorizer, state: Mapping[str, Tensor], path: Path, *, partly: bool = False
) -> None:
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

    Args:
        network: of that model.
        name: of the model.
        path: of the file, or a name, see `located`.

    Raises:
        UsageError: it was not fetched yet.
        FilmError: it cannot be read or does not fit.
    """
    # The network may have parts that the file has not.
    fill(network, starting_state(name, path), located(path), partly=True)


def starting_state(name: str, path: Path) -> dict[str, Tensor]:
    """What `start_from` takes from a file, by the model's own names.

    Args:
        name: of the model.
        path: of the file, or a name, see `located`.

    Raises:
        UsageError: it was not fetched yet.
        FilmError: it cannot be read.
    """
    state, metadata, _ = read_tensors(located(path))
    return state if metadata.get("model") == name else zoo.card(name).convert(state)


@dataclass(frozen=True)
class Loaded:
    """A network ready to predict, with its card and the digest of its weights.

    Attributes:
        network, card, sha256, temperature: as the file and the card have them.
        short_side, picture_side: see `Card`; a side that the file names is both.
    """

    network: Colorizer
    card: zoo.Card
    sha256: str
    temperature: float | None
    short_side: int
    picture_side: int


def load(name: str | None = None, weights: Path | None = None) -> Loaded:
    """A network with its packaged weights, or with those of a file.

    Args:
        name: of the model; None is the default, or the one that `weights` belong to.
        weights: a file that `pycolor train` wrote, a published one, or a name, see `located`.

    Raises:
        UsageError: the model is not known, has no packaged weights, or the file is another's.
        FilmError: the weights are missing, damaged or do not fit.
    """
    path = packaged(zoo.card(name)) if weights is None else located(weights)
    file = read(path)
    if name is not None and file.model != name:
        raise UsageError(f"weights {path} belong to {file.model}, expected those of {name}.")
    c = zoo.card(file.model)
    is_open = weights == OPEN and path != weights
    expected = c.sha256 or None if weights is None else zoo.OPEN_SHA256 if is_open else None
    if expected not in (None, file.sha256):
        raise FilmError(
            f"weights {path} are damaged: expected SHA-256 {expected}, got {file.sha256}."
        )
    try:
        if expected is None:
            check_options(c, file.options, file.state)
        with usual_torch(), Unfilled():
            network = c.build(**file.options)
    except (TypeError, ValueError) as e:
        raise FilmError(f"weights {path} do not fit {c.name}: {e}.") from None
    fill(network, file.state, path)
    network.eval().requires_grad_(False)
    with usual_torch():
        network.fold()
    return Loaded(
        network=network,
        card=c,
        sha256=file.sha256,
        temperature=c.temperature if file.temperature is None else file.temperature,
        short_side=file.short_side or c.short_side,
        picture_side=file.short_side or c.picture_side or c.short_side,
    )
