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

from pycolor.system.prefetch import prefetch
from pycolor.system.progress import Progress
from pycolor.video.io import Reader
from pycolor.video.shots.detector import Shot, ShotDetector, ShotOptions

# A frame has colors of its own, and not one tint (sepia, a bluish scan), where its chroma departs
# by so many 8-bit codes from what its luma alone would tell.
_COLORED_CODES = 4.0
_COLORED_EVERY = 4  # frames
FRAMES_WAITING = 6  # between the decoder and the look at them


@dataclass(frozen=True, kw_only=True)
class FilmAnalysis:
    """What one look at some frames of a film tells; frames count from the range's first.

    Attributes:
        timeline: pts of each frame; like all that is told of each, in an array: films are long.
        shots: in order, without gaps.
        lightness: mean luma of each frame, 0 (black) … 1 (white).
        change: of each frame against the one before, 0 … 1 (see `shots.ShotDetector`).
        colored: for each shot, whether the source has color there.
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

    def __len__(self) -> int:
        return len(self.timeline)


def analyze_film(
    source: Path,
    *,
    frames: tuple[int, int | None] | None = None,
    rate: Fraction | None = None,
    sensitivity: float = 1.0,
    shots: Callable[[int, Fraction], Sequence[Shot]] | None = None,
    progress: Progress | None = None,
) -> FilmAnalysis:
    """Read a film once, part it into shots, and note what coloring it needs to know.

    Args:
        source: the film.
        frames: (first, stop), None for the whole film.
        rate: frames per second where the source does not tell, see `Reader`.
        sensitivity: of the shot detector; 1 is balanced.
        shots: gives the shots, of the number of frames and the rate, in place of the detector.
        progress: advanced by each frame.

    Raises:
        FilmError: the film cannot be read.
    """
    found: list[Shot] = []
    timeline = array("q")
    lightness, change = array("f"), array("f")
    chroma = array("d")  # of every fourth frame
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(source, frames=frames, rate=rate))
        info = reader.info
        detector = ShotDetector(
            ShotOptions(
                bit_depth=info.encoding.bit_depth,
                full_range=info.encoding.full_range,
                sensitivity=sensitivity,
            )
        )
        black, white = info.encoding.luma_code_range
        if progress is not None:
            progress.total = _expected_frames(info.frames, *(frames or (0, None)))
        frames_ahead = stack.enter_context(closing(prefetch(reader, FRAMES_WAITING)))
        for frame in frames_ahead:
            timeline.append(frame.pts)
            found += detector.push(frame.luma)
            change.append(detector.last_change)
            lightness.append((float(frame.luma[::4, ::4].mean()) - black) / (white - black))
            if not info.gray and len(timeline) % _COLORED_EVERY == 1:
                chroma.append(chroma_beyond_tint(frame.thumbnail()))
            if progress is not None:
                progress.advance()
        found += detector.finish()
        damages = tuple(str(damage) for damage in reader.damages)
    if shots is not None:
        found = list(shots(len(timeline), info.rate))
    return FilmAnalysis(
        timeline=timeline,
        shots=tuple(found),
        lightness=np.array(lightness, np.float32),
        change=np.array(change, np.float32),
        colored=tuple(_is_colored(shot, chroma) for shot in found),
        starts=tuple(timeline[s.start] * info.time_base for s in found),
        rate=info.rate,
        damages=damages,
    )


def _is_colored(shot: Shot, chroma: Sequence[float]) -> bool:
    """Whether most of the frames looked at, or the one before the shot, have color.

    Args:
        shot: some frames.
        chroma: see `chroma_beyond_tint`, of the frames looked at; empty for a gray film.
    """
    first, stop = (-(-n // _COLORED_EVERY) for n in (shot.start, shot.stop))
    looked = chroma[first:stop] or chroma[first - 1 : first]
    return bool(looked) and float(np.median(looked)) > _COLORED_CODES


def chroma_beyond_tint(planes: npt.NDArray[np.uint8]) -> float:
    """Standard deviation of the chroma around a parabola in the luma, in 8-bit codes.

    Args:
        planes: 3×h×w, Y', Cb and Cr.
    """
    luma = planes[0].reshape(-1).astype(np.float64) / 255
    chroma = planes[1:].reshape(2, -1).astype(np.float64).T
    tint = np.stack([np.ones_like(luma), luma, luma**2], 1)
    fit, *_ = np.linalg.lstsq(tint, chroma, rcond=None)
    return float(np.sqrt(((chroma - tint @ fit) ** 2).mean()))


def _expected_frames(frames: int, first: int, stop: int | None) -> int | None:
    """Frames to expect, if the container says."""
    if not frames:
        return None if stop is None else stop - first
    return max(0, min(frames, stop or frames) - first)
