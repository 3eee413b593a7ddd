"""Pictures that lead shots, kept in the project by what they hold."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from pycolor.system.atomic_file import atomic_write

SUFFIXES = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg"}


@contextmanager
def kept(folder: Path, name: str, content: bytes) -> Iterator[str]:
    """Keep a picture, and go on only with it; it is removed again where that comes to nothing.

    Args:
        folder: of the project.
        name: of the file, relative to the folder, before the digest of its content.
        content: PNG or JPEG.

    Yields:
        its path, relative to the folder.

    Raises:
        FilmError: it cannot be written.
    """
    suffix = suffix_of(content)
    assert suffix is not None, "no picture"
    told = f"{name}-{hashlib.sha256(content).hexdigest()[:12]}{suffix}"
    path = folder / told
    new = not path.exists()
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, overwrite=True) as part:
            part.write_bytes(content)
    try:
        yield told
    except BaseException:
        if new:
            path.unlink(missing_ok=True)
        raise


def suffix_of(content: bytes) -> str | None:
    """Of a picture's file, by how it begins; None for what is neither PNG nor JPEG."""
    return next((s for start, s in SUFFIXES.items() if content.startswith(start)), None)


def packed(png: bytes) -> bytes:
    """The same picture, packed as others expect it."""
    file = io.BytesIO()
    Image.open(io.BytesIO(png)).save(file, "PNG", compress_level=1)
    return file.getvalue()
