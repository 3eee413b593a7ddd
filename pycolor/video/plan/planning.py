"""From what a film showed at the first look to what is done with each of its frames."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from pycolor.options import PropagationOptions, Tints
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.plan import ANCHORS, Plan, PlanSpan, ShotBody, TransitionSpan, without
from pycolor.video.shots.shot import Shot, Transition

# Flicker is the ratio of a frame's lightness to the median over this many frames on each side.
_FLICKER_REACH = 25
_MOST_FLICKER = 1.5
_ANCHOR_FRAMES = 60  # from one anchor to the next in a long shot

# Of shots by what decides them, see `plan_of`: their bodies, and their frames' gains.
KnownBodies = dict[tuple[Shot, bool, bool], tuple[ShotBody, npt.NDArray[np.float32]]]


def plan_of(
    analysis: FilmAnalysis,
    options: PropagationOptions,
    *,
    recolor: bool,
    tints: Tints = "remove",
    known: KnownBodies | None = None,
) -> Plan:
    """The plan for a film.

    Args:
        analysis: of the film.
        options: how color is propagated.
        recolor: color the shots that have color, too.
        tints: what is done with shots that have a tint or tone, see `VideoOptions`.
        known: shots of earlier plans by the same frames and options, of which most stay as they
            are where a person changes one; this plan's take their place.
    """
    gain = np.ones(len(analysis), np.float32)
    bodies: list[ShotBody] = []
    made: KnownBodies = {}
    tinted = [look.kind in ("tint", "tone") for look in analysis.looks]
    tinted = tinted or [False] * len(analysis.shots)
    for shot, colored, tint in zip(analysis.shots, analysis.colored, tinted, strict=True):
        kept = (colored and not recolor) or (tint and tints == "leave")
        key = shot, kept, tint and tints == "keep"
        if known is not None and key in known:
            made[key] = known[key]
        else:
            body = replace(_body(shot, analysis, options, passthrough=kept), under=key[2])
            own = analysis.lightness[body.start : body.stop]
            made[key] = body, np.ones_like(own) if options.mode == "off" else _gain(own)
        body, around = made[key]
        gain[body.start : body.stop] = around
        bodies.append(body)
    if known is not None:
        known.clear()
        known.update(made)
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
    frames = sorted(frames)
    for span in plan.spans:
        if not isinstance(span, ShotBody) or span.passthrough:
            continue
        first, stop = bisect_left(frames, span.start), bisect_left(frames, span.stop)
        if guided := frozenset(frames[first:stop]):
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
    if options.mode != "off":
        if (opening := _gradual(shot.opening)) is not None:
            start = max(start, opening.stop)
        if (closing := _gradual(shot.closing)) is not None:
            stop = min(stop, closing.start)
    if start >= stop:
        start = min(max((start + stop) // 2, shot.start), shot.stop - 1)
        stop = start + 1
    if passthrough:
        return ShotBody(start=start, stop=stop, keys=(), passthrough=True)
    if options.mode == "off":
        return ShotBody(start=start, stop=stop, keys=range(start, stop))
    outliers = frozenset(
        n for d in shot.disturbances for n in range(d.start, d.stop) if start <= n < stop
    )
    if len(outliers) == stop - start:
        outliers = frozenset()
    keys = _keys(without(range(start, stop), outliers), analysis.change, options)
    return ShotBody(start=start, stop=stop, keys=keys, outliers=outliers, anchors=_anchors(keys))


def _anchors(keys: Sequence[int]) -> tuple[int, ...]:
    """Some of the key frames, evenly spread: all that a short shot has; of one alone, none."""
    if len(keys) == 1:
        return ()
    count = min(len(keys), max(ANCHORS, math.ceil((keys[-1] - keys[0]) / _ANCHOR_FRAMES) + 1))
    return tuple(keys[round(i * (len(keys) - 1) / (count - 1))] for i in range(count))


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
    frames = len(lightness)
    beyond = np.full(_FLICKER_REACH, np.inf, np.float32)  # is sorted behind what there is
    padded = np.concatenate([beyond, lightness, beyond])
    around = np.sort(sliding_window_view(padded, 2 * _FLICKER_REACH + 1), axis=1)
    n = np.arange(frames)
    count = np.minimum(n, _FLICKER_REACH) + np.minimum(frames - 1 - n, _FLICKER_REACH) + 1
    median = (around[n, (count - 1) // 2] + around[n, count // 2]) / 2
    gain = np.where(lightness > 0.01, median / np.maximum(lightness, 0.01), 1)
    clipped: npt.NDArray[np.float32] = gain.astype(np.float32).clip(
        1 / _MOST_FLICKER, _MOST_FLICKER
    )
    return clipped


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
