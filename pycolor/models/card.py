"""What there is to know of a model before running it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from pycolor.models.colorizer import Colorizer

State = Mapping[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class Card:
    """What there is to know of a model before running it.

    Attributes:
        name: `<author><year>`, as on the command line.
        paper: authors, title, venue.
        year: of the paper.
        build: makes the network from its options; without any, the published one.
        recognize: the options of the network that a state dict belongs to, None if another's.
        convert: a state dict in a published layout as ours; it may be a part of the network.
        parameters: of the published network.
        gflops: of the published network for one input of 256×256; a multiply-add counts two.
        temperature: at which our weights are decoded (Zhang et al. 2016, eq. 5; 0 is the mode),
            where their file names no other; None for a model that predicts chroma itself.
        short_side: of the network's input, in pixels.
        picture_side: the same for a picture by itself that nothing leads, where time counts less
            than in a film; None: `short_side`.
        license: of the code.
        options: of the network whose weights the package carries.
        weights: file name below `pycolor/weights`, its model card beside it as `.md`; empty if
            the package carries none.  Of another package's model: an absolute path.
        sha256: of that file.
        weights_license: of that file.
        trained_on: in one phrase.
        source: where weights come from.
        quality: measured, by name.
    """

    name: str
    paper: str
    year: int
    build: Callable[..., Colorizer]
    recognize: Callable[[State], dict[str, Any] | None]
    convert: Callable[[State], dict[str, Tensor]] = dict
    parameters: int
    gflops: float
    temperature: float | None
    short_side: int
    picture_side: int | None = None
    license: str = "Apache-2.0"
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: str = ""
    sha256: str = ""
    weights_license: str = ""
    trained_on: str = ""
    source: str = ""
    quality: Mapping[str, float] = field(default_factory=dict)
