"""The record of a colored film: in its metadata, and in a file beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pycolor.errors import FilmError
from pycolor.models.checkpoints.weight_files import Loaded
from pycolor.options import VideoOptions
from pycolor.record import DIGITAL_SOURCE_TYPE, find_sidecar, free_sidecar
from pycolor.system.atomic_file import atomic_write
from pycolor.version import __version__
from pycolor.video.io import frame_checksums
from pycolor.video.job.record.report import FilmReport
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.shots.lists import json_list

__all__ = [
    "DIGITAL_SOURCE_TYPE",
    "framemd5_path",
    "free_sidecar",
    "made_before",
    "removed_on_error",
    "synthetic_media_tag",
    "write_framemd5",
    "write_sidecar",
]


def synthetic_media_tag(loaded: Loaded, options: VideoOptions) -> dict[str, str]:
    """Metadata that says, for people and for machines, that a model made the color."""
    told = {
        "software": f"pycolor {__version__}",
        "model": loaded.card.name,
        "weights_sha256": loaded.sha256,
        "propagation": options.propagation.mode,
        "made": "chroma",
        "kept": "luma",
        "digital_source_type": DIGITAL_SOURCE_TYPE,
    }
    return {"COLORIZATION": json.dumps(told, sort_keys=True)}


def _content(
    report: FilmReport,
    options: VideoOptions,
    versions: dict[str, str],
    source_digest: str,
    model: tuple[str, str],
    analysis: FilmAnalysis,
) -> dict[str, Any]:
    """All but the plan and the luma's digests, see `write_sidecar`."""
    return {
        "generator": "pycolor",
        "version": 1,
        "versions": versions,
        "target": report.target.name,
        "source": {
            "name": report.source.name,
            "sha256": source_digest,
            "frames": report.info.frames or None,
            "width": report.info.width,
            "height": report.info.height,
            "pixel_format": report.info.pixel_format,
            "rate": str(report.info.rate),
        },
        "model": dict(zip(("name", "weights_sha256"), model, strict=True)),
        "digital_source_type": DIGITAL_SOURCE_TYPE,
        "options": json.loads(json.dumps(asdict(options), default=str)),
        "device": report.device,
        "pixel_format": report.pixel_format,
        "frames": report.frames,
        "frames_kept_in_their_own_color": report.kept,
        "key_frames": report.key_frames,
        "shots": json.loads(json_list.write_json(analysis.shots))["shots"],
        "colored_shots": list(analysis.colored),
        "own_colors": [str(look) for look in analysis.looks],
        "warnings": list(report.warnings),
    }


def write_sidecar(
    path: Path,
    *,
    report: FilmReport,
    options: VideoOptions,
    versions: dict[str, str],
    source_digest: str,
    model: tuple[str, str],
    analysis: FilmAnalysis,
    luma: Iterable[str],
    plan: Mapping[str, Any] | None = None,
) -> None:
    """Everything that a later reader may want to know of how an output was made.

    Args:
        path: of the JSON file.
        report: of the run.
        options: as they were given.
        versions: of what decides the result.
        source_digest: SHA-256, hexadecimal, and so the others.
        model: its name, and the digest of the weight file.
        analysis: of the source.
        luma: the same of each frame's luma, written one by one: a long film has many.
        plan: what people decided, and the weights of each model of theirs.

    Raises:
        FilmError: it cannot be written.
    """
    content = _content(report, options, versions, source_digest, model, analysis)
    if plan is not None:
        content["plan"] = dict(plan)
    try:
        with atomic_write(path, overwrite=True) as part, part.open("w", encoding="utf-8") as f:
            f.write(json.dumps(content, indent=1).removesuffix("\n}"))
            separator = ',\n "luma_sha256": ['
            for digest in luma:
                f.write(f'{separator}\n  "{digest}"')
                separator = ","
            f.write("\n ]\n}")
    except OSError as e:
        raise FilmError(f"the sidecar {path} could not be written: {e.strerror}.") from None


def framemd5_path(target: Path) -> Path:
    """Where the checksums of an output go."""
    return target.with_name(f"{target.name}.framemd5")


def write_framemd5(target: Path, *, overwrite: bool) -> None:
    """`OUT.framemd5`: a checksum of each decoded frame of the output, as FFmpeg writes it.

    Raises:
        FilmError: it cannot be written, or its name was taken meanwhile without `overwrite`.
    """
    with atomic_write(framemd5_path(target), overwrite=overwrite) as part:
        frame_checksums(target, part)


@contextmanager
def removed_on_error() -> Iterator[list[Path]]:
    """A list of files that are removed again if the block fails."""
    files: list[Path] = []
    try:
        yield files
    except BaseException:
        for path in files:
            path.unlink(missing_ok=True)
        raise


def made_before(source: Path, target: Path) -> bool:
    """Whether a run that has ended made this output of this film, by the sidecar beside it."""
    found = find_sidecar(target) if target.exists() else None
    return found is not None and found[1].get("source", {}).get("name") == source.name
