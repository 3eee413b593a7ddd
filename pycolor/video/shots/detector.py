"""Where one shot of a black-and-white film ends and the next begins.

One pass, frame by frame, with a bounded look-ahead.  What is decided about a frame depends on
the frames within `look_ahead_frames` of it and on nothing else, so a film fed in slices that
overlap by so much gives the same shots.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy.typing as npt

from pycolor.video.shots.cuts import CutFinder
from pycolor.video.shots.gradual.dissolves import LEAST_DISSOLVE, RIVAL_REACH, SIDE, DissolveFinder
from pycolor.video.shots.gradual.fades import LEAST_FADE, FadeFinder
from pycolor.video.shots.gradual.mixtures import GradualTransition, MedianThumbnails
from pycolor.video.shots.measures.similarity import scales, thumbnail
from pycolor.video.shots.shot import Shot, Transition
from pycolor.video.shots.shot_options import LEAST_SHOT, ShotOptions


class ShotDetector:
    """Finds shots in a stream of luma planes.

    Args:
        options: see `ShotOptions`.

    Attributes:
        last_change: how unlike the latest frame is to the one before, 0 … 1, small motion and
            brightness apart.
    """

    def __init__(self, options: ShotOptions | None = None) -> None:
        self.options = options or ShotOptions()
        self._log_sensitivity = math.log(self.options.sensitivity)
        depth = self.options.bit_depth
        if self.options.full_range:
            self._black, self._white = 0.0, float((1 << depth) - 1)
        else:
            self._black, self._white = float(16 << (depth - 8)), float(235 << (depth - 8))
        self._cuts = CutFinder(self.options)
        self._decided = 0
        self._shape: tuple[int, ...] | None = None
        self._start = 0
        self._opening: Transition | None = None
        self._disturbances: list[Transition] = []
        self._finished = False
        self._medians = MedianThumbnails(self._cuts.scales)
        self._dissolves = DissolveFinder(self._cuts.scales, self._medians)
        self._fades = FadeFinder(self._medians)
        self._pending: tuple[int, Transition] | None = None
        self.last_change = 0.0

    def push(self, luma: npt.NDArray[Any]) -> list[Shot]:
        """Take the next frame.

        Args:
            luma: H×W codes, uint8 or uint16, any strides; every frame of the same size.

        Returns:
            the shots that are now complete, in order; often none.

        Raises:
            ValueError: the plane is empty, or of another size than the first.
            RuntimeError: the film was finished before.
        """
        if self._finished:
            raise RuntimeError("the film is finished; a new film needs a new ShotDetector")
        if self._shape is not None and luma.shape != self._shape:
            raise ValueError(
                f"frame {self._cuts.count} is {luma.shape}, but the frames before are {self._shape}"
            )
        now = scales(thumbnail(luma, black=self._black, white=self._white))
        self._shape = luma.shape
        self.last_change = self._cuts.add(now)
        return self._decide(self._cuts.count - self.options.look_ahead_frames)

    def finish(self) -> list[Shot]:
        """End the film.

        Returns:
            the remaining shots, in order; none for a film without frames.
        """
        if self._finished:
            return []
        shots = self._decide(self._cuts.count)
        if self._cuts.count:
            shots.append(self._close(self._cuts.count, None))
        self._finished = True
        self._cuts.clear()
        return shots

    def _decide(self, stop: int) -> list[Shot]:
        """Decide on every frame before `stop` that is not yet decided."""
        shots = []
        while self._decided < stop:
            t = self._decided
            found = self._cuts.at(t)
            if found is not None and self._fades.over(t) is not None:
                found = None  # dirt, where there is nothing else to see
            if found is not None and found.kind == "cut":
                shots.append(self._close(t, found))
                self._pending = None
            else:
                if found is not None:
                    self._disturbances.append(found)
                gradual = self._gradual_at(t)
                if gradual is not None and gradual.boundary > self._start:
                    confidence = round(1 / (1 + math.exp(-gradual.score)), 3)
                    transition = Transition(gradual.kind, gradual.start, gradual.stop, confidence)
                    self._pending = gradual.boundary, transition
            if self._pending is not None and self._pending[0] <= t:
                shots.append(self._close(*self._pending))
                self._pending = None
            self._decided += 1
            self._forget(t - self.options.look_ahead_frames)
        return shots

    def _forget(self, t: int) -> None:
        """Drop frame t; nothing that is still to be decided depends on it."""
        for finder in (self._cuts, self._medians, self._dissolves, self._fades):
            finder.forget(t)

    def _close(self, stop: int, closing: Transition | None) -> Shot:
        inside = tuple(d for d in self._disturbances if d.start < stop)
        self._disturbances = [d for d in self._disturbances if d.start >= stop]
        if closing is not None:  # what looked like a flash was part of the transition
            inside = tuple(d for d in inside if d.start < closing.start)
        shot = Shot(self._start, stop, self._opening, closing, inside)
        self._start, self._opening = stop, closing
        return shot

    def _gradual_at(self, t: int) -> GradualTransition | None:
        """The fade or dissolve whose middle is t."""
        fade = self._fades.at(t)
        if fade is not None:
            return fade if fade.score > LEAST_FADE - self._log_sensitivity else None
        return self._dissolve_at(t)

    def _dissolve_at(self, t: int) -> GradualTransition | None:
        """The dissolve whose middle is t, where no stronger one, no cut and no fade is near."""
        found = self._dissolve_candidate(t)
        if found is None or found.score <= LEAST_DISSOLVE - self._log_sensitivity:
            return None
        if any(self._cuts.is_cut(other) for other in self._cuts.around(t, LEAST_SHOT)):
            return None
        for other in self._cuts.around(t, RIVAL_REACH):
            rival = self._dissolve_candidate(other)
            if rival is not None and (rival.score, t) > (found.score, other):
                return None
        return found if self._fades.over(t, flank=LEAST_SHOT) is None else None

    def _dissolve_candidate(self, t: int) -> GradualTransition | None:
        first, last = max(0, t - SIDE), min(self._cuts.count - 1, t + SIDE)
        for s in range(t, first, -1):
            if self._cuts.is_cut(s):
                first = s
                break
        for s in range(t + 1, last + 1):
            if self._cuts.is_cut(s):
                last = s - 1
                break
        return self._dissolves.at(t, first, last)


def detect(lumas: Iterable[npt.NDArray[Any]], options: ShotOptions | None = None) -> list[Shot]:
    """The shots of a whole film.

    Args:
        lumas: the H×W luma planes of its frames, in order.
        options: see `ShotOptions`.

    Returns:
        shots that follow each other without gap from frame 0 to the last; none for no frames.
    """
    detector = ShotDetector(options)
    shots = [shot for luma in lumas for shot in detector.push(luma)]
    return shots + detector.finish()
