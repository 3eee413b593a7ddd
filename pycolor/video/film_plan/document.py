"""A film's plan read from a JSON document that people may have edited; see plan.schema.json.

What is wrong in a document is told in a sentence with its line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from importlib import resources
from typing import Any

from pycolor.video.film_plan.decisions import FilmPlan, PlanError, ShotPlan, SourceFilm
from pycolor.video.film_plan.json_lines import DuplicateKeyError, line_of, lines_of
from pycolor.video.shots.shot import Transition

FORMAT, VERSION = "pycolor-plan", 1
_KINDS = ("cut", "dissolve", "fade")


def plan_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of plan documents."""
    text = (
        resources.files("pycolor.video.film_plan").joinpath("plan.schema.json").read_text("utf-8")
    )
    schema: dict[str, Any] = json.loads(text)
    return schema


def read_plan(text: str) -> FilmPlan:
    """The plan of a document.

    Raises:
        ValueError: it is no plan; the sentence begins with the line.
    """
    try:
        content = json.loads(text)
        lines = lines_of(text)
    except json.JSONDecodeError as e:
        raise ValueError(f"line {e.lineno}: expected JSON, got an error: {e.msg}") from None
    except RecursionError:
        raise ValueError("line 1: expected a plan, got lists in lists without end") from None
    except DuplicateKeyError as e:
        raise ValueError(f"line {e.line}: {e}") from None
    try:
        return _plan_in(content)
    except PlanError as e:
        raise ValueError(f"line {line_of(lines, e.place)}: {e}") from None


def shots_of(documents: list[dict[str, Any]], source: SourceFilm) -> tuple[ShotPlan, ...]:
    """Shots from what `document_text.shot_document` made of them.

    Raises:
        PlanError: they are none.
    """
    return _shots_in(_Object({"shots": documents}, (), "a plan"), source)


# -- reading -------------------------------------------------------------------------------------


def _plan_in(content: Any) -> FilmPlan:
    root = _Object(content, (), "a plan")
    if root.text("format") != FORMAT:
        raise PlanError(f"expected the format {FORMAT}, got {content['format']!r}", "format")
    if root.whole("version") != VERSION:
        raise PlanError(
            f"expected version {VERSION} of {FORMAT}, got {content['version']}", "version"
        )
    source = _source_in(root.child("source"))
    shots = _shots_in(root, source)
    revision = root.whole("revision", 0)
    root.refuse_others("shots")
    return FilmPlan(source=source, shots=shots, revision=revision)


def _source_in(given: _Object) -> SourceFilm:
    text = given.text("rate")
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise PlanError(
            f"expected frames per second such as 24 or 24000/1001, got {text!r}", *given.at("rate")
        ) from None
    source = SourceFilm(
        name=given.text("name"),
        sha256=given.text("sha256"),
        frames=given.whole("frames"),
        rate=rate,
        timecode=given.text("timecode", ""),
        width=given.whole("width", 0),
        height=given.whole("height", 0),
    )
    given.refuse_others()
    return source


def _shots_in(root: _Object, source: SourceFilm) -> tuple[ShotPlan, ...]:
    entries = root.listed("shots", required=True)
    given = [_Object(entry, ("shots", n), "a shot") for n, entry in enumerate(entries)]
    openings = [_transition_in(shot, "opening") for shot in given]
    shots: list[ShotPlan] = []
    for number, shot in enumerate(given):
        following = openings[number + 1] if number + 1 < len(given) else None
        # Who edits by hand need not say it twice.
        closing = _transition_in(shot, "closing") if "closing" in shot.content else following
        opening = openings[number]
        if "opening" not in shot.content and number:
            start = shot.whole("start")
            opening = shots[-1].closing or Transition("cut", start, start, 1.0)
        if "closing" not in shot.content and closing is None and number + 1 < len(given):
            stop = shot.whole("stop")
            closing = Transition("cut", stop, stop, 1.0)
        shots.append(_shot_in(shot, opening, closing, source))
    return tuple(shots)


def _shot_in(
    given: _Object, opening: Transition | None, closing: Transition | None, source: SourceFilm
) -> ShotPlan:
    start, told = given.whole("start"), given.text("timecode", "")
    if told and told != source.timecode_at(start):
        raise PlanError(
            f"frame {start} has the timecode {source.timecode_at(start)}, got {told}; a cut is "
            "moved by its frame numbers, start of one shot and stop of the one before",
            *given.at("timecode"),
        )
    values: dict[str, Any] = {
        "start": start,
        "stop": given.whole("stop"),
        "colored": given.truth("colored", False),
        "treatment": given.text("treatment", "auto"),
        "model": given.text("model", None),
        "guidance": tuple(
            _Object(entry, given.at("guidance", n), "guidance").content
            for n, entry in enumerate(given.listed("guidance"))
        ),
        "saturation": given.number("saturation", 1.0),
        "warmth": given.number("warmth", 0.0),
        "disturbances": tuple(
            _inside(_Object(entry, given.at("disturbances", n), "a disturbance"), ("flash",))
            for n, entry in enumerate(given.listed("disturbances"))
        ),
    }
    for name in ("look", "notes", "state", "reviewer", "reviewed", "accepted_digest"):
        if name in given.content:
            values[name] = given.text(name)
    given.refuse_others(
        *("opening", "closing", "look", "notes", "state", "reviewer", "reviewed"),
        "accepted_digest",
    )
    try:
        return ShotPlan(opening=opening, closing=closing, **values)
    except PlanError as e:
        raise PlanError(str(e), *given.place, *e.place) from None


def _transition_in(shot: _Object, name: str) -> Transition | None:
    content = shot.content.get(name)
    return None if content is None else _inside(_Object(content, shot.at(name), name), _KINDS)


def _inside(given: _Object, kinds: tuple[str, ...]) -> Transition:
    kind = given.text("kind")
    if kind not in kinds:
        raise PlanError(f"expected the kind {' or '.join(kinds)}, got {kind!r}", *given.at("kind"))
    start, stop = given.whole("start"), given.whole("stop")
    if not 0 <= start <= stop:
        raise PlanError(f"expected 0 <= start <= stop, got {start} and {stop}", *given.at("stop"))
    confidence = given.number("confidence", 1.0)
    given.refuse_others()
    return Transition(kind, start, stop, confidence)


_REQUIRED: Any = object()


class _Object:
    """An object of the document, read key by key; what is not asked for is refused."""

    def __init__(self, content: Any, place: tuple[str | int, ...], what: str) -> None:
        self.place = place
        if not isinstance(content, Mapping):
            raise PlanError(f"expected {what}, a JSON object; got {_shown(content)}", *place)
        self.content: Mapping[str, Any] = content
        self._asked: set[str] = set()

    def at(self, *keys: str | int) -> tuple[str | int, ...]:
        return (*self.place, *keys)

    def text(self, key: str, default: Any = _REQUIRED) -> Any:
        return self._value(key, default, "a text", lambda v: isinstance(v, str))

    def truth(self, key: str, default: bool) -> bool:
        found: bool = self._value(key, default, "true or false", lambda v: isinstance(v, bool))
        return found

    def whole(self, key: str, default: Any = _REQUIRED) -> int:
        found: int = self._value(
            key,
            default,
            "a whole number",
            lambda v: isinstance(v, int) and not isinstance(v, bool) and abs(v) < 1 << 53,
        )
        return found

    def number(self, key: str, default: float) -> float:
        found = self._value(
            key,
            default,
            "a number",
            lambda v: isinstance(v, int | float) and not isinstance(v, bool) and _finite(v),
        )
        return float(found)

    def listed(self, key: str, *, required: bool = False) -> list[Any]:
        found: list[Any] = self._value(
            key, _REQUIRED if required else [], "a list", lambda v: isinstance(v, list)
        )
        return found

    def child(self, key: str) -> _Object:
        return _Object(self._value(key, _REQUIRED, "an object", lambda _: True), self.at(key), key)

    def _value(self, key: str, default: Any, what: str, fits: Callable[[Any], bool]) -> Any:
        self._asked.add(key)
        if key not in self.content:
            if default is _REQUIRED:
                raise PlanError(f"{key} is missing; expected {what}", *self.place)
            return default
        found = self.content[key]
        if found is None and default is None:
            return None
        if not fits(found):
            raise PlanError(f"{key} should be {what}, got {_shown(found)}", *self.at(key))
        return found

    def refuse_others(self, *known: str) -> None:
        """A misspelled key would be a decision lost in silence."""
        for key in self.content:
            if key not in self._asked and key not in known:
                names = ", ".join(sorted({*self._asked, *known}))
                raise PlanError(f"{key!r} is not known; expected one of {names}", *self.at(key))


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."
