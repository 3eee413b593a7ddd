"""Pictures in memory: a NumPy array, a PIL picture or a torch tensor in, the same kind out."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from pycolor.errors import UsageError
from pycolor.image.colorize import color_still
from pycolor.image.files.picture_files import StillImage, StillInfo
from pycolor.image.guidance.guides import load_picture_predictor
from pycolor.models.inference.device import check_not_forked
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions

Picture = TypeVar("Picture", npt.NDArray[Any], Tensor, Image.Image)
Codes = npt.NDArray[Any]

_SIXTEEN_BITS = 65535
_UNKNOWN_TO_NUMPY = (torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2)


@lru_cache(maxsize=2)
def shared_predictor(options: PredictOptions) -> Predictor:
    """The model of some options, loaded once: `color` is called for picture after picture."""
    return load_picture_predictor(options)


def color(picture: Picture, options: PredictOptions | None = None) -> Picture:
    """Color a picture, its luma kept.

    The luma of a gray picture is its samples, that of an R'G'B' picture is taken by BT.601's
    matrix, as JFIF (ITU-T T.871) does; the result is the color of that luma, rounded to the
    samples' depth.  Samples of a floating type are R'G'B' (display-encoded) in 0 … 1, worked at 16
    bits.  A batch is colored picture by picture.

    Args:
        picture: a NumPy array, H×W, H×W×C or N×H×W×C; a torch tensor, H×W, C×H×W or N×C×H×W; both
            of uint8, uint16 or a floating type; or a PIL picture.  C is 1 (gray), 2 (gray and
            alpha), 3 (R'G'B') or 4 (R'G'B' and alpha).
        options: model, weights, device, ...; see `PredictOptions`.  The model of the last two
            options stays loaded.

    Returns:
        The same kind, of the same type, size and device, with 3 channels, or 4 where it has alpha,
        which is kept.

    Raises:
        UsageError: it is none of these, a sample is not finite or not in 0 … 1, or this process
            was forked from one in which a model has run; start it by spawn.
        FilmError: the weights cannot be read.
    """
    options = PredictOptions() if options is None else options
    if not isinstance(options, PredictOptions):
        kind = type(options)
        raise UsageError(
            f"options must be a PredictOptions, got {kind.__module__}.{kind.__name__}."
        )
    check_not_forked()
    predictor = shared_predictor(options)
    if isinstance(picture, Image.Image):
        return _color_pil(picture, predictor)
    if isinstance(picture, torch.Tensor):
        array = torch.from_numpy(_color_array(_channels_last(picture), predictor))
        return array.movedim(-1, -3).contiguous().to(picture)
    if isinstance(picture, np.ndarray):
        return _color_array(picture, predictor)
    raise UsageError(
        "picture must be a NumPy array, a torch tensor or a PIL picture, got "
        f"{type(picture).__module__}.{type(picture).__name__}."
    )


def _channels_last(tensor: Tensor) -> Codes:
    """The samples of a tensor, H×W×C or N×H×W×C."""
    if tensor.dim() not in (2, 3, 4):
        raise UsageError(
            f"a tensor must be H×W, C×H×W or N×C×H×W, got the shape {tuple(tensor.shape)}."
        )
    if tensor.layout != torch.strided or tensor.is_meta:
        held = "no samples (device meta)" if tensor.is_meta else str(tensor.layout)
        raise UsageError(f"a tensor must hold all its samples (torch.strided), got {held}.")
    planes = tensor.detach().cpu()
    planes = planes.unsqueeze(0) if planes.dim() == 2 else planes
    planes = planes.float() if planes.dtype in _UNKNOWN_TO_NUMPY else planes
    return planes.movedim(-3, -1).numpy()


def _color_pil(picture: Image.Image, predictor: Predictor) -> Image.Image:
    """A PIL picture of 8 bits; its profile stays with it if it is one of RGB."""
    # Modes that hold no more than 8 bits a sample, and what they are as gray or RGB.
    plain = {"1": "L", "L": "L", "LA": "LA", "RGB": "RGB", "RGBA": "RGBA"}
    mode = plain.get(picture.mode)
    if picture.mode == "P":
        mode = "RGB"
    if mode in ("L", "RGB") and "transparency" in picture.info:  # a code that stands for none
        mode += "A"
    if mode is None:
        deep = picture.mode.startswith("I;16")
        advice = "; Pillow has no 16-bit color: give numpy.asarray(picture)" if deep else ""
        raise UsageError(
            f"picture must have the mode 1, L, LA, P, RGB or RGBA, got {picture.mode}{advice}."
        )
    colored = Image.fromarray(_color_array(np.asarray(picture.convert(mode)), predictor))
    profile = picture.info.get("icc_profile", b"")
    if profile[16:20] == b"RGB ":
        colored.info["icc_profile"] = profile
    return colored


def _color_array(array: Codes, predictor: Predictor) -> Codes:
    """H×W, H×W×C or N×H×W×C in, (N×)H×W×3 or 4 out."""
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim not in (3, 4) or array.shape[-1] not in (1, 2, 3, 4) or not array.size:
        raise UsageError(
            "picture must be gray or R'G'B', with or without alpha (1 to 4 channels, the last axis "
            f"of an array, the third last of a tensor), got the shape {array.shape}."
        )
    codes = _codes(array)
    if array.ndim == 4:
        colored = np.stack([_color_codes(one, predictor) for one in codes])
    else:
        colored = _color_codes(codes, predictor)
    if array.dtype.kind == "f":
        result = (colored / np.float64(_SIXTEEN_BITS)).astype(array.dtype)
    else:
        result = colored.astype(array.dtype, copy=False)
    if array.shape[-1] in (2, 4):
        return np.concatenate([result, array[..., -1:]], axis=-1)
    return result


def _codes(array: Codes) -> Codes:
    """The samples as uint8 or uint16."""
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind != "f":
        raise UsageError(f"samples must be uint8, uint16 or of a floating type, got {array.dtype}.")
    low, high = float(array.min()), float(array.max())
    if not (low >= 0 and high <= 1):  # false for NaN, too
        raise UsageError(f"samples of a floating type must lie in 0 to 1, got {low} to {high}.")
    return (array.astype(np.float64) * _SIXTEEN_BITS).round().astype(np.uint16)


def _color_codes(codes: Codes, predictor: Predictor) -> Codes:
    """H×W×C codes to H×W×3."""
    gray = codes.shape[-1] < 3
    info = StillInfo(path=Path(), kind="", bit_depth=8 * codes.dtype.itemsize, gray=gray)
    pixels = np.ascontiguousarray(codes[..., 0] if gray else codes[..., :3])
    return color_still(StillImage(pixels=pixels, alpha=None, info=info), predictor)
