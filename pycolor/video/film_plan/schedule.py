"""What people decided, as what is done with each frame."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from pycolor.options import PropagationOptions, Tints
from pycolor.video.film_plan.decisions import FilmPlan
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.own_color import OwnColor
from pycolor.video.plan.plan import Plan
from pycolor.video.plan.planning import KnownBodies, plan_of


def schedule(
    film_plan: FilmPlan,
    analysis: FilmAnalysis,
    options: PropagationOptions,
    *,
    recolor: bool,
    tints: Tints = "remove",
    known: KnownBodies | None = None,
) -> Plan:
    """The plan of a film by a document.

    Args:
        film_plan: the document.
        analysis: of the same film; its shots are passed over.
        options: how color is propagated.
        recolor: what `auto` does with shots that have color.
        tints: what is done with shots that have a tint or tone, see `VideoOptions`.
        known: see `plan_of`.
    """
    chosen = decided(film_plan, analysis, recolor=recolor)
    return plan_of(chosen, options, recolor=False, tints=tints, known=known)


def decided(film_plan: FilmPlan, analysis: FilmAnalysis, *, recolor: bool) -> FilmAnalysis:
    """An analysis with the document's shots, "colored" where their own color stays."""
    shots, tick = film_plan.shots, analysis.tick
    return replace(
        analysis,
        shots=tuple(shot.shot for shot in shots),
        colored=tuple(shot.keeps_own_color(recolor=recolor) for shot in shots),
        starts=tuple(analysis.timeline[shot.start] * tick for shot in shots),
        looks=tuple(_look_at((shot.start + shot.stop) // 2, analysis) for shot in shots),
    )


def _look_at(frame: int, analysis: FilmAnalysis) -> OwnColor:
    """The own color of the detected shot that a frame lies in."""
    at = bisect_right(analysis.shots, frame, key=lambda shot: shot.start) - 1
    return analysis.looks[at] if 0 <= at < len(analysis.looks) else OwnColor()
