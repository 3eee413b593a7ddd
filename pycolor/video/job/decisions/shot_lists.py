"""A film's shots as lists for other programs, and what each kind of list cannot hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from pycolor.errors import UsageError, counted
from pycolor.video.film_plan.decisions import FilmPlan
from pycolor.video.film_plan.timeline import plan_timeline
from pycolor.video.shots.lists.csv_list import write_csv
from pycolor.video.shots.lists.edl_list import MOST_EVENTS, write_edl
from pycolor.video.shots.lists.film_times import FilmTimes
from pycolor.video.shots.lists.json_list import write_json
from pycolor.video.shots.lists.timelines import FCP7, TimelineFilm, write_timeline
from pycolor.video.shots.shot import Shot

# Kind → what of a plan it cannot hold; its file's ending is the kind's name.
LOSES: Mapping[str, str] = MappingProxyType(
    {
        "csv": "flashes, treatment, model, guidance, grade, notes and reviews",
        "edl": "flashes, treatment, model, guidance, grade, notes and reviews",
        "json": "treatment, model, guidance, grade, notes and reviews",
        "otio": "",
        "xml": "flashes, confidence, treatment, model, guidance, grade, notes and reviews",
    }
)
KINDS = tuple(LOSES)


def list_of(kind: str, shots: Sequence[Shot], film: TimelineFilm, times: FilmTimes | None) -> str:
    """A list of shots.

    Args:
        kind: one of `KINDS`.
        shots: in order, without gaps.
        film: that they are of.
        times: of its frames; None where they are not known, and follow each other at the rate.

    Raises:
        UsageError: the list cannot hold them.
    """
    if kind == "edl" and len(shots) > MOST_EVENTS:
        raise UsageError(
            f"a CMX3600 list numbers {MOST_EVENTS} events, and the film has "
            f"{counted(len(shots), 'shot')}; .otio holds them."
        )
    writers: dict[str, Callable[[], str]] = {
        "csv": lambda: write_csv(shots, film.rate, times=times, timecode=film.timecode),
        "edl": lambda: write_edl(shots, film.rate, film.name, film.timecode),
        "json": lambda: write_json(shots),
        "otio": lambda: write_timeline(shots, film),
        "xml": lambda: write_timeline(shots, film, adapter=FCP7),
    }
    return writers[kind]()


def list_of_plan(kind: str, plan: FilmPlan, times: FilmTimes | None) -> str:
    """A list of a plan's shots; of kind "otio" with all that is decided on them.

    Raises:
        UsageError: the list cannot hold them.
    """
    if kind == "otio":
        return plan_timeline(plan)
    source = plan.source
    film = TimelineFilm(
        name=source.name, frames=source.frames, rate=source.rate, timecode=source.timecode
    )
    return list_of(kind, [shot.shot for shot in plan.shots], film, times)
