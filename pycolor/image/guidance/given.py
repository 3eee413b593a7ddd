"""What a person gave for pictures: stills and marks of each of them, pictures of the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pycolor.errors import UsageError
from pycolor.image.guidance.guides import (
    alike,
    colorless,
    marked,
    read_known,
    read_marks,
    still_of,
)
from pycolor.image.guidance.references import references
from pycolor.models.colorizer import Guidance
from pycolor.models.guidance.looks import Grade
from pycolor.models.guidance.marks import Mark, ab_of
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions


@dataclass(frozen=True, kw_only=True)
class GivenForPicture:
    """What was given for one picture.

    Attributes:
        name: of the picture, for messages.
        still: the same picture in color, from an editor.
        marks: points, strokes and areas.
        grade: what is done with its colors at the end.
        say: called with each note.
    """

    name: str
    still: Path | None
    marks: tuple[Mark, ...]
    grade: Grade | None
    say: Callable[[str], None] = lambda _: None

    def over(
        self,
        known: Guidance | None,
        lightness: Tensor,
        predictor: Predictor,
        shown: Sequence[int],
    ) -> Guidance | None:
        """What is known of the picture, over what references say of it.

        Args:
            known: from references, None without any.
            lightness: 1×1×h×w of the picture, from `Predictor.lightness`.
            predictor: of the model.
            shown: (height, width) of the picture in pixels.

        Raises:
            UsageError: the still shows another picture, or a mark lies outside of it.
        """
        if self.still is not None:
            own = still_of(
                read_known(self.still), lightness, predictor, (str(self.still), self.name)
            )
            if colorless(own):
                self.say(f"note: {self.still} has no color, so {self.name} stays gray")
            known = own if known is None else _over(own, known)
        if self.marks:
            size = shown[0], shown[1]
            known = marked(self.marks, size, lightness, predictor, self.name, known)
        return known


def given_for_pictures(
    options: PredictOptions,
    predictor: Predictor,
    pictures: Sequence[Path],
    say: Callable[[str], None] = lambda _: None,
) -> list[GivenForPicture]:
    """What the options name, for each of some pictures; the predictor is led by the rest.

    Args:
        options: of the model.
        predictor: of it.
        pictures: files, in order; FRAME in references and marks counts them from 0.
        say: called with each note.

    Raises:
        UsageError: a name or the document does not fit.
        FilmError: a picture cannot be read.
    """
    own = predictor.network.guide == "reference"
    named = [] if own else references(options.reference, None)
    marks = read_marks(options.guidance)
    told = (*marks.frames, *(r.frame or 0 for r in named), *(look.first for look in marks.looks))
    beyond = [n for n in told if n >= len(pictures)]
    if beyond:
        raise UsageError(
            f"there is guidance for picture {beyond[0]}; expected 0 to {len(pictures) - 1}."
        )
    predictor.lead_by([alike(read_known(r.path), predictor) for r in named if r.frame is None])
    stills = {r.frame: r.path for r in named if r.frame is not None}
    palette = tuple(ab_of(color) for color in marks.palette)

    def grade(n: int) -> Grade | None:
        look = next((x for x in marks.looks if x.first <= n < x.stop), None)
        found = Grade(
            look=options.look,
            palette=palette,
            warmth=options.warmth + (look.warmth if look else 0.0),
            saturation=look.saturation if look else 1.0,
        )
        return None if found == Grade() else found

    return [
        GivenForPicture(
            name=str(path), still=stills.get(n), marks=marks.of(n), grade=grade(n), say=say
        )
        for n, path in enumerate(pictures)
    ]


def _over(above: Guidance, below: Guidance) -> Guidance:
    return Guidance(
        hints=torch.lerp(below.hints, above.hints, above.weight),
        weight=torch.maximum(below.weight, above.weight),
    )
