"""Changes of a plan: pure functions from one plan to another, for pages and scripts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pycolor.video.film_plan.decisions import FilmPlan, PlanError, ShotPlan
from pycolor.video.film_plan.shot_guidance import of_frames
from pycolor.video.shots.shot import Transition

_FIXED = ("start", "stop", "opening", "closing", "disturbances")


def set_shot(plan: FilmPlan, number: int, **values: Any) -> FilmPlan:
    """A plan whose shot `number` (from 0) has other values.

    Args:
        plan: as it is.
        number: of the shot.
        values: fields of `ShotPlan`; where it lies is changed by the other functions.

    Raises:
        PlanError: a field is not known, or its value does not fit.
    """
    shot = _shot(plan, number)
    for name in values:
        if name in _FIXED or name not in ShotPlan.__dataclass_fields__:
            raise PlanError(f"a shot has no {name} that can be set")
    return _with(plan, number, replace(shot, **values))


def review(plan: FilmPlan, number: int, state: str, reviewer: str, when: str = "") -> FilmPlan:
    """A plan whose shot a person has accepted or rejected as it is.

    Args:
        plan: as it is.
        number: of the shot.
        state: accepted, rejected, or new to take it back.
        reviewer: who says so.
        when: ISO 8601; now, if empty.
    """
    when = when or datetime.now(UTC).isoformat(timespec="seconds")
    shot = _shot(plan, number)
    accepted = shot.digest if state == "accepted" else ""
    values = {"state": state, "reviewer": reviewer, "reviewed": when, "accepted_digest": accepted}
    return set_shot(plan, number, **values)


def split_shot(plan: FilmPlan, frame: int) -> FilmPlan:
    """A plan with one cut more: the second half of the shot that shows `frame` begins there.

    Both keep what was decided, and lose their state: nobody has seen them.

    Raises:
        PlanError: a shot begins there already, or the film has no such frame.
    """
    number = plan.number_at(frame)
    shot = plan.shots[number]
    if frame == shot.start:
        raise PlanError(f"a shot begins at frame {frame} already")
    cut = Transition("cut", frame, frame, 1.0)
    for edge in (shot.opening, shot.closing):
        if edge is not None and edge.start < frame < edge.stop:
            raise PlanError(
                f"frame {frame} lies in the {edge.kind} of frames {edge.start} to {edge.stop - 1}"
            )
    left = replace(_within(shot, shot.start, frame), closing=cut)
    right = replace(_within(shot, frame, shot.stop), opening=cut)
    return replace(plan, shots=(*plan.shots[:number], left, right, *plan.shots[number + 1 :]))


def merge_shots(plan: FilmPlan, number: int) -> FilmPlan:
    """A plan in which shot `number` and the one after it are one, decided as the first was.

    Raises:
        PlanError: there is none after it.
    """
    left, right = _shot(plan, number), _shot(plan, number + 1)
    merged = replace(
        _unseen(left),
        stop=right.stop,
        closing=right.closing,
        disturbances=(*left.disturbances, *right.disturbances),
        guidance=(*left.guidance, *(e for e in right.guidance if e not in left.guidance)),
    )
    return replace(plan, shots=(*plan.shots[:number], merged, *plan.shots[number + 2 :]))


def move_cut(plan: FilmPlan, number: int, frame: int) -> FilmPlan:
    """A plan whose shot `number` (from 1 on) begins at another frame; the transition moves along.

    Raises:
        PlanError: one of the two shots would have no frame left.
    """
    left, right = _shot(plan, number - 1), _shot(plan, number)
    if number == 0:
        raise PlanError("the first shot begins with the film")
    if not left.start < frame < right.stop:
        raise PlanError(f"expected a frame from {left.start + 1} to {right.stop - 1}, got {frame}")
    old = right.opening or Transition("cut", right.start, right.start, 1.0)
    moved = frame - right.start
    opening = Transition(old.kind, old.start + moved, old.stop + moved, 1.0)
    return _between(plan, number, frame, opening)


def set_transition(plan: FilmPlan, number: int, kind: str, start: int, stop: int) -> FilmPlan:
    """A plan in which shot `number` (from 1 on) opens otherwise.

    Args:
        plan: as it is.
        number: of the shot.
        kind: cut, dissolve or fade.
        start: first frame that shows it; of a cut, the shot's start.
        stop: one past the last frame that shows it; of a cut, the same.
    """
    if number == 0:
        raise PlanError("the first shot begins with the film")
    if kind not in ("cut", "dissolve", "fade"):
        raise PlanError(f"expected cut, dissolve or fade; got {kind!r}")
    opening = Transition(kind, start, stop, 1.0)  # type: ignore[arg-type]
    frame = start if kind == "cut" else _shot(plan, number).start
    return _between(plan, number, frame, opening)


def _between(plan: FilmPlan, number: int, frame: int, opening: Transition) -> FilmPlan:
    left, right = plan.shots[number - 1], plan.shots[number]
    moved = (
        *(e for e in left.guidance if "frame" in e),
        *(e for e in right.guidance if "frame" in e),
    )
    shots = []
    for shot, ends in ((left, (left.start, frame)), (right, (frame, right.stop))):
        still = tuple(e for e in shot.guidance if "frame" not in e)
        whole = replace(
            shot,
            start=left.start,
            stop=right.stop,
            disturbances=(*left.disturbances, *right.disturbances),
            guidance=(*moved, *still),
        )
        shots.append(_within(whole, *ends))
    shots = [replace(shots[0], closing=opening), replace(shots[1], opening=opening)]
    return replace(plan, shots=(*plan.shots[: number - 1], *shots, *plan.shots[number + 1 :]))


def _within(shot: ShotPlan, first: int, stop: int) -> ShotPlan:
    """A shot of some of its frames, and of what was found or given in them."""
    return replace(
        _unseen(shot),
        start=first,
        stop=stop,
        disturbances=tuple(d for d in shot.disturbances if first <= d.start < stop),
        guidance=of_frames(shot.guidance, first, stop),
    )


def _unseen(shot: ShotPlan) -> ShotPlan:
    return replace(shot, state="new", accepted_digest="")


def _shot(plan: FilmPlan, number: int) -> ShotPlan:
    if not 0 <= number < len(plan.shots):
        raise PlanError(f"expected a shot from 0 to {len(plan.shots) - 1}, got {number}")
    return plan.shots[number]


def _with(plan: FilmPlan, number: int, shot: ShotPlan) -> FilmPlan:
    return replace(plan, shots=(*plan.shots[:number], shot, *plan.shots[number + 1 :]))
