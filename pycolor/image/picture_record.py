"""The record beside a colored picture, as `pycolor image --record` writes it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pycolor.errors import FilmError
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions
from pycolor.record import DIGITAL_SOURCE_TYPE, free_sidecar
from pycolor.system.atomic_file import atomic_write
from pycolor.version import __version__


def write_picture_record(
    source: Path, target: Path, predictor: Predictor, options: PredictOptions
) -> None:
    """Write `OUT.json`: the source's hash, the model, the digest of its weights, the options.

    Raises:
        UsageError: its name is taken.
        FilmError: it cannot be written, or the source not be read.
    """
    loaded = predictor.loaded
    try:
        with source.open("rb") as f:
            digest = hashlib.file_digest(f, "sha256").hexdigest()
        content: dict[str, Any] = {
            "generator": "pycolor",
            "version": 1,
            "versions": {"pycolor": __version__},
            "target": target.name,
            "source": {"name": source.name, "sha256": digest},
            "model": {"name": loaded.card.name, "weights_sha256": loaded.sha256},
            "digital_source_type": DIGITAL_SOURCE_TYPE,
            "options": {"predict": json.loads(json.dumps(asdict(options), default=str))},
        }
        with atomic_write(free_sidecar(target), overwrite=True) as part:
            part.write_text(json.dumps(content, indent=1), encoding="utf-8")
    except OSError as error:
        raise FilmError(f"the record of {target} could not be written: {error.strerror}.") from None
