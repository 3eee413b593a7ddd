"""The timecode of a later frame (SMPTE ST 12-1)."""

from __future__ import annotations

import re
from fractions import Fraction

_FORM = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")


def counts_at(timecode: str, rate: Fraction) -> bool:
    """Is it a timecode of that rate: no frame beyond a second, no drop-frame where none is?"""
    return later_timecode(timecode, 0, rate) is not None


def later_timecode(timecode: str, frames: int, rate: Fraction) -> str | None:
    """The timecode `frames` after `timecode`, which counts at `rate` and wraps after a day.

    A semicolon or a point before the frames says drop-frame: at 30000/1001 frames a second the
    numbers 00 and 01 are skipped in every minute but each tenth (four numbers at 60000/1001), so
    that an hour of timecode lasts an hour (ST 12-1, 5.2.2).

    Returns:
        None if `timecode` is none, or counts otherwise than this rate.
    """
    match = _FORM.fullmatch(timecode)
    if match is None or not rate:
        return None
    hours, minutes, seconds, frame = (int(match[n]) for n in (1, 2, 3, 5))
    second = round(rate)
    drops = match[4] != ":"
    if minutes > 59 or seconds > 59 or frame >= second or (drops and second % 30):
        return None
    skipped = second // 15 if drops else 0
    total = (hours * 60 + minutes) * 60 * second + seconds * second + frame
    whole_minutes = hours * 60 + minutes
    total -= skipped * (whole_minutes - whole_minutes // 10)
    ten_minutes = 600 * second - 9 * skipped
    total = (total + frames) % (144 * ten_minutes)
    tens, rest = divmod(total, ten_minutes)
    # The first of ten minutes skips nothing; the others are shorter by what they skip.
    first = 60 * second
    within = 0 if rest < first else 1 + (rest - first) // (first - skipped)
    total += skipped * (9 * tens + within)
    seconds, frame = divmod(total, second)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours % 24:02}:{minutes:02}:{seconds:02}{match[4]}{frame:02}"
