"""The model of each shot, led by what people gave for it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pycolor.image.guidance.guides import read_guide
from pycolor.image.predictor_pool import PredictorPool
from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions
from pycolor.video.io import FrameSource
from pycolor.video.job.decisions.guided import Given, guided_pictures
from pycolor.video.job.record.source_digest import file_digest
from pycolor.video.plan.plan import Plan
from pycolor.video.propagation.seen_frames import SeenFrames


class ShotPredictors:
    """Gives the predictor of a shot; what leads it is read when it is wanted.

    Args:
        pool: has the models.
        plan: of the film.
        source: its frames.
        options: of the model of the shot whose body begins at a frame.
        given: what leads the model in some shots, likewise.
        guided: pictures that lead it in all others.
        seen: what was seen of the frames before.
    """

    def __init__(
        self,
        pool: PredictorPool,
        plan: Plan,
        source: FrameSource,
        options: Callable[[int], PredictOptions],
        given: Mapping[int, Given],
        guided: tuple[GuidedPicture, ...] = (),
        seen: SeenFrames | None = None,
    ) -> None:
        self._pool, self._plan, self._source = pool, plan, source
        self._options, self._given, self._guided = options, given, guided
        self._seen = seen
        self._led: dict[int | PredictOptions, Predictor] = {}

    def __call__(self, shot: int) -> Predictor:
        """The predictor of the shot whose body begins at this frame.

        Raises:
            UsageError: what was given does not fit the model or the film.
            FilmError: a picture or the film cannot be read.
        """
        options, given = self._options(shot), self._given.get(shot)
        if given is None and not self._guided:
            return self._pool.of(options)
        key = options if given is None else shot
        if key not in self._led:
            predictor = copy.copy(self._pool.of(options))
            if given is None:
                predictor.lead_by(self._guided)
            else:
                self._lead(predictor, given)
            self._led[key] = predictor
        return self._led[key]

    def _lead(self, predictor: Predictor, given: Given) -> None:
        if predictor.network.guide == "reference" and not given.frames:
            pictures = [read_guide(each.path, "reference") for each in given.alike]
            predictor.guide_by("reference", pictures)
            return
        predictor.lead_by_any()
        plan, source, seen = self._plan, self._source, self._seen
        predictor.lead_by(guided_pictures(given, plan, source, predictor, seen))


def given_identity(given: Given | None) -> Any:
    """Identifies the guidance of a shot."""
    if given is None:
        return None
    return {
        "stills": {str(n): file_digest(each.path) for n, each in sorted(given.stills.items())},
        "alike": [file_digest(each.path) for each in given.alike],
        "marks": replace(given.marks, looks=(), palette=()).to_json()["marks"],
    }
