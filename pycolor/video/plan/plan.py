"""What is done with each frame of a film, decided before any of it is colored.

A plan is made of the survey and the options alone, so any part of the film can be colored by
itself, in any order, and comes out the same.  Frames count from the first of the range.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from pycolor.models.guidance.looks import Grade
from pycolor.options import PropagationOptions, Tints
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.shots.shot import Shot, Transition

# Flicker is the ratio of a frame's lightness to the median over this many frames on each side.
_FLICKER_REACH = 25
_MOST_FLICKER = 1.5


@dataclass(frozen=True, kw_only=True)
class ShotBody:
    """The frames of one shot that show nothing but it.

    Attributes:
        start: its first frame; `stop` one past its last.
        keys: frames that the model colors, in order; the first and the last of the usable ones
            among them.  Empty where the source's own color is kept.
        outliers: flashes and damage: frames that repeat their neighbor's color and decide none.
        guided: key frames of which a person gave color; around them their color counts more.
        passthrough: the source's own color stays.
        under: the source's own color stays under the model's: a tint.
    """

    start: int
    stop: int
    keys: Sequence[int]
    outliers: frozenset[int] = frozenset()
    guided: frozenset[int] = frozenset()
    passthrough: bool = False
    under: bool = False

    @property
    def context_frame(self) -> int:
        """The key frame that stands for the whole shot: the second, past a splice's dirt."""
        return self.keys[min(1, len(self.keys) - 1)]

    def usable(self) -> Sequence[int]:
        """The frames that are no outliers, in order."""
        return _without(range(self.start, self.stop), self.outliers)

    def shown(self, n: int) -> int:
        """The frame whose color frame n shows: itself, or of an outlier the usable one before.

        Outliers before the first usable frame show that one.
        """
        if n not in self.outliers:
            return n
        before = next((m for m in range(n - 1, self.start - 1, -1) if m not in self.outliers), None)
        if before is not None:
            return before
        return next(m for m in range(n + 1, self.stop) if m not in self.outliers)


@dataclass(frozen=True, kw_only=True)
class TransitionSpan:
    """The frames of a dissolve or fade between two shots.

    Attributes:
        start: its first frame; `stop` one past its last.
        kind: "dissolve" or "fade".
        before, after: the shots on its sides, None where there is none.
    """

    start: int
    stop: int
    kind: str
    before: ShotBody | None
    after: ShotBody | None

    @property
    def passthrough(self) -> bool:
        return any(body is not None and body.passthrough for body in (self.before, self.after))

    @property
    def under(self) -> bool:
        """The source's color fades as its picture does."""
        return any(body is not None and body.under for body in (self.before, self.after))


PlanSpan = ShotBody | TransitionSpan


@dataclass(frozen=True, kw_only=True)
class Plan:
    """See the module.

    Attributes:
        spans: shots and transitions, in order, without gaps.
        gain: factor on each frame's lightness that takes its flicker out.
        reach: a frame's color depends on key frames less than so many frames away.
        grades: (first frame, one past the last, grade) of some; the first that holds a frame
            counts.
    """

    spans: tuple[PlanSpan, ...]
    gain: npt.NDArray[np.float32]
    reach: int
    grades: tuple[tuple[int, int, Grade], ...] = ()

    def grade_at(self, n: int) -> Grade | None:
        """What is done with the colors of the shot in which frame n lies."""
        span = self.span_at(n)
        middle = (span.start + span.stop) // 2
        return next((g for first, stop, g in self.grades if first <= middle < stop), None)

    def __len__(self) -> int:
        return self.spans[-1].stop if self.spans else 0

    @property
    def carries(self) -> bool:
        """Whether color is carried from one frame to others."""
        return self.reach > 1

    def span_at(self, n: int) -> PlanSpan:
        """The span that frame n lies in."""
        return self.spans[bisect_right(self.spans, n, key=lambda span: span.start) - 1]

    def is_under(self, n: int) -> bool:
        """Whether the source's own color stays under that of frame n."""
        return self.span_at(n).under

    def first_needed(self, n: int) -> int:
        """The first frame that the color of frame n, or of a later one, depends on."""
        span = self.span_at(n)
        if isinstance(span, TransitionSpan):
            if span.before is None:
                return span.start
            return self._needed(span.before, span.before.stop - 1)
        return self._needed(span, n)

    def _needed(self, body: ShotBody, n: int) -> int:
        place = bisect_right(body.keys, body.shown(n) - self.reach)
        return body.keys[place - 1] if place else body.start

    def cuts(self, most: int) -> list[int]:
        """Where to cut the film into segments of at most `most` frames, by preference at shots.

        Returns:
            the first frame of each segment, and the number of frames.
        """
        marks = [0]
        borders = [span.start for span in self.spans]
        while marks[-1] < len(self):
            last = marks[-1]
            near = [b for b in borders if last + most // 2 < b <= last + most]
            marks.append(near[-1] if near else min(last + most, len(self)))
        return marks


def plan_of(
    analysis: FilmAnalysis,
    options: PropagationOptions,
    *,
    recolor: bool,
    tints: Tints = "remove",
) -> Plan:
    """The plan for a film.

    Args:
        analysis: of the film.
        options: how steady, at what cost.
        recolor: color the shots that have color, too.
        tints: what is done with shots that have a tint or tone, see `VideoOptions`.
    """
    gain = np.ones(len(analysis), np.float32)
    bodies: list[ShotBody] = []
    tinted = [look.kind in ("tint", "tone") for look in analysis.looks]
    tinted = tinted or [False] * len(analysis.shots)
    for shot, colored, tint in zip(analysis.shots, analysis.colored, tinted, strict=True):
        kept = (colored and not recolor) or (tint and tints == "leave")
        body = _body(shot, analysis, options, passthrough=kept)
        body = replace(body, under=tint and tints == "keep")
        bodies.append(body)
        if options.steady != "off":
            own = slice(body.start, body.stop)
            gain[own] = _gain(analysis.lightness[own])
    return Plan(
        spans=tuple(_spans(bodies, analysis)),
        gain=gain,
        reach=options.reach,
    )


def with_guided(plan: Plan, frames: Sequence[int]) -> Plan:
    """The plan with further key frames: those of which a person gave color.

    Args:
        plan: of the film.
        frames: numbers; what lies in a transition, or where the source's own color stays, is
            left out.
    """
    bodies: dict[int, ShotBody] = {}
    for span in plan.spans:
        if not isinstance(span, ShotBody) or span.passthrough:
            continue
        guided = frozenset(n for n in frames if span.start <= n < span.stop)
        if guided:
            keys = array("q", sorted({*span.keys, *guided}))
            outliers = span.outliers - guided
            bodies[span.start] = replace(span, keys=keys, guided=guided, outliers=outliers)

    def body(span: ShotBody | None) -> ShotBody | None:
        return None if span is None else bodies.get(span.start, span)

    spans = tuple(
        bodies.get(span.start, span)
        if isinstance(span, ShotBody)
        else replace(span, before=body(span.before), after=body(span.after))
        for span in plan.spans
    )
    return replace(plan, spans=spans)


def _body(
    shot: Shot, analysis: FilmAnalysis, options: PropagationOptions, *, passthrough: bool
) -> ShotBody:
    """The part of a shot between its transitions; one frame of it if they cover it all."""
    start, stop = shot.start, shot.stop
    if options.steady != "off":
        if (opening := _gradual(shot.opening)) is not None:
            start = max(start, opening.stop)
        if (closing := _gradual(shot.closing)) is not None:
            stop = min(stop, closing.start)
    if start >= stop:
        start = min(max((start + stop) // 2, shot.start), shot.stop - 1)
        stop = start + 1
    if passthrough:
        return ShotBody(start=start, stop=stop, keys=(), passthrough=True)
    if options.steady == "off":
        return ShotBody(start=start, stop=stop, keys=range(start, stop))
    outliers = frozenset(
        n for d in shot.disturbances for n in range(d.start, d.stop) if start <= n < stop
    )
    if len(outliers) == stop - start:
        outliers = frozenset()
    keys = _keys(_without(range(start, stop), outliers), analysis.change, options)
    return ShotBody(start=start, stop=stop, keys=keys, outliers=outliers)


def _without(frames: range, outliers: Set[int]) -> Sequence[int]:
    return array("q", (n for n in frames if n not in outliers)) if outliers else frames


def _gradual(transition: Transition | None) -> Transition | None:
    """The transition if it is one in which two shots mix."""
    return transition if transition and transition.kind in ("dissolve", "fade") else None


def _keys(
    usable: Sequence[int], change: npt.NDArray[np.float32], options: PropagationOptions
) -> Sequence[int]:
    """Key frames at equal steps of "activity": time, and how much the picture changes."""
    if len(usable) == 1:
        return usable
    frames = np.array(usable)
    step = 1 / options.stride_frames + change[frames[1:]] / options.change_a_key
    most = max(0.5, 1 / options.stride_frames)
    activity = np.concatenate([[0.0], np.cumsum(np.minimum(step, most), dtype=np.float64)])
    intervals = max(1, int(np.ceil(activity[-1] - 1e-6)))
    wanted = np.linspace(0, activity[-1], intervals + 1)
    places = np.searchsorted(activity, wanted - 1e-9).clip(0, len(usable) - 1)
    places[0], places[-1] = 0, len(usable) - 1
    return array("q", frames[np.unique(places)].tolist())


def _gain(lightness: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Factors that bring each frame to the median lightness around it."""
    gain = np.ones_like(lightness)
    for n, own in enumerate(lightness):
        around = lightness[max(0, n - _FLICKER_REACH) : n + _FLICKER_REACH + 1]
        if own > 0.01:
            gain[n] = np.median(around) / own
    return gain.clip(1 / _MOST_FLICKER, _MOST_FLICKER)


def _spans(bodies: list[ShotBody], analysis: FilmAnalysis) -> Iterator[PlanSpan]:
    """The shots, and a transition wherever frames lie between them."""
    kinds = {
        n: t.kind
        for shot in analysis.shots
        for t in (_gradual(shot.opening), _gradual(shot.closing))
        if t is not None
        for n in range(t.start, t.stop)
    }
    before: ShotBody | None = None
    at = 0
    for body in (*bodies, None):
        start = body.start if body is not None else len(analysis)
        if start > at:
            kind = kinds.get((at + start) // 2, "dissolve")
            yield TransitionSpan(start=at, stop=start, kind=kind, before=before, after=body)
        if body is not None:
            yield body
            at, before = body.stop, body
