"""Color for the frames of a clip that another program hands on, in any order."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from torch import Tensor

from pycolor.encoding import Encoding
from pycolor.errors import UsageError, counted
from pycolor.image.predictor_pool import PredictorPool, without_grade
from pycolor.models import zoo
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import FrameSource, Picture
from pycolor.video.io.frame.pixel_formats import Plane
from pycolor.video.io.frame.tensors import luma_on
from pycolor.video.io.read.frames.plane_source import PlaneSource
from pycolor.video.job.decisions import guided
from pycolor.video.job.decisions.guided import Given
from pycolor.video.job.decisions.plan_file import read_plan_file
from pycolor.video.job.decisions.planned import colors_of
from pycolor.video.job.decisions.shot_predictors import ShotPredictors
from pycolor.video.job.record.versions import versions
from pycolor.video.plan.analysis import FilmAnalysis, analyze_frames
from pycolor.video.plan.grade import Grades, all_grades
from pycolor.video.plan.plan import Plan, ShotBody
from pycolor.video.plan.planning import plan_of
from pycolor.video.propagation.film_layers import film_layers
from pycolor.video.propagation.layer import Layer
from pycolor.video.propagation.propagate import Parts
from pycolor.video.render.chroma_planes import graded, render_picture

# A frame up to so many after the last one is reached by going on, any other by a new start.
AHEAD = 48
_KEPT = 96  # layers of frames, some kilobytes each
# Options that a clip has no use for: its frames, its tags and its encoder are the script's.
_OPTIONS = ("predict", "propagation", "color_shots", "tints", "sensitivity", "batch")


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is done with the clip's frames."""

    plan: Plan
    grades: Grades
    predictors: Callable[[int], Any]


class ClipColor:
    """The colors of a clip; its frames may be asked for in any order, from any thread.

    The clip is looked through once, from its first frame to its last, when the first color is
    asked for: shots are found, and key frames chosen.  Frames in order go on from each other; a
    jump begins anew a few dozen frames before.  A frame's color does not depend on the order, and
    is that of `color_film` for the same planes and options.

    Args:
        source: the clip's frames.
        options: how it is colored.
        plan: the file of a film's plan.

    Raises:
        UsageError: an option or the plan does not fit.
        FilmError: the weights or the plan cannot be read.
    """

    def __init__(
        self, source: PlaneSource, options: VideoOptions, plan: Path | None = None
    ) -> None:
        _check_options(options)
        zoo.card(options.predict.model)
        self._planes = source
        self._source = cast(FrameSource, source)  # has what is asked of one
        self._options = options
        self._file = None if plan is None else read_plan_file(plan)
        if self._file is not None and self._file.plan.source.frames != source.info.frames:
            raise UsageError(
                f"{plan} is of a film of {counted(self._file.plan.source.frames, 'frame')}; the "
                f"clip has {source.info.frames}."
            )
        self._pool = PredictorPool()
        self._predictor = self._pool.of(without_grade(options.predict))
        self._given = guided.given(options.predict, self._predictor, source.info, 0)
        self._lock = threading.Lock()
        self._layers: Generator[Layer] | None = None
        self._next = 0
        self._known: OrderedDict[int, Parts | None] = OrderedDict()

    @cached_property
    def analysis(self) -> FilmAnalysis:
        """The analysis of all frames."""
        with self._source.reader(0, self._planes.info.frames) as reader:
            return analyze_frames(reader, sensitivity=self._options.sensitivity)

    @cached_property
    def _work(self) -> _Work:
        seen, options = self.analysis, self._options
        if self._file is not None:
            colors = colors_of(
                self._file,
                seen,
                options,
                self._pool,
                source_sha256=self._file.plan.source.sha256,
                versions=versions(),
            )
            return self._of(colors.plan, colors.grades, colors.models, colors.given)
        recolor = options.color_shots == "recolor"
        plan = plan_of(seen, options.propagation, recolor=recolor, tints=options.tints)
        plan = guided.guided_plan(plan, self._given, options.predict, 0)
        return self._of(plan, Grades(), {}, {})

    def _of(
        self,
        plan: Plan,
        grades: Grades,
        models: Mapping[int, PredictOptions],
        given: Mapping[int, Given],
    ) -> _Work:
        options = self._options.predict
        pictures = guided.guided_pictures(self._given, plan, self._source, self._predictor)
        ungraded = replace(plan, grades=())
        led = ShotPredictors(
            self._pool,
            ungraded,
            self._source,
            lambda shot: without_grade(models.get(shot, options)),
            given,
            pictures,
        )
        return _Work(plan=ungraded, grades=all_grades(plan, options, grades), predictors=led)

    def starts_shot(self, n: int) -> bool:
        """Whether a shot begins with frame n, by a cut."""
        with self._lock:
            span = self._work.plan.span_at(n) if n < len(self._work.plan) else None
            before = self._work.plan.span_at(n - 1) if n > 0 and span is not None else None
        return isinstance(span, ShotBody) and isinstance(before, ShotBody) and span.start == n

    def render(
        self,
        n: int,
        luma: Plane,
        chroma: tuple[Plane, Plane],
        encoding: Encoding,
        *,
        interlaced: bool = False,
    ) -> bool:
        """Write the chroma of a frame.

        Args:
            n: its number.
            luma: H×W codes of its Y'; read only.
            chroma: h×w codes of its own Cb and Cr, which are written to.
            encoding: of the planes.
            interlaced: the frame holds two fields.

        Returns:
            whether anything was written: where the clip's own color stays, nothing is.

        Raises:
            FilmError: a frame of the clip cannot be had.
        """
        with self._lock:
            parts = self._parts(n)
            work = self._work
        if parts is None:
            return False
        picture = cast(Picture, _Planes(luma=luma, chroma=chroma))
        grades = work.grades.at(n)
        field = graded(parts, grades, luma_on(picture, self._predictor.device), encoding)
        under = work.plan.is_under(n)
        render_picture(field, picture, encoding, interlaced=interlaced, under=under)
        return True

    def close(self) -> None:
        """Stop reading the clip."""
        with self._lock:
            self._stop()

    def _parts(self, n: int) -> Parts | None:
        if n not in self._known:
            if self._layers is None or not self._next <= n < self._next + AHEAD:
                self._stop()
                self._layers, self._next = self._from(n), n
            try:
                self._go_on(n)
            except BaseException:
                self._stop()  # another try begins anew
                raise
        return self._known[n]

    def _go_on(self, n: int) -> None:
        assert self._layers is not None
        while n >= self._next:
            layer = next(self._layers)
            for number, parts in enumerate(layer.frames, layer.first):
                self._known[number] = parts
                self._known.move_to_end(number)
            self._next = layer.stop
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def _from(self, n: int) -> Generator[Layer]:
        work = self._work
        batch = self._options.batch or (8 if self._predictor.device.type == "cuda" else 1)
        layers = film_layers(
            work.plan, self._source, work.predictors, n, len(work.plan), batch=batch
        )
        with closing(cast(Generator[Layer], layers)):
            yield from layers

    def _stop(self) -> None:
        layers, self._layers = self._layers, None
        if layers is not None:
            layers.close()


@dataclass(kw_only=True)
class _Planes:
    """What rendering asks of a picture."""

    luma: Plane
    chroma: tuple[Plane, Plane]
    uploaded: Tensor | None = None


def _check_options(options: VideoOptions) -> None:
    """Refuse options that would be without effect.

    Raises:
        UsageError: one is given.
    """
    plain = VideoOptions()
    for name in vars(plain):
        if name not in _OPTIONS and getattr(options, name) != getattr(plain, name):
            raise UsageError(
                f"{name} is no option for a clip; expected some of {', '.join(_OPTIONS)}: the rest "
                "is the script's."
            )
