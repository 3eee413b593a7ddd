"""`pycolor info`."""

from __future__ import annotations

import json
from dataclasses import dataclass

from rich.console import Console

from pycolor.commands.base import Command


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Show versions, processor features, devices and threads.

    Attributes:
        json: print it as JSON.
    """

    json: bool = False


def run(flags: Flags) -> int:
    from pycolor.evaluate.environment import collect

    facts = collect()
    if flags.json:
        print(json.dumps(facts, indent=2))
        return 0
    console = Console()
    for name, value in facts.items():
        console.print(f"[bold]{name:22}[/] {value}")
    return 0
