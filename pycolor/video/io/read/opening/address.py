"""How a path is given to FFmpeg."""

from __future__ import annotations

from pathlib import Path


def as_address(path: Path) -> str:
    """FFmpeg's address of a file: a name with a colon, as `reel1:a.mkv`, is no protocol's."""
    return f"file:{path}"
