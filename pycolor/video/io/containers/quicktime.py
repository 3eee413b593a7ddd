"""The clean aperture of a QuickTime or MP4 picture, which PyAV does not report (ISO 14496-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

_TO_ENTRIES = (b"mdia", b"minf", b"stbl", b"stsd")
_ENTRY_BYTES = 86  # of a sample entry of a picture, before the boxes inside it
_MOST_BYTES = 1 << 16  # of a track's sample descriptions


def clean_aperture(path: Path, index: int) -> tuple[Fraction, Fraction] | None:
    """(width, height) of the part of a picture that is meant to be seen, in pixels.

    Args:
        path: of the film.
        index: of its picture's track.

    Returns:
        None where none is stored, or if the boxes cannot be followed.
    """
    with path.open("rb") as file:
        if file.read(12)[4:8] not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return None
        end = path.stat().st_size
        moov = next((at for kind, *at in _boxes(file, 0, end) if kind == b"moov"), None)
        if moov is None:
            return None
        tracks = [at for kind, *at in _boxes(file, *moov) if kind == b"trak"]
        if index >= len(tracks):
            return None
        inside = tracks[index]
        for name in _TO_ENTRIES:
            found = next((at for kind, *at in _boxes(file, *inside) if kind == name), None)
            if found is None:
                return None
            inside = found
        file.seek(inside[0])
        described = file.read(min(inside[1] - inside[0], _MOST_BYTES))
    return _aperture(described[8:])  # behind the version and the number of entries


def _boxes(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, begin and end of the content) of the boxes between two places."""
    while start + 8 <= stop:
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            wide = file.read(8)
            if len(wide) < 8:
                return
            size, header = struct.unpack(">Q", wide)[0], 16
        elif size == 0:
            size = stop - start
        if size < header:
            return
        yield kind, start + header, min(start + size, stop)
        start += size


def _aperture(entry: bytes) -> tuple[Fraction, Fraction] | None:
    at = _ENTRY_BYTES
    size = int.from_bytes(entry[:4], "big")
    while at + 8 <= min(size, len(entry)):
        length, kind = struct.unpack(">I4s", entry[at : at + 8])
        if kind == b"clap" and length >= 40:
            width, by_width, height, by_height = struct.unpack(">4I", entry[at + 8 : at + 24])
            if by_width and by_height:
                return Fraction(width, by_width), Fraction(height, by_height)
            return None
        if length < 8:
            return None
        at += length
    return None
