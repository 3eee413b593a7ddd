"""`pycolor models`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from tyro.conf import Positional, arg

from pycolor.commands.base import Command

if TYPE_CHECKING:
    from pycolor.models.zoo import Card

EXAMPLES = """
pycolor models
pycolor models zhang2016
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """List the models, or show one model's card.

    Attributes:
        name: the model whose card is shown; without it, all models are listed.
    """

    name: Annotated[Positional[str | None], arg(metavar="[NAME]")] = None


def run(flags: Flags) -> int:
    from pycolor.models import zoo

    console = Console()
    if flags.name is not None:
        table = Table(show_header=False, box=None)
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for name, text in _lines(zoo.card(flags.name)):
            table.add_row(name, escape(text))
        console.print(table)
        return 0
    table = Table()
    for column in ("model", "paper", "parameters", "GFLOPs", "packaged"):
        table.add_column(column, justify="right" if column in ("parameters", "GFLOPs") else "left")
    for c in zoo.all_cards():
        name = f"{c.name} (default)" if c.name == zoo.DEFAULT else c.name
        numbers = (f"{c.parameters / 1e6:,.3g} M", f"{c.gflops:,.1f}")
        table.add_row(name, escape(c.paper), *numbers, escape(_packaged(c)))
    console.print(table)
    console.print(
        "Parameters and GFLOPs (256x256) are the papers'; `pycolor models NAME` has more."
    )
    return 0


def _packaged(c: Card) -> str:
    """What the package carries of it."""
    from pycolor.models.checkpoints import weight_names

    if not c.weights:
        return "none"
    size = (weight_names.PACKAGED / c.weights).stat().st_size / 1e6
    return f"{_options(c)}; {size:.1f} MB"


def _options(c: Card) -> str:
    return ", ".join(f"{key} {value}" for key, value in c.options.items())


def _temperature(c: Card) -> float | None:
    """At which its packaged weights are decoded: what their file says stands before the card's."""
    from pycolor.models.checkpoints import weight_files, weight_names

    said = weight_files.read(weight_names.PACKAGED / c.weights).temperature
    return c.temperature if said is None else said


def _lines(c: Card) -> Iterator[tuple[str, str]]:
    """What a card says, line by line."""
    yield "model", c.name
    yield "paper", c.paper
    yield "year", str(c.year)
    yield "license", c.license
    yield "parameters", f"{c.parameters:,} as published"
    yield "GFLOPs", f"{c.gflops:,.1f} as published, for an input of 256x256"
    yield "packaged", _packaged(c)
    if c.weights:
        picture = "" if c.picture_side is None else f", of pictures {c.picture_side} px"
        yield "short side", f"{c.short_side} px{picture}"
        temperature = _temperature(c)
        if temperature is None:
            yield "decode", "none: it predicts chroma itself"
        else:
            annealed = f"annealed, T = {temperature}"
            yield "decode", {0.0: "mode", 1.0: "mean"}.get(temperature, annealed)
        yield "trained on", c.trained_on
        yield "weights' license", c.weights_license
        yield "SHA-256", c.sha256
    yield "source", c.source
    for name, value in c.quality.items():
        yield name, f"{value:g}"
