"""What a Matroska file holds beyond what FFmpeg's demuxer tells (RFC 9559, 5.1.7 and 5.1.8).

FFmpeg reads the chapters of all editions' first level as one list, one title of each, and the tags
of the film without their level: of two of one name the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pycolor.video.io.containers.matroska.ebml import (
    SEGMENT,
    Element,
    children,
    read_element_header,
    skip,
)

_EBML = b"\x1a\x45\xdf\xa3"
_CLUSTER, _CHAPTERS, _TAGS = 0x1F43B675, 0x1043A770, 0x1254C367
_EDITION, _ORDERED = 0x45B9, 0x45DD
_ATOM, _HIDDEN, _DISPLAY = 0xB6, 0x98, 0x80
_TAG, _TARGETS, _LEVEL = 0x7373, 0x63C0, 0x68CA
_OF_PARTS = (0x63C5, 0x63C9, 0x63C4, 0x63C6)  # UIDs of a track, edition, chapter, attachment
_SIMPLE, _NAME, _STRING = 0x67C8, 0x45A3, 0x4487
_FILM = 50  # the level of a film, which is what a target without a level means
_MOST_BYTES = 1 << 24
_MOST_ELEMENTS = 1 << 20  # of a segment: a cluster a second are ten days


@dataclass(kw_only=True)
class MatroskaExtras:
    """What is found.

    Attributes:
        lost: phrases on what FFmpeg does not report.
        film: the film's own tags, of those whose name stands at another level too.
    """

    lost: list[str] = field(default_factory=list)
    film: dict[str, str] = field(default_factory=dict)


def matroska_extras(path: Path) -> MatroskaExtras:
    """Of a file; nothing of one that is not Matroska, or whose elements cannot be followed."""
    found = MatroskaExtras()
    with path.open("rb") as file:
        if file.read(4) != _EBML:
            return found
        file.seek(0)
        try:
            for element in _top(file):
                if element.identifier == _CHAPTERS:
                    _read_chapters(element.content, found)
                else:
                    _read_tags(element.content, found)
        except ValueError:
            pass  # damaged: the demuxer finds nothing there either
    return found


def _top(file: BinaryIO) -> Iterator[Element]:
    """The chapters and tags of a file, wherever they stand."""
    _, size, _ = read_element_header(file)
    skip(file, size)
    if read_element_header(file)[0] != SEGMENT:
        return
    for _ in range(_MOST_ELEMENTS):
        start = file.tell()
        identifier, size, _ = read_element_header(file)
        if not identifier or size < 0:  # a cluster of unknown size: a live stream
            return
        if identifier in (_CHAPTERS, _TAGS) and size <= _MOST_BYTES:
            yield Element(identifier=identifier, content=file.read(size), start=start)
        else:
            skip(file, size)


def _of(content: bytes, identifier: int) -> list[bytes]:
    return [child.content for child in children(content) if child.identifier == identifier]


def _number(content: bytes, identifier: int, default: int = 0) -> int:
    return int.from_bytes(next(iter(_of(content, identifier)), bytes([default])), "big")


def _read_chapters(content: bytes, found: MatroskaExtras) -> None:
    editions = _of(content, _EDITION)
    nested = titles = hidden = 0
    for edition in editions[:1]:
        for atom in _of(edition, _ATOM):
            nested += _count_nested(atom)
            titles += max(0, len(_of(atom, _DISPLAY)) - 1)
            hidden += bool(_number(atom, _HIDDEN))
    for count, what in (
        (nested, "chapters inside chapters"),
        (titles, "titles of chapters in other languages"),
        (hidden, "flags that hide a chapter"),
    ):
        if count:
            found.lost.append(f"{count} {what}")
    for number, edition in enumerate(editions[1:], start=2):
        kind = "ordered " if _number(edition, _ORDERED) else ""
        found.lost.append(f"{kind}edition {number} of {len(editions)} of its chapters")


def _count_nested(atom: bytes, depth: int = 0) -> int:
    inner = _of(atom, _ATOM)
    deeper = sum(_count_nested(a, depth + 1) for a in inner) if depth < 8 else 0
    return len(inner) + deeper


def _read_tags(content: bytes, found: MatroskaExtras) -> None:
    levels: dict[str, dict[int, str]] = {}
    for tag in _of(content, _TAG):
        targets = next(iter(_of(tag, _TARGETS)), b"")
        if any(_of(targets, part) for part in _OF_PARTS):
            continue
        level = _number(targets, _LEVEL, _FILM)
        for simple in _of(tag, _SIMPLE):
            name, value = (
                next(iter(_of(simple, part)), b"").decode("utf-8", "replace")
                for part in (_NAME, _STRING)
            )
            levels.setdefault(name, {})[level] = value
    for name, values in levels.items():
        if len(values) < 2:
            continue
        kept = values.get(_FILM, values[min(values)])
        found.film[name] = kept
        for level, value in sorted(values.items()):
            if value != kept:
                found.lost.append(f"the tag {name} of level {level} ({value!r})")
