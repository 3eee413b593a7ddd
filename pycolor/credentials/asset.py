"""What of an output is signed, and where its credentials lie: inside it, or beside it."""

from __future__ import annotations

import json
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pycolor.errors import FilmError, UsageError
from pycolor.record import names_beside
from pycolor.video.io.containers.sequence import is_pattern, natural_order, pictures_of
from pycolor.video.job.record.source_digest import file_digest

# Endings of files that hold credentials themselves, with their media types.
EMBEDDED = {
    ".mp4": "video/mp4",
    ".m4v": "video/x-m4v",
    ".mov": "video/quicktime",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
}
# Those whose credentials lie beside them.
DETACHED = {
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".mxf": "application/mxf",
    ".y4m": "application/octet-stream",
    ".dpx": "image/x-dpx",
}
LIST_TYPE = "text/plain"
# What a C2PA manifest store holds, each more than once or with the others (C2PA 2.2, 11.1).
_MARKS = (b"jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71", b"c2pa.claim", b"c2pa.signature")


@dataclass(frozen=True, kw_only=True)
class Asset:
    """What is signed.

    Attributes:
        target: the output, as it was named.
        path: the file that the signature is about: the output, or the list of its pictures' sums.
        media_type: of that file.
        manifest: where the credentials lie beside it; None where they are inside.
        pictures: those that the list names, in order; empty for a file.
    """

    target: Path
    path: Path
    media_type: str
    manifest: Path | None
    pictures: tuple[Path, ...] = ()

    @property
    def is_signed(self) -> bool:
        """Whether there are credentials, valid or not."""
        if self.manifest is not None:
            return self.manifest.exists()
        with self.path.open("rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return any(data.find(mark) >= 0 for mark in _MARKS)


def asset_of(target: Path) -> Asset:
    """What of an output is, or will be, signed.

    Raises:
        UsageError: there is no such output, or nothing of its kind is signed.
    """
    pictures = sorted(pictures_of(target), key=natural_order)
    if pictures:
        listed = _beside(target, ".sha256")
        manifest = listed.with_suffix(".c2pa")
        return Asset(
            target=target,
            path=listed,
            media_type=LIST_TYPE,
            manifest=manifest,
            pictures=tuple(pictures),
        )
    if target.is_dir() or (is_pattern(target) and not target.exists()):
        raise UsageError(f"{target} holds no picture; expected an output of pycolor.")
    if not target.is_file():
        raise UsageError(f"{target} does not exist; expected an output of pycolor.")
    suffix = target.suffix.lower()
    if suffix in EMBEDDED:
        if not target.stat().st_size:
            raise UsageError(f"{target} is empty; expected an output of pycolor.")
        return Asset(target=target, path=target, media_type=EMBEDDED[suffix], manifest=None)
    if suffix not in DETACHED:
        known = ", ".join((*EMBEDDED, *DETACHED))
        raise UsageError(f"{target.name} is of no kind that is signed; expected one of {known}.")
    manifest = _beside(target, ".c2pa")
    return Asset(target=target, path=target, media_type=DETACHED[suffix], manifest=manifest)


def _beside(target: Path, ending: str) -> Path:
    """`out.c2pa`, or `out.mkv.c2pa` where that one is there, or the former is another output's."""
    short, long = names_beside(target, ending)
    return long if long.exists() or _is_anothers(short, target) else short


def _is_anothers(manifest: Path, target: Path) -> bool:
    """Whether credentials are of another output, with the same name but for the ending.

    They hold the name of theirs as it is; where no such output is there, this one was renamed.
    """
    others = (target.with_suffix(suffix) for suffix in DETACHED if suffix != target.suffix.lower())
    if not manifest.is_file() or not any(other.is_file() for other in others):
        return False
    return target.name.encode() not in manifest.read_bytes()


def listed_sums(pictures: Sequence[Path], folder: Path) -> str:
    """The list of a sequence: a line "SHA-256  name" a picture, which `sha256sum -c` reads.

    Args:
        pictures: in order.
        folder: that the names are relative to: where the list lies.

    Raises:
        FilmError: a picture cannot be read, or its name cannot be listed.
    """
    lines = []
    for path in pictures:
        name = path.absolute().relative_to(folder.absolute()).as_posix()
        if set(name) & set("\\\n\r"):
            raise FilmError(f"{json.dumps(name)} cannot be listed; expected a name of one line.")
        lines.append(f"{file_digest(path)}  {name}\n")
    return "".join(lines)


def changed_pictures(asset: Asset) -> str:
    """What of a sequence is not as its list says, in words; empty if nothing is.

    Raises:
        FilmError: the list or a picture cannot be read.
    """
    folder = asset.path.parent
    try:
        lines = asset.path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise FilmError(f"{asset.path} cannot be read: {error}.") from None
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    there = {p.absolute().relative_to(folder.absolute()).as_posix(): p for p in asset.pictures}
    missing = [name for name in listed if name not in there]
    added = [name for name in there if name not in listed]
    changed = [n for n, path in there.items() if n in listed and file_digest(path) != listed[n]]
    kinds = (("missing", missing), ("added", added), ("changed", changed))
    return "; ".join(
        f"pictures {kind}: {len(names)}, first {names[0]}" for kind, names in kinds if names
    )
