"""The color layer: what the network says of a film's frames, apart from any picture.

A layer holds the chroma field of each frame at the network's size: a few kilobytes a frame.  It
can be kept, and rendered onto the film, or onto another grade of it, as often as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from pycolor.models.predictor import Predictor
from pycolor.system.prefetch import prefetch
from pycolor.system.stopwatch import Stopwatch
from pycolor.video.io.read.frame_source import FrameSource
from pycolor.video.plan.plan import Plan, ShotBody
from pycolor.video.propagation import propagate
from pycolor.video.propagation.lookahead import Lookahead

FRAMES_WAITING = 6  # decoded, and not yet looked at


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """The color of consecutive frames.

    Attributes:
        first: number of the first frame.
        fields: of each frame 2×h×w ab over the whole picture, float32; None where the source's
            own color stays.
        under: of each frame, whether the source's own color stays under it: a tint; empty for none.
    """

    first: int
    fields: tuple[Tensor | None, ...]
    under: tuple[bool, ...] = ()

    @property
    def stop(self) -> int:
        return self.first + len(self.fields)


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
    source: FrameSource,
    predictor: Predictor,
    ends: Sequence[int],
    *,
    batch: int = 1,
    watch: Stopwatch | None = None,
) -> Iterator[Layer]:
    """The layers between neighboring `ends`, in order; the film is read once for all of them.

    Args:
        plan: of the film.
        source: the film's frames.
        predictor: the model.
        ends: first frame of each layer, rising, and one past the last frame.
        batch: key frames that may go through the network together.
        watch: times the stages "decode", "predict" and "steady".
    """
    watch = watch or Stopwatch()
    first, stop = ends[0], ends[-1]
    begin = plan.first_needed(first)
    span = plan.span_at(begin)
    start = begin
    if predictor.per_shot and isinstance(span, ShotBody) and not span.passthrough:
        start = min(begin, span.context_frame)
    with source.reader(start, len(plan)) as reader:
        wanted = (frame for frame in reader if frame.index >= source.offset + start)
        with closing(prefetch(watch.timed("decode", wanted), FRAMES_WAITING)) as frames:
            lookahead = Lookahead(frames, start, begin, plan, predictor, reader.info, watch, batch)
            fields = watch.timed("steady", propagate.fields(lookahead, plan, first, stop))
            for low, high in pairwise(ends):
                yield Layer(
                    first=low,
                    fields=tuple(next(fields) for _ in range(low, high)),
                    under=tuple(plan.span_at(n).under for n in range(low, high)),
                )
