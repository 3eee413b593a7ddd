"""Frames that are away in a picture editor, and come back when it saves them.

A frame is written into a folder of the project by its number, `frame-000123.png`.  As soon as the
file there holds another picture, of that name or with something after the number, as PNG or JPEG,
it leads the frame's shot.  What each file held when it was seen last is kept beside them, so that a
picture that was saved while no desk ran comes back when one does.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PIL import Image

from pycolor.errors import FilmError, PycolorError
from pycolor.system.atomic_file import atomic_write

LOOK_EVERY = 1.0  # seconds
MOST_BYTES = 64 << 20  # of a picture
SEEN = "seen.json"
_NAME = re.compile(r"frame-(\d{1,9})\b.*\.(png|jpe?g)", re.IGNORECASE)


class Editor:
    """Watches the folder.

    Args:
        folder: of the pictures that are away; it is made with the first.
        returned: called with a frame's number and the picture that came back.
    """

    def __init__(self, folder: Path, returned: Callable[[int, bytes], None]) -> None:
        self.folder, self._returned = folder, returned
        self._lock = threading.Lock()
        self._stamps: dict[str, tuple[int, int]] = {}
        self._seen = self._load()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="editor", daemon=True)

    def start(self) -> None:
        """Look every second, until `close`."""
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(20)

    def give(self, frame: int, content: bytes) -> Path:
        """Write a frame's picture for an editor; one that is there already is replaced.

        Raises:
            FilmError: it cannot be written.
        """
        path = self.folder / f"frame-{frame:06d}.png"
        with self._lock:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                # First what it will hold: seen half-written, it is no picture that came back.
                self._note(path.name, content)
                with atomic_write(path, overwrite=True) as part:
                    part.write_bytes(content)
            except OSError as e:
                raise FilmError(f"{path} cannot be written: {e.strerror}.") from None
        return path

    def look(self) -> None:
        """Take back what was saved."""
        with self._lock:
            for path in sorted(self.folder.glob("frame-*")):
                match = _NAME.fullmatch(path.name)
                if match and (content := self._changed(path)) is not None:
                    self._returned(int(match[1]), content)
                    self._note(path.name, content)

    def _changed(self, path: Path) -> bytes | None:
        """What a file holds, if that is whole and was not seen before."""
        try:
            status = path.stat()
            stamp = status.st_mtime_ns, status.st_size
            if self._stamps.get(path.name) == stamp or status.st_size > MOST_BYTES:
                return None
            content = path.read_bytes()
            if self._seen.get(path.name) != _digest(content):
                with Image.open(path) as image:  # an editor may still be at it
                    image.load()
                return content
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return None
        self._stamps[path.name] = stamp
        return None

    def _note(self, name: str, content: bytes) -> None:
        self._seen[name] = _digest(content)
        with atomic_write(self.folder / SEEN, overwrite=True) as part:
            part.write_text(json.dumps(self._seen, indent=1) + "\n", encoding="utf-8")

    def _load(self) -> dict[str, str]:
        try:
            found = json.loads((self.folder / SEEN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_EVERY):
            with suppress(OSError, PycolorError):  # a full disk; the next look is in a second
                self.look()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
