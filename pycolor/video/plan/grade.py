"""Saturation, warmth, look and palette of shots and frames: what rendering does to their colors.

All are functions of a cell's color and lightness alone: changing them takes no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pycolor.models.guidance.looks import Grade
from pycolor.options import PredictOptions
from pycolor.video.plan.plan import Plan

NEUTRAL = Grade()


@dataclass(frozen=True, kw_only=True)
class Grades:
    """The grade of each shot of a film, and of some frames.

    Attributes:
        film: of all shots.
        shots: beside it, by the first frame of the shot's body.
        plan: beside both, of the frames that a plan grades.
    """

    film: Grade = NEUTRAL
    shots: Mapping[int, Grade] = field(default_factory=dict)
    plan: Plan | None = None

    def at(self, n: int) -> Grades:
        """The grades of the shots as they are in frame n."""
        grade = None if self.plan is None else self.plan.grade_at(n)
        return Grades(film=combined(self.film, grade or NEUTRAL), shots=self.shots)

    def of(self, shot: int) -> Grade:
        """What is done with the colors of the shot whose body begins at this frame."""
        return combined(self.film, self.shots.get(shot, NEUTRAL))


def film_grade(options: PredictOptions) -> Grade:
    """What the options say of all shots' colors."""
    return Grade(look=options.look, saturation=options.saturation, warmth=options.warmth)


def combined(film: Grade, shot: Grade) -> Grade:
    """A film's grade and one of its shots' as one: its look and palette go before the film's."""
    return Grade(
        look=shot.look or film.look,
        saturation=film.saturation * shot.saturation,
        warmth=max(-1.0, min(1.0, film.warmth + shot.warmth)),
        palette=shot.palette or film.palette,
    )


def all_grades(plan: Plan, options: PredictOptions, grades: Grades) -> Grades:
    """What is done with the colors of a film at the end: by its plan, the options, and its shots.

    Args:
        plan: of the film; its grades have the options' look and warmth in them.
        options: of the model.
        grades: beside them.
    """
    film = film_grade(options)
    if plan.grades:
        film = Grade(saturation=film.saturation)
    return Grades(film=combined(film, grades.film), shots=grades.shots, plan=plan)
