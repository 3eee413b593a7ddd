"""Compares two films: is the luma the same, and is everything else still there?"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pycolor.video.io import FilmInfo, Frame, Plane, Reader, StreamInfo, change_codes
from pycolor.video.io.packets import PacketRecord, packet_records
from pycolor.video.io.streams import same_language
from pycolor.video.presets import LIMITED_RANGE_ENCODERS

State = Literal["ok", "differs", "note"]

LOSSLESS_CODECS = (
    "ffv1",
    "ffvhuff",
    "huffyuv",
    "utvideo",
    "magicyuv",
    "v210",
    "v410",
    "rawvideo",
    "png",
    "tiff",
)
MILLISECOND = Fraction(1, 1000)
# What v210 can hold: SDI keeps the codes outside for synchronization.
SDI_CODES = (4, 1019)
# A lossy frame below this is not the same picture coded coarsely; another frame scores lower.
LEAST_PSNR_DB = 28.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the report.

    Attributes:
        name: what was compared.
        state: ok, differs, or note (nothing to fail, but to be known).
        detail: in words, with both values where they differ.
    """

    name: str
    state: State
    detail: str


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """What `verify` found.

    Attributes:
        source, result: the files.
        frames: pairs of frames compared; `identical_frames` of them have the same luma.
        luma_digest: SHA-256 over the SHA-256 of each luma plane of the result.
        psnr_db: mean over frames and least frame, of luma, infinite for identical ones.
        checks: line by line.
    """

    source: str
    result: str
    frames: int
    identical_frames: int
    luma_digest: str
    mean_psnr_db: float
    least_psnr_db: float
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        return all(check.state != "differs" for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`; infinite PSNR is None."""
        plain = asdict(self)
        for key in ("mean_psnr_db", "least_psnr_db"):
            if not math.isfinite(plain[key]):
                plain[key] = None
        return {"ok": self.ok, **plain}


def verify(
    source: str | Path,
    result: str | Path,
    *,
    frames: slice | tuple[int, int | None] | None = None,
    lossless: bool | None = None,
) -> VerifyReport:
    """Compare a colored film with its source; both are read once, frame by frame.

    Args:
        source: the film that was colored.
        result: what came of it.
        frames: the range of the source that was colored, None for all.
        lossless: demand equal luma; None demands it of codecs that are lossless by nature.

    Raises:
        FilmError: if one of them cannot be read.
    """
    with Reader(source, frames=frames) as before, Reader(result) as after:
        demanded = after.info.codec in LOSSLESS_CODECS if lossless is None else lossless
        pictures = _Pictures(before, after)
        for pair in zip_longest(before, after):
            pictures.add(*pair)
        checks = [
            *pictures.checks(demanded=demanded),
            *_tags(before.info, after.info),
            *_streams(before, after, whole=frames is None),
        ]
        for name, reader in (("source", before), ("result", after)):
            checks += _damage(name, reader)
    return VerifyReport(
        source=str(source),
        result=str(result),
        frames=pictures.pairs,
        identical_frames=pictures.identical,
        luma_digest=pictures.digest.hexdigest(),
        mean_psnr_db=pictures.mean_psnr,
        least_psnr_db=pictures.least_psnr if pictures.pairs else math.nan,
        checks=tuple(checks),
    )


def _damage(name: str, reader: Reader) -> Iterator[Check]:
    for warning in reader.info.warnings:
        if "truncated" in warning:
            yield Check(name="damage", state="note", detail=f"{name}: {warning}")
    if reader.damages:
        detail = f"{name}: {reader.damage_count} places, first {reader.damages[0]}"
        yield Check(name="damage", state="note", detail=detail)


def luma_digest(luma: Plane) -> bytes:
    """SHA-256 of the visible samples, row by row, little-endian."""
    return hashlib.sha256(np.ascontiguousarray(luma).data).digest()


class _Pictures:
    """Luma and time of every pair of frames."""

    def __init__(self, before: Reader, after: Reader) -> None:
        self._before, self._after = before.info, after.info
        self.pairs = self.identical = 0
        self.alone: tuple[int, int] = (0, 0)
        self.digest = hashlib.sha256()
        self.least_psnr = math.inf
        self.worst = -1
        self._sum_psnr = 0.0
        self._finite = 0
        self._shift = before.start_time or Fraction(0)
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
        late = abs(after.time - (before.time - self._shift))
        if late > self._late:
            self._late, self._late_at = late, before.index
        if before.luma.shape == luma.shape:
            expected = change_codes(before.luma, self._before.encoding, self._after.encoding)
            if self._after.codec == "v210":
                expected = expected.copy()
                np.clip(expected, *SDI_CODES, out=expected)
            if luma_digest(expected) == digest:
                self.identical += 1
            else:
                self._score(expected, luma, before.index)
        else:
            self._score_nothing(before.index)
        self.pairs += 1

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
        if self.identical == self.pairs:
            return Check(name="luma", state="ok", detail=detail)
        detail += f"; PSNR {self.mean_psnr:.1f} dB, least {self.least_psnr:.1f} dB"
        detail += f" (frame {self.worst})"
        bad = demanded or self.least_psnr < LEAST_PSNR_DB
        return Check(name="luma", state="differs" if bad else "ok", detail=detail)

    def _times(self) -> Check:
        if not self._late:
            return Check(name="timestamps", state="ok", detail="equal as rationals")
        clocks = (self._before.time_base, self._after.time_base)
        allowed = MILLISECOND / 2 if MILLISECOND in clocks else Fraction(0)
        late = f"{float(self._late * 1000):.3f} ms"
        if self._late <= allowed:
            detail = f"within half a tick of the 1 ms clock (at most {late})"
            return Check(name="timestamps", state="ok", detail=detail)
        detail = f"off by up to {late}, at frame {self._late_at}"
        return Check(name="timestamps", state="differs", detail=detail)


# -- tags --------------------------------------------------------------------------------------


def _tags(before: FilmInfo, after: FilmInfo) -> Iterator[Check]:
    yield _same("size", f"{before.width}×{before.height}", f"{after.width}×{after.height}")
    aspects = [i.pixel_aspect or Fraction(1) for i in (before, after)]
    yield _same("pixel aspect", *(f"{a.numerator}:{a.denominator}" for a in aspects))
    ranges = ["full" if i.encoding.full_range else "limited" for i in (before, after)]
    if ranges == ["full", "limited"] and after.codec in LIMITED_RANGE_ENCODERS:
        yield Check(
            name="range",
            state="note",
            detail=f"full carried as limited, all that {after.codec} has",
        )
    else:
        yield _same("range", *ranges)
    if before.matrix_code != after.matrix_code and before.encoding.matrix == after.encoding.matrix:
        detail = f"{before.matrix_name}, stored as {after.matrix_name}, its equal"
        yield Check(name="matrix", state="ok", detail=detail)
    else:
        yield _same("matrix", before.matrix_name, after.matrix_name)
    yield _same("primaries", _code(before.tags.primaries), _code(after.tags.primaries))
    yield _same("transfer", _code(before.tags.transfer), _code(after.tags.transfer))
    if not before.gray and before.encoding.subsampling in ("420", "422"):
        yield _same(
            "chroma location", before.encoding.chroma_location, after.encoding.chroma_location
        )
    yield _same("rotation", _matrix(before), _matrix(after))
    if before.field_order != "unknown" or before.interlaced:
        yield _same("field order", _fields(before), _fields(after))
    yield _same("timecode", before.timecode or "none", after.timecode or "none")


def _code(code: int) -> str:
    """A code point of H.273, in words where it says nothing."""
    return "not stored" if code == 2 else f"code {code} of H.273"


def _same(name: str, before: str, after: str) -> Check:
    if before == after:
        return Check(name=name, state="ok", detail=before)
    return Check(
        name=name, state="differs", detail=f"{before} in the source, {after} in the result"
    )


def _fields(info: FilmInfo) -> str:
    if info.field_order == "unknown":
        return "unknown, interlaced" if info.interlaced else "progressive"
    return info.field_order


def _matrix(info: FilmInfo) -> str:
    if info.display_matrix is None:
        return "none"
    a, b, _, c, d = info.display_matrix[:5]
    turn = f"{info.rotation}°"
    return turn if a * d - b * c > 0 else f"{turn} mirrored"


# -- the other streams -------------------------------------------------------------------------


def _streams(before: Reader, after: Reader, *, whole: bool) -> Iterator[Check]:
    results = list(after.info.streams)
    for stream in before.info.streams:
        if stream.kind in ("data", "attachment", "cover art"):
            continue
        match = next((r for r in results if _corresponds(stream, r)), None)
        if match is None:
            yield Check(
                name=f"{stream.kind} {stream.index}",
                state="differs",
                detail=f"{stream} is not in the result",
            )
            continue
        results.remove(match)
        yield _packets(before, after, stream, match, whole=whole)
    if whole:
        yield _same("chapters", str(before.info.chapters), str(after.info.chapters))


_TEXT = ("mov_text", "subrip", "text")
_MPEG_SOUND = ("mp1", "mp2", "mp3")  # MP4 has one name for all of them


def _corresponds(a: StreamInfo, b: StreamInfo) -> bool:
    if a.kind != b.kind:
        return False
    families = (_TEXT, _MPEG_SOUND)
    return a.codec == b.codec or any(a.codec in f and b.codec in f for f in families)


def _packets(
    before: Reader, after: Reader, one: StreamInfo, other: StreamInfo, *, whole: bool
) -> Check:
    name = f"{one.kind} {one.index}"
    if not same_language(one.language, other.language):
        detail = f"language {one.language or 'none'} became {other.language or 'none'}"
        return Check(name=name, state="differs", detail=detail)
    shift = before.start_time or Fraction(0)
    sources = packet_records(before.info.path, one.index)
    if not whole:
        stop = before.stop_time
        sources = (
            r
            for r in sources
            if r.time is not None
            and (before.start_time is None or r.time >= shift)
            and (stop is None or r.time < stop)
        )
    converted = one.codec != other.codec and one.codec in _TEXT
    count = 0
    late = Fraction(0)
    hidden: list[PacketRecord] = []
    results = packet_records(after.info.path, other.index)
    first = next(results, None)
    source = next(sources, None)
    # An edit list may hide packets at the start; an output without one leaves them out.
    while source is not None and source.hidden and (first is None or source.digest != first.digest):
        hidden.append(source)
        source = next(sources, None)
        if len(hidden) > 100_000:
            break
    hidden_count = len(hidden)
    while source is not None or first is not None:
        if source is None or first is None:
            rest = 1 + sum(1 for _ in (sources if first is None else results))
            where = "missing from" if first is None else "too many in"
            return Check(
                name=name,
                state="differs",
                detail=f"{rest} packets {where} the result after {count}",
            )
        if not converted and source.digest != first.digest:
            detail = f"packet {count} differs ({source.size} bytes, {first.size} in the result)"
            return Check(name=name, state="differs", detail=detail)
        if source.time is not None and first.time is not None:
            late = max(late, abs(first.time - (source.time - shift)))
        count += 1
        source, first = next(sources, None), next(results, None)
    what = f"{one.codec}: {count} packets "
    what += f"converted to {other.codec}" if converted else "identical"
    if hidden_count:
        what += f", {hidden_count} that an edit list hides left out"
    # Sound stands on a clock of its own; the coarser of the two containers' rounds it.
    if late > MILLISECOND:
        what += f", but off by up to {float(late * 1000):.3f} ms"
        return Check(name=name, state="differs", detail=what)
    return Check(name=name, state="ok", detail=what)
