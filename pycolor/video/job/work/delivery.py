"""From segments to an output: which are missing, and whether the whole decodes to what went in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pycolor.errors import FilmError
from pycolor.options import VideoOptions
from pycolor.video.io import Reader
from pycolor.video.io.containers.presets import Preset
from pycolor.video.io.frame.digest import luma_digest
from pycolor.video.job.work.job_folder import JobFolder
from pycolor.video.job.work.segment_files import Segment
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


def is_checked(preset: Preset, options: VideoOptions) -> bool:
    """Is an output of these read back?  Not one that loses, nor pictures in files of their own."""
    return preset.lossless and not preset.pictures_only and options.codec is None


def check_luma(
    part: Path, expected: Iterator[str], target: Path, on_frame: Callable[[], None]
) -> None:
    """Read a lossless output back: each frame's luma must be what was handed in.

    Args:
        part: the output, under its name for now.
        expected: digests of each frame's luma, hexadecimal.
        target: its name to be, for messages.
        on_frame: called for every frame.

    Raises:
        FilmError: it does not decode to that.
    """
    with Reader(part) as result:
        for frame in result:
            if luma_digest(frame.luma).hex() != next(expected, None):
                raise FilmError(
                    f"{target} failed its check: frame {frame.index} does not decode to the luma "
                    "that was encoded; the disk or the encoder is at fault."
                )
            on_frame()
    if next(expected, None) is not None:
        raise FilmError(f"{target} failed its check: frames are missing at its end.")
