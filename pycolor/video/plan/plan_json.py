"""A plan as a JSON document: what a job for another process or machine carries."""

from __future__ import annotations

import base64
import json
from array import array
from dataclasses import asdict
from typing import Any

import numpy as np

from pycolor.errors import counted
from pycolor.models.guidance.looks import Grade
from pycolor.video.plan.plan import Plan, PlanSpan, ShotBody, TransitionSpan

FORMAT, VERSION = "pycolor-schedule", 1


def plan_to_json(plan: Plan) -> str:
    """The plan as text; `plan_from_json` gives an equal one.

    Factors on lightness are float32, little-endian, in base64: a long film has many.
    """
    bodies = [span for span in plan.spans if isinstance(span, ShotBody)]
    number = {id(body): n for n, body in enumerate(bodies)}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "reach": plan.reach,
        "gain": base64.b64encode(plan.gain.astype("<f4").tobytes()).decode("ascii"),
        "grades": [[first, stop, asdict(grade)] for first, stop, grade in plan.grades],
        "spans": [_span_out(span, number) for span in plan.spans],
    }
    return json.dumps(content, indent=1)


def plan_from_json(text: str) -> Plan:
    """A plan from its text.

    Raises:
        ValueError: the text is no plan, or one of a later version.
    """
    try:
        content = json.loads(text)
        found = content["format"], content["version"]
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"expected a JSON object of format {FORMAT}") from None
    if found != (FORMAT, VERSION):
        raise ValueError(f"expected {FORMAT} of version {VERSION}, got {found[0]} of {found[1]}")
    try:
        return _plan_in(content)
    except (ValueError, TypeError, KeyError, IndexError) as e:
        raise ValueError(f"the plan is damaged: {e}") from None


def span_to_json(span: PlanSpan) -> dict[str, Any]:
    """One span as JSON values; of a transition the first frames of its sides."""
    sides = (span.before, span.after) if isinstance(span, TransitionSpan) else ()
    return _span_out(span, {id(body): body.start for body in sides if body is not None})


def _span_out(span: PlanSpan, number: dict[int, int]) -> dict[str, Any]:
    ends: dict[str, Any] = {"start": span.start, "stop": span.stop}
    if isinstance(span, TransitionSpan):
        sides = {
            name: None if body is None else number[id(body)]
            for name, body in (("before", span.before), ("after", span.after))
        }
        return {"kind": span.kind, **ends, **sides}
    return {
        "kind": "shot",
        **ends,
        "passthrough": span.passthrough,
        "under": span.under,
        "outliers": sorted(span.outliers),
        "guided": sorted(span.guided),
        "anchors": list(span.anchors),
        "keys": list(span.keys),
    }


def _plan_in(content: dict[str, Any]) -> Plan:
    gain = np.frombuffer(base64.b64decode(content["gain"], validate=True), "<f4")
    bodies = [_body_in(span) for span in content["spans"] if span["kind"] == "shot"]
    rest = iter(bodies)
    spans: list[PlanSpan] = []
    for span in content["spans"]:
        if span["kind"] == "shot":
            spans.append(next(rest))
            continue
        sides = (span["before"], span["after"])
        before, after = (None if side is None else bodies[int(side)] for side in sides)
        spans.append(
            TransitionSpan(
                start=int(span["start"]),
                stop=int(span["stop"]),
                kind=str(span["kind"]),
                before=before,
                after=after,
            )
        )
    plan = Plan(
        spans=tuple(spans),
        gain=gain.astype(np.float32),
        reach=int(content["reach"]),
        grades=tuple(
            (int(first), int(stop), _grade_in(grade))
            for first, stop, grade in content.get("grades", ())
        ),
    )
    at = 0
    for piece in plan.spans:
        if piece.start != at or piece.stop <= at:
            raise ValueError(f"a span of frames {piece.start} to {piece.stop} follows frame {at}")
        at = piece.stop
    if len(gain) != at:
        raise ValueError(
            f"it has {counted(at, 'frame')} and {len(gain)} factors on their lightness"
        )
    return plan


def _grade_in(grade: dict[str, Any]) -> Grade:
    palette = tuple((float(a), float(b)) for a, b in grade["palette"])
    return Grade(**{**grade, "palette": palette})


def _body_in(span: dict[str, Any]) -> ShotBody:
    return ShotBody(
        start=int(span["start"]),
        stop=int(span["stop"]),
        keys=array("q", span["keys"]),
        outliers=frozenset(int(n) for n in span["outliers"]),
        guided=frozenset(int(n) for n in span.get("guided", ())),
        anchors=tuple(int(n) for n in span.get("anchors", ())),
        passthrough=bool(span["passthrough"]),
        under=bool(span.get("under", False)),
    )
