"""Recipes: the options of a training run in a small TOML file.

`<model>.toml` is for a processor (`zhang2016-open.toml` for open photographs, and
`pycolor2026-first.toml`, `-second` and `-third` for what `pycolor2026.toml` goes on from),
`<model>-gpu.toml` for a few minutes of one large GPU, and `<model>-paper.toml` is what the paper
did.  The first line of a recipe says which weights it made.
"""

from __future__ import annotations

import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from pycolor.errors import UsageError
from pycolor.train.recipes.options import TrainOptions

RECIPES = Path(__file__).parent


def recipe_names() -> list[str]:
    """Those that the package carries."""
    return sorted(p.stem for p in RECIPES.glob("*.toml"))


def read_recipe(name: str) -> TrainOptions:
    """The options of a recipe.

    Args:
        name: of one that the package carries, or a TOML file; keys are those of `TrainOptions`,
            groups of options are tables.

    Raises:
        UsageError: there is none, or it names what is no option.
    """
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(recipe_names())
        raise UsageError(
            f"recipe {name} is not there; expected a file or one of: {known}."
        ) from None
    except (OSError, ValueError) as e:
        raise UsageError(f"recipe {path} must be TOML: {e}.") from None
    return _filled(TrainOptions(), content, path)  # type: ignore[no-any-return]


def _filled(options: Any, content: dict[str, Any], path: Path) -> Any:
    """A dataclass with the values of a table, its own groups from the table's tables."""
    known = {f.name: getattr(options, f.name) for f in fields(options)}
    values: dict[str, Any] = {}
    for key, value in content.items():
        if key not in known:
            raise UsageError(f"recipe {path} names {key}, which is no option of training.")
        if is_dataclass(known[key]) != isinstance(value, dict):
            raise UsageError(f"recipe {path} must give {key} a value of its kind, got {value!r}.")
        values[key] = _filled(known[key], value, path) if isinstance(value, dict) else value
        if isinstance(value, list):
            values[key] = tuple(value)
        if key == "init":
            values[key] = Path(value)
    return type(options)(**known | values)
