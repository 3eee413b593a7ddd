"""What a weight file says of itself, believed only as far as it can be true."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from pycolor.models.zoo import Card

_LONGEST = 1 << 16  # characters of a value
_MOST = 64  # entries of options and of provenance
_WIDEST = 4096  # an option that is a number
_LARGEST_SIDE = 2304  # pixels
_HOTTEST = 10.0
_CLOSE = 0.15  # widths that give the same channels differ by less


@dataclass(frozen=True, kw_only=True)
class FileMetadata:
    """See `weight_files.WeightFile`."""

    model: str
    options: dict[str, Any]
    provenance: dict[str, str]
    temperature: float | None
    short_side: int | None


def parse_metadata(metadata: Mapping[str, str]) -> FileMetadata:
    """What the metadata of a safetensors file of ours says.

    Raises:
        ValueError: an entry is not what `weight_files.write` writes; says which.
    """
    options = _table(metadata, "options")
    for key, value in options.items():
        number = isinstance(value, int | float)
        if not (isinstance(value, str) or (number and math.isfinite(value))):
            raise ValueError(f"option {key} must be a number, a truth value or a word")
        if number and not 0 <= value <= _WIDEST:
            raise ValueError(f"option {key} must lie in 0 to {_WIDEST}, got {value}")
    return FileMetadata(
        model=metadata["model"],
        options=options,
        provenance={k: str(v) for k, v in _table(metadata, "provenance").items()},
        temperature=_temperature(metadata.get("temperature")),
        short_side=_short_side(metadata.get("short_side")),
    )


def _table(metadata: Mapping[str, str], name: str) -> dict[str, Any]:
    text = metadata.get(name, "{}")
    try:
        found = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or len(found) > _MOST:
        raise ValueError(f"{name} must be a JSON object, got {text[:40]!r}")
    return found


def _temperature(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= _HOTTEST:
        raise ValueError(f"temperature must lie in 0 to {_HOTTEST:g}, got {text[:40]!r}")
    return value


def _short_side(text: str | None) -> int | None:
    if text is None:
        return None
    value = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0
    if value % 8 or not 16 <= value <= _LARGEST_SIDE:
        raise ValueError(
            f"short_side must be a multiple of 8 from 16 to {_LARGEST_SIDE}, got {text[:40]!r}"
        )
    return value


def check_options(card: Card, options: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
    """Make sure that options do not ask for a larger network than the file has weights for.

    Args:
        card: of the model.
        options: that would build it.
        state: of the file.

    Raises:
        ValueError: the weights are not those of a network with these options.
    """
    try:
        found = card.recognize(state)
    except Exception:  # of tensors that are anything
        found = None
    if found is None:
        raise ValueError(f"its weights are not those of {card.name}")
    for key, value in found.items():
        given = options.get(key, value)
        if isinstance(value, float) and isinstance(given, int | float):
            fits = abs(given - value) <= _CLOSE * max(value, 0.1)
        else:
            fits = given == value
        if not fits:
            raise ValueError(f"its weights have {key} {value}, its options say {given}")
