"""The models of a film whose shots have models and pictures of their own, each loaded once."""

from __future__ import annotations

import copy
from dataclasses import asdict, replace
from typing import Any

from pycolor.image.guidance.guides import load_predictor, read_guide
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions

# What is done to the color when it is rendered, or where it is computed: not the layer's matter.
_NOT_OF_THE_LAYER = (
    "saturation",
    "look",
    "warmth",
    "device",
    "weights",
    "style",
    "reference",
    "guidance",
)


class PredictorPool:
    """Predictors by their options.

    Args:
        first: one that is loaded already.
        remembered: pictures of which each remembers what it saw, see `Predictor.remember`.
    """

    def __init__(self, first: Predictor | None = None, *, remembered: int = 0) -> None:
        self._remembered = remembered
        self._known: dict[PredictOptions, Predictor] = {}
        if first is not None:
            self._known[first.options] = first

    def of(self, options: PredictOptions) -> Predictor:
        """The predictor of these options; those that differ in pictures alone share a network.

        Raises:
            UsageError: an option does not fit the model.
            FilmError: the weights or a picture cannot be read.
        """
        if options not in self._known:
            self._known[options] = self._made(options)
        return self._known[options]

    def _made(self, options: PredictOptions) -> Predictor:
        plain = _without_pictures(options)
        like = next((p for o, p in self._known.items() if _without_pictures(o) == plain), None)
        if like is None:
            loaded = load_predictor(options)
            if self._remembered:
                loaded.remember(self._remembered)
            return loaded
        predictor = copy.copy(like)
        predictor.options, predictor.guides = options, []
        if options.style is not None:
            predictor.guide_by("style", [read_guide(options.style, "style")])
        if options.reference and predictor.network.guide == "reference":
            pictures = [read_guide(path, "reference") for path in options.reference]
            predictor.guide_by("reference", pictures)
        elif options.reference or options.guidance:
            predictor.lead_by_any()
        return predictor


def without_grade(options: PredictOptions) -> PredictOptions:
    """The options for a layer, whose colors are graded when they are rendered."""
    return replace(options, saturation=1.0, look="", warmth=0.0)


def layer_options(options: PredictOptions) -> dict[str, Any]:
    """What of the options decides a layer, beside weights and pictures."""
    return {k: v for k, v in asdict(options).items() if k not in _NOT_OF_THE_LAYER}


def _without_pictures(options: PredictOptions) -> PredictOptions:
    return replace(options, style=None, reference=(), guidance=None)
