"""What was decided on one shot, decided on others.

Points, strokes and areas lie on a frame of their shot and mean nothing elsewhere: in other shots
that frame, in the color it has by them, is a picture of something alike.  So is a still.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pycolor.models.guidance.marks import KINDS as MARK_KINDS
from pycolor.video.film_plan import edit
from pycolor.video.film_plan.decisions import FilmPlan, ShotPlan

GROUPS: Mapping[str, tuple[str, ...]] = {  # of what is copied together: the values besides guidance
    "colors": (),
    "grade": ("saturation", "warmth", "look"),
    "model": ("treatment", "model"),
}
PREFIX = "stills/alike-"  # of pictures that are made of marked frames

Entry = Mapping[str, Any]


def frames_to_copy(shot: ShotPlan, *, always: bool) -> list[int]:
    """The frames of a shot that lead others as pictures.

    Args:
        shot: that is copied.
        always: one of a shot that nothing leads, too: the model's colors are copied.
    """
    frames = {entry["frame"] for entry in shot.guidance if entry["kind"] in MARK_KINDS}
    led = any(entry["kind"] != "palette" for entry in shot.guidance)
    if always and not led:
        frames = {(shot.start + shot.stop) // 2}
    return sorted(frames)


def copied(
    plan: FilmPlan,
    number: int,
    targets: Iterable[int],
    groups: Sequence[str],
    pictures: Mapping[int, str],
) -> FilmPlan:
    """A plan in which other shots are decided as one is.

    Args:
        plan: as it is.
        number: of the shot that is copied.
        targets: of those that it is copied to.
        groups: names of `GROUPS`.
        pictures: paths of the frames of `frames_to_copy`, relative to the plan's folder.
    """
    shot = plan.shots[number]
    values = {name: getattr(shot, name) for group in groups for name in GROUPS[group]}
    for target in targets:
        if target == number:
            continue
        if "colors" in groups:
            values["guidance"] = _led(plan.shots[target].guidance, shot.guidance, pictures)
        plan = edit.set_shot(plan, target, **values)
    return plan


def _led(
    own: Sequence[Entry], given: Sequence[Entry], pictures: Mapping[int, str]
) -> tuple[Entry, ...]:
    """What leads a shot, with what leads another: its own stays, but for a palette and a style.

    Of a frame that was copied before the newest picture counts.
    """
    frames = tuple(f"{PREFIX}{frame:06d}-" for frame in pictures)
    replaced = {"palette", "style"} & {entry["kind"] for entry in given}
    kept = [
        entry
        for entry in own
        if not (entry["kind"] == "picture" and entry["path"].startswith(frames))
        and entry["kind"] not in replaced
    ]
    new: list[Entry] = [{"kind": "picture", "path": path} for path in pictures.values()]
    for entry in given:
        if entry["kind"] == "still":
            if entry["frame"] not in pictures:
                new.append({"kind": "picture", "path": entry["path"]})
        elif entry["kind"] not in MARK_KINDS:
            new.append(dict(entry))
    return (*kept, *(entry for entry in new if entry not in kept))
