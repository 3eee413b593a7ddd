"""Does a file end before its own header says it should?

Matroska's demuxer stops quietly at the end of a truncated file, and MP4's cannot say what is
missing, so the outermost boxes are read here.  Formats without a length (MPEG-TS, raw streams)
cannot be judged.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from pycolor.video.io.containers.matroska.ebml import (
    SEGMENT,
    UNKNOWN_SIZE,
    read_element_header,
    skip,
)


def missing_bytes(path: Path) -> str:
    """What is missing, in words; empty if nothing is, or if the format cannot tell."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(0)
        if head[:4] == b"\x1a\x45\xdf\xa3":
            return _matroska(file, size)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return _quicktime(file, size)
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            # A size of 0 or above the 32 bits is a capture that was never closed; not judged.
            promised = struct.unpack("<I", head[4:8])[0] + 8
            return _shortfall(size, promised) if promised > 8 else ""
    return ""


def _shortfall(size: int, promised: int) -> str:
    if size >= promised:
        return ""
    return f"it has {size} of the {promised} bytes its header promises"


def _matroska(file: BinaryIO, size: int) -> str:
    _, length, _ = read_element_header(file)
    try:
        skip(file, length)
    except ValueError:
        return ""  # some other damage
    identifier, length, _ = read_element_header(file)
    if identifier != SEGMENT or length == UNKNOWN_SIZE:
        return ""
    return _shortfall(size, file.tell() + length)


def _quicktime(file: BinaryIO, size: int) -> str:
    position, kinds = 0, set()
    while position + 8 <= size:
        file.seek(position)
        length, kind = struct.unpack(">I4s", file.read(8))
        if length == 1:
            wide = file.read(8)
            length = struct.unpack(">Q", wide)[0] if len(wide) == 8 else 0
        elif length == 0:  # to the end of the file
            length = size - position
        if length < 8:
            return ""  # not a box: some other damage
        kinds.add(kind)
        position += length
    if position > size:
        return _shortfall(size, position)
    if b"moov" not in kinds:
        return "its index (the moov box) is missing"
    return ""
