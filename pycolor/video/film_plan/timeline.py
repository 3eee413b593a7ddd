"""A film's plan as an OpenTimelineIO timeline, and back: all of it is in the clips' metadata."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

from pycolor.video.film_plan.decisions import FilmPlan, SourceFilm
from pycolor.video.film_plan.document import read_plan
from pycolor.video.film_plan.document_text import plan_text
from pycolor.video.shots.lists.film_times import FilmTimes
from pycolor.video.shots.lists.timelines import JSON, TimelineFilm, clips_of, write_timeline

# What an editor's change of a cut makes meaningless.
_OF_ITS_ENDS = ("timecode", "opening", "closing", "disturbances")


def plan_timeline(plan: FilmPlan, adapter: str = JSON) -> str:
    """The timeline of a plan.

    Args:
        plan: of a film.
        adapter: see `write_timeline`.
    """
    document: dict[str, Any] = json.loads(plan_text(plan))
    shots = document.pop("shots")
    source = plan.source
    film = TimelineFilm(
        name=source.name, frames=source.frames, rate=source.rate, timecode=source.timecode
    )
    return write_timeline(
        [shot.shot for shot in plan.shots],
        film,
        adapter=adapter,
        metadata=document,
        details=shots,
    )


def read_plan_timeline(text: str, times: FilmTimes, source: SourceFilm) -> FilmPlan | None:
    """The plan in a timeline that we wrote; None where another program wrote it.

    A shot whose ends another program moved keeps what was decided on it.

    Args:
        text: of the file.
        times: of the film's frames.
        source: the film.

    Raises:
        ValueError: it is no timeline, or its plan cannot be; the sentence names the line of the
            plan that it would be.
    """
    clips = clips_of(text, times)
    whole = dict(clips[0].whole)
    if "format" not in whole:
        return None
    moved = {clip.start for clip in clips if not clip.as_written}
    moved |= {clip.stop for clip in clips if not clip.as_written}
    shots = []
    for clip in clips:
        own = dict(clip.own)
        if clip.start in moved or clip.stop in moved:
            own = {key: value for key, value in own.items() if key not in _OF_ITS_ENDS}
        shots.append({**own, "start": clip.start, "stop": clip.stop})
    document = {**whole, "shots": shots}
    plan = read_plan(json.dumps(document, indent=1))
    return replace(plan, source=source)


def times_of(source: SourceFilm) -> FilmTimes:
    """Frames at the film's rate."""
    return FilmTimes(frames=source.frames, rate=Fraction(source.rate))
