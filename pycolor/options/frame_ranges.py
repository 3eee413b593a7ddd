"""Rates, ranges of frames and timecodes, as a person writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

from pycolor.errors import UsageError

_NTSC = Fraction(1000, 1001)
_TIMECODE = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})([:;])(\d{1,3})")


@dataclass(frozen=True)
class Timecode:
    """Hours, minutes, seconds and frames (SMPTE ST 12-1); `drop` skips numbers, not frames."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    drop: bool = False

    def frame(self, rate: Fraction) -> int:
        """The number of the frame, 00:00:00:00 being 0.

        Raises:
            UsageError: there is no such timecode at this rate.
        """
        base = -(-rate.numerator // rate.denominator)
        if self.minutes > 59 or self.seconds > 59 or self.frames >= base:
            raise UsageError(f"timecode {self} does not exist at {base} frames a second.")
        minutes = self.hours * 60 + self.minutes
        number = (minutes * 60 + self.seconds) * base + self.frames
        if not self.drop:
            return number
        skipped = base // 15  # 2 of 30, 4 of 60, at every minute but each tenth
        if rate != base * _NTSC or base % 30:
            raise UsageError(f"drop-frame timecode {self} needs 29.97 or 59.94 frames a second.")
        if self.frames < skipped and self.seconds == 0 and self.minutes % 10:
            raise UsageError(f"timecode {self} is one of those that drop frame leaves out.")
        return number - skipped * (minutes - minutes // 10)

    def __str__(self) -> str:
        mark = ";" if self.drop else ":"
        clock = f"{self.hours:02d}:{self.minutes:02d}:{self.seconds:02d}"
        return f"{clock}{mark}{self.frames:02d}"


def _parsed(text: str) -> tuple[int | Timecode, int | Timecode | None]:
    """Begin and end of a range of frames, in numbers or in timecodes."""
    numbers = re.fullmatch(r"(\d{0,12}):(\d{0,12})", text)
    if numbers:
        first, stop = int(numbers[1] or 0), int(numbers[2]) if numbers[2] else None
        if stop is None or first < stop:
            return first, stop
    begin, dash, end = text.replace(" ", "").partition("-")
    codes = [_TIMECODE.fullmatch(part) for part in (begin, end)]
    if (
        dash
        and (begin or end)
        and all(code or not part for code, part in zip(codes, (begin, end), strict=True))
    ):
        first_code, stop_code = (code and _timecode(code) for code in codes)
        return first_code or 0, stop_code
    raise UsageError(
        f"frames must be A:B with 0 <= A < B, or HH:MM:SS:FF-HH:MM:SS:FF, got {text!r}."
    )


def check_frame(text: str) -> None:
    """Refuse what `frame_number` does not read.

    Raises:
        UsageError: it is neither a number nor a timecode.
    """
    if not re.fullmatch(r"\d{1,12}", text) and not _TIMECODE.fullmatch(text):
        raise UsageError(f"frame must be a number from 0, or HH:MM:SS:FF, got {text!r}.")


def frame_number(text: str, rate: Fraction) -> int:
    """The number of a frame, from 0.

    Args:
        text: it, or a timecode HH:MM:SS:FF, counted from the first frame.
        rate: frames per second, for a timecode.

    Raises:
        UsageError: there is no such timecode at this rate.
    """
    check_frame(text)
    code = _TIMECODE.fullmatch(text)
    return int(text) if code is None else _timecode(code).frame(rate)


def _timecode(code: re.Match[str]) -> Timecode:
    return Timecode(int(code[1]), int(code[2]), int(code[3]), int(code[5]), code[4] == ";")


def check_frames(text: str) -> None:
    """Refuse what `frame_range` does not read.

    Raises:
        UsageError: it is none.
    """
    _parsed(text)


def has_timecodes(text: str) -> bool:
    """Whether a range is given in timecodes, which need a rate."""
    return any(isinstance(end, Timecode) for end in _parsed(text))


def frame_range(text: str, rate: Fraction | None = None) -> tuple[int, int | None] | None:
    """A range of frames from A:B, either left out; None for the whole film.

    Args:
        text: numbers of frames, or HH:MM:SS:FF-HH:MM:SS:FF, counted from the first frame.
        rate: frames per second, which timecodes need.

    Raises:
        UsageError: it is none.
    """
    first, stop = _parsed(text)
    if has_timecodes(text):
        if rate is None:
            raise UsageError(f"frames must be A:B where no rate is known, got {text!r}.")
        first = first.frame(rate) if isinstance(first, Timecode) else first
        stop = stop.frame(rate) if isinstance(stop, Timecode) else stop
        if stop is not None and stop <= first:
            raise UsageError(f"frames must end after they begin, got {text!r}.")
    return None if (first, stop) == (0, None) else (first, stop)  # type: ignore[return-value]


def frame_rate(text: str | None) -> Fraction | None:
    """Frames per second from N, N/D or a decimal, exact; None of None.

    A decimal that is a rate of NTSC to its digits is that: 23.976, 23.98 and 23.97 are 24000/1001.

    Raises:
        UsageError: it is none, or one that no film has.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)(?:/(\d+)|\.(\d{1,6}))?", str(text))
    # Containers count in 32 bits, and no camera takes more than a thousand frames a second.
    rate = Fraction(0)
    if found and found[3]:
        rate = _decimal_rate(Decimal(found[0])) if len(found[1]) < 5 else rate
    elif found and all(0 < int(part or 1) < 1 << 31 for part in found.groups()[:2]):
        rate = Fraction(int(found[1]), int(found[2] or 1))
    if not 0 < rate <= 1000:
        raise UsageError(
            "rate must be frames per second, a number or a fraction such as 24000/1001, up "
            f"to 1000; got {text!r}."
        )
    return rate


def _decimal_rate(value: Decimal) -> Fraction:
    whole = Fraction(value)
    ntsc = round(whole / _NTSC) * _NTSC
    digits = Decimal(1).scaleb(value.as_tuple().exponent)  # type: ignore[arg-type]
    exact = Decimal(ntsc.numerator) / Decimal(ntsc.denominator)
    near = (exact.quantize(digits, rounding=r) for r in (ROUND_HALF_UP, ROUND_DOWN))
    return ntsc if digits <= Decimal("0.01") and value in near else whole
