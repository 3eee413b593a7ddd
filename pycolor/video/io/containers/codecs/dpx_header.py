"""The whole header of a DPX picture (SMPTE ST 268-1): FFmpeg's ends before the film's own fields.

It writes 1664 of 2048 bytes and puts the pixels behind them, where others look for timecode and
rate; fields that it does not know are zeros, which is a value.  The codes of a scan are kept, so
what its header says of them holds of the result too.
"""

from __future__ import annotations

import struct
from fractions import Fraction

from pycolor.video.io.containers.codecs.scan_header import HEADER_BYTES

_GENERIC, _INDUSTRY = 1664, 384  # bytes of the two sections
_MAGIC = (b"SDPX", b"XPDS")
_UNDEFINED = b"\xff"
_MOST_USER_BYTES = 1 << 20  # ST 268-1, 5.6
DPX_HEADERS = HEADER_BYTES + _MOST_USER_BYTES  # bytes of a file in which all of them lie
_ELEMENT, _ELEMENT_BYTES = 780, 72  # the first image element
_TRANSFER, _COLORIMETRIC = 801, 802
_ASPECT = 1628

# (offset, bytes) of fields that are texts or single bytes, the same in either order of bytes.
_TEXTS = (
    (260, 200),  # project
    (460, 200),  # copyright
    (1532, 24),  # when it was scanned
    (1556, 32),  # input device
    (1588, 32),  # its serial number
    (1664, 48),  # film: edge code, format
    (1732, 132),  # frame identification, slate
    (1928, 4),  # television: fields, signal
)
# (offset, number) of fields of four bytes.
_WORDS = (
    (1408, 6),  # offsets, center, original size
    (1636, 2),  # scanned size
    (1712, 5),  # film: place, length, held frames, rate, shutter
    (1920, 2),  # timecode, user bits
    (1932, 10),  # television: sampling, rate, levels
)
_HALVES = ((1620, 4),)  # border


def complete_dpx(
    data: bytes, source: bytes, *, name: str, rate: Fraction, timecode: str, number: int
) -> bytes:
    """A DPX picture of FFmpeg's with a header of 2048 bytes, and a user's section behind it.

    Args:
        data: the picture.
        source: the beginning of the picture it was made of, empty or of another kind if that is
            no DPX: its project, device, film and television fields are taken over.
        name: of the source's file, empty for none.
        rate: frames a second.
        timecode: of this frame, empty for none.
        number: of the frame, from 0.
    """
    order = ">" if data[:4] == _MAGIC[0] else "<"
    pixels = struct.unpack_from(order + "I", data, 4)[0]
    header = _plain(data, order)
    user = b""
    if source[:4] in _MAGIC and len(source) >= HEADER_BYTES:
        user = _take_over(header, source, order)
    struct.pack_into(order + "f", header, 1724, float(rate))
    struct.pack_into(order + "f", header, 1940, float(rate))
    if header[1712:1716] == _UNDEFINED * 4:
        struct.pack_into(order + "I", header, 1712, number)
    if timecode:
        struct.pack_into(order + "I", header, 1920, _coded(timecode))
    header[1432:1532] = name.encode("ascii", "replace")[:99].ljust(100, b"\0")
    begin = HEADER_BYTES + len(user)
    struct.pack_into(order + "I", header, 4, begin)
    struct.pack_into(order + "I", header, 16, begin + len(data) - pixels)
    struct.pack_into(order + "3I", header, 24, _GENERIC, _INDUSTRY, len(user) or 0xFFFFFFFF)
    struct.pack_into(order + "I", header, _ELEMENT + 28, begin)
    return bytes(header) + user + data[pixels:]


def _plain(data: bytes, order: str) -> bytearray:
    """What FFmpeg wrote of the picture itself; all else undefined, texts empty."""
    header = bytearray(_UNDEFINED * HEADER_BYTES)
    header[: _ELEMENT + _ELEMENT_BYTES] = data[: _ELEMENT + _ELEMENT_BYTES]
    header[660:664] = _UNDEFINED * 4  # encryption: none
    header[_ELEMENT + 4 : _ELEMENT + 20] = _UNDEFINED * 16  # reference codes
    for start, size in ((1432, 100), *_TEXTS[:5], (1664, 48), (1732, 132)):
        header[start : start + size] = bytes(size)
    aspect = struct.unpack_from(order + "2I", data, _ASPECT)
    struct.pack_into(order + "2I", header, _ASPECT, *(aspect if all(aspect) else (1, 1)))
    return header


def _take_over(header: bytearray, source: bytes, order: str) -> bytes:
    """Put a scan's fields into a header; what a user wrote behind its own."""
    other = ">" if source[:4] == _MAGIC[0] else "<"
    pixels, user = (struct.unpack_from(other + "I", source, at)[0] for at in (4, 32))
    header[_TRANSFER : _COLORIMETRIC + 1] = source[_TRANSFER : _COLORIMETRIC + 1]
    for start, size in _TEXTS:
        if start + size <= pixels:
            header[start : start + size] = source[start : start + size]
    for fields, kind in ((_WORDS, "I"), (_HALVES, "H")):
        width = struct.calcsize(kind)
        for start, count in fields:
            if start + width * count <= pixels:
                values = struct.unpack_from(f"{other}{count}{kind}", source, start)
                struct.pack_into(f"{order}{count}{kind}", header, start, *values)
    if not user or user > min(_MOST_USER_BYTES, pixels - HEADER_BYTES, len(source) - HEADER_BYTES):
        return b""
    return source[HEADER_BYTES : HEADER_BYTES + user]


def _coded(timecode: str) -> int:
    """Hours, minutes, seconds and frames in BCD, from the highest byte down (ST 12-1)."""
    word = int("".join(c for c in timecode if c.isdigit()), 16)
    return word if timecode[8] == ":" else word | 0x40
