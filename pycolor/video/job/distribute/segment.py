"""A segment of a film: colored and encoded by itself, in this process or another.

`SegmentJob` says everything that it takes, in values that can be pickled; `run_segment` does it.
A loop over jobs, a cluster and a page that shows one shot run the same function.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from pycolor.errors import FilmError
from pycolor.image.predictor_pool import PredictorPool, without_grade
from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.inference.device import choose_device
from pycolor.options import PredictOptions
from pycolor.system.prefetch import BackgroundConsumer, prefetch
from pycolor.system.stopwatch import Stopwatch
from pycolor.video.io import FrameSource, Picture, Reader, SharedFrames, Writer
from pycolor.video.io.containers.presets import Preset, ending_of, preset_for
from pycolor.video.io.frame.digest import luma_checksum, luma_digest
from pycolor.video.job.decisions.guided import Given
from pycolor.video.job.decisions.shot_predictors import ShotPredictors
from pycolor.video.job.work.segments.delivery import check_luma, is_checked
from pycolor.video.master.framing import FilmCrop
from pycolor.video.plan.grade import Grades, all_grades
from pycolor.video.plan.plan import Plan
from pycolor.video.propagation.film_layers import LAYER_FRAMES, film_layers
from pycolor.video.propagation.layer_store import LayerStore
from pycolor.video.propagation.propagate import AHEAD_FRAMES
from pycolor.video.render.chroma_planes import render_layer

LAYERS_WAITING = 2  # of a few frames each
SEGMENTS_WAITING = 1  # encoded, to be decoded again


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
        models: in its place for some shots, by the first frame of the shot's body.
        given: what leads the model in some shots, likewise.
        grades: what is done with the shots' colors, beside what `predict` says.
        crop: the part of the plan's picture that the source shows.
        layer: keeps what the models say, and has it for what was colored before.
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
    models: Mapping[int, PredictOptions] = field(default_factory=dict)
    given: Mapping[int, Given] = field(default_factory=dict)
    grades: Grades = Grades()  # noqa: RUF009  (frozen)
    crop: FilmCrop | None = None
    layer: LayerStore | None = None
    weights_sha256: str
    batch: int = 1
    output: Path
    target: Path

    def model(self, shot: int) -> PredictOptions:
        """What predicts the layer of the shot whose body begins at a frame."""
        return without_grade(self.models.get(shot, self.predict))

    @property
    def all_grades(self) -> Grades:
        """What is done with the colors at the end."""
        return all_grades(self.plan, self.predict, self.grades)


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
    (result,) = run_segments([job], _pool(without_grade(job.predict), job.weights_sha256))
    return result


def run_segments(
    jobs: Sequence[SegmentJob],
    predictors: PredictorPool,
    *,
    watch: Stopwatch | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> Iterator[SegmentResult]:
    """Color and encode neighboring segments of one film, which is read through once.

    A frame is decoded for the color layer, ahead by as much as key frames reach and their anchors
    again, and held until it takes the color; large ones are decoded twice (see `SharedFrames`).

    Args:
        jobs: of one film, each beginning where the one before ends.
        predictors: the models that are loaded; others are when a shot wants them.
        watch: times the stages.
        on_frame: called when a frame is encoded.

    Yields:
        Each segment's result as soon as its file is complete.

    Raises:
        FilmError: see `run_segment`.
    """
    watch = watch or Stopwatch()
    job, source = jobs[0], jobs[0].source
    first, stop = job.first, jobs[-1].stop
    grades, device = job.all_grades, choose_device(job.predict.device)
    with ExitStack() as stack:
        with source.reader(first, stop) as reader:  # what it tells is wanted, no frame
            waiting = reader.info.frames_waiting
        apart = 2 * job.plan.reach + AHEAD_FRAMES + (LAYERS_WAITING + 2) * LAYER_FRAMES + waiting
        timed = functools.partial(watch.timed, "read")
        shared = SharedFrames(source, first, stop, apart=apart, timed=timed)
        frames = stack.enter_context(closing(shared.frames()))
        plan = replace(job.plan, grades=())  # they come after
        led = ShotPredictors(predictors, plan, source, job.model, job.given, job.guided)
        found = film_layers(
            plan,
            shared,
            led,
            first,
            stop,
            store=job.layer,
            batch=job.batch,
            watch=watch,
            background=_network_thread(device, stack),
        )
        layers = stack.enter_context(closing(prefetch(found, LAYERS_WAITING)))
        encoder = stack.enter_context(_SegmentEncoder(jobs, reader, watch, on_frame))
        with (
            BackgroundConsumer(encoder.check, SEGMENTS_WAITING) as encoder.checks,
            BackgroundConsumer(encoder.write, waiting) as behind,
        ):
            for layer in layers:
                shown = layer if job.crop is None else layer.shown(job.crop.of)
                made = encoder.factory, behind.put
                render_layer(shown, frames, *made, watch, grades, plan.is_under, device)
                yield from encoder.finished()
        yield from encoder.finished()


def _network_thread(device: torch.device, held: ExitStack) -> ThreadPoolExecutor | None:
    """What runs the network beside propagation, as a GPU does by itself; `held` ends it."""
    if device.type != "cpu":
        return None
    background = ThreadPoolExecutor(1, thread_name_prefix="network")
    held.callback(background.shutdown, cancel_futures=True)
    return background


class _SegmentEncoder:
    """Takes the pictures of neighboring segments and writes each segment into its file.

    Used as a context: left by an exception, it removes the file that is not complete.

    Attributes:
        factory: makes the pictures.
        checks: takes each segment that is written, and the checksums of its lumas; `check` comes
            next.
    """

    checks: BackgroundConsumer[tuple[SegmentResult, Sequence[bytes]]]

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
        self._checksums: list[bytes] = []
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
            self._checksums.append(luma_checksum(picture.luma))
            self._writer.write(picture)
            if self._job.first + len(self._luma) == self._job.stop:
                self._complete(self._writer)
        self._on_frame()

    def _complete(self, writer: Writer) -> None:
        writer.finish()
        seconds = dict(self._watch.seconds)
        passed = {k: v - self._before.get(k, 0.0) for k, v in seconds.items()}
        result = SegmentResult(job=self._job, luma=tuple(self._luma), seconds=passed)
        self.checks.put((result, self._checksums))
        self._writer, self._luma, self._checksums, self._before = None, [], [], seconds

    def check(self, written: tuple[SegmentResult, Sequence[bytes]]) -> None:
        """Decode a segment of a lossless output; it is done when it is what was handed in."""
        result, checksums = written
        job = result.job
        if is_checked(_preset(job), job.codec):
            expected = (checksum.hex() for checksum in checksums)
            try:
                with self._watch("check"):
                    check_luma(
                        job.output, expected, job.target, first=job.first, digest=luma_checksum
                    )
            except BaseException:
                job.output.unlink(missing_ok=True)
                raise
        self._done.append(result)

    def _open(self, job: SegmentJob) -> Writer:
        return Writer(
            job.output,
            self._reader,
            preset=_preset(job),
            codec=job.codec,
            options=job.encoder_options,
            streams=False,
            name=job.target,
        )


def _preset(job: SegmentJob) -> Preset:
    return preset_for(ending_of(job.target, job.preset), job.preset)


@functools.lru_cache(maxsize=1)
def _pool(options: PredictOptions, weights_sha256: str) -> PredictorPool:
    pool = PredictorPool()
    loaded = pool.of(options).loaded
    if loaded.sha256 != weights_sha256:
        raise FilmError(
            f"the weights of {loaded.card.name} have changed: expected those of digest "
            f"{weights_sha256[:8]}, got {loaded.sha256[:8]}."
        )
    return pool
