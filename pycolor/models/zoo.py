"""The models that pycolor knows: one visible list of cards.

A new model is one file in `networks/`, a subclass of `Colorizer`, and one card here.  A model of
another package is a card that its entry point in the group `pycolor.models` names.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from pycolor.errors import UsageError
from pycolor.models.card import Card as Card  # which other packages take from here
from pycolor.models.card import State
from pycolor.models.colorizer import Colorizer
from pycolor.models.networks import (
    cheng2015,
    hwang2016,
    iizuka2016,
    pycolor2026,
    richart2017,
    varga2017,
    zhang2016,
    zhang2017,
)
from pycolor.models.networks.layers import efficientnet_lite

CARDS = [
    Card(
        name="pycolor2026",
        paper="Ours: EfficientNet-Lite2 (Tan, Le, ICML 2019), the decode of zhang2016",
        year=2026,
        build=pycolor2026.Pycolor2026,
        recognize=pycolor2026.recognize,
        convert=efficientnet_lite.convert,
        parameters=6_266_834,
        gflops=5.5,
        temperature=0.38,
        short_side=192,
        picture_side=256,
        options={
            "width": 1.0,
            "levels": True,
            "attention": True,
            "hints": True,
            "reach": 0.6,
            "light": 45.0,
            "faded": True,
            "agreement": True,
        },
        weights="pycolor2026.safetensors",
        sha256="874645be3b666ba22d6a29c8922d3ed028c7fedb4d7611748c67484f7a210b85",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="ImageNet (the trunk) and 20,558 photographs (6,407 open, 14,151 research-only)",
        source="packaged; `pycolor train` makes others",
        quality={"balanced AuC over gray": 0.0419, "AuC over gray": -0.0006, "CIEDE2000": 11.9},
    ),
    Card(
        name="zhang2016",
        paper="Zhang, Isola, Efros: Colorful Image Colorization, ECCV 2016",
        year=2016,
        build=zhang2016.Zhang2016,
        recognize=zhang2016.recognize,
        convert=zhang2016.convert,
        parameters=32_236_011,
        gflops=83.5,
        temperature=0.55,
        short_side=144,
        options={"width": 0.375},
        weights="zhang2016.safetensors",
        sha256="d6a847e01fce9b7b8b72f26fd7627fdcc5793dea40f845f8f97fe9db970b5f0a",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="18,882 photographs (5,757 open, 13,125 research-only)",
        source="packaged; `pycolor train` makes others",
        quality={
            "balanced AuC over gray": 0.0309,
            "AuC over gray": -0.0124,
            "CIEDE2000": 13.9,
        },
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
        sha256="02d57100dea7d455e1547747cf407fef437176ad2fe45d70538a96a64c94ad5c",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="19,660 photographs (5,686 open, 13,974 research-only)",
        source="packaged; Iizuka's own with `pycolor weights import`; `pycolor train` makes others",
        quality={
            "balanced AuC over gray": 0.0279,
            "AuC over gray": -0.0012,
            "CIEDE2000": 12.8,
        },
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
        sha256="38c51bea558b02fa9fda8ff32157ec951ea5dc5f277931bafe4179c587db0a5c",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="19,660 photographs (5,686 open, 13,974 research-only)",
        source="packaged; `pycolor train` makes others",
        quality={
            "balanced AuC over gray": 0.0294,
            "AuC over gray": 0.0024,
            "CIEDE2000": 12.6,
        },
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
        sha256="39f11756da0faaf4f068814ac5dadbe300b23b122e5b9ecd399ad9899258e1f5",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="19,660 photographs (5,686 open, 13,974 research-only)",
        source="packaged; `pycolor train` makes others",
        quality={
            "balanced AuC over gray": 0.0114,
            "AuC over gray": -0.0163,
            "CIEDE2000": 14.6,
        },
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
        sha256="f1b49a15f3a72b1666cc536b619540dc617f21ce1704ecfe754f96f994483977",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="15,932 photographs (5,114 open, 10,818 research-only)",
        source="packaged; `pycolor train` makes others",
        quality={
            "balanced AuC over gray": 0.0149,
            "AuC over gray": -0.0059,
            "CIEDE2000": 13.3,
        },
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
        sha256="16cbd02f4b71646569952c60fbc251b0c69150246d69a17af5d7c874d5af1059",
        weights_license="trained in part on photographs for non-commercial research",
        trained_on="19,660 photographs (5,686 open, 13,974 research-only)",
        source="packaged; `pycolor train` makes others",
        quality={
            "balanced AuC over gray": 0.0168,
            "AuC over gray": -0.0124,
            "CIEDE2000": 14.1,
        },
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
DEFAULT = "pycolor2026"

# Beside the cards' own: trained from noise on photographs under CC BY and CC0 alone.
OPEN_WEIGHTS = "open.safetensors"
OPEN_SHA256 = "7e2f1630cc3f9aeb6cd3d3091b78dc2996f0a3e2958b028623d0bc722c3d382f"


ENTRY_POINTS = "pycolor.models"


def outside_cards() -> list[Card]:
    """The cards of other packages, by their entry points in the group `pycolor.models`.

    Raises:
        UsageError: one cannot be loaded, is no `Card`, or has the name of another.
    """
    found: list[Card] = []
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            c = entry.load()
        except Exception as e:
            said = f"{type(e).__name__}: {e}"
            raise UsageError(f"model {entry.name} ({entry.value}) cannot be loaded: {said}.") from e
        if not isinstance(c, Card):
            kind = type(c).__name__
            raise UsageError(f"model {entry.name} ({entry.value}) must be a Card, got {kind}.")
        if c.name in {other.name for other in (*CARDS, *found)}:
            raise UsageError(f"model {c.name} ({entry.value}) has the name of another model.")
        found.append(c)
    return found


def all_cards() -> Iterator[Card]:
    """Every card; other packages are asked last, and only if the caller comes that far."""
    yield from CARDS
    yield from outside_cards()


def card(name: str | None) -> Card:
    """The card of a model; None stands for the default.

    Raises:
        UsageError: there is none of this name.
    """
    for c in all_cards():
        if c.name == (name or DEFAULT):
            return c
    known = ", ".join(c.name for c in all_cards())
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
    for c in all_cards():
        options = c.recognize(state)
        if options is not None:
            return c.name, options
    return None
