"""Films: some of their frames as pictures, and all of them over time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product, zip_longest
from pathlib import Path

import numpy as np
import torch

from pycolor.errors import FilmError, counted
from pycolor.evaluate import metrics
from pycolor.evaluate.frames import Picture, check_fit, picture_of
from pycolor.evaluate.metrics.flow import SMALLEST
from pycolor.evaluate.metrics.over_time import Timeline
from pycolor.evaluate.metrics.video import chroma_codes
from pycolor.evaluate.stills import judged_size
from pycolor.video.io import Reader
from pycolor.video.shots.shot import Shot

FRAMES_JUDGED = 24  # of a film, as pictures, evenly spaced
SHORTEST_CLIP = 5  # frames, for color distribution consistency


@dataclass(frozen=True)
class FramePair:
    """A frame beside its truth."""

    index: int
    found: Picture
    true: Picture


def frame_pairs(
    true: Path, found: Path, short_side: int, rate: Fraction | None = None
) -> Iterator[FramePair]:
    """The frames of two films, side by side.

    Args:
        true: a film in its own colors.
        found: the same, colored.
        short_side: at which frames are judged; 0: as stored.
        rate: frames per second where a film does not state it, see `Reader`.

    Raises:
        FilmError: they cannot be read, or differ in size, rate or in the number of frames.
    """
    with Reader(true, rate=rate) as first, Reader(found, rate=rate) as second:
        a, b = first.info, second.info
        check_fit(a, b)
        size = judged_size(*a.upright_size, short_side)
        for index, (x, y) in enumerate(zip_longest(first, second)):
            if x is None or y is None:
                shorter = true if x is None else found
                raise FilmError(
                    f"{shorter} ends after {counted(index, 'frame')}, the other film goes on."
                )
            yield FramePair(index, picture_of(y, b, size), picture_of(x, a, size))


def judged_frames(frames: int) -> set[int]:
    """Which frames of a film are judged as pictures."""
    count = min(frames, FRAMES_JUDGED)
    return {round(i) for i in np.linspace(0, frames - 1, count)}


class OverTime:
    """Takes the frames of a film one after the other, and fills a `Timeline`.

    Args:
        shots: nothing is compared across their borders.
    """

    def __init__(self, shots: tuple[Shot, ...]) -> None:
        self.timeline = Timeline(cuts=[shot.start for shot in shots[1:]])
        self._starts = {shot.start for shot in shots}
        self._before: FramePair | None = None
        self._clips: dict[tuple[str, str], metrics.Consistency] = {}

    def add(self, pair: FramePair) -> None:
        """The next frame."""
        if pair.index in self._starts:
            self.finish()
        self._count(pair)
        if pair.index and min(pair.true.luma.shape) >= SMALLEST:
            self._compare(self._before, pair)
        self._before = pair

    def finish(self) -> None:
        """The shot is over."""
        for (measure, whose), clip in self._clips.items():
            if clip.frames >= SHORTEST_CLIP:
                self.timeline.add(measure, whose, float(clip.value().mean()))
        self._clips = {}
        self._before = None

    def _count(self, pair: FramePair) -> None:
        """Histograms for color distribution consistency."""
        gray = pair.true.luma.expand(3, -1, -1)
        views = {"found": pair.found.shown, "true": pair.true.shown, "gray": gray}
        for whose, rgb in views.items():
            self._clip("cdc", whose).add((rgb * 255).round())
        for whose, picture in (("found", pair.found), ("true", pair.true)):
            self._clip("chroma_cdc", whose).add(chroma_codes(picture.ab))

    def _clip(self, measure: str, whose: str) -> metrics.Consistency:
        return self._clips.setdefault((measure, whose), metrics.Consistency())

    def _compare(self, before: FramePair | None, after: FramePair) -> None:
        """Change along the motion of the true film's luma; none across a cut."""
        if before is None:
            for measure, whose in product(("warp_error", "chroma_flicker"), ("found", "true")):
                self.timeline.add(measure, whose, math.nan)
            return
        moved = metrics.motion(torch.stack([before.true.luma, after.true.luma]))
        for whose, first, second in (
            ("found", before.found, after.found),
            ("true", before.true, after.true),
        ):
            warp = metrics.warp_error(torch.stack([first.shown, second.shown]), moved)
            flicker = metrics.chroma_flicker(torch.stack([first.ab, second.ab]), moved)
            self.timeline.add("warp_error", whose, float(warp))
            self.timeline.add("chroma_flicker", whose, float(flicker))
