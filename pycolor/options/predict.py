"""How chroma is predicted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import UseAppendAction, arg

from pycolor.errors import UsageError
from pycolor.options.checks import as_path, check_choice, check_number, take_paths

Dtype = Literal["auto", "float32", "bfloat16"]
Look = Literal["", "natural", "vivid", "two-color", "autochrome", "dye-transfer"]
Decode = Literal["auto", "mean", "annealed", "mode"]


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """How chroma is predicted.

    Attributes:
        model: the model, by its name in `pycolor models` (default: pycolor2026, or the one that
            the weights belong to).
        weights: a weight file of `pycolor train`; `open`: packaged weights trained on CC BY and
            CC0 photographs only; or the name of weights fetched by `pycolor weights pull`
            (default: the model's packaged weights).
        device: cpu, cuda, cuda:1, ... (default: a GPU if there is one).
        dtype: arithmetic of the network; auto: bfloat16 where the processor supports it.
        short_side: shorter side of the network's input in pixels, a multiple of 8 (default: the
            model's own, for pictures a larger one if it has one).
        saturation: factor on the chroma, 0 to 4.
        decode: how a predicted distribution becomes a color; annealed: mean at T = 0.38; auto: as
            the model's card says.
        reserve: soft threshold on the chroma in ab units, 0 to 100: weak, uncertain colors go to
            gray; a chroma of 20 or more stays as it is.
        style: a picture whose overall look guides the colors (iizuka2016).
        reference: a color picture that guides the colors; repeatable. FRAME=FILE is a still of the
            film: its colors hold there and are carried on; a folder holds stills whose names end in
            frame numbers or timecodes; a plain file shows something alike.
        guidance: a JSON document of points, strokes, masks, a palette and looks of some frames.
        look: a preset of color; chroma then falls to 0 at the ends of the luma range (default: as
            the model predicts).
        warmth: -1 (colder) to 1 (warmer).
        compile: run the network through torch.compile; needs a C++ compiler and up to a minute at
            the start.
    """

    model: str | None = None
    weights: Annotated[Path | None, arg(metavar="FILE|NAME")] = None
    device: str = "auto"
    dtype: Dtype = "auto"
    short_side: int | None = None
    saturation: float = 1.0
    decode: Decode = "auto"
    reserve: Annotated[float, arg(name="chroma-threshold")] = 0.0
    style: Path | None = None
    reference: UseAppendAction[tuple[Path, ...]] = ()
    guidance: Path | None = None
    look: Look = ""
    warmth: float = 0.0
    compile: bool = False

    def __post_init__(self) -> None:
        side = self.short_side
        if side is not None and (not isinstance(side, int) or side < 16 or side % 8):
            raise UsageError(f"short_side must be a multiple of 8, 16 or more, got {side}.")
        check_number("saturation", self.saturation, 0, 4)
        check_number("warmth", self.warmth, -1, 1)
        check_number("chroma-threshold", self.reserve, 0, 100)
        check_choice("dtype", self.dtype, Dtype)
        check_choice("decode", self.decode, Decode)
        check_choice("look", self.look, Look)
        take_paths(self, "weights", "style", "guidance")
        given = self.reference
        if isinstance(given, str | os.PathLike):
            raise UsageError(f"reference must be a tuple of paths, got {given!r} alone.")
        object.__setattr__(self, "reference", tuple(as_path("reference", p) for p in given))
