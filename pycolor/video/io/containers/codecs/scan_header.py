"""What the header of a scanned picture says of the film: DPX (SMPTE ST 268-1) and OpenEXR."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

HEADER_BYTES = 2048  # of DPX
_FIELDS_END = 1944  # behind the last field that is read
_EXR_BYTES = 1 << 16  # its header has no fixed length; attributes behind this are not looked for
_HIGHEST_RATE = 240

# ST 268-1, table 5A: what the codes stand for, where it is no video.
_TRANSFERS = {1: "printing density (log)", 2: "linear light", 3: "log"}
_ORIENTATIONS = 8
# Offset and length of the header's texts, and the tag that each becomes.
_TEXTS = {
    "PROJECT": (260, 200),
    "COPYRIGHT": (460, 200),
    "INPUT_DEVICE": (1556, 32),
    "FILM_FORMAT": (1680, 32),
    "SLATE": (1764, 100),
}
SCAN_TAGS = frozenset(_TEXTS)


@dataclass(frozen=True, kw_only=True)
class ScanHeader:
    """What a scanned picture's header says.

    Attributes:
        rate: frames per second, None if it does not say.
        timecode: of this picture, empty if it has none.
        metadata: names and rights.
        notes: sentences on what the pixels are not treated as.
        certain: the fields lie before the pixels.  FFmpeg ends a DPX header after 1664 bytes, so
            that rate and timecode stand where others look for them only if someone put them there
            over the first pixels: a rate is believed that is told twice, and a timecode that
            counts on from picture to picture.
    """

    rate: Fraction | None = None
    timecode: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    certain: bool = True


def scan_header(data: bytes) -> ScanHeader:
    """Read the header at the beginning of a picture file; empty for one of another kind."""
    if data[:4] in (b"SDPX", b"XPDS") and len(data) >= HEADER_BYTES:
        return _dpx(data)
    if data[:4] == b"v/1\x01":
        return _exr(data[:_EXR_BYTES])
    return ScanHeader()


def nearest_rate(told: float) -> Fraction | None:
    """The rate that a float means: n/1001 where it is that; None for what is no rate."""
    if not math.isfinite(told) or not 1 <= told <= _HIGHEST_RATE:
        return None
    whole = round(told)
    if abs(told - whole) < 1e-3:
        return Fraction(whole)
    ntsc = Fraction(math.ceil(told) * 1000, 1001)
    if abs(told - float(ntsc)) < 5e-3:
        return ntsc
    return Fraction(told).limit_denominator(1000)


def _dpx(data: bytes) -> ScanHeader:
    order = ">" if data[:4] == b"SDPX" else "<"

    def number(kind: str, offset: int) -> int | float:
        found: int | float = struct.unpack_from(order + kind, data, offset)[0]
        return found

    film, television = (nearest_rate(float(number("f", offset))) for offset in (1724, 1940))
    notes = []
    certain = int(number("I", 4)) >= _FIELDS_END
    if not certain and film != television:
        film = television = None
    rate = film or television
    if film and television and film != television:
        notes.append(
            f"the DPX header says {film} frames per second of film and {television} of "
            f"television: {film} is taken"
        )
    transfer = _TRANSFERS.get(data[801])
    if transfer:
        notes.append(
            f"the DPX header says {transfer}: codes are colored as they are, as if they were made "
            "for a display"
        )
    turned = int(number("H", 768))
    if 0 < turned < _ORIENTATIONS:
        notes.append(f"the DPX header says orientation {turned}: the pictures are not turned")
    texts = {
        tag: _text(data[start : start + size])
        for tag, (start, size) in _TEXTS.items()
        if start + size <= number("I", 4)
    }
    return ScanHeader(
        rate=rate,
        timecode=_timecode(int(number("I", 1920)), rate),
        metadata={tag: text for tag, text in texts.items() if text},
        notes=tuple(notes),
        certain=certain,
    )


def _exr(data: bytes) -> ScanHeader:
    rate = None
    found = re.search(rb"framesPerSecond\0rational\0\x08\0\0\0(.{8})", data, re.DOTALL)
    if found:
        above, below = struct.unpack("<iI", found[1])
        rate = nearest_rate(above / below) if below else None
    found = re.search(rb"timeCode\0timecode\0\x08\0\0\0(.{4})", data, re.DOTALL)
    code = struct.unpack("<I", found[1])[0] if found else 0xFFFFFFFF
    return ScanHeader(rate=rate, timecode=_timecode(code, rate))


def _timecode(word: int, rate: Fraction | None) -> str:
    """Hours, minutes, seconds and frames in BCD, from the highest byte down (ST 12-1)."""
    if word in (0, 0xFFFFFFFF):  # all zeros: what programs write that know of none
        return ""
    masks = (0x3F, 0x7F, 0x7F, 0x3F)
    fields = [word >> shift & mask for shift, mask in zip((24, 16, 8, 0), masks, strict=True)]
    if any(f >> 4 > 9 or f & 15 > 9 for f in fields):
        return ""
    hours, minutes, seconds, frames = ((f >> 4) * 10 + (f & 15) for f in fields)
    if hours > 23 or minutes > 59 or seconds > 59 or (rate and frames >= math.ceil(rate)):
        return ""
    drops = bool(word & 0x40) and (rate is None or round(rate) % 30 == 0)
    return f"{hours:02}:{minutes:02}:{seconds:02}{';' if drops else ':'}{frames:02}"


def _text(field_bytes: bytes) -> str:
    text = field_bytes.partition(b"\0")[0].partition(b"\xff")[0]
    return text.decode("ascii", "ignore").strip()
