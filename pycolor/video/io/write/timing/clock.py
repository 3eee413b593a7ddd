"""From the source's ticks to the output's, without moving a frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

# Matroska, WebM and FLV round every timestamp to this clock.
MILLISECOND = Fraction(1, 1000)
# MP4 counts ticks in 32 bits; finer clocks would leave too few seconds.
_FINEST = 10**6
# FFmpeg fills in the times that MPEG streams leave out, and rounds each step down: at 24000/1001
# frames a second on a clock of 1/90000 s, a group of pictures loses so much until it is corrected.
JITTER = Fraction(1, 4000)
# A film with more than one gap in as many frames is one of varying rate.
_STEADY = 16


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Maps a pts in `source_base` to one in `time_base`, `shift` seconds earlier.

    A source on a coarse clock (1 ms, or 1/90000 s at 24000/1001 frames a second) has lost the
    exact times of its frames.  Where a frame lies within `tolerance` of the grid
    `origin + n / rate` it belongs on the grid and is put back there; any other frame keeps its
    tick.  Elsewhere the map is exact.

    Attributes:
        rate: the grid's, 0 for no grid.
        origin: time of a frame on the grid, seconds.
        tolerance: seconds; half a tick of the source where it is 0.
    """

    source_base: Fraction
    time_base: Fraction
    shift: Fraction = Fraction(0)
    rate: Fraction = Fraction(0)
    origin: Fraction = Fraction(0)
    tolerance: Fraction = Fraction(0)

    def __call__(self, pts: int) -> int:
        time = pts * self.source_base
        if self.rate:
            nearest = self.origin + round((time - self.origin) * self.rate) / self.rate
            if abs(nearest - time) <= (self.tolerance or self.source_base / 2):
                time = nearest
        return round((time - self.shift) / self.time_base)

    def length(self, ticks: int) -> int:
        """A duration, in output ticks; 0 stays 0 (unknown)."""
        if self.rate and abs(ticks * self.source_base - 1 / self.rate) < self.source_base:
            return round(1 / self.rate / self.time_base)
        return round(ticks * self.source_base / self.time_base)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Equal steps that all frames of a film lie on, but for the rounding of its clock.

    Attributes:
        rate: steps a second.
        origin: time of the first frame, seconds.
        tolerance: no frame is farther from its place, seconds.
        gaps: places where steps have no frame.
        frames: of the film.
    """

    rate: Fraction
    origin: Fraction
    tolerance: Fraction
    gaps: int
    frames: int

    @property
    def constant(self) -> bool:
        """Is it a film of constant rate, damaged in places at most?"""
        return self.gaps * _STEADY <= self.frames


def grid_of(timeline: Sequence[int], base: Fraction, rate: Fraction) -> Grid | None:
    """The grid of a film of constant rate; None if its frames lie on none.

    Args:
        timeline: pts of all frames, rising.
        base: seconds a tick.
        rate: as the container tells it; where the times speak of another, that one is tried too
            (some count fields).
    """
    if not timeline:
        return None
    if len(timeline) == 1:
        return Grid(rate=rate, origin=timeline[0] * base, tolerance=Fraction(0), gaps=0, frames=1)
    length = (timeline[-1] - timeline[0]) * base
    measured = (len(timeline) - 1) / length
    whole = Fraction(round(measured))
    candidates = rate, whole, whole * 1000 / 1001, measured.limit_denominator(1001)
    with_gaps = None
    for candidate in dict.fromkeys(candidates):
        found = _fits(timeline, base, candidate) if candidate > 0 else None
        if found is not None and not found.gaps:
            return found
        with_gaps = with_gaps or found
    return with_gaps


def _fits(timeline: Sequence[int], base: Fraction, rate: Fraction) -> Grid | None:
    # In whole numbers, for a film may have a million frames: a step is `up` / `down` ticks.
    step = 1 / (rate * base)
    up, down = step.numerator, step.denominator
    most = down if down > 1 else 0  # a tick, where the clock cannot tell each frame's time
    if most and base < JITTER:
        most = round(JITTER / base * down)
    first, low, high, last = timeline[0], 0, 0, -1
    gaps = 0
    for pts in timeline:
        # In `down`-ths of a tick: how late it is behind the first, and behind its place.
        late = (pts - first) * down
        place = (2 * late + up) // (2 * up)
        if place <= last:
            return None
        gaps += place > last + 1
        last = place
        low, high = min(low, late - place * up), max(high, late - place * up)
        if high - low > most:
            return None
    origin, off = first * base, Fraction(max(high, -low), down)
    if 2 * off > 1:  # the first frame itself was rounded
        origin += Fraction(low + high, 2 * down) * base
        off = Fraction(high - low, 2 * down)
    return Grid(rate=rate, origin=origin, tolerance=off * base, gaps=gaps, frames=len(timeline))


def drift(timeline: Sequence[int], base: Fraction, rate: Fraction) -> Fraction:
    """How far the frames are at most from a constant rate, seconds."""
    times: Iterator[Fraction] = ((pts - timeline[0]) * base for pts in timeline)
    return max((abs(t - n / rate) for n, t in enumerate(times)), default=Fraction(0))


def exact_clock(source_base: Fraction, *, shift: Fraction = Fraction(0)) -> Clock:
    """The source's own ticks; the shift must be a whole number of them."""
    return Clock(source_base=source_base, time_base=source_base, shift=shift)


def constant_clock(source_base: Fraction, grid: Grid, *, shift: Fraction = Fraction(0)) -> Clock:
    """For a film of constant rate: its own ticks, or finer ones where they cannot tell a frame."""
    step = 1 / (grid.rate * source_base)
    if step.denominator == 1:
        return exact_clock(source_base, shift=shift)
    base = Fraction(1, lcm(grid.rate.numerator, (grid.origin - shift).denominator))
    if base.denominator > _FINEST:  # its first frame is rounded too, to less than a microsecond
        base = Fraction(1, grid.rate.numerator * (_FINEST // grid.rate.numerator or 1))
    return Clock(
        source_base=source_base,
        time_base=base,
        shift=shift,
        rate=grid.rate,
        origin=grid.origin,
        tolerance=grid.tolerance,
    )


def grid_clock(
    source_base: Fraction, *, rate: Fraction, origin: Fraction, shift: Fraction = Fraction(0)
) -> Clock:
    """For an output of finer ticks than the source's, of frames not known before; see `Clock`.

    The ticks divide both the source's tick and the frame, so either can be told exactly.
    """
    step = 1 / (rate * source_base) if rate else Fraction(1)
    if step.denominator == 1 or not 1 <= rate <= 240:
        return exact_clock(source_base, shift=shift)
    base = Fraction(1, lcm(source_base.denominator, rate.numerator, shift.denominator))
    if base.denominator > _FINEST:
        return exact_clock(source_base, shift=shift)
    return Clock(source_base=source_base, time_base=base, shift=shift, rate=rate, origin=origin)
