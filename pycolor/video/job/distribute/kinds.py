"""Kinds of workers on one film: what decides their bits, noted where all of them see it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pycolor.video.job.work.own_files import write_shared

_FOLDER = "kinds"


def unlike_kinds(project: Path, own: Mapping[str, str]) -> Iterator[str]:
    """Note a worker's kind in the project, and report how each other kind differs.

    Args:
        project: that the workers share.
        own: the arithmetic of this one and its libraries' versions.

    Yields:
        Sentences for people; what such workers make is not taken by this one.
    """
    folder = project / _FOLDER
    text = json.dumps(dict(own), sort_keys=True)
    note = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    with suppress(OSError):  # without it nobody is told, no more
        folder.mkdir(parents=True, exist_ok=True)
        write_shared(note, text.encode())
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError, AttributeError):
            other = json.loads(path.read_text(encoding="utf-8"))
            differs = [key for key in sorted({*own, *other}) if own.get(key) != other.get(key)]
            if differs:
                pairs = "; ".join(f"{k}: {other.get(k)} there, {own.get(k)} here" for k in differs)
                hint = "--mix" if "device" in own else "one --dtype and one version for all"
                yield (
                    "workers of another kind are or were on this film, and what they make is not "
                    f"taken here, since its chroma has other last bits ({pairs}); {hint} shares it"
                )
