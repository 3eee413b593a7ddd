"""Weight files of other programs as state dicts of ours.

What a file is, is seen from its content, not from its name.  Nothing in a file is run: all
formats are read by readers of our own, which make nothing that the file has no bytes for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pycolor.errors import FilmError, UsageError
from pycolor.models.checkpoints.foreign.caffe import read_blobs, read_caffemodel
from pycolor.models.checkpoints.foreign.iizuka_graph import iizuka2016_state
from pycolor.models.checkpoints.foreign.pickled import read_pickled
from pycolor.models.checkpoints.foreign.torch7 import read_torch7
from pycolor.models.checkpoints.size import size_of_weights
from pycolor.models.networks import zhang2016, zhang2017

# The Caffe release sharpens its logits by 1/0.38 before the softmax, and sees L − 50 where the
# PyTorch release sees (L − 50) / 100.
_CAFFE_SHARPENING = 2.606
_CAFFE_INPUT = 100.0

_LITE2_CLASSIFIER = ("_conv_head.", "_bn1.", "_fc.")


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """What a file held.

    Attributes:
        name: of the published file that it is a version of (see `checkpoints.published`).
        model: the card whose network it is, or its own name where it is but a part of one.
        options: of that network.
        temperature: at which it is decoded; None where that means nothing.
        state: by the network's own names.
    """

    name: str
    model: str
    options: dict[str, Any]
    temperature: float | None
    state: dict[str, Tensor]


def read_foreign(path: Path) -> Foreign:
    """The weights in a file, or in a folder of Caffe blobs.

    Raises:
        UsageError: there is no such file.
        FilmError: it is damaged, or of no known network.
    """
    return _checked(_read_foreign(path), path)


def _read_foreign(path: Path) -> Foreign:
    if path.is_dir():
        return from_caffe(read_blobs(path), path)
    if not path.exists():
        raise UsageError(f"weights {path} do not exist.")
    size = size_of_weights(path)
    try:
        with path.open("rb") as f:
            head = f.read(9)
    except OSError as e:
        raise FilmError(f"weights {path} cannot be read: {e.strerror}.") from None
    if head[:2] == b"PK" or head[:1] == b"\x80":
        state = {k.removeprefix("module."): v for k, v in read_pickled(path).items()}
        return from_state(state, path)
    if head[8:] == b"{":
        raise UsageError(
            f"weights {path} are safetensors already; --weights takes them as they are."
        )
    if head[:4] in (b"\x03\0\0\0", b"\x04\0\0\0"):
        return from_torch7(read_torch7(path), path)
    if path.suffix.lower() in (".pth", ".pt", ".t7"):
        raise FilmError(
            f"weights {path} must be a file of PyTorch, Torch or Caffe; its {size} bytes are none."
        )
    return from_caffe(read_caffemodel(path), path)


def _checked(foreign: Foreign, path: Path) -> Foreign:
    """Weights that are numbers."""
    for name, value in foreign.state.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise FilmError(f"weights {path} must be finite, those of {name} are not.")
    return foreign


def _shape(state: Mapping[str, Tensor], key: str) -> tuple[int, ...]:
    return tuple(state[key].shape) if key in state else ()


def from_state(state: Mapping[str, Tensor], path: Path) -> Foreign:
    """A PyTorch state dict: of zhang2016, zhang2017, torchvision's VGG16 or EfficientNet-Lite2.

    Raises:
        FilmError: its names and shapes are of no known network.
    """
    first = _shape(state, "model1.0.weight")
    if first == (64, 1, 3, 3) and _shape(state, "model8.6.weight") == (313, 256, 1, 1):
        # Published logits are sharpened already: the temperature is in the last layer.
        return Foreign(
            name="zhang2016-published",
            model="zhang2016",
            options={"width": 1.0},
            temperature=1.0,
            state=zhang2016.convert(state),
        )
    if first == (64, 4, 3, 3) and _shape(state, "model9up.0.weight") == (256, 128, 4, 4):
        return Foreign(
            name="siggraph17",
            model="zhang2017",
            options={"width": 1.0},
            temperature=None,
            state=zhang2017.convert(state),
        )
    if _shape(state, "features.28.weight") == (512, 512, 3, 3):
        return Foreign(
            name="vgg16", model="vgg16", options={}, temperature=None, state=vgg16_trunk(state)
        )
    if _shape(state, "_conv_head.weight") == (1280, 352, 1, 1):
        name = "efficientnet-lite2"
        kept = {k: v for k, v in state.items() if not k.startswith(_LITE2_CLASSIFIER)}
        return Foreign(name=name, model=name, options={}, temperature=None, state=kept)
    raise FilmError(
        f"weights {path} must be those of zhang2016, zhang2017, torchvision's VGG16 or "
        f"EfficientNet-Lite2, got {len(state)} tensors beginning with {next(iter(state))}."
    )


def vgg16_trunk(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The convolutions of torchvision's VGG16, without its classifier."""
    return {key: value for key, value in state.items() if key.startswith("features.")}


# ---- the Caffe release of zhang2016 ------------------------------------------------------------

_CONVS_OF_BLOCK = (2, 2, 3, 3, 3, 3, 3)


def caffe_layers() -> dict[str, str]:
    """The Caffe release's layer names, each with our module's (its 83 blobs are those of these)."""
    layers: dict[str, str] = {}
    for block, convs in enumerate(_CONVS_OF_BLOCK, start=1):
        for i in range(convs):
            name = f"conv{block}_{i + 1}"
            layers["bw_conv1_1" if name == "conv1_1" else name] = f"model{block}.{2 * i}"
        layers[f"conv{block}_{convs}norm"] = f"model{block}.{2 * convs}"
    for i, name in enumerate(("conv8_1", "conv8_2", "conv8_3", "conv8_313")):
        layers[name] = f"model8.{2 * i}"
    return layers


def from_caffe(layers: Mapping[str, Sequence[npt.NDArray[np.float32]]], path: Path) -> Foreign:
    """The Caffe release of zhang2016 in the scales of the PyTorch release.

    The input scale goes into the first layer, the temperature into the last; Caffe's running
    mean and variance are sums, divided here by the count that stands beside them.

    Raises:
        FilmError: a layer is missing or has another size.
    """
    expected = zhang2016.Zhang2016(width=1.0).state_dict()
    state = {"model_out.weight": expected["model_out.weight"]}
    for layer, module in caffe_layers().items():
        blobs = layers.get(layer, ())
        if layer.endswith("norm"):
            names = ["running_mean", "running_var"]
            wanted = 3
        else:
            names = ["weight", "bias"]
            wanted = 2
        if len(blobs) != wanted:
            raise FilmError(
                f"weights {path} must be the Caffe release of zhang2016, whose {layer} has "
                f"{wanted} blobs, got {len(blobs)}."
            )
        for name, blob in zip(names, blobs, strict=False):
            key = f"{module}.{name}"
            if blob.size != expected[key].numel():
                raise FilmError(
                    f"weights {path} must have {expected[key].numel()} values in {layer}, "
                    f"got {blob.size}."
                )
            state[key] = torch.from_numpy(blob.copy()).reshape(expected[key].shape)
        if layer.endswith("norm"):
            if blobs[2].size != 1:
                raise FilmError(f"weights {path} must have one count in {layer}, they have not.")
            count = float(blobs[2].reshape(-1)[0])
            for name in names:
                state[f"{module}.{name}"] /= count if count != 0 else 1.0
            state[f"{module}.weight"] = torch.ones_like(expected[f"{module}.weight"])
            state[f"{module}.bias"] = torch.zeros_like(expected[f"{module}.bias"])
    state["model1.0.weight"] *= _CAFFE_INPUT
    for name in ("weight", "bias"):
        state[f"model8.6.{name}"] *= _CAFFE_SHARPENING
    return Foreign(
        name="zhang2016-caffe",
        model="zhang2016",
        options={"width": 1.0},
        temperature=1.0,
        state=zhang2016.convert(state),
    )


# ---- Iizuka's release --------------------------------------------------------------------------


def from_torch7(content: Any, path: Path) -> Foreign:
    """The network that Iizuka et al. released.

    Raises:
        FilmError: it is another one.
    """
    try:
        options, state = iizuka2016_state(content)
    except Exception as e:  # a graph may lack anything, anywhere
        why = (
            str(e) if isinstance(e, ValueError) else f"it lacks something ({type(e).__name__}: {e})"
        )
        raise FilmError(f"weights {path} must be Iizuka's colornet: {why[:300]}.") from None
    return Foreign(
        name="iizuka2016-published",
        model="iizuka2016",
        options=options,
        temperature=None,
        state=state,
    )
