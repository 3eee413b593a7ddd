"""The color of single frames, and a model that lets people who wait go first."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor

from pycolor.models.predictor import Predictor
from pycolor.video.io import FilmInfo, Frame
from pycolor.video.io.frame.tensors import luma_on
from pycolor.video.plan.brightness import brightened
from pycolor.video.plan.plan import Plan, ShotBody
from pycolor.video.propagation.layer import Layer, rounded
from pycolor.video.propagation.propagate import Part
from pycolor.video.propagation.seen_frames import SeenFrames


def seen_alone(
    plan: Plan, predictor: Predictor, frame: Frame, info: FilmInfo, seen: SeenFrames
) -> Tensor:
    """What a model sees of a frame, as of a key frame of the film: 1×1×h×w, L*, upright."""
    gain = float(plan.gain[frame.index])

    def make() -> Tensor:
        luma = luma_on(frame, predictor.device)
        aspect = float(info.pixel_aspect or 1)
        return brightened(predictor.lightness(luma, info.encoding, aspect, info.turns), gain)

    return seen.lightness(frame.index, gain, predictor, make)


def colored_alone(
    plan: Plan,
    predictors: Callable[[int], Predictor],
    frame: Frame,
    info: FilmInfo,
    seen: SeenFrames,
) -> Layer:
    """The color of one frame as if it were a shot: what frames around it say is left out.

    Args:
        plan: of the film.
        predictors: of the shot whose body begins at a frame.
        frame: of a shot that the model colors; in a dissolve, that of which there is more.
        info: of the film.
        seen: what was seen of its frames.
    """
    body = shot_at(plan, frame.index)
    predictor = predictors(body.start)
    field = predictor.field(
        seen_alone(plan, predictor, frame, info, seen),
        info.turns,
        places=[(frame.index, (body.start, body.stop))],
    )
    part = Part(shot=body.start, share=1.0, field=field[0])
    return Layer(first=frame.index, frames=(rounded((part,)),))


def shot_at(plan: Plan, n: int) -> ShotBody:
    """The shot that a frame is of; in a dissolve, that of which there is more."""
    span = plan.span_at(n)
    if isinstance(span, ShotBody):
        return span
    late = 2 * (n - span.start) >= span.stop - span.start
    sides = (span.after, span.before) if late else (span.before, span.after)
    return next(side for side in sides if side is not None)


class Patient:
    """Predictors that let others go first before they color a frame.

    Args:
        predictors: of the shot whose body begins at a frame.
        rest: called before each.
    """

    def __init__(self, predictors: Callable[[int], Predictor], rest: Callable[[], None]) -> None:
        self._predictors, self._rest = predictors, rest
        self._known: dict[int, Predictor] = {}  # by identity: of equal models one

    def __call__(self, shot: int) -> Predictor:
        predictor = self._predictors(shot)
        if id(predictor) not in self._known:
            self._known[id(predictor)] = patient = copy.copy(predictor)

            def field(*args: Any, **named: Any) -> Tensor:
                self._rest()
                return predictor.field(*args, **named)

            patient.field = field  # type: ignore[method-assign]
        return self._known[id(predictor)]
