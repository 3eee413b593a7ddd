"""What a source is, byte for byte, and whether it stays so while it is colored."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from pycolor.errors import FilmError
from pycolor.video.io.containers.sequence import pictures_of
from pycolor.video.job.work.own_files import read_own, sealed, unsealed, write_shared

BLOCK_BYTES = 1 << 20
_SIZE = 3  # in a stamp


def file_digest(path: Path, on_block: Callable[[], None] = lambda: None) -> str:
    """SHA-256 of a file's content; of numbered pictures, of their names and contents.

    `on_block` is called for every `BLOCK_BYTES` that are read.

    Scans are often of one size, and a copy has other times: only the content tells that a picture
    was scanned anew, and that a copied sequence is the same.

    Raises:
        FilmError: it cannot be read.
    """
    try:
        if path.is_file():
            return _sha256(path, on_block)
        listed = hashlib.sha256()
        for picture in sorted(pictures_of(path)):
            listed.update(f"{picture.name}\0{_sha256(picture, on_block)}\n".encode())
    except OSError as e:
        raise FilmError(f"{path} cannot be read: {e.strerror}.") from None
    return listed.hexdigest()


def _sha256(path: Path, on_block: Callable[[], None]) -> str:
    found, room = hashlib.sha256(), memoryview(bytearray(BLOCK_BYTES))
    with path.open("rb", buffering=0) as f:
        while size := f.readinto(room):
            found.update(room[:size])
            on_block()
    return found.hexdigest()


DIGEST_NOTE = "source.json"  # in a project


class SourceDigest:
    """The digest of a source that other programs may write to meanwhile.

    Args:
        path: of the source, a file, a folder of pictures or a pattern of them; from now on it is
            expected to stay as it is.
        note: a file beside which workers on other machines may have noted the digest: it is taken
            from there while sizes, numbers and times of the source's files are as noted.

    Attributes:
        on_block: called for every block of it that is read, see `file_digest`.
    """

    def __init__(self, path: Path, note: Path | None = None) -> None:
        self.path = path
        self.on_block: Callable[[], None] = lambda: None
        self._stamps = _stamps(path)
        self._note = note

    @cached_property
    def sha256(self) -> str:
        """See `file_digest`.

        Raises:
            FilmError: it cannot be read.
        """
        known = self._noted()
        if known is None:
            known = file_digest(self.path, self.on_block)
            self._write_note(known)
        return known

    def _noted(self) -> str | None:
        if self._note is None:
            return None
        try:
            told = json.loads(unsealed(read_own(self._note)))
            return str(told["sha256"]) if told["files"] == self._shared_stamps() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _write_note(self, sha256: str) -> None:
        if self._note is not None and _stamps(self.path) == self._stamps:
            told = {"sha256": sha256, "files": self._shared_stamps()}
            with suppress(OSError):  # it saves others time, no more
                self._note.parent.mkdir(parents=True, exist_ok=True)
                write_shared(self._note, sealed(json.dumps(told)))

    def _shared_stamps(self) -> list[list[str | int]]:
        """What machines see alike: all but the number of the device."""
        return [[name, *stamp[1:]] for name, *stamp in self._stamps]

    @property
    def blocks(self) -> int:
        """How many blocks there are to read, about: pictures end with a part of one."""
        return sum(-(-int(stamp[_SIZE]) // BLOCK_BYTES) for stamp in self._stamps)

    def check(self) -> None:
        """Make sure that the source is still what it was; it is read again if it was touched.

        Raises:
            FilmError: it was changed, or is gone.
        """
        if _stamps(self.path) == self._stamps:
            return
        if file_digest(self.path) != self.sha256:
            raise FilmError(
                f"{self.path} changed while it was colored; nothing was written: start again when "
                "it is complete."
            )


def _stamps(path: Path) -> list[tuple[str | int, ...]]:
    """Of each file, what every way to change it changes."""
    files = [path] if path.is_file() else sorted(pictures_of(path))
    try:
        return [(p.name, *_stamp(p.stat())) for p in files]
    except OSError as e:
        raise FilmError(f"{path} cannot be read: {e.strerror}.") from None


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )
