"""What the page may ask for, as changes of a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pycolor.errors import counted
from pycolor.video.film_plan import edit
from pycolor.video.film_plan.decisions import FilmPlan, ShotPlan
from pycolor.web.desk.plan.copying import GROUPS, copied
from pycolor.web.local_server import RefusedError

Said = Mapping[str, Any]
SETTINGS = {  # of a shot: what the page may set, and of which kind it is
    "treatment": str,
    "model": str,
    "saturation": float,
    "warmth": float,
    "look": str,
    "notes": str,
}
MOST_MARKS = 1000  # in a shot
LONGEST_NOTES = 4000  # characters
LONGEST_NAME = 80


@dataclass(frozen=True, kw_only=True)
class Desired:
    """A plan as it is asked for.

    Attributes:
        plan: as it would be.
        what: a word on what is changed.
        look_at: a frame that must be possible by it; None: nothing new is asked of the model.
    """

    plan: FilmPlan
    what: str
    look_at: int | None = None


def change(plan: FilmPlan, said: Said, size: tuple[int, int]) -> Desired:
    """A plan after what the page says.

    Args:
        plan: as it is.
        said: "do" names the change, see the functions below; the rest is for it.
        size: (width, height) of the picture as it is shown.

    Raises:
        RefusedError: it is not as the page says it.
        PlanError: it cannot be.
    """
    if said.get("do") == "mark":
        return _mark(plan, said, size)
    make = _CHANGES.get(str(said.get("do")))
    if make is None:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"expected one of {', '.join(CHANGES)}")
    return make(plan, said)


def add_guidance(
    plan: FilmPlan, number: int, entry: dict[str, Any], what: str, *, instead: bool = False
) -> Desired:
    """A plan with one more entry of guidance in a shot; `instead` of those like it on its frame."""
    shot = plan.shots[number]
    kept = shot.guidance
    if instead:
        same = entry["kind"], entry.get("frame")
        kept = tuple(e for e in kept if (e["kind"], e.get("frame")) != same)
    if len(shot.guidance) >= MOST_MARKS:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"a shot has {MOST_MARKS} marks at most")
    made = edit.set_shot(plan, number, guidance=(*kept, entry))
    return Desired(plan=made, what=what, look_at=entry.get("frame", shot.start))


def whole(said: Said, key: str) -> int:
    """A whole number that is expected.

    Raises:
        RefusedError: it is none.
    """
    value = said.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1 << 40:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"{key} should be a whole number")
    return value


def _set(plan: FilmPlan, said: Said) -> Desired:
    values = said.get("values")
    if not isinstance(values, dict) or not values or not values.keys() <= SETTINGS.keys():
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"expected values of {', '.join(SETTINGS)}")
    found: dict[str, Any] = {}
    for name, value in values.items():
        if SETTINGS[name] is float:
            known = isinstance(value, int | float) and not isinstance(value, bool)
            if not known or not math.isfinite(value):
                raise RefusedError(HTTPStatus.BAD_REQUEST, f"{name} should be a number")
            found[name] = float(value)
        elif not isinstance(value, str) or len(value) > LONGEST_NOTES:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"{name} should be a short text")
        else:
            found[name] = (value or None) if name == "model" else value
    made = edit.set_shot(plan, number := whole(said, "shot"), **found)
    look_at = plan.shots[number].start if "model" in found else None
    return Desired(plan=made, what=" and ".join(found), look_at=look_at)


def _mark(plan: FilmPlan, said: Said, size: tuple[int, int]) -> Desired:
    frame, kind = whole(said, "frame"), said.get("kind")
    entry: dict[str, Any] = {"kind": kind, "frame": frame}
    for key in ("at", "stroke", "polygon", "radius", "color"):
        if said.get(key) is not None:
            entry[key] = said[key]
    points = [entry["at"]] if "at" in entry else entry.get("stroke", entry.get("polygon"))
    if kind not in ("color", "keep-gray", "only-here") or not isinstance(points, list):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "expected a mark: a kind, and a place")
    if not all(_inside(point, size) for point in points):
        raise RefusedError(
            HTTPStatus.BAD_REQUEST,
            f"places lie in 0 to {size[0]} across and 0 to {size[1]} down",
        )
    return add_guidance(plan, plan.number_at(frame), entry, f"mark {kind}")


def _inside(point: Any, size: tuple[int, int]) -> bool:
    return (
        isinstance(point, list)
        and len(point) == 2
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in point)
        and all(0 <= v <= most for v, most in zip(point, size, strict=True))
    )


def _unmark(plan: FilmPlan, said: Said) -> Desired:
    number, entry = whole(said, "shot"), whole(said, "entry")
    guidance = _shot(plan, number).guidance
    if not 0 <= entry < len(guidance):
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"shot {number + 1} has no such guidance")
    left = (*guidance[:entry], *guidance[entry + 1 :])
    kind = guidance[entry]["kind"]
    return Desired(plan=edit.set_shot(plan, number, guidance=left), what=f"without {kind}")


def _palette(plan: FilmPlan, said: Said) -> Desired:
    """Draw a shot's colors to some; none: to none any more."""
    number, colors = whole(said, "shot"), said.get("colors")
    if not isinstance(colors, list):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "expected colors")
    others = tuple(e for e in _shot(plan, number).guidance if e["kind"] != "palette")
    entry = ({"kind": "palette", "colors": colors},) if colors else ()
    return Desired(plan=edit.set_shot(plan, number, guidance=(*others, *entry)), what="palette")


def _review(plan: FilmPlan, said: Said) -> Desired:
    """What a person says of a shot holds for what was seen, and for nothing else."""
    number, state, reviewer = whole(said, "shot"), said.get("state"), said.get("reviewer", "")
    if not isinstance(reviewer, str) or len(reviewer) > LONGEST_NAME:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "reviewer should be a name")
    if _shot(plan, number).digest != said.get("seen"):
        raise RefusedError(HTTPStatus.CONFLICT, f"shot {number + 1} is no longer what was seen")
    return Desired(plan=edit.review(plan, number, str(state), reviewer), what=str(state))


def copied_shot(plan: FilmPlan, said: Said) -> int | None:
    """The shot that a change copies to others; None for other changes.

    Raises:
        RefusedError: there is none.
    """
    if said.get("do") not in ("copy", "same-as"):
        return None
    _shot(plan, number := whole(said, "shot" if said["do"] == "copy" else "as"))
    return number


def copy(plan: FilmPlan, said: Said, pictures: Mapping[int, str]) -> Desired:
    """Decide other shots as one is: "copy" from a shot to some, "same-as" to a shot from one.

    Args:
        plan: as it is.
        said: of the page.
        pictures: see `copying.copied`.

    Raises:
        RefusedError: it is not as the page says it.
        PlanError: it cannot be.
    """
    number = copied_shot(plan, said)
    assert number is not None
    targets: Any = [said.get("shot")]
    groups: Any = list(GROUPS)
    what = f"same as shot {number + 1}"
    if said["do"] == "copy":
        targets, groups = said.get("to"), said.get("groups")
    if not isinstance(groups, list) or not groups or not set(map(str, groups)) <= GROUPS.keys():
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"expected groups of {', '.join(GROUPS)}")
    if not isinstance(targets, list) or not targets:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "expected shots to copy to")
    to = sorted({whole({"to": target}, "to") for target in targets} - {number})
    shots = [_shot(plan, target) for target in to]
    if said["do"] == "copy":
        what = f"copy of shot {number + 1} to {len(to)} shot{'s' * (len(to) != 1)}"
    made = copied(plan, number, to, groups, pictures)
    return Desired(plan=made, what=what, look_at=shots[0].start if shots else None)


def _split(plan: FilmPlan, said: Said) -> Desired:
    return Desired(plan=edit.split_shot(plan, whole(said, "frame")), what="split")


def _merge(plan: FilmPlan, said: Said) -> Desired:
    return Desired(plan=edit.merge_shots(plan, whole(said, "shot")), what="merge")


def _move_cut(plan: FilmPlan, said: Said) -> Desired:
    made = edit.move_cut(plan, whole(said, "shot"), whole(said, "frame"))
    return Desired(plan=made, what="cut moved")


def _transition(plan: FilmPlan, said: Said) -> Desired:
    _shot(plan, number := whole(said, "shot"))
    kind, ends = str(said.get("kind")), (whole(said, "start"), whole(said, "stop"))
    return Desired(plan=edit.set_transition(plan, number, kind, *ends), what=kind)


def _shot(plan: FilmPlan, number: int) -> ShotPlan:
    if not 0 <= number < len(plan.shots):
        raise RefusedError(
            HTTPStatus.BAD_REQUEST, f"the film has {counted(len(plan.shots), 'shot')}"
        )
    return plan.shots[number]


_CHANGES: Mapping[str, Callable[[FilmPlan, Said], Desired]] = {
    "set": _set,
    "unmark": _unmark,
    "palette": _palette,
    "review": _review,
    "split": _split,
    "merge": _merge,
    "move-cut": _move_cut,
    "transition": _transition,
}
CHANGES = ("mark", "copy", "same-as", *_CHANGES)
