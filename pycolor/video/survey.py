"""Looks through a film without coloring it: where are its shots?"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pycolor.progress import Progress
from pycolor.video.io import Reader
from pycolor.video.shots import Shot, ShotDetector, ShotOptions


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The shots of a film.

    Attributes:
        shots: in order, without gaps.
        starts: time of each shot's first frame, seconds.
        rate: nominal frames per second.
    """

    shots: tuple[Shot, ...]
    starts: tuple[Fraction, ...]
    rate: Fraction


def find_shots(
    source: Path, *, sensitivity: float = 1.0, progress: Progress | None = None
) -> Survey:
    """Read a film once and part it into shots.

    Args:
        source: the film.
        sensitivity: 1 is balanced; more finds more transitions, and more false ones.
        progress: advanced by each frame.

    Raises:
        FilmError: the film cannot be read.
    """
    shots: list[Shot] = []
    times: dict[int, Fraction] = {}
    starts: list[Fraction] = []

    def take(found: list[Shot]) -> None:
        for shot in found:
            shots.append(shot)
            starts.append(times[shot.start])
            for past in range(shot.start, shot.stop):
                times.pop(past, None)

    with Reader(source) as reader:
        info = reader.info
        detector = ShotDetector(
            ShotOptions(
                bit_depth=info.encoding.bit_depth,
                full_range=info.encoding.full_range,
                sensitivity=sensitivity,
            )
        )
        if progress is not None:
            progress.total = info.frames or None
        for number, frame in enumerate(reader):
            times[number] = frame.time
            take(detector.push(frame.luma))
            if progress is not None:
                progress.advance()
        take(detector.finish())
    return Survey(shots=tuple(shots), starts=tuple(starts), rate=info.rate)
