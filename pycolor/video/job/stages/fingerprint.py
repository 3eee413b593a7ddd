"""What the work on an output depends on, so that no work on another is taken for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pycolor.models.predictor import Predictor
from pycolor.options import VideoOptions
from pycolor.video.io.containers.presets import segment_suffix
from pycolor.video.job.decisions.guided import Given
from pycolor.video.job.record.arithmetic import arithmetic_of
from pycolor.video.job.record.encoder_threads import depends_on_threads, encoder_threads
from pycolor.video.job.record.source_digest import file_digest
from pycolor.video.job.record.versions import versions

# Options that change where and when, not what.
_IGNORED = frozenset(
    (
        "plan",
        "cache_size",
        "slice",
        "ray",
        "mix",
        "overwrite",
        "work_dir",
        "keep_work",
        "framemd5",
        "trace",
        "shots",
    )
)


def fingerprint(
    options: VideoOptions,
    target: Path,
    source_sha256: str,
    predictor: Predictor,
    given: Given,
    arithmetic: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Everything that the result depends on, as JSON holds it.

    Args:
        options: of the run.
        target: the output.
        source_sha256: of the film.
        predictor: the model.
        given: what leads it.
        arithmetic: of the machines that color, where this one does not.

    Raises:
        FilmError: a picture cannot be read.
    """
    predict = options.predict
    files = [*filter(None, (options.shots, predict.style, predict.guidance))]
    if predictor.network.guide == "reference":
        files += predict.reference
    files += [r.path for r in (*given.stills.values(), *given.alike)]
    chosen = {k: v for k, v in asdict(options).items() if k not in _IGNORED}
    return {
        "source": source_sha256,
        "options": json.loads(json.dumps(chosen, default=str)),
        "files": [file_digest(path) for path in files],
        "weights": predictor.loaded.sha256,
        "arithmetic": _arithmetic(predictor, options, led=bool(files), elsewhere=arithmetic),
        "encoder": {}
        if arithmetic
        else encoder_threads(matter=depends_on_threads(target, options)),
        "container": segment_suffix(target, options.preset),
        "versions": versions(mix=options.mix),
    }


def _arithmetic(
    predictor: Predictor,
    options: VideoOptions,
    *,
    led: bool,
    elsewhere: Mapping[str, str] | None,
) -> dict[str, Any]:
    """Of the machines that color; also of this one where it looks at what leads the model."""
    here = arithmetic_of(predictor, mix=options.mix)
    if elsewhere is None:
        return here
    return {**elsewhere, **({"guidance": here} if led else {})}
