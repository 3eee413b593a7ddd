"""From what a film showed at the first look to what is done with each of its frames."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pycolor.options import PropagationOptions, Tints
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.plan import Plan, PlanSpan, ShotBody, TransitionSpan, without
from pycolor.video.shots.shot import Shot, Transition

# Flicker is the ratio of a frame's lightness to the median over this many frames on each side.
_FLICKER_REACH = 25
_MOST_FLICKER = 1.5


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
    keys = _keys(without(range(start, stop), outliers), analysis.change, options)
    return ShotBody(start=start, stop=stop, keys=keys, outliers=outliers)


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
