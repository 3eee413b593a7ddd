"""What people decided about a film, shot by shot: the document beside it, as values.

`Plan` (see `plan.py`) is what the machine does with each frame; `FilmPlan` is what a person wants,
kept in a file, changed by `edit.py`, and turned into the former by `schedule.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal, get_args

from pycolor.models.guidance.looks import LOOKS, Grade
from pycolor.video.film_plan.shot_guidance import EntryError, check_entry, palette_of
from pycolor.video.io.containers.timecode import later_timecode
from pycolor.video.shots.shot import Shot, Transition

Treatment = Literal["auto", "color", "own-color", "black-and-white"]
State = Literal["new", "accepted", "rejected"]
TREATMENTS: tuple[str, ...] = get_args(Treatment)
STATES: tuple[str, ...] = get_args(State)


class PlanError(ValueError):
    """Something in a plan that cannot be.

    Attributes:
        place: keys and indices from the document's root to what is wrong.
    """

    def __init__(self, text: str, *place: str | int) -> None:
        super().__init__(text)
        self.place = place


@dataclass(frozen=True, kw_only=True)
class SourceFilm:
    """The film that a plan is of.

    Attributes:
        name: of its file.
        sha256: of its content, hexadecimal.
        frames: how many it has.
        rate: frames per second.
        timecode: of its first frame, HH:MM:SS:FF; empty if it has none.
        width: of its stored picture in pixels, and `height`; 0 where a plan does not say.
    """

    name: str
    sha256: str
    frames: int
    rate: Fraction
    timecode: str = ""
    width: int = 0
    height: int = 0

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            if getattr(self, name) < 0:
                raise PlanError(f"{name} counts pixels, got {getattr(self, name)}", "source", name)
        if self.frames < 1:
            raise PlanError(f"a film has 1 frame or more, got {self.frames}", "source", "frames")
        if self.rate <= 0:
            raise PlanError(f"expected a rate above 0, got {self.rate}", "source", "rate")
        if self.timecode and later_timecode(self.timecode, 0, self.rate) is None:
            raise PlanError(
                f"expected a timecode HH:MM:SS:FF at {self.rate} frames/s, got {self.timecode!r}",
                "source",
                "timecode",
            )

    def timecode_at(self, frame: int) -> str:
        """The timecode of a frame; it counts from 00:00:00:00 where the film has none."""
        return later_timecode(self.timecode or "00:00:00:00", frame, self.rate) or ""


@dataclass(frozen=True, kw_only=True)
class ShotPlan:
    """What is done with one shot.

    Attributes:
        start: its first frame; `stop` one past its last.
        opening: the transition at its start, None at the film's start; `closing` at its end.
        disturbances: flashes and damage inside it, whose color is that of a neighbor.
        colored: the source has color of its own there.
        treatment: `color` (by the model), `own-color` (the source's stays), `black-and-white`
            (neutral chroma); `auto` is own-color where the source is colored, else color.
        model: name of the model; None: the film's.
        guidance: pictures, points, masks, palettes that lead the model, see `shot_guidance`.
        saturation: factor on the chroma, 0 to 4.
        warmth: −1 (to blue) … 1 (to orange); grays stay gray.
        look: see `looks.LOOKS`; empty: the film's.
        notes: for people.
        state: what a reviewer said.
        reviewer: who; `reviewed` when, ISO 8601.
        accepted_digest: `digest` of the shot as it was accepted.
    """

    start: int
    stop: int
    opening: Transition | None = None
    closing: Transition | None = None
    disturbances: tuple[Transition, ...] = ()
    colored: bool = False
    treatment: Treatment = "auto"
    model: str | None = None
    guidance: tuple[Mapping[str, Any], ...] = ()
    saturation: float = 1.0
    warmth: float = 0.0
    look: str = ""
    notes: str = ""
    state: State = "new"
    reviewer: str = ""
    reviewed: str = ""
    accepted_digest: str = ""

    def __post_init__(self) -> None:
        if self.start < 0:
            raise PlanError(f"frames count from 0, got {self.start}", "start")
        if self.stop <= self.start:
            raise PlanError(
                f"expected a stop after the start, frame {self.start}; got {self.stop}", "stop"
            )
        for name, values in (("treatment", TREATMENTS), ("state", STATES)):
            if getattr(self, name) not in values:
                raise PlanError(
                    f"expected one of {', '.join(values)}; got {getattr(self, name)!r}", name
                )
        for number, entry in enumerate(self.guidance):
            try:
                check_entry(entry, self.start, self.stop)
            except EntryError as e:
                raise PlanError(str(e), "guidance", number, *filter(None, [e.key])) from None
        for name, low in (("saturation", 0), ("warmth", -1)):
            high = 4 if name == "saturation" else 1
            if not low <= (value := getattr(self, name)) <= high:
                raise PlanError(f"{name} must lie in {low} to {high}, got {value}", name)
        if self.look and self.look not in LOOKS:
            raise PlanError(f"look must be one of {', '.join(LOOKS)}; got {self.look!r}", "look")

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def grade(self) -> Grade:
        """How the field is changed when it is rendered."""
        return Grade(
            look=self.look,
            saturation=0.0 if self.treatment == "black-and-white" else self.saturation,
            warmth=self.warmth,
            palette=palette_of(self.guidance),
        )

    @property
    def shot(self) -> Shot:
        """As the detector gives it."""
        return Shot(self.start, self.stop, self.opening, self.closing, self.disturbances)

    def keeps_own_color(self, *, recolor: bool) -> bool:
        """Whether the source's color stays.

        Args:
            recolor: what `auto` does with colored shots.
        """
        if self.treatment == "auto":
            return self.colored and not recolor
        return self.treatment == "own-color"

    @cached_property
    def digest(self) -> str:
        """Of all that decides the shot's picture and stands in the document, hexadecimal."""
        decisions = (
            [self.start, self.stop, self.treatment, self.model, list(self.guidance)],
            [self.saturation, self.warmth, self.look, self.colored],
            [[t.kind, t.start, t.stop] for t in (self.opening, self.closing) if t is not None],
            [[t.start, t.stop] for t in self.disturbances],
        )
        text = json.dumps(decisions, sort_keys=True, default=dict)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def changed_since_accepted(self) -> bool:
        """Whether it was accepted as it no longer is."""
        return self.state == "accepted" and self.accepted_digest != self.digest


@dataclass(frozen=True, kw_only=True)
class FilmPlan:
    """See the module.

    Attributes:
        source: the film.
        shots: in order, from its first frame to its last without gaps.
        revision: counts the changes that were saved.
    """

    source: SourceFilm
    shots: tuple[ShotPlan, ...]
    revision: int = 0

    def __post_init__(self) -> None:
        if not self.shots:
            raise PlanError("expected one shot or more, got none", "shots")
        if self.revision < 0:
            raise PlanError(f"expected 0 or more, got {self.revision}", "revision")
        at = 0
        for number, shot in enumerate(self.shots):
            if shot.start != at:
                where = "the film's start" if not number else f"the end of shot {number}"
                raise PlanError(
                    f"shot {number + 1} should start at frame {at}, {where}; got {shot.start}",
                    *("shots", number, "start"),
                )
            at = shot.stop
        if at != self.source.frames:
            raise PlanError(
                f"the last shot should stop at frame {self.source.frames}, the film's end; "
                f"got {at}",
                *("shots", len(self.shots) - 1, "stop"),
            )
        self._check_transitions()

    def _check_transitions(self) -> None:
        for number, (left, right) in enumerate(zip(self.shots, self.shots[1:], strict=False)):
            transition = right.opening
            place = ("shots", number + 1, "opening")
            if transition is None or left.closing != transition:
                raise PlanError(
                    f"shots {number + 1} and {number + 2} should have one transition between them; "
                    f"got closing {_told(left.closing)} and opening {_told(transition)}",
                    *place,
                )
            gradual = transition.stop > transition.start
            if gradual and not left.start <= transition.start < transition.stop <= right.stop:
                raise PlanError(
                    f"the {transition.kind} into shot {number + 2} should lie in frames "
                    f"{left.start} to {right.stop}; got {transition.start} to {transition.stop}",
                    *place,
                )

    def number_at(self, frame: int) -> int:
        """Index of the shot that a frame lies in.

        Raises:
            PlanError: the film has no such frame.
        """
        for number, shot in enumerate(self.shots):
            if shot.start <= frame < shot.stop:
                return number
        raise PlanError(f"expected a frame from 0 to {self.source.frames - 1}, got {frame}")


def new_plan(source: SourceFilm, shots: Sequence[Shot], colored: Sequence[bool]) -> FilmPlan:
    """A plan in which nothing is decided yet.

    Args:
        source: the film.
        shots: as they were detected.
        colored: of each, whether the source has color there.
    """
    return FilmPlan(
        source=source,
        shots=tuple(
            ShotPlan(
                start=shot.start,
                stop=shot.stop,
                opening=shot.opening,
                closing=shot.closing,
                disturbances=shot.disturbances,
                colored=bool(own),
            )
            for shot, own in zip(shots, colored, strict=True)
        ),
    )


def _told(transition: Transition | None) -> str:
    return (
        "none" if transition is None else f"{transition.kind} {transition.start}:{transition.stop}"
    )
