"""A command's arguments before they are parsed: their order, and what is wrong in them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Literal, get_args, get_origin

from pycolor.commands.help import Entry, entries
from pycolor.errors import UsageError


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


def check_arguments(name: str, arguments: Sequence[str], flags: type) -> None:
    """Find the first thing that is wrong in a command's arguments.

    Args:
        name: of the command.
        arguments: of the command; not looked at if `--` is among them.
        flags: the command's dataclass.

    Raises:
        UsageError: an option that is not known, one without its value or with one of another kind,
            or more or fewer of what a command needs.
    """
    if "--" in arguments:
        return
    listed = list(entries(flags))
    options = {entry.name: entry for entry in listed if entry.group}
    operands: list[str] = []
    given: set[str] = set()
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not _is_option(argument):
            operands.append(argument)
            continue
        flag, equals, value = argument.partition("=")
        entry = options.get(flag.replace("_", "-"))
        if entry is None:
            raise UsageError(_unknown(name, flag, list(options)))
        given.add(entry.name)
        if not entry.value:
            if equals:
                raise UsageError(f"{entry.name} takes no value, got {value!r}.")
            continue
        values = [value] if equals else []
        while rest and not _is_option(rest[0]) and (entry.is_list or not values):
            values.append(rest.pop(0))
        if not values:
            raise UsageError(f"{entry.name} needs a value, {entry.value}; got none.")
        for value in values:
            _check_value(entry.name, entry, value)
    _check_operands(name, operands, [entry for entry in listed if not entry.group])
    absent = [e for e in options.values() if e.required and e.name not in given]
    if absent:
        wanted = " and ".join(f"{e.name} {e.value}" for e in absent)
        raise UsageError(f"{name} needs {wanted} (pycolor {name} --help tells more).")


def _is_option(argument: str) -> bool:
    """Is it an option, and not a name, a number below 0 or the standard input?"""
    return argument.startswith("--") or (
        len(argument) > 1
        and argument[0] == "-"
        and not (argument[1].isdigit() or argument[1] == ".")
    )


def _unknown(name: str, flag: str, options: list[str]) -> str:
    near = difflib.get_close_matches(flag.replace("_", "-"), options, n=2, cutoff=0.7)
    meant = f"; perhaps {' or '.join(near)}" if near else ""
    return f"{name} has no option {flag}{meant} (pycolor {name} --help lists them)."


def _check_value(what: str, entry: Entry, value: str) -> None:
    if get_origin(entry.kind) is Literal:
        words = [str(word) for word in get_args(entry.kind)]
        if value not in words:
            expected = ", ".join(word for word in words if word)
            raise UsageError(f"{what} must be one of {expected}, got {value!r}.")
    elif entry.kind in (int, float):
        try:
            entry.kind(value)
        except ValueError:
            number = "a whole number" if entry.kind is int else "a number"
            raise UsageError(f"{what} must be {number}, got {value!r}.") from None


def _check_operands(name: str, given: list[str], listed: list[Entry]) -> None:
    """`given`: what is no option; `listed`: what the command takes."""
    if any(entry.is_list for entry in listed):
        return  # the command counts them
    needed = [entry.name for entry in listed if entry.required]
    if len(given) < len(needed):
        *first, last = needed
        wanted = f"{', '.join(first)} and {last}" if first else last
        got = " ".join(given) or "none"
        raise UsageError(f"{name} needs {wanted}, got {got} (pycolor {name} --help tells more).")
    if len(given) > len(listed):
        names = " ".join(entry.name for entry in listed) or "options alone"
        extra = " ".join(given[len(listed) :])
        raise UsageError(
            f"{name} takes {names}, got {extra} more (pycolor {name} --help tells more)."
        )
    for entry, value in zip(listed, given, strict=False):
        _check_value(f"what follows {name}", entry, value)
