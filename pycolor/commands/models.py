"""`pycolor models`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from rich.console import Console
from rich.table import Table
from tyro.conf import Positional, arg

from pycolor.commands.base import Command


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """List the models, or show one model's card.

    Attributes:
        name: of the model to show.
    """

    name: Annotated[Positional[str | None], arg(metavar="NAME")] = None


def run(flags: Flags) -> int:
    from pycolor.models import zoo

    console = Console()
    if flags.name is not None:
        c = zoo.card(flags.name)
        for f in dataclasses.fields(c):
            if f.name != "build":
                console.print(f"[bold]{f.name:12}[/] {getattr(c, f.name)}")
        return 0
    table = Table()
    for column in ("name", "paper", "weights", "trained on"):
        table.add_column(column)
    for c in zoo.CARDS:
        name = f"{c.name} (default)" if c.name == zoo.DEFAULT else c.name
        table.add_row(name, c.paper, c.weights, c.trained_on)
    console.print(table)
    return 0
