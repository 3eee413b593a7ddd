"""Are the other streams the same, packet by packet?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from pycolor.errors import counted
from pycolor.video.io import Reader, StreamInfo
from pycolor.video.io.containers.spec import spec_of
from pycolor.video.io.read.packets import (
    PacketRecord,
    compare_joined,
    packet_records,
    sample_digest,
)
from pycolor.video.io.write.streams.sound import is_exact
from pycolor.video.io.write.streams.support import streams_coded_again, streams_left_out
from pycolor.video.verify.report import Check, State
from pycolor.video.verify.tags import MILLISECOND, stream_tags

_TEXT = ("mov_text", "subrip", "text")
_MPEG_SOUND = ("mp1", "mp2", "mp3")  # MP4 has one name for all of them
# No edit list hides more; a longer run of hidden packets is another stream.
_MOST_HIDDEN = 100_000
# Packets of two codecs are of different lengths; more is heard (EBU R 37: 40 ms early, 60 late).
# Clocks round each packet; a whole track is moved by something else.
_MOVED = Fraction(3, 4000)
_SOUND_MOVES = Fraction(60, 1000)


class Comparison:
    """The streams of a source and of a result beside the picture.

    Args:
        before: of the source, read to its end.
        after: of the result.
        container: FFmpeg's name of the result's.
        shift: seconds that the result's times are earlier.
    """

    def __init__(self, before: Reader, after: Reader, container: str, *, shift: Fraction) -> None:
        self._before, self._after = before, after
        self._container = container
        self._shift = shift

    def checks(self) -> Iterator[Check]:
        """One line a stream, and one for each of its tags that differs."""
        results = list(self._after.info.streams)
        sources = self._before.info.streams
        left_out = streams_left_out(self._before.path, self._container) if sources else {}
        coded_again = streams_coded_again(self._before.path, self._container)
        for stream in sources:
            if left_out.get(stream.index) == "":
                continue  # it travels another way
            again = stream.index in coded_again
            match = next((r for r in results if _corresponds(stream, r, again=again)), None)
            if match is None:
                yield _missing(stream, left_out.get(stream.index))
                continue
            results.remove(match)
            if stream.kind == "attachment":
                yield _attachment(stream, match)
                continue
            yield self._sound(stream, match) if again else self._packets(stream, match)
            yield from stream_tags(
                _name(stream),
                stream.index,
                (stream.metadata, match.metadata),
                (stream.disposition, match.disposition),
                film=self._before.info.metadata,
                container=self._container,
            )

    def _source_packets(
        self, stream: StreamInfo, *, plain_text: bool = False
    ) -> Iterator[PacketRecord]:
        """Those of the range that was colored."""
        start, stop = self._before.start_time, self._before.stop_time
        for record in packet_records(self._before.path, stream.index, plain_text=plain_text):
            time = record.time
            if time is None:
                inside = start is None and stop is None
            else:
                inside = (start is None or time >= start) and (stop is None or time < stop)
            if inside:
                yield record

    def _packets(self, one: StreamInfo, other: StreamInfo) -> Check:
        converted = one.codec != other.codec and one.codec in _TEXT
        sources = self._source_packets(one, plain_text=converted)
        results = packet_records(self._after.path, other.index, plain_text=converted)
        source, result = next(sources, None), next(results, None)
        # An edit list may hide packets at the start; an output without one leaves them out.
        hidden = 0
        while source is not None and source.hidden and hidden < _MOST_HIDDEN:
            if result is not None and source.data == result.data:
                break
            hidden += 1
            source = next(sources, None)
        count, late, total, lasting = 0, Fraction(0), Fraction(0), Fraction(0)
        before, rises = None, True
        while source is not None or result is not None:
            if source is None or result is None:
                rest = 1 + sum(1 for _ in (sources if result is None else results))
                where = "missing from" if result is None else "too many in"
                return self._otherwise(
                    one, other, f"{counted(rest, 'packet')} {where} the result after {count}"
                )
            if source.data != result.data:
                sizes = f"{len(source.data)} bytes, {len(result.data)} in the result"
                what = f"packet {count} differs ({sizes})"
                return self._otherwise(one, other, what)
            if source.time is not None and result.time is not None:
                rises = rises and (before is None or source.time > before)
                before = source.time
                off = result.time - (source.time - self._shift)
                late, total = max(late, abs(off)), total + off
            if one.kind == "subtitle" and source.lasting and result.lasting:
                lasting = max(lasting, abs(result.lasting - source.lasting))
            count += 1
            source, result = next(sources, None), next(results, None)
        what = f"{one.codec}: {counted(count, 'packet')} "
        what += f"converted to {other.codec}" if converted else "identical"
        if hidden:
            what += f", {hidden} that an edit list hides left out"
        # Sound stands on a clock of its own; the coarser of the two containers' rounds it.
        if late > MILLISECOND:
            what += f", but off by up to {float(late * 1000):.3f} ms"
        state: State = "differs" if late > MILLISECOND else "ok"
        if count and abs(total / count) > _MOVED:
            state, what = "differs", f"{what}, all by {float(total / count * 1000):+.3f} ms"
        if lasting > MILLISECOND:
            state = "differs"
            what += f", shown longer or shorter by up to {float(lasting * 1000):.0f} ms"
        if state == "differs" and not rises:
            state, what = "note", f"{what}: its times do not rise in the source"
        return Check(name=_name(one), state=state, detail=what, stream=one.index)

    def _sound(self, one: StreamInfo, other: StreamInfo) -> Check:
        """Of sound that was coded again no packet is left: it lasts from and to the same times."""
        sources = (r.time - self._shift for r in self._source_packets(one) if r.time is not None)
        records = packet_records(self._after.path, other.index)
        results = (r.time for r in records if r.time is not None)
        ends = [_first_and_last(times) for times in (sources, results)]
        if is_exact(other.codec) and not spec_of(self._container).whole_sound:
            return self._same_samples(one, other)
        state: State = "differs"
        detail = f"{one.codec}: coded again as {other.codec}, which {self._container} holds"
        if len(ends[0]) == len(ends[1]):
            off = max((abs(a - b) for a, b in zip(*ends, strict=True)), default=Fraction(0))
            state = "note" if off <= _SOUND_MOVES else "differs"
            detail += f"; its ends lie within {float(off * 1000):.0f} ms"
        else:
            detail += "; one of the two is empty"
        return Check(name=_name(one), state=state, detail=detail, stream=one.index)

    def _same_samples(self, one: StreamInfo, other: StreamInfo) -> Check:
        """PCM that is packed otherwise decodes to the same samples."""
        start, stop = self._before.start_time, self._before.stop_time
        digests = (
            sample_digest(self._before.path, one.index, start, stop),
            sample_digest(self._after.path, other.index, None, None),
        )
        same = digests[0] == digests[1]
        detail = f"{one.codec}: {'the same samples' if same else 'other samples'} as {other.codec}"
        state: State = "ok" if same else "differs"
        return Check(name=_name(one), state=state, detail=detail, stream=one.index)

    def _otherwise(self, one: StreamInfo, other: StreamInfo, what: str) -> Check:
        """Packets differ; samples of PCM may still be the same, cut into other packets."""
        state: State = "differs"
        if one.codec == other.codec and one.codec.startswith("pcm_"):
            found = compare_joined(
                self._source_packets(one), packet_records(self._after.path, other.index)
            )
            trimmed = spec_of(self._container).whole_sound  # whose sound ends with the picture
            if not found.differ and not found.missing and not found.added:
                state, what = "ok", f"{one.codec}: samples identical, cut into other packets"
            elif not found.differ and trimmed and found.missing:
                state = "note"
                what = f"{one.codec}: the last {found.missing} bytes, behind the picture, are cut"
            elif not found.differ and trimmed and found.silent:
                state, what = "ok", f"{one.codec}: samples identical, then silence to the end"
        return Check(name=_name(one), state=state, detail=what, stream=one.index)


def _first_and_last(times: Iterable[Fraction]) -> tuple[Fraction, ...]:
    """The ends of some times; nothing of none."""
    first = last = None
    for last in times:
        first = last if first is None else first
    return () if first is None or last is None else (first, last)


def _name(stream: StreamInfo) -> str:
    return f"{stream.kind} {stream.index}"


def _corresponds(a: StreamInfo, b: StreamInfo, *, again: bool) -> bool:
    """Is `b` what became of `a`, which was coded again or not?"""
    if a.kind != b.kind:
        return False
    if again:
        return a.codec != b.codec
    if a.kind == "attachment":
        return a.title == b.title
    families = (_TEXT, _MPEG_SOUND)
    return a.codec == b.codec or any(a.codec in f and b.codec in f for f in families)


def _missing(stream: StreamInfo, reason: str | None) -> Check:
    return Check(
        name=_name(stream),
        state="differs" if reason is None else "note",
        detail=f"{stream} is not in the result" + (f": {reason}" if reason else ""),
        stream=stream.index,
        expected=str(stream),
    )


def _attachment(one: StreamInfo, other: StreamInfo) -> Check:
    kinds = [s.metadata.get("mimetype", "") for s in (one, other)]
    for key, expected, got in (("data", one.digest, other.digest), ("mimetype", *kinds)):
        if expected != got:
            detail = f"{key} of {one.title} is {got}, not {expected}"
            return Check(
                name=_name(one),
                state="differs",
                detail=detail,
                stream=one.index,
                key=key,
                expected=expected,
                got=got,
            )
    return Check(name=_name(one), state="ok", detail=f"{one.title} identical", stream=one.index)
