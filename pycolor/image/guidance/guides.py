"""Pictures and documents from files that lead a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor import ops
from pycolor.errors import UsageError
from pycolor.image.guidance.align import AGREEMENT, align, onto
from pycolor.models.colorizer import Guidance, Guide
from pycolor.models.guidance.descriptors import describe
from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.guidance.marks import Mark, Marks
from pycolor.models.guidance.raster import rasterized
from pycolor.models.guidance.spread import spread
from pycolor.models.predictor import Predictor
from pycolor.models.predictor.pictures import resized
from pycolor.options import PredictOptions

COLORLESS = 1.0  # ab of a still up to which it is taken for one that nobody has colored


def load_predictor(options: PredictOptions) -> Predictor:
    """A model with the pictures that it takes as a whole: a style, or varga2017's references.

    Raises:
        UsageError: the model takes no such picture, or a reference is gray.
        FilmError: the weights or a picture cannot be read.
    """
    predictor = Predictor(options)
    if options.style:
        predictor.check_guide("style")  # refused before any file is read
        predictor.guide_by("style", [read_guide(options.style, "style")])
    if options.reference and predictor.network.guide == "reference":
        predictor.guide_by("reference", [read_guide(p, "reference") for p in options.reference])
    elif options.reference or options.guidance:
        predictor.lead_by_any()  # refused before any file is read
    return predictor


def load_picture_predictor(options: PredictOptions) -> Predictor:
    """`load_predictor` for pictures by themselves, which the network may see larger than frames.

    What leads a picture was fitted to the size of frames: such a picture is seen at that.

    Raises:
        UsageError: as `load_predictor`.
        FilmError: likewise.
    """
    predictor = load_predictor(options)
    if not (options.short_side or options.reference or options.guidance):
        predictor.short_side = predictor.loaded.picture_side
    return predictor


def read_marks(path: Path | None) -> Marks:
    """The document of points, strokes and masks; an empty one of None.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    if path is None:
        return Marks()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"the guidance {path} cannot be read: {e}.") from None
    return Marks.read(text, str(path))


def read_guide(path: Path, kind: Guide) -> Tensor:
    """A picture file as 3×H×W R'G'B' in 0 … 1.

    Raises:
        UsageError: a reference is gray.
        FilmError: it cannot be read.
    """
    return _read(path, kind)[:3]


def read_known(path: Path) -> Tensor:
    """A picture of which color is taken where it is not transparent.

    Returns:
        3×H×W R'G'B' in 0 … 1; 4×H×W with its opacity where parts of it are transparent.

    Raises:
        UsageError: it is gray, or nothing of it is seen.
        FilmError: it cannot be read.
    """
    picture = _read(path, "reference")
    if len(picture) == 4 and not bool(picture[3].any()):
        raise UsageError(f"reference {path} is transparent all over; expected a color picture.")
    return picture


def _read(path: Path, kind: Guide) -> Tensor:
    """R'G'B', and opacity where it is not 1 everywhere."""
    from pycolor.image.files.picture_files import read_image  # it knows many formats

    image = read_image(path)
    if kind == "reference" and image.pixels.ndim == 2:
        raise UsageError(f"reference {path} is gray; expected a color picture.")
    most = 2**image.info.bit_depth - 1
    codes = torch.from_numpy(image.pixels.astype("float32"))
    rgb = codes.expand(3, *codes.shape) if codes.dim() == 2 else codes.permute(2, 0, 1)
    unit: Tensor = rgb / most
    if image.alpha is None or bool((image.alpha == most).all()):
        return unit
    return torch.cat([unit, torch.from_numpy(image.alpha.astype("float32"))[None] / most])


def alike(picture: Tensor, predictor: Predictor) -> GuidedPicture:
    """A picture of something that looks like what is colored.

    Args:
        picture: from `read_known`.
        predictor: of the model that it leads.
    """
    lab = predictor.lab_of(picture[:3]).cpu()
    lightness, size = lab[:, :1].contiguous(), lab.shape[2:]
    if len(picture) == 3:
        return GuidedPicture(lightness=lightness, color=_known(lab[:, 1:], predictor))
    ab, opacity = _parted(resized(_weighted(picture)[None], size))
    return GuidedPicture(lightness=lightness, color=_known(ab, predictor, opacity))


def still_of(
    picture: Tensor, lightness: Tensor, predictor: Predictor, names: tuple[str, str]
) -> Guidance:
    """The color of a still at the cells of its frame.

    Args:
        picture: from `read_known`, as an editor left it.
        lightness: 1×1×H×W of the frame, upright, from `Predictor.lightness`.
        predictor: of the model that it leads.
        names: of the still and of the frame, for the message.

    Raises:
        UsageError: the still shows something else.
    """
    frame = lightness[0, 0].float().cpu()
    gray = ops.rgb_to_lab(picture[None, :3].float().contiguous())[0, 0]
    placed = align(gray, frame, picture[3] if len(picture) == 4 else None)
    if placed.agreement < AGREEMENT:
        raise UsageError(
            f"{names[0]} does not show {names[1]}: they agree by {placed.agreement:.2f}, expected "
            f"{AGREEMENT} or more."
        )
    laid, inside = onto(_weighted(picture.float()), placed, (frame.shape[0], frame.shape[1]))
    ab, opacity = _parted(laid)
    return _known(ab, predictor, opacity, inside)


def colorless(known: Guidance) -> bool:
    """Whether what is known of a still is that it is gray."""
    return float((known.hints * (known.weight > 0)).abs().max()) < COLORLESS


def marked(
    marks: Sequence[Mark],
    shown: tuple[int, int],
    lightness: Tensor,
    predictor: Predictor,
    name: str,
    below: Guidance | None = None,
) -> Guidance:
    """What points, strokes and areas say of a frame.

    Args:
        marks: of the frame.
        shown: (height, width) in whose pixels they lie.
        lightness: 1×1×H×W, upright, from `Predictor.lightness`.
        predictor: of the model that they lead.
        name: of the frame, for the message.
        below: what is known of the frame besides; the marks go over it.

    Raises:
        UsageError: a mark lies outside of the picture.
    """
    for mark in marks:
        if not mark.touches(shown[1], shown[0]):
            x, y = mark.points[0]
            raise UsageError(
                f"a mark of {name} lies outside of its picture, at {x:g}, {y:g}; expected a place "
                f"in {shown[1]}x{shown[0]} pixels."
            )
    stride = predictor.network.output_stride
    h, w = lightness.shape[2] // stride, lightness.shape[3] // stride
    spots, areas, only = rasterized(marks, shown, (h, w))
    small = F.avg_pool2d(lightness.float(), stride).cpu()
    looks = describe(predictor.taps(lightness), lightness).cpu()
    color = spread(spots, looks, small)
    hints = torch.lerp(color.hints, areas.hints, areas.weight)
    weight = torch.maximum(color.weight, areas.weight)
    if only is not None:
        gray = areas.weight * (areas.hints == 0).all(1, keepdim=True)  # masks of gray hold anywhere
        weight = torch.maximum(weight * only, gray)
    if below is None:
        return Guidance(hints=hints, weight=weight)
    return Guidance(
        hints=torch.lerp(below.hints, hints, weight),
        weight=torch.maximum(below.weight, weight),
    )


def _weighted(picture: Tensor) -> Tensor:
    """A picture by whose opacity its colors are multiplied, so that means of them are right."""
    if len(picture) == 3:
        return picture
    return torch.cat([picture[:3] * picture[3:], picture[3:]])


def _parted(planes: Tensor) -> tuple[Tensor, Tensor | None]:
    """The ab of what `_weighted` gave, 1×2×h×w, and its opacity, 1×1×h×w."""
    rgb, opacity = planes, None
    if planes.shape[1] == 4:
        opacity = planes[:, 3:].clamp(0, 1)
        rgb = planes[:, :3] / opacity.clamp_min(1e-3)
    return ops.rgb_to_lab(rgb.clamp(0, 1).contiguous())[:, 1:], opacity


def _known(
    ab: Tensor, predictor: Predictor, opacity: Tensor | None = None, inside: Tensor | None = None
) -> Guidance:
    """Means at the cells, known as far as they are opaque."""
    stride = predictor.network.output_stride
    seen = torch.ones_like(ab[:, :1]) if opacity is None else opacity
    weight = F.avg_pool2d(seen, stride)
    hints = F.avg_pool2d(ab * seen, stride) / weight.clamp_min(1e-3)
    if inside is not None:
        weight = weight * (F.avg_pool2d(inside, stride) > 0.99)
    return Guidance(hints=hints.contiguous(), weight=weight.to(hints))
