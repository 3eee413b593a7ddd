"""Files of a folder that is one's own: no link is followed, and damage is seen.

A folder below a shared one, such as /tmp, may be another user's; a name in it may be a link to a
file that matters.  What is written here is created, never opened; every text carries a digest.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import IO

import xxhash

from pycolor.system.process_tag import process_tag

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def is_own_folder(path: Path) -> bool:
    """Whether a folder is this user's, and nobody else may write into it.

    On file systems that keep neither owners nor modes (FAT, some network shares) a folder is taken
    for one's own if a new one beside it looks the same.
    """
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    if status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_MAY_WRITE:
        return True
    try:
        fresh = _fresh_folder(path.parent)
    except OSError:
        return False
    return (status.st_uid, status.st_mode) == (fresh.st_uid, fresh.st_mode)


def _fresh_folder(parent: Path) -> os.stat_result:
    """What a new folder in another looks like."""
    with tempfile.TemporaryDirectory(prefix=".pycolor-", dir=parent) as new:
        return os.lstat(new)


def is_regular(path: Path) -> bool:
    """Whether a regular file stands there, and no link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def open_lock(path: Path) -> IO[bytes]:
    """A file to lock, made where there is none, its content left alone.

    Raises:
        OSError: it is a link (ELOOP), or cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    return os.fdopen(os.open(path, flags, 0o600), "r+b")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, complete or not at all; a link of that name is replaced, not followed.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    with suppress(FileNotFoundError):
        part.unlink()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(part, flags, 0o600), "wb") as f:
        f.write(content)
    os.replace(part, path)


def write_shared(path: Path, content: bytes) -> None:
    """The same in a folder where others, of other machines too, may write that file just now.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.part-{process_tag()}-{uuid.uuid4().hex[:8]}")
    try:
        with part.open("xb") as f:
            f.write(content)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read_own(path: Path) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: it is a link or cannot be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    with os.fdopen(os.open(path, flags), "rb") as f:
        return f.read()


def sealed(text: str) -> bytes:
    """A text with the SHA-256 of itself as its last line."""
    body = text.encode()
    return body + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n"


def unsealed(content: bytes) -> str:
    """The text that `sealed` was given.

    Raises:
        ValueError: it is not what was written.
    """
    body, _, digest = content.removesuffix(b"\n").rpartition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("the digest differs")
    return body.decode()


def digest_of(path: Path) -> str:
    """XXH3 of 128 bits of a regular file, hexadecimal: against damage, not against forgery.

    Raises:
        OSError: it is a link or a folder, or cannot be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    with os.fdopen(os.open(path, flags), "rb") as f:
        return hashlib.file_digest(f, xxhash.xxh3_128).hexdigest()
