"""From the source's ticks to the output's, without moving a frame."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

# Matroska, WebM and FLV round every timestamp to this clock.
MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Maps a pts in `source_base` to one in `time_base`, `shift` seconds earlier.

    A source on a millisecond clock has lost the exact times of its frames.  Where a frame lies
    within half a millisecond of the grid `origin + n / rate` it belongs on the grid and is put
    back there; any other frame keeps its millisecond.  Elsewhere the map is exact.

    Attributes:
        rate: the grid's, 0 for no grid.
        origin: time of a frame on the grid, seconds.
    """

    source_base: Fraction
    time_base: Fraction
    shift: Fraction = Fraction(0)
    rate: Fraction = Fraction(0)
    origin: Fraction = Fraction(0)

    def __call__(self, pts: int) -> int:
        time = pts * self.source_base
        if self.rate:
            nearest = self.origin + round((time - self.origin) * self.rate) / self.rate
            if abs(nearest - time) <= self.source_base / 2:
                time = nearest
        return round((time - self.shift) / self.time_base)

    def length(self, ticks: int) -> int:
        """A duration, in output ticks; 0 stays 0 (unknown)."""
        if self.rate and abs(ticks * self.source_base - 1 / self.rate) < self.source_base:
            return round(1 / self.rate / self.time_base)
        return round(ticks * self.source_base / self.time_base)


def exact_clock(source_base: Fraction, *, shift: Fraction = Fraction(0)) -> Clock:
    """The source's own ticks; the shift must be a whole number of them."""
    return Clock(source_base=source_base, time_base=source_base, shift=shift)


def grid_clock(
    source_base: Fraction, *, rate: Fraction, origin: Fraction, shift: Fraction = Fraction(0)
) -> Clock:
    """For an output of finer ticks than the source's millisecond; see `Clock`.

    The ticks divide both the millisecond and the frame, so either can be told exactly.
    """
    if source_base != MILLISECOND or not 1 <= rate <= 240:
        return exact_clock(source_base, shift=shift)
    base = Fraction(1, lcm(1000, rate.numerator))
    # MP4 counts ticks in 32 bits; a rate with a large numerator would leave too few seconds.
    if base.denominator > 10**6:
        return exact_clock(source_base, shift=shift)
    return Clock(source_base=source_base, time_base=base, shift=shift, rate=rate, origin=origin)
