"""Are frames missing?  A demuxer that goes on behind damage does not say what it left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

# A film with more than one gap in as many frames is one of varying rate, which has none.
_STEADY = 16
# Of few frames nobody can know; but what is as long as this, at a place or two, is told.
_LONG, _FEW = Fraction(1, 2), 2
_MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A time without a picture.

    Attributes:
        time: of the last frame before it, seconds.
        seconds: from that frame to the next.
        frames: how many would have stood in between.
    """

    time: Fraction
    seconds: Fraction
    frames: int

    def __str__(self) -> str:
        return f"no frame follows for {float(self.seconds):.3f} s ({self.frames} missing)"


@dataclass(kw_only=True)
class Continuity:
    """Watches the times of a film's frames go by.

    Attributes:
        step: seconds between frames at the film's rate; 0 if that is not known.
        tick: of the film's clock, seconds.
        due: when the next frame should come; None before the first if that is not known.
        last: time of the last frame so far.
    """

    step: Fraction
    tick: Fraction
    due: Fraction | None = None
    last: Fraction | None = None
    _regular: int = 0
    _other: int = 0
    _found: list[Gap] = field(default_factory=list)

    def add(self, time: Fraction, lasting: Fraction) -> None:
        """The next frame's time, and for how long it says that it is shown (0: not said)."""
        last, due = self.last, self.due
        self.last, self.due = time, time + max(self.step, lasting)
        if not self.step:
            return
        if last is not None and abs(time - last - self.step) <= min(self.tick, self.step / 4):
            self._regular += 1
            return
        self._other += last is not None
        missing = 0 if due is None else round((time - due) / self.step)
        if missing >= 1 and due is not None and len(self._found) < _MOST:
            begin = due if last is None else last
            self._found.append(Gap(time=begin, seconds=time - begin, frames=missing))

    def gaps(self) -> list[Gap]:
        """The gaps of a film whose rate is steady but for them; none of one that varies."""
        if self._steady:
            return self._found
        if self._other <= _FEW and 2 * self._other <= self._regular:
            return [gap for gap in self._found if gap.seconds >= _LONG]
        return []

    @property
    def _steady(self) -> bool:
        return self._other * _STEADY <= self._regular

    def shortfall(self, promised: Fraction, *, cut: bool = False) -> int:
        """Frames that are missing at the end, if the film was to last until `promised` seconds.

        `cut`: an edit list hides the beginning.  Where it begins within a frame, FFmpeg leaves
        that frame out and moves the others to its place, and the header still counts its rest.
        """
        if self.due is None or not self.step or (self._other and not self._steady):
            return 0  # of a varying rate, the last frame may be as long as it likes
        left_out = Fraction(1, 2) if cut else 0  # between nothing and a frame
        return max(0, round((promised - self.due) / self.step - left_out))
