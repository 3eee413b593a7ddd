"""Looks through a film without coloring it: its frames' times, its shots, its flicker."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pycolor.encoding import TagOverride
from pycolor.system.prefetch import prefetch
from pycolor.system.progress import Progress
from pycolor.video.io import Reader
from pycolor.video.io.read.frames.plane_source import PlaneReader
from pycolor.video.plan.own_color import LOOKED_EVERY, OwnColor, frame_color, shot_color
from pycolor.video.shots.detector import ShotDetector
from pycolor.video.shots.lists.film_times import FilmTimes
from pycolor.video.shots.shot import Shot
from pycolor.video.shots.shot_options import ShotOptions


@dataclass(frozen=True, kw_only=True)
class FilmAnalysis:
    """What the first pass over some frames of a film finds; frames count from the range's first.

    Attributes:
        timeline: pts of each frame; like all that is known of each, in an array: films are long.
        shots: in order, without gaps.
        lightness: mean luma of each frame, 0 (black) … 1 (white).
        change: of each frame against the one before, 0 … 1 (see `shots.ShotDetector`).
        colored: for each shot, whether the source has true color there.
        looks: for each shot, the color that it has of its own; empty for a gray film.
        starts: time of each shot's first frame, seconds.
        rate: nominal frames per second.
        damages: what was found broken, in words.
    """

    timeline: Sequence[int]
    shots: tuple[Shot, ...]
    lightness: npt.NDArray[np.float32]
    change: npt.NDArray[np.float32]
    colored: tuple[bool, ...]
    starts: tuple[Fraction, ...]
    rate: Fraction
    damages: tuple[str, ...] = ()
    looks: tuple[OwnColor, ...] = ()

    def __len__(self) -> int:
        return len(self.timeline)

    @property
    def tick(self) -> Fraction:
        """Seconds a unit of the timeline, from the shots whose times are known."""
        for shot, start in zip(self.shots, self.starts, strict=True):
            if pts := self.timeline[shot.start]:
                return start / pts
        frames = len(self) - 1  # one shot from time 0: its nominal rate tells
        return Fraction(frames, self.timeline[-1]) / self.rate if frames else Fraction(0)

    @property
    def times(self) -> FilmTimes:
        """When its frames are shown."""
        return FilmTimes(frames=len(self), rate=self.rate, timeline=self.timeline, tick=self.tick)


def analyze_film(
    source: Path,
    *,
    frames: tuple[int, int | None] | None = None,
    rate: Fraction | None = None,
    sensitivity: float = 1.0,
    shots: Callable[[FilmTimes], Sequence[Shot]] | None = None,
    progress: Progress | None = None,
    override: TagOverride | None = None,
) -> FilmAnalysis:
    """Read a film once, part it into shots, and note what coloring it needs to know.

    Args:
        source: the film.
        frames: (first, stop), None for the whole film.
        rate: frames per second where the source does not state it, see `Reader`.
        sensitivity: of the shot detector; 1 is balanced.
        shots: gives the shots, of the frames' number and times, in place of the detector.
        progress: advanced by each frame.
        override: tags in place of the source's own, see `Reader`.

    Raises:
        FilmError: the film cannot be read.
    """
    with Reader(source, frames=frames, rate=rate, override=override) as reader:
        if progress is not None:
            progress.total = _expected_frames(reader.info.frames, *(frames or (0, None)))
        return analyze_frames(reader, sensitivity=sensitivity, shots=shots, progress=progress)


def analyze_frames(
    reader: Reader | PlaneReader,
    *,
    sensitivity: float = 1.0,
    shots: Callable[[FilmTimes], Sequence[Shot]] | None = None,
    progress: Progress | None = None,
) -> FilmAnalysis:
    """As `analyze_film`, of frames that come from anywhere.

    Raises:
        FilmError: the film cannot be read.
    """
    found: list[Shot] = []
    timeline = array("q")
    lightness, change = array("f"), array("f")
    chroma: list[OwnColor] = []  # of every fourth frame
    with ExitStack() as stack:
        info = reader.info
        detector = ShotDetector(
            ShotOptions(
                bit_depth=info.encoding.bit_depth,
                full_range=info.encoding.full_range,
                sensitivity=sensitivity,
            )
        )
        black, white = info.encoding.luma_code_range
        frames_ahead = stack.enter_context(closing(prefetch(reader, info.frames_waiting)))
        for frame in frames_ahead:
            timeline.append(frame.pts)
            found += detector.push(frame.luma)
            change.append(detector.last_change)
            lightness.append((float(frame.luma[::4, ::4].mean()) - black) / (white - black))
            if not info.gray and len(timeline) % LOOKED_EVERY == 1:
                chroma.append(frame_color(frame))
            if progress is not None:
                progress.advance()
        found += detector.finish()
        damages = tuple(str(damage) for damage in reader.damages)
    if shots is not None:
        times = FilmTimes(
            frames=len(timeline), rate=info.rate, timeline=timeline, tick=info.time_base
        )
        found = list(shots(times))
    looks = tuple(_look(shot, chroma) for shot in found)
    return FilmAnalysis(
        timeline=timeline,
        shots=tuple(found),
        lightness=np.array(lightness, np.float32),
        change=np.array(change, np.float32),
        colored=tuple(look.kind == "color" for look in looks),
        starts=tuple(timeline[s.start] * info.time_base for s in found),
        rate=info.rate,
        damages=damages,
        looks=() if info.gray else looks,
    )


def _look(shot: Shot, chroma: Sequence[OwnColor]) -> OwnColor:
    """The color of the frames looked at in a shot, or of the one before it.

    Args:
        shot: some frames.
        chroma: of the frames looked at; empty for a gray film.
    """
    first, stop = (-(-n // LOOKED_EVERY) for n in (shot.start, shot.stop))
    return shot_color(chroma[first:stop] or chroma[max(0, first - 1) : first])


def _expected_frames(frames: int, first: int, stop: int | None) -> int | None:
    """Frames to expect, if the container says."""
    if not frames:
        return None if stop is None else stop - first
    return max(0, min(frames, stop or frames) - first)
