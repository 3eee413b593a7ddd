"""Are the frames the same: their luma and their times?"""

from __future__ import annotations

import hashlib
import math
from array import array
from collections.abc import Iterator
from fractions import Fraction
from statistics import median

import numpy as np
import numpy.typing as npt

from pycolor.video.io import Frame, Plane, Reader, change_codes
from pycolor.video.io.frame.digest import luma_digest
from pycolor.video.io.write.timing.clock import JITTER, MILLISECOND
from pycolor.video.verify.report import Check, State

# What v210 can hold: SDI keeps the codes outside for synchronization.
SDI_CODES = (4, 1019)
# A lossy frame below this is not the same picture coded coarsely; another frame scores lower.
LEAST_PSNR_DB = 28.0
# Coders err by the sample; what was changed errs by the place.  The mean of 16×16 samples is off by
# at most 2.5 codes of 8 bits at CRF 20 (archival films, H.264 and VP9), a changed one by more than
# these, or by more than the other frames' are.  A single one may be off by what the film flickers,
# where the coder repeats a block of another frame: little is said of a place by one block alone.
MOST_BLOCK_ERROR = 8.0
_NOTABLE_BLOCK_ERROR, _TIMES_THE_MEDIAN = 3.0, 2.5
_BLOCK = 16


def _block_errors(error: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The largest mean, without its sign, of a block of an error, and the second largest."""
    height, width = (max(1, size // _BLOCK) for size in error.shape)
    rows, columns = (min(size, _BLOCK) for size in error.shape)
    whole = error[: height * rows, : width * columns]
    means = np.abs(whole.reshape(height, rows, width, columns).mean((1, 3))).ravel()
    first, second = np.partition(means, -2)[:-3:-1] if means.size > 1 else (means[0], means[0])
    return float(first), float(second)


class Pictures:
    """Luma and time of every pair of frames."""

    def __init__(self, before: Reader, after: Reader, *, shift: Fraction, has_times: bool) -> None:
        self._before, self._after = before.info, after.info
        self.pairs = self.identical = self.damaged = 0
        self.alone: tuple[int, int] = (0, 0)
        self.digest = hashlib.sha256()
        self.least_psnr = math.inf
        self.worst = -1
        # In codes of 8 bits, at what frame: of one block, and of a place of more than one.
        self._block: tuple[float, int] = (0.0, -1)
        self._place: tuple[float, int] = (0.0, -1)
        self._places = array("f")  # of each lossy frame
        self._sum_psnr = 0.0
        self._finite = 0
        self._shift = shift
        self._has_times = has_times
        self._last: Fraction | None = None
        self._late = Fraction(0)
        self._late_at = -1

    def add(self, before: Frame | None, after: Frame | None) -> None:
        if before is None or after is None:
            missing, extra = self.alone
            self.alone = (missing + (after is None), extra + (before is None))
            return
        luma = after.luma
        digest = luma_digest(luma)
        self.digest.update(digest)
        late = self._lateness(before.time - self._shift, after.time)
        if late > self._late:
            self._late, self._late_at = late, before.index
        if before.luma.shape == luma.shape:
            expected = change_codes(before.luma, self._before.encoding, self._after.encoding)
            if self._after.codec == "v210":
                expected = expected.copy()
                np.clip(expected, *SDI_CODES, out=expected)
            if luma_digest(expected) == digest:
                self.identical += 1
            elif before.corrupt:  # what a decoder makes of a broken frame may differ each time
                self.damaged += 1
            else:
                self._score(expected, luma, before.index)
        else:
            self._score_nothing(before.index)
        self.pairs += 1

    def _lateness(self, due: Fraction, time: Fraction) -> Fraction:
        """How far a frame is from its time; none where a clock too coarse moved it one tick up."""
        last, self._last = self._last, time
        tick = self._after.time_base
        crowded = last is not None and due < last + tick and time == last + tick
        return Fraction(0) if crowded and tick == MILLISECOND else abs(time - due)

    def _rounding(self) -> Fraction:
        """What the source's clock may have moved a frame by, where no tick is a frame's time."""
        clocks = (self._before.time_base, self._after.time_base)
        rounding = [b for b in clocks if b < MILLISECOND and (self._before.rate * b).numerator > 1]
        return max([*rounding, JITTER]) / 2 if rounding else Fraction(0)

    @property
    def mean_psnr(self) -> float:
        return self._sum_psnr / self._finite if self._finite else math.inf

    def _score(self, expected: Plane, luma: Plane, index: int) -> None:
        error = np.subtract(expected, luma, dtype=np.float32)
        mean = float(np.mean(np.square(error), dtype=np.float64))
        peak = (1 << self._after.encoding.bit_depth) - 1
        psnr = 10 * math.log10(peak * peak / mean)
        self._sum_psnr += psnr
        self._finite += 1
        if psnr < self.least_psnr:
            self.least_psnr, self.worst = psnr, index

        block, place = (each * 255 / peak for each in _block_errors(error))
        self._block = max(self._block, (block, index), key=lambda each: each[0])
        self._place = max(self._place, (place, index), key=lambda each: each[0])
        self._places.append(place)

    def _changed(self) -> str:
        """Where a place of a frame is another, not a coarser one; empty if nowhere."""
        worst, at = self._place
        usual = median(self._places) if len(self._places) >= _BLOCK // 2 else worst
        if self._block[0] > MOST_BLOCK_ERROR:
            worst, at = self._block
        elif worst <= _NOTABLE_BLOCK_ERROR or worst <= _TIMES_THE_MEDIAN * usual:
            return ""
        return f"; a part of frame {at} is off by {worst:.1f} codes of 8 bits on average"

    def _score_nothing(self, index: int) -> None:
        self.least_psnr, self.worst = 0.0, index

    def checks(self, *, demanded: bool) -> Iterator[Check]:
        missing, extra = self.alone
        total = self.pairs + missing
        yield Check(
            name="frames",
            state="ok" if not missing and not extra else "differs",
            detail=f"{total} in the source, {self.pairs + extra} in the result",
        )
        yield self._luma(demanded)
        yield self._times()

    def _luma(self, demanded: bool) -> Check:
        before, after = self._before.encoding.bit_depth, self._after.encoding.bit_depth
        note = "" if before == after else f", {before} bits carried as {after}"
        if before > after:
            note = f", {before} bits rounded to {after}"
        if self._after.codec == "v210":
            note += f", in v210's codes {SDI_CODES[0]} to {SDI_CODES[1]}"
        detail = f"{self.identical}/{self.pairs} planes identical{note}"
        if self.damaged:
            detail += f"; {self.damaged} that are damaged in the source decode otherwise each time"
        if self.identical + self.damaged == self.pairs:
            state: State = "note" if self.damaged else "ok"
            return Check(name="luma", state=state, detail=detail)
        detail += f"; PSNR {self.mean_psnr:.1f} dB, least {self.least_psnr:.1f} dB"
        detail += f" (frame {self.worst})"
        changed = self._changed()
        detail += changed
        bad = demanded or self.least_psnr < LEAST_PSNR_DB or bool(changed)
        return Check(name="luma", state="differs" if bad else "ok", detail=detail)

    def _times(self) -> Check:
        if not self._late:
            return Check(name="timestamps", state="ok", detail="equal as rationals")
        late = f"{float(self._late * 1000):.3f} ms"
        if MILLISECOND in (self._before.time_base, self._after.time_base):
            allowed, clock = MILLISECOND / 2, "1 ms clock"
        else:
            allowed, clock = self._rounding(), "source's clock"
        if self._late <= allowed:
            detail = f"within half a tick of the {clock} (at most {late})"
            return Check(name="timestamps", state="ok", detail=detail)
        detail = f"off by up to {late}, at frame {self._late_at}"
        if not self._has_times:
            detail += ", in a container that has no times of frames"
            return Check(name="timestamps", state="note", detail=detail)
        return Check(name="timestamps", state="differs", detail=detail)
