"""Film on video by flags: 24 frames a second shown in the fields of 30 (2:3 pulldown).

DVDs and broadcasts code a film's frames once and flag every other one to be shown for three
fields in place of two (ISO/IEC 13818-2, 6.3.10, repeat_first_field).  Headers then tell the rate
of the display.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av.error

from pycolor.video.io.frame.film import rational
from pycolor.video.io.read.opening.source import frame_rate, open_source, picture_stream

_CODECS = ("mpeg2video", "h264", "vc1")
_CONTAINERS = ("mpeg", "mpegts", "mpegvideo")
_LOOKED_AT = 48  # packets


@dataclass(frozen=True, kw_only=True)
class Pulldown:
    """What flags make of a film.

    Attributes:
        rate: frames a second on average, where every other frame is shown for three fields; None
            where the flags follow no such order.
        shown: frames a second of the display.
    """

    rate: Fraction | None
    shown: Fraction

    def __str__(self) -> str:
        shown = f"{float(self.shown):.6g}"
        what = f"film at {float(self.rate):.6g} frames a second" if self.rate else "frames"
        return (
            f"{what} shown at {shown} by repeated fields (pulldown flags): frames keep their "
            "times, the flags are not written"
        )


def find_pulldown(path: Path, container: str, codec: str) -> Pulldown | None:
    """By the first packets of a film; None where no field is repeated.

    Args:
        path: of it.
        container: FFmpeg's name.
        codec: FFmpeg's name.
    """
    if container not in _CONTAINERS or codec not in _CODECS or not path.is_file():
        return None
    with open_source(path) as film:
        stream = picture_stream(film, path)
        rate, base = frame_rate(stream), rational(stream.time_base)
        fields: list[int] = []
        try:
            for packet in film.demux(stream):
                if packet.size and packet.duration:
                    fields.append(round(packet.duration * base * 2 * rate))
                if len(fields) == _LOOKED_AT:
                    break
        except av.error.FFmpegError:
            pass  # the Reader says what is broken
    if 3 not in fields or not set(fields) <= {2, 3}:
        return None
    longer = Fraction(fields.count(3), len(fields))
    return Pulldown(
        rate=rate * Fraction(4, 5) if abs(longer - Fraction(1, 2)) < 0.1 else None, shown=rate
    )
