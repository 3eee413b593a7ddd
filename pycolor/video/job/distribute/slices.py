"""One film by many workers: each takes its slice of the segments first, then what is left over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pycolor.options import Slice
from pycolor.video.job.decisions.plan_file import PLAN_NAME, PROJECT_SUFFIX
from pycolor.video.job.distribute.claims import Claims
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.job.work.segment_store import SegmentStore


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
    *,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Make segments that nobody else makes.

    Args:
        segments: of the film.
        store: that the workers share.
        own: which of them is this one.
        make: makes a segment and completes it in the store.
        say: called with a word on what is left to others.

    Raises:
        LeftToOthers: some segments are still being made.
    """
    claims = Claims(store.folder)
    for segment in in_order(segments, own):
        if store.is_done(segment):
            continue
        with claims.claimed(segment.path.stem) as mine:
            if mine and not store.is_done(segment):
                make(segment)
    left = sum(1 for segment in segments if not store.is_done(segment))
    if left:
        say(
            f"slice {own.number}/{own.count} is done; others are at work on {left} segments, and "
            "the last of them joins the film"
        )
        raise LeftToOthers
