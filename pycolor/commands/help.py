"""What `pycolor COMMAND --help` prints, made from dataclasses and their docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
import shutil
import textwrap
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tyro.conf import Positional, UseAppendAction

# Where the options of a class are listed; those of any other class come first, as "options".
GROUPS = {
    "VideoOptions": "output",
    "PredictOptions": "color",
    "PropagationOptions": "temporal",
    "CropOptions": "crop",
    "FilmOptions": "film look",
    "ClusteringOptions": "clustering",
    "PairOptions": "pairs",
    "Messages": "advanced",
}
# Options that are listed elsewhere than the rest of their class.
MOVED = {
    ("VideoOptions", "color_shots"): "color",
    ("VideoOptions", "tints"): "color",
    ("VideoOptions", "shots"): "temporal",
    ("VideoOptions", "sensitivity"): "temporal",
    ("VideoOptions", "plan"): "temporal",
    ("VideoFlags", "out"): "output",
    **{
        ("VideoOptions", name): "advanced"
        for name in (
            *("batch", "work_dir", "keep_work", "segment_frames", "framemd5", "trace"),
            *("cache_size", "slice", "ray", "mix"),
        )
    },
    **{
        ("PredictOptions", name): "advanced"
        for name in ("short_side", "device", "dtype", "compile")
    },
}
_IS_POSITIONAL = Positional[int].__metadata__[0]  # type: ignore[attr-defined]
_IS_REPEATED = UseAppendAction[list[int]].__metadata__[0]  # type: ignore[attr-defined]
_COLUMN = 28


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One argument as it is listed.

    Attributes:
        name: IN, or --frames.
        value: what follows the name: FILE, off|fast|best; empty for a switch.
        text: what it does, its default included.
        group: the heading that it stands under; empty for positional arguments.
        kind: the type of its value, or of each of them.
        is_list: it takes several values at once.
        required: it has no default.
    """

    name: str
    value: str
    text: str
    group: str
    kind: Any
    is_list: bool
    required: bool


def attribute_texts(of: type) -> dict[str, str]:
    """The descriptions below `Attributes:` in a class's docstring, by name."""
    _, _, block = inspect.cleandoc(of.__doc__ or "").partition("Attributes:\n")
    found = re.split(r"(?m)^(\w+): ", textwrap.dedent(block.partition("\n\n")[0]))
    return {
        name: " ".join(text.split()) for name, text in zip(found[1::2], found[2::2], strict=True)
    }


def entries(
    of: type, defaults: Any = None, unused: frozenset[str] = frozenset()
) -> Iterator[Entry]:
    """Every argument of a command.

    Args:
        of: a dataclass, the options of which may be dataclasses again.
        defaults: an instance to take the defaults from, in place of the class's own.
        unused: fields to leave out; those that the class names as `UNUSED` are as well.
    """
    unused |= getattr(of, "UNUSED", frozenset())
    hints = get_type_hints(of, include_extras=True)
    texts = attribute_texts(of)
    # What every command has comes last.
    for field in sorted(dataclasses.fields(of), key=lambda f: f.name == "output"):
        if field.name in unused:
            continue
        marks = getattr(hints[field.name], "__metadata__", ())
        kind = _without_none(get_args(hints[field.name])[0] if marks else hints[field.name])
        default = getattr(defaults, field.name) if defaults is not None else _default(field)
        if dataclasses.is_dataclass(kind):
            assert isinstance(kind, type)
            yield from entries(kind, default, unused)
            continue
        named = next((m.name for m in marks if getattr(m, "name", None)), field.name)
        value = next((m.metavar for m in marks if getattr(m, "metavar", None)), _value(kind))
        text = texts.get(field.name, "")
        assert text, f"{of.__name__}.{field.name} is not described"
        is_tuple = get_origin(kind) is tuple
        typed: dict[str, Any] = {
            "kind": get_args(kind)[0] if is_tuple else kind,
            "is_list": is_tuple and _IS_REPEATED not in marks,
            "required": default is dataclasses.MISSING,
        }
        if _IS_POSITIONAL in marks:
            yield Entry(name=value, value="", text=text, group="", **typed)
            continue
        group = MOVED.get((of.__name__, field.name)) or GROUPS.get(of.__name__, "options")
        if "default" not in text and default not in (None, False, "", (), ":", dataclasses.MISSING):
            text = f"{text.rstrip('.')} (default: {default})"
        yield Entry(
            name="--" + named.replace("_", "-"), value=value, text=text, group=group, **typed
        )


def help_text(command: str, of: type, examples: str = "") -> str:
    """The whole page.

    Args:
        command: its name.
        of: its dataclass; the docstring's text before `Attributes:` opens the page.
        examples: lines that close it.
    """
    width = min(100, max(60, shutil.get_terminal_size().columns))
    listed = list(entries(of))
    operands = [e for e in listed if not e.group]
    about = inspect.cleandoc(of.__doc__ or "").partition("Attributes:")[0].strip()
    usage = " ".join(["usage: pycolor", command, "[options]", *(e.name for e in operands)])
    lines = [usage, "", *_paragraphs(about, width)]
    groups = dict.fromkeys(["", "options", *GROUPS.values(), *(e.group for e in listed)])
    for group in groups:
        mine = [e for e in listed if e.group == group]
        if mine:
            lines += ["", *([f"{group}:"] if group else [])]
            lines += [line for e in mine for line in _listed(e, width)]
    if examples:
        lines += ["", "examples:", textwrap.indent(textwrap.dedent(examples).strip("\n"), "  ")]
    return "\n".join(lines)


def _paragraphs(text: str, width: int) -> list[str]:
    wrapped = [textwrap.fill(" ".join(part.split()), width) for part in text.split("\n\n")]
    return "\n\n".join(wrapped).splitlines()


def _listed(entry: Entry, width: int) -> list[str]:
    head = f"  {entry.name} {entry.value}".rstrip()
    text = textwrap.wrap(
        entry.text.rstrip("."), width - _COLUMN, break_long_words=False, break_on_hyphens=False
    )
    first = [f"{head:{_COLUMN}}{text.pop(0)}"] if len(head) < _COLUMN - 1 else [head]
    return first + [" " * _COLUMN + line for line in text]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        return next(k for k in get_args(kind) if k is not type(None))
    return kind


def _value(kind: Any) -> str:
    """How the value of an option is written, by its type."""
    if get_origin(kind) is Literal:
        return "|".join(str(word) for word in get_args(kind) if word != "")
    if get_origin(kind) is tuple:
        return _value(get_args(kind)[0])
    return {bool: "", int: "N", float: "X", Path: "FILE"}.get(kind, "NAME")
