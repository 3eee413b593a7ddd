"""What lists of shots of all kinds have in common.

The number of shots is bounded: a film has no more than frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pycolor.errors import counted
from pycolor.video.io.containers.timecode import later_timecode
from pycolor.video.shots.shot import Shot, Transition


def check_count(count: int, frames: int) -> None:
    """Refuse more shots than a film can have.

    Raises:
        ValueError: there are more.
    """
    if count > frames:
        raise ValueError(
            f"the list has {count} shots or more, but the film has {counted(frames, 'frame')}"
        )


def shots_from_starts(
    starts: Sequence[int], frames: int, transitions: dict[int, Transition] | None = None
) -> list[Shot]:
    """Shots that begin at `starts` (counted from 0, in any order) and fill the film.

    A first shot is added where frame 0 is no start.

    Raises:
        ValueError: no starts, or one outside the film.
    """
    if not starts:
        raise ValueError("the list of shots names no start frame")
    for start in starts:
        if not 0 <= start < frames:
            raise ValueError(
                f"a shot starts at frame {start}, but the film has {counted(frames, 'frame')}"
            )
    bounds = sorted({0, *starts})
    opening: list[Transition | None] = [None]
    for start in bounds[1:]:
        found = (transitions or {}).get(start)
        opening.append(found or Transition("cut", start, start, 1.0))
    closing = [*opening[1:], None]
    stops = [*bounds[1:], frames]
    return [Shot(*each) for each in zip(bounds, stops, opening, closing, strict=True)]


def length_of(starts: Sequence[int], frames: int, open_end: bool) -> int:
    return max(frames, max(starts) + 1) if open_end and starts else frames


def transition_of(kind: str, start: int, stop: int, confidence: float) -> Transition:
    if kind == "dissolve":
        return Transition("dissolve", start, stop, confidence)
    if kind == "fade":
        return Transition("fade", start, stop, confidence)
    return Transition("cut", start, stop, confidence)


def film_timecode(timecode: str, frame: int, rate: Fraction) -> str:
    """Of a frame of a film that has timecodes; else empty."""
    return (timecode and later_timecode(timecode, frame, rate)) or ""
