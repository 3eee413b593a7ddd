"""Color layers into the chroma planes of pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from typing import cast

import numpy as np
import torch
from torch import Tensor

from pycolor import ops
from pycolor.encoding import Encoding, Field
from pycolor.system.stopwatch import Stopwatch
from pycolor.video.io import Frame, Picture, Plane
from pycolor.video.io.frame.tensors import luma_on
from pycolor.video.io.write.encoder.frame_factory import FrameFactory
from pycolor.video.plan.grade import NEUTRAL, Grades
from pycolor.video.propagation.layer import Layer, mixed
from pycolor.video.propagation.propagate import Part, Parts
from pycolor.video.render.device_planes import planes_on

CPU = torch.device("cpu")


def render_layer(
    layer: Layer,
    frames: Iterable[Frame],
    factory: FrameFactory,
    sink: Callable[[Picture], None],
    watch: Stopwatch | None = None,
    grades: Grades = Grades(),  # noqa: B008  (frozen)
    under: Callable[[int], bool] = lambda _: False,
    device: torch.device = CPU,
) -> None:
    """Give frames the color of a layer.

    Args:
        layer: of consecutive frames.
        frames: the same ones, decoded, in order; no more of them are taken than the layer has.
        factory: makes the pictures, and says how they are encoded.
        sink: takes each picture.
        watch: times the stage "render".
        grades: what is done with the colors of the shots.
        under: of a frame's number, whether the source's own color stays under it: a tint.
        device: that renders.
    """
    watch = watch or Stopwatch()
    remaining = iter(frames)
    for n, parts in enumerate(layer.frames, start=layer.first):
        for frame in islice(remaining, 1):
            with watch("render"):
                picture = factory.picture(frame)
                if parts is not None:
                    render_picture(
                        graded(parts, grades.at(n), luma_on(picture, device), factory.encoding),
                        picture,
                        factory.encoding,
                        interlaced=frame.interlaced,
                        under=under(n),
                    )
            sink(picture)
            del frame, picture  # large, and not to be held while the next one is decoded


def graded(parts: Parts, grades: Grades, luma: Tensor, encoding: Encoding) -> Tensor:
    """The field of a frame, 2×h×w ab, its shots' colors graded.

    Args:
        parts: of the frame.
        grades: of its shots, as they are in this frame.
        luma: 1×H×W codes of the frame, in any size: where it is dark or light; the field is
            wanted where it lies.
        encoding: of the luma.
    """

    def grade_part(part: Part) -> Tensor:
        grade, field = grades.of(part.shot), part.field.to(luma.device)
        if grade == NEUTRAL:
            return field
        size = (field.shape[1], field.shape[2])
        lightness = ops.mean_lightness(luma, size, encoding=encoding)
        return grade.of(field[None], lightness)[0]

    return mixed(parts, grade_part)


FIELDS: tuple[Field, Field] = ("top", "bottom")


def render_picture(
    field: Tensor,
    picture: Picture,
    encoding: Encoding,
    *,
    interlaced: bool,
    under: bool = False,
) -> None:
    """Write a chroma field into a picture's chroma planes.

    Args:
        field: 2×h×w ab, over the whole frame; where it lies, the picture is rendered.
        picture: its luma guides, its chroma is overwritten.
        encoding: of the picture.
        interlaced: the picture holds two fields, each with chroma lines of its own.
        under: the chroma that is there stays under the new one: their sum is written.
    """
    before = [plane.copy() for plane in picture.chroma] if under else []
    _render(field, picture, encoding, interlaced=interlaced)
    for plane, old in zip(picture.chroma, before, strict=False):
        plane[:] = _sum(plane, old, encoding)


def _sum(new: Plane, old: Plane, encoding: Encoding) -> Plane:
    """Chroma codes whose distances from neutral are added, within what is a code of chroma."""
    neutral, span = encoding.chroma_code_range
    low, high = (0, span) if encoding.full_range else (neutral - span // 2, neutral + span // 2)
    total = new.astype(np.int32) + old - neutral
    return cast(Plane, total.clip(low, high).astype(new.dtype))


def _render(field: Tensor, picture: Picture, encoding: Encoding, *, interlaced: bool) -> None:
    fields = field[None]
    with planes_on(field.device, picture) as (luma, u, v):
        # A frame of one line of chroma has one field.
        if not (interlaced and encoding.shifts[0] and u.shape[1] > 1):
            ops.render_chroma(fields, luma, encoding=encoding, out=(u, v))
            return
        for first, name in enumerate(FIELDS):
            planes = u[:, first::2], v[:, first::2]
            # Where the lines do not divide evenly the last of luma may have no chroma of its own.
            lines = planes[0].shape[1] << encoding.shifts[0]
            ops.render_chroma(
                fields,
                luma[:, first::2][:, :lines],
                encoding=replace(encoding, field=name),
                out=planes,
            )
