"""The project's colors, in a file of their own: they change no picture."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pycolor.errors import UsageError
from pycolor.models.guidance.marks import ab_of
from pycolor.system.atomic_file import atomic_write
from pycolor.web.local_server import RefusedError

MOST = 64


class Palette:
    """See the module.

    Args:
        path: of the file; it is made when colors are kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def colors(self) -> list[str]:
        """As they are kept; none where they cannot be read."""
        try:
            return _checked(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, RefusedError):
            return []

    def keep(self, colors: Any) -> list[str]:
        """Keep these instead.

        Raises:
            RefusedError: they are no colors.
            FilmError: they cannot be saved.
        """
        checked = _checked(colors)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(self._path, overwrite=True) as part:
            part.write_text(json.dumps(checked) + "\n", encoding="utf-8")
        return checked


def _checked(found: Any) -> list[str]:
    if not isinstance(found, list) or len(found) > MOST:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"expected {MOST} colors at most")
    for color in found:
        try:
            _ = ab_of(color if isinstance(color, str) else "")
        except UsageError as e:
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(e)) from None
    return found
