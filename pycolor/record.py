"""The record beside an output: how its color was made, for a later reader and for a signature."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pycolor.errors import UsageError
from pycolor.system.atomic_file import check_output
from pycolor.video.io.containers.sequence import is_pattern, picture_stem

# IPTC's term for a picture that is in part the work of a trained model.
DIGITAL_SOURCE_TYPE = (
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
)


def names_beside(target: Path, ending: str = ".json") -> tuple[Path, Path]:
    """Where a file about an output goes: `out.json`, or `out.mkv.json` if the former is taken.

    That of numbered pictures has their name without the number, or their folder's.
    """
    if is_pattern(target):
        stem = picture_stem(target) or target.absolute().parent.name
        return target.with_name(f"{stem}{ending}"), target.with_name(f"{stem}.pycolor{ending}")
    return target.with_suffix(ending), target.with_name(f"{target.name}{ending}")


def free_sidecar(target: Path) -> Path:
    """Where the record of an output goes.

    Raises:
        UsageError: both names are taken, by files that are not this output's.
    """
    names = names_beside(target)
    for path in names:
        if not path.exists() or _content(path, target) is not None:
            return check_output(path, overwrite=True)
    raise UsageError(f"{names[0]} and {names[1]} exist; expected a free name for the sidecar.")


def find_sidecar(target: Path) -> tuple[Path, dict[str, Any]] | None:
    """The record beside an output, and its content; None if there is none of that output."""
    for path in names_beside(target):
        content = _content(path, target)
        if content is not None:
            return path, content
    return None


def read_sidecar(target: Path) -> tuple[Path, dict[str, Any]]:
    """The record beside an output, and its content.

    Raises:
        UsageError: there is none of that output.
    """
    found = find_sidecar(target)
    if found is None:
        raise UsageError(
            f"there is no sidecar of {target}; expected {names_beside(target)[0].name} beside it, "
            "as pycolor wrote it."
        )
    return found


def _content(path: Path, target: Path) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        named = (content["generator"], content["target"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return content if named == ("pycolor", target.name) else None
