"""From segments to an output: which are missing, and whether the whole decodes to what went in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from pycolor.errors import FilmError
from pycolor.video.io import Reader, holds_packets
from pycolor.video.io.containers.presets import Preset
from pycolor.video.io.frame.digest import luma_digest
from pycolor.video.io.frame.pixel_formats import Plane
from pycolor.video.job.work.job_folder import JobFolder
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.job.work.segments.segment_store import SegmentStore


def neighbors(segments: Sequence[Segment]) -> Iterator[list[Segment]]:
    """Runs of segments of which each begins where the one before ends."""
    group: list[Segment] = []
    for segment in segments:
        if group and group[-1].stop != segment.first:
            yield group
            group = []
        group.append(segment)
    if group:
        yield group


def frames_made(
    segments: Sequence[Segment], store: JobFolder | SegmentStore, *, unread: bool = False
) -> int:
    """How many frames of these segments are made already.

    Args:
        segments: of a film.
        store: of them.
        unread: take a segment that has its name for a sound one, where several workers share them.
    """
    there = store.is_done
    if unread and isinstance(store, SegmentStore):
        there = store.is_there
    return sum(segment.stop - segment.first for segment in segments if there(segment))


def is_checked(preset: Preset, codec: str | None) -> bool:
    """Is an output of these read back?  Not one that loses, nor pictures in files of their own."""
    return preset.lossless and not preset.pictures_only and codec is None


def check_output_luma(
    part: Path,
    segments: Sequence[Segment],
    store: JobFolder | SegmentStore,
    target: Path,
    on_frame: Callable[[], None],
) -> None:
    """Make sure that a lossless output decodes to the luma that was handed in.

    Each segment was decoded when it was made (see `run_segments`).  An output that holds the very
    packets of segments that are still what they were then decodes to the same; any other is
    decoded.

    Args:
        part: the output, under its name for now.
        segments: of the film.
        store: has them, and the digests of each frame's luma.
        target: the output's name to be, for messages.
        on_frame: called for every frame.

    Raises:
        FilmError: it does not decode to that.
    """
    if all(store.is_unchanged(segment) for segment in segments) and holds_packets(
        part, [segment.path for segment in segments]
    ):
        for _ in range(sum(segment.stop - segment.first for segment in segments)):
            on_frame()
        return
    check_luma(part, store.digests(segments), target, on_frame=on_frame)


def check_luma(
    part: Path,
    expected: Iterable[str],
    target: Path,
    *,
    first: int = 0,
    on_frame: Callable[[], None] = lambda: None,
    digest: Callable[[Plane], bytes] = luma_digest,
) -> None:
    """Decode a lossless film: each frame's luma must be what was handed in.

    Args:
        part: the film, or a segment of it.
        expected: digests of each frame's luma, hexadecimal.
        target: name of the film, for messages.
        first: number of its first frame.
        on_frame: called for every frame.
        digest: what the expected ones were made by.

    Raises:
        FilmError: it does not decode to that.
    """
    digests = iter(expected)
    with Reader(part) as result:
        for frame in result:
            if digest(frame.luma).hex() != next(digests, None):
                raise FilmError(
                    f"{target} failed its check: frame {first + frame.index} does not decode to "
                    "the luma that was encoded; the disk or the encoder is at fault."
                )
            on_frame()
    if next(digests, None) is not None:
        raise FilmError(f"{target} failed its check: frames are missing at its end.")
