"""Writes into a Matroska header what FFmpeg's muxer leaves out.

The muxer takes the pixel aspect from a field that PyAV cannot reach, and since version 8 it names
FFV1 by an ID that players of before do not know.  So the picture's track is muxed with room behind
its title, and once the file is closed the room is given to DisplayWidth and DisplayHeight (RFC
9559, 5.1.4.1.28) and to the older codec ID; nothing else in the file moves.
"""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from pycolor.errors import FilmError
from pycolor.video.io.containers.matroska.ebml import (
    SEGMENT,
    Element,
    children,
    element,
    number,
    read_element_header,
    write_size,
)

TRACKS, TRACK_ENTRY, NAME, VIDEO = 0x1654AE6B, 0xAE, 0x536E, 0xE0
PIXEL_WIDTH, PIXEL_HEIGHT = 0xB0, 0xBA
DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2
CRC32, VOID = 0xBF, 0xEC

CODEC_ID, CODEC_PRIVATE = 0x86, 0x63A2
# A codec by its four letters, its header the BITMAPINFOHEADER of AVI: every reader knows it.
_BY_FOUR_LETTERS = b"V_MS/VFW/FOURCC"
_OWN_IDS = {b"V_FFV1": b"FFV1"}

_ROOM = "\N{PILCROW SIGN} room for what the header still lacks".ljust(100)


COLOUR, SITING_HORIZONTAL, SITING_VERTICAL = 0x55B0, 0x55B7, 0x55B8
# (horizontal, vertical) of RFC 9559, 5.1.4.1.28.21: 1 is at the first sample, 2 between two.
_SITINGS = {(1, 2): 1, (2, 2): 2, (1, 1): 3, (2, 1): 4}


def chroma_location(file: BinaryIO) -> int:
    """H.273's code of the chroma siting that the header of a Matroska file tells; 0 if none.

    PyAV 18 hides it, but FFmpeg's muxer writes it into a header.
    """
    _, size, _ = read_element_header(file)
    file.seek(size, 1)
    read_element_header(file)  # the Segment's
    while True:
        identifier, size, _ = read_element_header(file)
        if not identifier:
            return 0
        if identifier == TRACKS:
            break
        file.seek(size, 1)
    content = file.read(size)
    for name in (TRACK_ENTRY, VIDEO, COLOUR):
        content = next((c.content for c in children(content) if c.identifier == name), b"")
    found = {c.identifier: int.from_bytes(c.content, "big") for c in children(content)}
    return _SITINGS.get((found.get(SITING_HORIZONTAL, 0), found.get(SITING_VERTICAL, 0)), 0)


def with_room(title: str) -> str:
    """A title for the picture's track that `complete_header` will turn back into `title`."""
    return title + _ROOM


def complete_header(path: Path, aspect: Fraction | None, title: str) -> None:
    """Patch a closed file whose picture's track was titled `with_room(title)`.

    Args:
        path: of the file.
        aspect: of a pixel; None leaves what the muxer wrote.
        title: of the track, empty for none.

    Raises:
        FilmError: if the file has no such track.
    """
    with path.open("r+b") as file:
        _, size, _ = read_element_header(file)
        file.seek(size, 1)
        if read_element_header(file)[0] != SEGMENT:
            raise FilmError(f"{path} is not the Matroska file that was just written.")
        while True:
            identifier, size, _ = read_element_header(file)
            if not identifier:
                raise FilmError(f"{path} has no Tracks element to complete.")
            if identifier == TRACKS:
                break
            file.seek(size, 1)
        start = file.tell()
        tracks = file.read(size)
        patched = _patch_tracks(tracks, aspect, title)
        if patched is None or len(patched) != len(tracks):
            raise FilmError(f"{path} has no room for what its header lacks.")
        file.seek(start)
        file.write(patched)


def _patch_tracks(tracks: bytes, aspect: Fraction | None, title: str) -> bytes | None:
    parts: list[bytes] = []
    patched = False
    for child in children(tracks):
        if child.identifier == CRC32:
            continue
        if child.identifier == TRACK_ENTRY and _title(child) == with_room(title):
            content = _patch_entry(child.content, aspect, title)
            if content is None:
                return None
            patched = True
            parts.append(_same_length(TRACK_ENTRY, content, tracks, child))
        else:
            parts.append(tracks[child.start : _end(tracks, child)])
    body = b"".join(parts)
    if children(tracks)[0].identifier == CRC32:
        body = element(CRC32, zlib.crc32(body).to_bytes(4, "little"), width=1) + body
    return body if patched else None


def _title(entry: Element) -> str:
    names = [c.content for c in children(entry.content) if c.identifier == NAME]
    return names[0].decode("utf-8", "replace") if names else ""


def _end(parent: bytes, child: Element) -> int:
    following = [c.start for c in children(parent) if c.start > child.start]
    return following[0] if following else len(parent)


def _same_length(identifier: int, content: bytes, parent: bytes, old: Element) -> bytes:
    """The element with new content, its header as wide as before."""
    name = (identifier.bit_length() + 7) // 8
    header = _end(parent, old) - old.start - len(old.content)
    return parent[old.start : old.start + name] + write_size(len(content), header - name) + content


def _patch_entry(entry: bytes, aspect: Fraction | None, title: str) -> bytes | None:
    """The entry of the same length: its title restored, its Video element grown, and a Void."""
    inside = children(entry)
    letters = next((_OWN_IDS.get(c.content) for c in inside if c.identifier == CODEC_ID), None)
    parts = []
    for child in inside:
        if child.identifier == NAME:
            if title:
                parts.append(element(NAME, title.encode(), width=4))
        elif child.identifier == CODEC_ID and letters:
            parts.append(element(CODEC_ID, _BY_FOUR_LETTERS, width=1))
        elif child.identifier == CODEC_PRIVATE and letters:
            size = next(_picture_size(c.content) for c in inside if c.identifier == VIDEO)
            private = _bitmap_header(size, letters, len(child.content)) + child.content
            parts.append(element(CODEC_PRIVATE, private, width=4))
        elif child.identifier == VIDEO and aspect is not None:
            parts.append(element(VIDEO, _patch_video(child.content, aspect), width=4))
        else:
            parts.append(entry[child.start : _end(entry, child)])
    body = b"".join(parts)
    room = len(entry) - len(body)
    if room < 2:  # a Void takes at least a name and a length
        return body if room == 0 else None
    if room < 10:
        return body + element(VOID, bytes(room - 2), width=1)
    return body + element(VOID, bytes(room - 9), width=8)


def _picture_size(video: bytes) -> tuple[int, int]:
    found = {c.identifier: int.from_bytes(c.content, "big") for c in children(video)}
    return found.get(PIXEL_WIDTH, 0), found.get(PIXEL_HEIGHT, 0)


def _bitmap_header(size: tuple[int, int], letters: bytes, more: int) -> bytes:
    """A BITMAPINFOHEADER with `more` bytes behind it."""
    width, height = size
    return struct.pack(
        "<IiiHH4sIiiII", 40 + more, width, height, 1, 24, letters, 3 * width * height, 0, 0, 0, 0
    )


def _patch_video(video: bytes, aspect: Fraction) -> bytes:
    parts, sizes = [], {PIXEL_WIDTH: 0, PIXEL_HEIGHT: 0}
    for child in children(video):
        if child.identifier in sizes:
            sizes[child.identifier] = int.from_bytes(child.content, "big")
        if child.identifier not in (DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT):
            parts.append(video[child.start : _end(video, child)])
    width, height = sizes[PIXEL_WIDTH] * aspect, Fraction(sizes[PIXEL_HEIGHT])
    # Readers divide these by the stored size, so their ratio is exact, at about that size.
    display = width / height
    times = max(1, round(height / display.denominator))
    parts.append(number(DISPLAY_WIDTH, display.numerator * times))
    parts.append(number(DISPLAY_HEIGHT, display.denominator * times))
    return b"".join(parts)
