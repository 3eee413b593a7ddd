"""From segments to an output: which are missing, and whether the whole decodes to what went in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pycolor.errors import FilmError
from pycolor.options import VideoOptions
from pycolor.video.io import Reader, holds_packets
from pycolor.video.io.containers.presets import Preset
from pycolor.video.io.frame.digest import luma_digest
from pycolor.video.job.work.job_folder import JobFolder, Segment
from pycolor.video.job.work.segment_store import SegmentStore


def missing_runs(
    segments: Sequence[Segment], store: JobFolder | SegmentStore
) -> Iterator[list[Segment]]:
    """Runs of neighboring segments that are not done."""
    group: list[Segment] = []
    for segment in segments:
        if not store.is_done(segment):
            group.append(segment)
        elif group:
            yield group
            group = []
    if group:
        yield group


def keeps_luma(preset: Preset, codec: str | None) -> bool:
    """Whether an output must decode to the luma that was encoded."""
    return preset.lossless and not preset.pictures_only and codec is None


def check_output_luma(
    part: Path,
    preset: Preset,
    options: VideoOptions,
    segments: Sequence[Segment],
    store: JobFolder | SegmentStore,
    target: Path,
) -> None:
    """Make sure that a lossless output decodes to the luma that was handed in.

    Each segment was decoded when it was made (see `run_segments`).  An output that holds the very
    packets of segments that are still what they were then decodes to the same; any other is
    decoded.

    Args:
        part: the output, under its name for now.
        preset: of it; nothing is read of one that loses.
        options: of the run.
        segments: of the film.
        store: has them, and the digests of each frame's luma.
        target: the output's name to be, for messages.

    Raises:
        FilmError: it does not decode to that.
    """
    if not keeps_luma(preset, options.codec):
        return
    if not all(store.is_unchanged(segment) for segment in segments) or not holds_packets(
        part, [segment.path for segment in segments]
    ):
        check_luma(part, store.digests(segments), target)


def check_luma(part: Path, expected: Iterable[str], target: Path, first: int = 0) -> None:
    """Decode a lossless film: each frame's luma must be what was handed in.

    Args:
        part: the film, or a segment of it.
        expected: digests of each frame's luma, hexadecimal.
        target: name of the film, for messages.
        first: number of its first frame.

    Raises:
        FilmError: it does not decode to that.
    """
    digests = iter(expected)
    with Reader(part) as result:
        for frame in result:
            if luma_digest(frame.luma).hex() != next(digests, None):
                raise FilmError(
                    f"{target} failed its check: frame {first + frame.index} does not decode to "
                    "the luma that was encoded; the disk or the encoder is at fault."
                )
    if next(digests, None) is not None:
        raise FilmError(f"{target} failed its check: frames are missing at its end.")
