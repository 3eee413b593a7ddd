"""As much of EBML (RFC 8794), the syntax of Matroska, as reading and patching a header takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

SEGMENT = 0x18538067
UNKNOWN_SIZE = -1


def read_element_header(file: BinaryIO) -> tuple[int, int, int]:
    """(identifier, length of the content or UNKNOWN_SIZE, bytes the header took)."""
    first = file.read(1)
    if not first or not first[0]:
        return 0, 0, 1
    width = 9 - first[0].bit_length()
    identifier = int.from_bytes(first + file.read(width - 1), "big")
    size, size_width = _read_size(file)
    return identifier, size, width + size_width


def skip(file: BinaryIO, size: int) -> None:
    """Go past the content of an element.

    Raises:
        ValueError: if the file ends before it does, or it has no size.
    """
    here = file.tell()
    if not 0 <= size <= file.seek(0, os.SEEK_END) - here:
        raise ValueError("an element is longer than its file")
    file.seek(here + size)


def _read_size(file: BinaryIO) -> tuple[int, int]:
    first = file.read(1)
    if not first or not first[0]:
        return 0, 1
    width = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(width - 1), "big") & ((1 << 7 * width) - 1)
    return (UNKNOWN_SIZE if value == (1 << 7 * width) - 1 else value), width


def write_size(value: int, width: int) -> bytes:
    """A length in `width` bytes."""
    if value >= (1 << 7 * width) - 1:
        raise ValueError(f"{value} does not fit {width} bytes")
    return (value | 1 << 7 * width).to_bytes(width, "big")


def element(identifier: int, content: bytes, *, width: int = 8) -> bytes:
    """An element; its length takes `width` bytes."""
    name = identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")
    return name + write_size(len(content), width) + content


def number(identifier: int, value: int) -> bytes:
    """An unsigned integer element of the least size."""
    return element(
        identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"), width=1
    )


@dataclass(frozen=True, kw_only=True)
class Element:
    """A parsed element: `content` without its header, `start` where its header begins."""

    identifier: int
    content: bytes
    start: int


def children(content: bytes) -> list[Element]:
    """The elements directly inside `content`."""
    file, found = BytesIO(content), []
    while file.tell() < len(content):
        start = file.tell()
        identifier, size, _ = read_element_header(file)
        if not identifier or size == UNKNOWN_SIZE:
            raise ValueError("not a sequence of EBML elements")
        found.append(Element(identifier=identifier, content=file.read(size), start=start))
    return found
