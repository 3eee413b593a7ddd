"""What is signed: the record of an output as a C2PA manifest."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from pycolor.record import DIGITAL_SOURCE_TYPE
from pycolor.version import __version__

# Of what C2PA has no words for, by its rule for names of one's own.
COLOR, RECORD = "org.pycolor.color", "org.pycolor.record"
SOURCE = "source"  # what the first action calls the ingredient


def manifest_of(
    record: Mapping[str, Any], *, title: str, record_name: str, record_sha256: str
) -> dict[str, Any]:
    """The definition of a manifest, as c2pa's `Builder` takes it.

    It says that the source was opened, and that a trained model made the color of it.  No path, no
    person's name and no option that is not about the picture goes into it.

    Args:
        record: the content of the file beside the output, see `record`.
        title: of the output.
        record_name: of that file.
        record_sha256: of its bytes, hexadecimal.
    """
    version = record.get("versions", {}).get("pycolor", "unknown")
    agent = {"name": "pycolor", "version": version}
    actions = [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": [SOURCE]}},
        {
            "action": "c2pa.edited",
            "softwareAgent": agent,
            "digitalSourceType": record.get("digital_source_type", DIGITAL_SOURCE_TYPE),
            "description": "A trained model made the color; the luma is the source's.",
            "parameters": {COLOR: color_of(record)},
        },
    ]
    return {
        "claim_generator_info": [{"name": "pycolor", "version": __version__}],
        "title": title,
        "ingredients": [ingredient_of(record["source"])],
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": actions}},
            {"label": RECORD, "data": {"name": record_name, "sha256": record_sha256}},
        ],
    }


def ingredient_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """The source as an ingredient, identified by its hash: its bytes stay where they are."""
    kind, _ = mimetypes.guess_type(source["name"])
    return {
        "title": source["name"],
        "format": kind or "application/octet-stream",
        "relationship": "parentOf",
        "label": SOURCE,
        "instance_id": f"sha256:{source['sha256']}",
        "description": f"SHA-256 {source['sha256']}",
    }


def color_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """How the color was made: models, digests of their weights, what led them.

    Of color that comes from a master, that master's name and hash: its own record tells the rest.
    """
    if "model" not in record:
        return {"master": dict(record.get("master", {}))}
    options = record.get("options", {})
    predict = options.get("predict", options)
    plan = record.get("plan") or {}
    told: dict[str, Any] = {
        "model": record["model"]["name"],
        "weights_sha256": record["model"]["weights_sha256"],
        "guidance": _guidance(predict, plan),
    }
    told |= {k: predict[k] for k in ("look", "saturation", "warmth") if predict.get(k)}
    others = {k: v for k, v in plan.get("weights", {}).items() if k != told["model"]}
    told |= {"other_models": others} if others else {}
    for name in ("frames", "frames_kept_in_their_own_color"):
        told |= {name: record[name]} if name in record else {}
    return told


def _guidance(predict: Mapping[str, Any], plan: Mapping[str, Any]) -> list[str]:
    """What a person gave, by kind and the names of files."""
    told = [f"reference {_name(path)}" for path in predict.get("reference") or ()]
    for kind in ("style", "guidance"):
        told += [f"{kind} {_name(predict[kind])}"] if predict.get(kind) else []
    for number, shot in enumerate(plan.get("shots", ()), start=1):
        for entry in shot.get("guidance", ()):
            words = [f"shot {number}:", str(entry["kind"])]
            words += [f"of frame {entry['frame']}"] if "frame" in entry else []
            words += [_name(entry["path"])] if "path" in entry else []
            told.append(" ".join(words))
    return told


def _name(path: str) -> str:
    """A file's name without its folders; FRAME=FILE keeps the frame."""
    frame, equals, file = path.partition("=")
    if equals and "/" not in frame:
        return f"{frame}={PurePath(file).name}"
    return PurePath(path).name
