"""The color layer: what the network says of a film's frames, apart from any picture.

A layer holds the chroma field of each frame at the network's size: a few kilobytes a frame.  It
can be kept (see `layer_file`), and rendered onto the film, or onto another grade of it, as often as
one likes.  Its numbers are rounded, whether it is kept or not, so both give the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from pycolor.models.predictor import Predictor
from pycolor.system.prefetch import prefetch
from pycolor.system.stopwatch import Stopwatch
from pycolor.video.io import FilmInfo, Frame, FrameSource, SharedFrames, SingleFrames
from pycolor.video.plan.plan import Plan, ShotBody
from pycolor.video.propagation import propagate
from pycolor.video.propagation.lookahead import Lookahead
from pycolor.video.propagation.propagate import Part, Parts
from pycolor.video.propagation.seen_frames import SeenFrames

STEPS = 64  # of chroma in one ab unit
_MOST = 500.0  # ab


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """The color of consecutive frames.

    Attributes:
        first: number of the first frame.
        frames: what each frame's shots give it; None where the source's own color stays.
    """

    first: int
    frames: tuple[Parts | None, ...]

    @property
    def stop(self) -> int:
        return self.first + len(self.frames)

    @property
    def fields(self) -> tuple[Tensor | None, ...]:
        """The chroma field of each frame as it was predicted, 2×h×w ab."""
        return tuple(None if parts is None else mixed(parts) for parts in self.frames)

    def shown(self, change: Callable[[Tensor], Tensor]) -> Layer:
        """The layer with another field in place of each part's."""
        frames = tuple(
            None if parts is None else tuple(replace(p, field=change(p.field)) for p in parts)
            for parts in self.frames
        )
        return Layer(first=self.first, frames=frames)

    def between(self, first: int, stop: int) -> Layer:
        """The part of it that lies in frames first … stop − 1."""
        low, high = max(first, self.first), min(stop, self.stop)
        return Layer(first=low, frames=self.frames[low - self.first : high - self.first])


def mixed(parts: Parts, grade: Callable[[Part], Tensor] = lambda part: part.field) -> Tensor:
    """One field of a frame's parts, 2×h×w ab, each in its share.

    Args:
        parts: one or more; their sizes differ where shots have models of their own.
        grade: what is done with a part's field before.
    """
    if len(parts) == 1 and parts[0].share == 1:
        return grade(parts[0])
    colors = [grade(part) for part in parts]
    size = max((tuple(color.shape[1:]) for color in colors), key=lambda s: s[0] * s[1])
    field = torch.zeros(2, *size, dtype=torch.float32, device=colors[0].device)
    for part, color in zip(parts, colors, strict=True):
        if color.shape[1:] != size:
            color = F.interpolate(color[None], size, mode="bilinear", align_corners=False)[0]
        field = field + part.share * color
    return field


def predict_layer(
    plan: Plan, source: FrameSource, predictor: Predictor, first: int, stop: int, batch: int = 1
) -> Layer:
    """The layer of frames first … stop − 1; what it is does not depend on where it is cut.

    Args:
        plan: of the film.
        source: the film's frames.
        predictor: the model.
        first: number of the first frame.
        stop: one past the last.
        batch: key frames that may go through the network together.

    Raises:
        FilmError: the film cannot be read, or is not what it was when the plan was made.
    """
    (layer,) = predict_layers(plan, source, predictor, [first, stop], batch=batch)
    return layer


def predict_layers(
    plan: Plan,
    source: FrameSource | SharedFrames,
    predictor: Predictor,
    ends: Sequence[int],
    *,
    batch: int = 1,
    watch: Stopwatch | None = None,
    seen: SeenFrames | None = None,
    background: Executor | None = None,
) -> Iterator[Layer]:
    """The layers between neighboring `ends`, in order; the film is read once for all of them.

    Args:
        plan: of the film.
        source: the film's frames.
        predictor: the model.
        ends: first frame of each layer, rising, and one past the last frame.
        batch: key frames that may go through the network together.
        watch: times the stages "decode", "predict", "propagate" and "wait", for the network.
        seen: what was seen of the frames before: those that are kept there are not decoded.
        background: runs the network beside propagation, one call at a time; None: in turn.
    """
    watch = watch or Stopwatch()
    first, stop = ends[0], ends[-1]
    begin = plan.first_needed(first)
    span = plan.span_at(begin)
    start = begin
    if predictor.per_shot and isinstance(span, ShotBody) and not span.passthrough:
        start = min(begin, span.context_frame)
    with ExitStack() as stack:

        def opened(at: int) -> tuple[FilmInfo, Iterator[Frame]]:
            reader = source.reader(at, len(plan))
            stack.push(reader)
            wanted = (frame for frame in reader if frame.index >= source.offset + at)
            decoded = watch.timed("decode", wanted)
            ahead = prefetch(decoded, reader.info.frames_waiting)
            return reader.info, stack.enter_context(closing(ahead))

        frames: Iterator[Frame] | Callable[[int], Iterator[Frame]]
        info, frames = opened(start) if seen is None else (seen.info, lambda at: opened(at)[1])
        film = source.source if isinstance(source, SharedFrames) else source
        apart = stack.enter_context(SingleFrames(film, len(plan)))
        lookahead = Lookahead(
            frames,
            start,
            begin,
            plan,
            predictor,
            info,
            watch,
            batch,
            seen,
            apart=lambda n: apart(n)[0],
            background=background,
        )
        fields = watch.timed("propagate", propagate.fields(lookahead, plan, first, stop))
        for low, high in pairwise(ends):
            yield Layer(first=low, frames=tuple(rounded(next(fields)) for _ in range(low, high)))


def rounded(parts: Parts | None) -> Parts | None:
    """The parts with fields that a kept layer holds: half floats in steps of 1/64 ab unit.

    Up to 32 ab the error is 1/128 at most, up to 128 ab 5/128.  What is not finite becomes 0.
    """
    if parts is None:
        return None
    return tuple(replace(part, field=_rounded(part.field)) for part in parts)


def _rounded(field: Tensor) -> Tensor:
    steps = (field.nan_to_num(0, 0, 0).clamp(-_MOST, _MOST) * STEPS).round()
    return (steps / STEPS).half().float() + 0.0  # no zero is negative
