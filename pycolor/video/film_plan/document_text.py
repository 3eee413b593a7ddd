"""A film's plan written as a JSON document, for people to read and edit; see `document.py`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from pycolor.video.film_plan.decisions import FilmPlan, ShotPlan, SourceFilm
from pycolor.video.film_plan.document import FORMAT, VERSION
from pycolor.video.shots.shot import Transition


class ShotTexts:
    """What the shots of plans are in their documents: of those that stay as they are, made once.

    A page writes the plan at each click, and of a thousand shots one has changed.
    """

    def __init__(self) -> None:
        self._source: SourceFilm | None = None
        self._known: dict[int, tuple[ShotPlan, dict[str, Any], str]] = {}  # by identity

    def documents(self, plan: FilmPlan) -> list[dict[str, Any]]:
        """Each shot as it stands in the document; not to be changed."""
        return [document for _, document, _ in self._of(plan)]

    def texts(self, plan: FilmPlan) -> list[str]:
        """The same as JSON, indented as it stands there."""
        return [text for _, _, text in self._of(plan)]

    def _of(self, plan: FilmPlan) -> list[tuple[ShotPlan, dict[str, Any], str]]:
        known = self._known if plan.source == self._source else {}
        found = [known.get(id(shot)) or _told(shot, plan.source) for shot in plan.shots]
        self._source, self._known = plan.source, {id(each[0]): each for each in found}
        return found


def _told(shot: ShotPlan, source: SourceFilm) -> tuple[ShotPlan, dict[str, Any], str]:
    document = shot_document(shot, source)
    text = json.dumps(document, indent=1, ensure_ascii=False)
    return shot, document, text.replace("\n", "\n  ")  # no line ends inside a JSON text


def plan_text(plan: FilmPlan, shots: ShotTexts | None = None) -> str:
    """The document of a plan; `read_plan` gives an equal one.

    Args:
        plan: to be written.
        shots: of plans that were written before.
    """
    source = plan.source
    told = {**asdict(source), "rate": str(source.rate)}
    if not source.width:
        del told["width"], told["height"]
    head: dict[str, Any] = {"format": FORMAT, "version": VERSION, "revision": plan.revision}
    head["source"] = told
    begun = json.dumps({**head, "shots": []}, indent=1, ensure_ascii=False).removesuffix("]\n}")
    listed = ",\n  ".join((shots or ShotTexts()).texts(plan))
    return f"{begun}\n  {listed}\n ]\n}}\n"


def shot_document(shot: ShotPlan, source: SourceFilm) -> dict[str, Any]:
    """A shot as it stands in the document."""
    return {
        "start": shot.start,
        "stop": shot.stop,
        "timecode": source.timecode_at(shot.start),
        "opening": _transition_out(shot.opening),
        "closing": _transition_out(shot.closing),
        "disturbances": [_transition_out(each) for each in shot.disturbances],
        "colored": shot.colored,
        "treatment": shot.treatment,
        "model": shot.model,
        "guidance": [dict(entry) for entry in shot.guidance],
        "saturation": shot.saturation,
        "warmth": shot.warmth,
        "look": shot.look,
        "notes": shot.notes,
        "state": shot.state,
        "reviewer": shot.reviewer,
        "reviewed": shot.reviewed,
        "accepted_digest": shot.accepted_digest,
    }


def _transition_out(transition: Transition | None) -> dict[str, Any] | None:
    if transition is None:
        return None
    return {
        "kind": transition.kind,
        "start": transition.start,
        "stop": transition.stop,
        "confidence": transition.confidence,
    }
