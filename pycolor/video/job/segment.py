"""A segment of a film: colored and encoded by itself, in this process or another.

`SegmentJob` says everything that it takes, in values that can be pickled; `run_segment` does it.
A loop over jobs, a cluster and a page that shows one shot run the same function.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from pycolor.errors import FilmError
from pycolor.image.guides import load_predictor
from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions
from pycolor.system.prefetch import BackgroundConsumer, prefetch
from pycolor.system.stopwatch import Stopwatch
from pycolor.video.io import FrameSource, Picture, Reader, Writer
from pycolor.video.io.containers.presets import ending_of, preset_for
from pycolor.video.io.frame.digest import luma_digest
from pycolor.video.plan.plan import Plan
from pycolor.video.propagation.layer import predict_layers
from pycolor.video.render import render_layer

# Decoded frames that wait for their color, and colored ones that wait for the encoder.
FRAMES_WAITING = 6
# Frames whose color is predicted together, and such groups that wait for their frames.
LAYER_FRAMES, LAYERS_WAITING = 12, 2


@dataclass(frozen=True, kw_only=True)
class SegmentJob:
    """What it takes to color and encode frames first … stop − 1 of a film.

    Attributes:
        source: the film's frames.
        plan: of all of them.
        guided: pictures of which a person gave color.
        first: number of the first frame; `stop` one past the last.
        preset: name of what the output is for; None for the default of the target's ending.
        codec: encoder in place of the preset's, and its `encoder_options`.
        predict: the model and how it is used.
        weights_sha256: digest of the weight file that the plan was made for.
        batch: key frames that go through the network together.
        output: file to write; it is complete when the job is done, and removed when it fails.
        target: the film that the segment is of, for messages.
    """

    source: FrameSource
    plan: Plan
    guided: tuple[GuidedPicture, ...] = ()
    first: int
    stop: int
    preset: str | None = None
    codec: str | None = None
    encoder_options: Mapping[str, str] = field(default_factory=dict)
    predict: PredictOptions
    weights_sha256: str
    batch: int = 1
    output: Path
    target: Path


@dataclass(frozen=True, kw_only=True)
class SegmentResult:
    """A segment that is done.

    Attributes:
        job: what was done.
        luma: SHA-256 of each frame's luma as it was handed to the encoder.
        seconds: spent in each stage since the segment before; stages overlap.
    """

    job: SegmentJob
    luma: tuple[bytes, ...]
    seconds: Mapping[str, float]


def run_segment(job: SegmentJob) -> SegmentResult:
    """Color and encode one segment; the model stays loaded for the next one of this process.

    Raises:
        FilmError: the film cannot be read, the output not be written, or the weights are not those
            that the job was made for.
    """
    (result,) = run_segments([job], _predictor(job.predict, job.weights_sha256))
    return result


def run_segments(
    jobs: Sequence[SegmentJob],
    predictor: Predictor,
    *,
    watch: Stopwatch | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> Iterator[SegmentResult]:
    """Color and encode neighboring segments of one film, which is read through once.

    The film is decoded twice, side by side: ahead at the network's size, for the color layer, and
    once more for the frames that take the color; so no large frame waits for what comes after it.

    Args:
        jobs: of one film, each beginning where the one before ends.
        predictor: of the jobs' model.
        watch: times the stages.
        on_frame: called when a frame is encoded.

    Yields:
        Each segment's result as soon as its file is complete.

    Raises:
        FilmError: see `run_segment`.
    """
    watch = watch or Stopwatch()
    source, plan = jobs[0].source, jobs[0].plan
    predictor.lead_by(jobs[0].guided)
    first, stop = jobs[0].first, jobs[-1].stop
    ends = sorted({*range(first, stop, LAYER_FRAMES), stop})
    with ExitStack() as stack:
        reader = stack.enter_context(source.reader(first, stop))
        wanted = (frame for frame in reader if frame.index >= source.offset + first)
        frames = stack.enter_context(closing(prefetch(watch.timed("read", wanted), FRAMES_WAITING)))
        found = predict_layers(plan, source, predictor, ends, batch=jobs[0].batch, watch=watch)
        layers = stack.enter_context(closing(prefetch(found, LAYERS_WAITING)))
        encoder = stack.enter_context(_SegmentEncoder(jobs, reader, watch, on_frame))
        with BackgroundConsumer(encoder.write, FRAMES_WAITING) as behind:
            for layer in layers:
                render_layer(layer, frames, encoder.factory, behind.put, watch)
                yield from encoder.finished()
        yield from encoder.finished()


class _SegmentEncoder:
    """Takes the pictures of neighboring segments and writes each segment into its file.

    Used as a context: left by an exception, it removes the file that is not complete.
    """

    def __init__(
        self,
        jobs: Sequence[SegmentJob],
        reader: Reader,
        watch: Stopwatch,
        on_frame: Callable[[], None],
    ) -> None:
        self._jobs = iter(jobs)
        self._reader = reader
        self._watch = watch
        self._on_frame = on_frame
        self._before = dict(watch.seconds)
        self._done: deque[SegmentResult] = deque()
        self._luma: list[bytes] = []
        self._job = next(self._jobs)
        writer = self._open(self._job)
        self._writer: Writer | None = writer
        self.factory = writer.factory

    def __enter__(self) -> _SegmentEncoder:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.abort()

    def finished(self) -> Iterator[SegmentResult]:
        """Segments that are complete, each once."""
        while self._done:
            yield self._done.popleft()

    def write(self, picture: Picture) -> None:
        """Encode the next picture."""
        with self._watch("encode"):
            if self._writer is None:
                self._job = next(self._jobs)
                self._writer = self._open(self._job)
            self._luma.append(luma_digest(picture.luma))
            self._writer.write(picture)
            if self._job.first + len(self._luma) == self._job.stop:
                self._complete(self._writer)
        self._on_frame()

    def _complete(self, writer: Writer) -> None:
        writer.finish()
        seconds = dict(self._watch.seconds)
        passed = {k: v - self._before.get(k, 0.0) for k, v in seconds.items()}
        self._done.append(SegmentResult(job=self._job, luma=tuple(self._luma), seconds=passed))
        self._writer, self._luma, self._before = None, [], seconds

    def _open(self, job: SegmentJob) -> Writer:
        return Writer(
            job.output,
            self._reader,
            preset=preset_for(ending_of(job.target, job.preset), job.preset),
            codec=job.codec,
            options=job.encoder_options,
            streams=False,
            name=job.target,
        )


@functools.lru_cache(maxsize=1)
def _predictor(options: PredictOptions, weights_sha256: str) -> Predictor:
    predictor = load_predictor(options)
    if predictor.loaded.sha256 != weights_sha256:
        raise FilmError(
            f"the weights of {predictor.loaded.card.name} have changed: expected those of digest "
            f"{weights_sha256[:8]}, got {predictor.loaded.sha256[:8]}."
        )
    return predictor
