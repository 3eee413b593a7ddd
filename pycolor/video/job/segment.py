"""Colors frames and encodes them: the part of the pipeline that takes its time."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from pycolor.models.predictor import Predictor
from pycolor.system.prefetch import BackgroundConsumer, prefetch
from pycolor.system.progress import Progress
from pycolor.video.io import Frame, Picture, Reader, Writer
from pycolor.video.io.frame.digest import luma_digest
from pycolor.video.job.job_folder import JobFolder, Segment
from pycolor.video.plan.plan import Plan, ShotBody
from pycolor.video.propagation import propagate
from pycolor.video.propagation.lookahead import Lookahead
from pycolor.video.render import render_picture

T = TypeVar("T")

# Decoded frames that wait for their color, and colored ones that wait for the encoder.
FRAMES_WAITING = 6


@dataclass
class Stopwatch:
    """Seconds by stage; several threads may add to one."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            lasted = time.perf_counter() - began
            with self._lock:
                self.seconds[stage] += lasted

    def timed(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """The items, with the time it takes to make each counted."""
        iterator = iter(items)
        while True:
            with self(stage):
                item = next(iterator, _END)
            if item is _END:
                return
            yield item  # type: ignore[misc]
            del item


_END = object()


@dataclass(frozen=True, kw_only=True)
class Task:
    """Everything that coloring some frames needs.

    Attributes:
        source: the film, shown at `rate` if it does not tell; `offset` the number of the range's
            first frame in it.
        timeline: pts of the whole film's frames; None where frames cannot be sought by their time.
        plan: of the range.
        predictor: colors key frames, `batch` at a time.
        factory: a Writer that makes the pictures and is not written to.
        watch, progress: told of what is done.
    """

    source: Path
    rate: Fraction | None
    offset: int
    timeline: Sequence[int] | None
    plan: Plan
    predictor: Predictor
    batch: int
    factory: Writer
    watch: Stopwatch
    progress: Progress | None

    def reader(self, first: int, stop: int) -> Reader:
        """Of frames first … stop − 1 of the range, and perhaps of some before."""
        start = first if self.timeline is not None else 0
        frames = (self.offset + start, self.offset + stop)
        return Reader(self.source, frames=frames, timeline=self.timeline, rate=self.rate)

    def frames(self, reader: Reader, first: int) -> Generator[Frame, None, None]:
        """What a reader delivers from frame `first` of the range on, decoded ahead."""
        found = (frame for frame in reader if frame.index >= self.offset + first)
        return prefetch(self.watch.timed("decode", found), FRAMES_WAITING)


def color_frames(task: Task, first: int, stop: int, put: Callable[[int, Picture], None]) -> None:
    """Color frames first … stop − 1 and hand them on, in order, from a thread of their own.

    The film is decoded twice, side by side: ahead at the network's size, which tells the colors,
    and once more for the frames that take them; so no large frame waits for what comes after it.
    """
    watch, plan, factory = task.watch, task.plan, task.factory
    begin = plan.first_needed(first)
    span = plan.span_at(begin)
    start = begin
    if task.predictor.per_shot and isinstance(span, ShotBody) and not span.passthrough:
        start = min(begin, span.context_frame)

    def encode(item: tuple[int, Picture]) -> None:
        with watch("encode"):
            put(*item)
        if task.progress is not None:
            task.progress.advance()

    with (
        task.reader(start, len(plan)) as far,
        task.reader(first, stop) as near,
        closing(task.frames(far, start)) as far_frames,
        closing(task.frames(near, first)) as near_frames,
        BackgroundConsumer(encode, FRAMES_WAITING) as encoder,
    ):
        lookahead = Lookahead(
            far_frames, start, begin, plan, task.predictor, near.info, watch, task.batch
        )
        colors = watch.timed("steady", propagate.fields(lookahead, plan, first, stop))
        for n, (frame, color) in enumerate(_pairs(near_frames, colors), start=first):
            with watch("render"):
                picture = factory.picture(frame)
                if color is not None:
                    render_picture(color, picture, factory.encoding, interlaced=frame.interlaced)
            encoder.put((n, picture))
            del frame, picture


def _pairs(
    frames: Iterator[Frame], colors: Iterator[Tensor | None]
) -> Iterator[tuple[Frame, Tensor | None]]:
    """Like zip, but without a reference to the last frame."""
    for color in colors:
        for frame in islice(frames, 1):
            yield frame, color
            del frame


class SegmentWriter:
    """Takes the frames of consecutive segments and writes each into a file of its own.

    Args:
        segments: consecutive, in order.
        work: where they lie.
        open_writer: opens one at a path.
    """

    def __init__(
        self, segments: Sequence[Segment], work: JobFolder, open_writer: Callable[[Path], Writer]
    ) -> None:
        self._segments = iter(segments)
        self._work = work
        self._open_writer = open_writer
        self._segment: Segment | None = None
        self._writer: Writer | None = None
        self._digests: list[bytes] = []

    def write(self, n: int, picture: Picture) -> None:
        """Encode frame n."""
        if self._segment is None or self._writer is None:
            self._segment = next(self._segments)
            self._writer = self._open_writer(self._work.part(self._segment))
            self._digests = []
        self._digests.append(luma_digest(picture.luma))
        self._writer.write(picture)
        if n + 1 == self._segment.stop:
            self._writer.finish()
            self._work.complete(self._segment, self._digests)
            self._segment = self._writer = None

    def abort(self) -> None:
        """Drop what is not complete."""
        if self._writer is not None:
            self._writer.abort()
