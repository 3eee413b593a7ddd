"""One film by many workers: each takes its slice of the segments first, then what is left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pycolor.options import Slice
from pycolor.video.job.decisions.plan_file import PLAN_NAME, PROJECT_SUFFIX
from pycolor.video.job.distribute.claims import Claims
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.job.work.segments.segment_store import SegmentStore


class LeftToOthers(Exception):  # noqa: N818  (no error)
    """What is left of the film is other workers'."""


def slices_plan(target: Path) -> Path:
    """The plan in which workers without one of their own meet, beside the output."""
    return target.with_name(f"{target.name}{PROJECT_SUFFIX}") / PLAN_NAME


def in_order(segments: Sequence[Segment], own: Slice) -> Iterator[Segment]:
    """The segments in the order in which a worker should look at them.

    First its own, which are neighbors; then the others' from the worker after it on, each from its
    end: there is the least chance that somebody is at it.
    """
    share = [
        segments[len(segments) * n // own.count : len(segments) * (n + 1) // own.count]
        for n in range(own.count)
    ]
    yield from share[own.number - 1]
    for further in range(own.number, own.number + own.count - 1):
        yield from reversed(share[further % own.count])


def work_off(
    segments: Sequence[Segment],
    store: SegmentStore,
    own: Slice,
    make: Callable[[Segment], None],
) -> None:
    """Make segments that nobody else makes.

    What others made is not read here: who joins the film does.

    Args:
        segments: of the film.
        store: that the workers share.
        own: which of them is this one.
        make: makes a segment and completes it in the store.
    """
    claims = Claims(store.folder)
    for segment in in_order(segments, own):
        _make_unclaimed(segment, store, claims, make)


@contextmanager
def last_of_all(
    segments: Sequence[Segment],
    store: SegmentStore,
    name: str,
    make: Callable[[Segment], None],
    *,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[None]:
    """What the one worker does that stays to the end: the others' segments are done, or made here.

    Of workers that find nothing more to do one stays.  The others go when they have seen it alive;
    if it is dead, one of them takes its place.

    Args:
        segments: of the film.
        store: that the workers share.
        name: of the output, for the claim on it.
        make: makes a segment and completes it in the store.
        say: called with a word on what is left to others.

    Raises:
        LeftToOthers: another one stays.
    """
    claims = Claims(store.folder)
    with claims.claimed(name, stay=True) as mine:
        if not mine:
            say("nothing more to do: another worker waits for the last segments and joins the film")
            raise LeftToOthers
        told = 0
        while left := [segment for segment in segments if not store.is_there(segment)]:
            if len(left) != told:
                say(f"waiting for other workers' last {len(left)} segments")
            told = len(left)
            for segment in left:
                _make_unclaimed(segment, store, claims, make)
            if not all(map(store.is_there, left)):
                claims.pause()
        for segment in segments:
            if not store.is_done(segment):
                make(segment)  # it was damaged
        store.remove_parts(segments)
        claims.forget(segment.path.stem for segment in segments)
        yield


def _make_unclaimed(
    segment: Segment, store: SegmentStore, claims: Claims, make: Callable[[Segment], None]
) -> None:
    if store.is_there(segment):
        return
    with claims.claimed(segment.path.stem) as mine:
        if mine and not store.is_there(segment):
            make(segment)
