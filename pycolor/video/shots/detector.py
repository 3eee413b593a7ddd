"""Where one shot of a black-and-white film ends and the next begins.

One pass, frame by frame, with a bounded look-ahead.  What is decided about a frame depends on
the frames within `look_ahead_frames` of it and on nothing else, so a film fed in slices that
overlap by so much gives the same shots.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pycolor.video.shots.dissolves import (
    CONTRAST_REACH,
    LEAST_DISSOLVE,
    RIVAL_REACH,
    SIDE,
    DissolveFinder,
)
from pycolor.video.shots.fades import FADE_REACH, LEAST_FADE, SLOPE_REACH, FadeFinder
from pycolor.video.shots.mixtures import GradualTransition, MedianThumbnails
from pycolor.video.shots.similarity import (
    Scales,
    block_dissimilarity,
    difference,
    scales,
    thumbnail,
)

Kind = Literal["cut", "dissolve", "fade", "flash"]


_LEAST_SHOT = 10  # frames; a dissolve so near a cut or a fade's ends is what these left of a sag
_FADED = 0.45  # of the variance a few frames away: a fade is under way


@dataclass(frozen=True, kw_only=True)
class ShotOptions:
    """What the luma means, and how eagerly shots are parted.

    Attributes:
        bit_depth: significant bits of a sample, 8 to 16.
        full_range: black is code 0 and white the highest; otherwise 16 … 235, times 2^(n − 8).
        sensitivity: 1 is balanced; more finds more transitions, and more false ones.
        look_ahead_frames: a frame is decided on when so many frames after it are known.
        disturbance_frames: the longest flash or damage that does not part a shot.
    """

    bit_depth: int = 8
    full_range: bool = False
    sensitivity: float = 1.0
    look_ahead_frames: int = 84
    disturbance_frames: int = 4

    def __post_init__(self) -> None:
        if not 8 <= self.bit_depth <= 16:
            raise ValueError(f"bit_depth must be 8 to 16, got {self.bit_depth}")
        if not self.sensitivity > 0:
            raise ValueError(f"sensitivity must be above 0, got {self.sensitivity}")
        if self.disturbance_frames < 0:
            raise ValueError(f"disturbance_frames must be 0 or more, got {self.disturbance_frames}")
        # A dissolve's rivals, their sides, and beyond these the cuts that end them or what their
        # contrast is the mean of; a fade whose flank a dissolve is on, and what that depends on.
        beyond = max(2 * self.disturbance_frames + 5, CONTRAST_REACH)
        flank = _LEAST_SHOT + SLOPE_REACH + FADE_REACH
        least = max(RIVAL_REACH + SIDE + beyond, flank)
        if self.look_ahead_frames < least:
            raise ValueError(
                f"look_ahead_frames must be at least {least}, got {self.look_ahead_frames}"
            )


@dataclass(frozen=True)
class Transition:
    """A change in the film.

    Attributes:
        kind: "cut", "dissolve" and "fade" part shots.  "flash" lies inside one: a few frames
            unlike those on both sides, whether a flash or damage.  A splice inside a shot,
            where a few frames are missing, is not told.
        start: the first frame that shows it; of a cut, the first frame of the new shot.
        stop: one past the last frame that shows it; of a cut, `start`.
        confidence: 0 (barely found) … 1.
    """

    kind: Kind
    start: int
    stop: int
    confidence: float


@dataclass(frozen=True)
class Shot:
    """A run of frames that one take of the camera gave.

    Attributes:
        start: its first frame.
        stop: one past its last frame; the next shot's `start`.
        opening: the transition at its start; None at the film's start.
        closing: the transition at its end; None at the film's end.
        disturbances: flashes inside it.
    """

    start: int
    stop: int
    opening: Transition | None = None
    closing: Transition | None = None
    disturbances: tuple[Transition, ...] = ()

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(eq=False)
class _Frame:
    scales: Scales
    change: float  # coarse unlikeness to the frame before
    differences: dict[int, float] = field(default_factory=dict)  # to earlier frames, by index


class ShotDetector:
    """Finds shots in a stream of luma planes.

    Args:
        options: see `ShotOptions`.

    Attributes:
        last_change: how unlike the latest frame is to the one before, 0 … 1, small motion and
            brightness apart.
    """

    # Chosen on real and on made films (benchmarks/shots.py).
    _LEAST_CHANGE = 0.13  # below it no frame is looked at twice
    _LEAST_SCORE = 0.19  # of a cut in a quiet shot
    _LEVEL_WEIGHT = 1.0  # how much more a cut must be where everything changes anyway
    _LEVEL_REACH = 8  # frames on each side that tell how much everything changes

    def __init__(self, options: ShotOptions | None = None) -> None:
        self.options = options or ShotOptions()
        self._log_sensitivity = math.log(self.options.sensitivity)
        depth = self.options.bit_depth
        if self.options.full_range:
            self._black, self._white = 0.0, float((1 << depth) - 1)
        else:
            self._black, self._white = float(16 << (depth - 8)), float(235 << (depth - 8))
        self._frames: dict[int, _Frame] = {}
        self._count = 0
        self._decided = 0
        self._shape: tuple[int, ...] | None = None
        self._start = 0
        self._opening: Transition | None = None
        self._disturbances: list[Transition] = []
        self._finished = False
        self._single: dict[int, Transition | None] = {}
        self._medians = MedianThumbnails(self._scales)
        self._dissolves = DissolveFinder(self._scales, self._medians)
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
                f"frame {self._count} is {luma.shape}, but the frames before are {self._shape}"
            )
        now = scales(thumbnail(luma, black=self._black, white=self._white))
        self._shape = luma.shape
        before = self._frames.get(self._count - 1)
        change = 0.0
        if before is not None:
            change = block_dissimilarity(before.scales.coarse, now.coarse, radius=3)
        self._frames[self._count] = _Frame(now, change)
        self.last_change = change
        self._count += 1
        return self._decide(self._count - self.options.look_ahead_frames)

    def finish(self) -> list[Shot]:
        """End the film.

        Returns:
            the remaining shots, in order; none for a film without frames.
        """
        if self._finished:
            return []
        shots = self._decide(self._count)
        if self._count:
            shots.append(self._close(self._count, None))
        self._finished = True
        self._frames.clear()
        return shots

    def _decide(self, stop: int) -> list[Shot]:
        """Decide on every frame before `stop` that is not yet decided."""
        shots = []
        while self._decided < stop:
            t = self._decided
            found = self._single_at(t)
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
        self._frames.pop(t, None)
        self._single.pop(t, None)
        for finder in (self._medians, self._dissolves, self._fades):
            finder.forget(t)

    def _close(self, stop: int, closing: Transition | None) -> Shot:
        inside = tuple(d for d in self._disturbances if d.start < stop)
        self._disturbances = [d for d in self._disturbances if d.start >= stop]
        if closing is not None:  # what looked like a flash was part of the transition
            inside = tuple(d for d in inside if d.start < closing.start)
        shot = Shot(self._start, stop, self._opening, closing, inside)
        self._start, self._opening = stop, closing
        return shot

    def _scales(self, t: int) -> Scales:
        return self._frames[min(max(t, 0), self._count - 1)].scales

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
        if any(self._is_cut(other) for other in self._around(t, _LEAST_SHOT)):
            return None
        for other in self._around(t, RIVAL_REACH):
            rival = self._dissolve_candidate(other)
            if rival is not None and (rival.score, t) > (found.score, other):
                return None
        return found if self._fades.over(t, flank=_LEAST_SHOT) is None else None

    def _dissolve_candidate(self, t: int) -> GradualTransition | None:
        first, last = max(0, t - SIDE), min(self._count - 1, t + SIDE)
        for s in range(t, first, -1):
            if self._is_cut(s):
                first = s
                break
        for s in range(t + 1, last + 1):
            if self._is_cut(s):
                last = s - 1
                break
        return self._dissolves.at(t, first, last)

    def _is_cut(self, t: int) -> bool:
        found = self._single_at(t)
        return found is not None and found.kind == "cut"

    def _single_at(self, t: int) -> Transition | None:
        if t not in self._single:
            self._single[t] = self._find_single(t)
        return self._single[t]

    def _find_single(self, t: int) -> Transition | None:
        """The cut or flash that begins with frame t."""
        if t == 0 or self._frames[t].change < self._LEAST_CHANGE:
            return None
        least = self._least_score(t)
        if self._difference(t - 1, t) < least or self._is_ramp(t):
            return None
        score = self._across(t, least)
        if score < least:
            return self._disturbance_at(t, least)
        # Damage at a splice changes the picture twice; the stronger change is the cut.
        for other in self._around(t, self.options.disturbance_frames):
            if self._frames[other].change < self._LEAST_CHANGE:
                continue
            rival = self._across(other, least)
            if rival >= self._least_score(other) and (rival, t) > (score, other):
                return None
        return Transition("cut", t, t, self._confidence(score, least))

    def _is_ramp(self, t: int) -> bool:
        """Whether the picture at t is still coming out of nothing, or going into it."""
        before, after, far_before, far_after = (
            float(self._scales(s).coarse.var()) for s in (t - 1, t, t - 5, t + 4)
        )
        rising = before < _FADED * after and after < _FADED * far_after
        return rising or (after < _FADED * before and before < _FADED * far_before)

    def _around(self, t: int, reach: int) -> Iterator[int]:
        """The frames within `reach` of t that have one before them, without t."""
        for other in range(max(1, t - reach), min(self._count, t + reach + 1)):
            if other != t:
                yield other

    def _least_score(self, t: int) -> float:
        changes = [self._frames[s].change for s in self._around(t, self._LEVEL_REACH)]
        level = float(np.median(changes)) if changes else 0.0
        return (self._LEAST_SCORE + self._LEVEL_WEIGHT * level) / self.options.sensitivity

    def _across(self, t: int, enough: float) -> float:
        """Least difference between a frame shortly before t and one shortly after.

        Small where the old picture comes back.  Stops at the first that is below `enough`.
        """
        reach = self.options.disturbance_frames + 1
        least = np.inf
        for lag in range(1, reach + 1):
            for before in range(t - 1, t - lag - 1, -1):
                after = before + lag
                if before >= 0 and after < self._count:
                    least = min(least, self._difference(before, after))
                    if least < enough:
                        return least
        return float(least)

    def _disturbance_at(self, t: int, least: float) -> Transition | None:
        """The flash that begins at t: the picture before comes back after it."""
        for stop in range(t + 1, min(t + self.options.disturbance_frames + 1, self._count)):
            if self._difference(t - 1, stop) < least:
                odd = min(self._difference(t - 1, s) for s in range(t, stop))
                if odd < least:
                    return None
                return Transition("flash", t, stop, self._confidence(odd, least))
        return None

    def _difference(self, before: int, after: int) -> float:
        known = self._frames[after].differences
        if before not in known:
            known[before] = difference(self._frames[before].scales, self._frames[after].scales)
        return known[before]

    @staticmethod
    def _confidence(score: float, least: float) -> float:
        return round(float(min(1.0, 0.5 + (score - least) / (2 * least))), 3)


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
