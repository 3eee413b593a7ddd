"""What options are checked for when they are made; each error names the option."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, get_args

from pycolor.errors import UsageError


def check_choice(name: str, value: object, choices: Any) -> None:
    """Refuse what is none of a Literal's values.

    Raises:
        UsageError: it is none.
    """
    if value not in get_args(choices):
        known = ", ".join(get_args(choices))
        raise UsageError(f"{name} must be one of {known}; got {value!r}.")


def check_number(name: str, value: object, low: float, high: float = math.inf) -> None:
    """Refuse what is no number from `low` to `high`; NaN is none.

    Raises:
        UsageError: it is none.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # type: ignore[operator]
        span = f"lie in {low:g} to {high:g}" if high < math.inf else f"be {low:g} or more"
        raise UsageError(f"{name} must {span}, got {value}.")


def check_whole(name: str, value: object, low: int, high: float = math.inf) -> None:
    """Refuse what is no whole number from `low` to `high`.

    Raises:
        UsageError: it is none.
    """
    if isinstance(value, float):
        raise UsageError(f"{name} must be a whole number, got {value}.")
    check_number(name, value, low, high)


def as_path(name: str, value: object) -> Path:
    """A path from what stands for one.

    Raises:
        UsageError: it is neither str nor os.PathLike.
    """
    if isinstance(value, str) or (
        isinstance(value, os.PathLike) and isinstance(value.__fspath__(), str)
    ):
        return Path(value)
    raise UsageError(f"{name} must be a path, got {type(value).__name__}.")


def take_paths(options: object, *names: str) -> None:
    """Make paths of the attributes that are given as something else."""
    for name in names:
        value = getattr(options, name)
        if value is not None and not isinstance(value, Path):
            object.__setattr__(options, name, as_path(name, value))


def check_sensitivity(value: float) -> None:
    """Refuse a sensitivity of the shot detector that is none.

    Raises:
        UsageError: it is.
    """
    if not 0 < value < math.inf:
        raise UsageError(f"sensitivity must be above 0, got {value}.")
