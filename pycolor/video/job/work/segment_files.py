"""A run of frames that is encoded alone, and its files in a work folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Frames first … stop − 1 of the film, encoded alone."""

    first: int
    stop: int
    path: Path

    @property
    def digests_path(self) -> Path:
        return self.path.with_suffix(".luma")
