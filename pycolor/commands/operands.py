"""Where the films stand in a command's arguments: anywhere between the options."""

from __future__ import annotations

from collections.abc import Sequence

from pycolor.commands.help import entries


def operands_first(arguments: Sequence[str], flags: type) -> list[str]:
    """The arguments with what is no option in front, in its order.

    The parser takes a list of films only as one run of arguments, so that it would not know OUT
    in `IN --frames 0:240 OUT`.

    Args:
        arguments: of the command; left alone if `--` is among them.
        flags: the command's dataclass, of whose options each takes one value or none.
    """
    if "--" in arguments:
        return list(arguments)
    switches = {entry.name for entry in entries(flags) if entry.group and not entry.value}
    operands: list[str] = []
    options: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "-" or not argument.startswith("-"):
            operands.append(argument)
            continue
        options.append(argument)
        if "=" not in argument and argument.replace("_", "-") not in switches:
            options.extend(value for value in (next(rest, None),) if value is not None)
    return operands + options
