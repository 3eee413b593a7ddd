"""A film that is colored by a plan: which pieces of color and which segments it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pycolor.errors import counted
from pycolor.image.predictor_pool import (
    PredictorPool,
    layer_options,
    without_grade,
)
from pycolor.options import PredictOptions, VideoOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.video.film_plan.schedule import schedule
from pycolor.video.io.containers.presets import segment_suffix
from pycolor.video.job.decisions.guided import Given
from pycolor.video.job.decisions.plan_file import PlanFile
from pycolor.video.job.decisions.project import Project
from pycolor.video.job.decisions.shot_predictors import given_identity
from pycolor.video.job.record.arithmetic import arithmetic_of
from pycolor.video.job.record.encoder_threads import depends_on_threads, encoder_threads
from pycolor.video.job.record.source_digest import file_digest
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.job.work.segments.segment_store import SegmentStore, segment_key
from pycolor.video.master.framing import FilmCrop
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.grade import Grades, combined, film_grade
from pycolor.video.plan.plan import Plan, ShotBody
from pycolor.video.plan.planning import KnownBodies, with_guided
from pycolor.video.propagation.layer_store import LayerStore, Piece, piece_key, pieces_of


@dataclass(frozen=True, kw_only=True)
class View:
    """Which of a plan's frames a film shows, and which part of the picture.

    Attributes:
        first: number of the first frame; `stop` one past the last, None for the plan's end.
        crop: the part; None for all of it.
    """

    first: int = 0
    stop: int | None = None
    crop: FilmCrop | None = None


@dataclass(frozen=True, kw_only=True)
class PlannedFilm:
    """What a plan makes of a film.

    Attributes:
        plan: what is done with each frame.
        models: options of the shots' models, by the first frame of the shot's body.
        given: what leads them in some shots, likewise.
        grades: what is done with their colors, beside what the options say for the whole film.
        layer: where the color is kept.
        store: where encoded segments are kept.
        segments: in order; none reaches over a shot's border.
        view: what of the plan is shown.
    """

    plan: Plan
    models: Mapping[int, PredictOptions]
    given: Mapping[int, Given]
    grades: Grades
    layer: LayerStore
    store: SegmentStore
    segments: tuple[Segment, ...]
    view: View = View()

    @property
    def frames(self) -> int:
        """How many are shown."""
        return sum(segment.stop - segment.first for segment in self.segments)

    def reused(self, *, unread: bool = False) -> tuple[int, int]:
        """Frames whose segments are there, and others whose color is.

        Args:
            unread: take a segment that has its name for a sound one.
        """
        there = self.store.is_there if unread else self.store.is_done
        encoded = colored = 0
        for segment in self.segments:
            if there(segment):
                encoded += segment.stop - segment.first
                continue
            for piece in pieces_of(self.plan, segment.first, segment.stop):
                if piece.sides and self.layer.has(piece):
                    colored += min(piece.stop, segment.stop) - max(piece.first, segment.first)
        return encoded, colored

    def reuse(self, *, unread: bool = False) -> str:
        """A sentence on what is there already; empty if nothing is."""
        encoded, colored = self.reused(unread=unread)
        if not encoded and not colored:
            return ""
        return (
            f"of {counted(self.frames, 'frame')} {encoded} are encoded already, the color of "
            f"{colored} more is kept, {self.frames - encoded - colored} are colored now"
        )

    def needs(self, path: Path) -> bool:
        """Whether a file of the project is one of this film's."""
        if path.parent == self.layer.folder:
            return path.stem in self.layer.keys.values()
        return path in {segment.path for segment in self.segments}


@dataclass(frozen=True, kw_only=True)
class Colors:
    """What a plan's file decides on the color of a film.

    Attributes:
        file: the plan's.
        plan: what is done with each frame.
        models: options of the shots' models, by the first frame of the shot's body.
        given: what leads them in some shots, likewise.
        grades: what is done with their colors.
        film: what all of it depends on.
        pool: loads the models.
        mix: take what other kinds of machines made, see `arithmetic_of`.
        arithmetic: of the machines that color, where this one does not.
    """

    file: PlanFile
    plan: Plan
    models: Mapping[int, PredictOptions]
    given: Mapping[int, Given]
    grades: Grades
    film: Mapping[str, Any]
    pool: PredictorPool
    mix: bool = False
    arithmetic: Mapping[str, str] | None = None

    def key(self, piece: Piece) -> str:
        """What the color of a piece depends on."""
        return piece_key(self.plan, piece, self.film, self._identity)

    def _identity(self, shot: int) -> dict[str, Any]:
        """Identifies a shot's model, with all that decides its bits."""
        options = without_grade(self.models[shot])
        self.file.check_model(shot, self.pool.of(replace(options, style=None)))
        predictor = self.pool.of(options)
        return {
            "weights": predictor.loaded.sha256,
            "options": {k: str(v) for k, v in layer_options(options).items() if k != "model"},
            "style": None if options.style is None else file_digest(options.style),
            "given": given_identity(self.given.get(shot)),
            "arithmetic": dict(self.arithmetic or arithmetic_of(predictor, mix=self.mix)),
        }


def colors_of(
    file: PlanFile,
    analysis: FilmAnalysis,
    options: VideoOptions,
    pool: PredictorPool,
    *,
    source_sha256: str,
    versions: Mapping[str, str],
    arithmetic: Mapping[str, str] | None = None,
    known: KnownBodies | None = None,
) -> Colors:
    """What a plan's file decides on the color of a film.

    Args:
        file: the plan.
        analysis: of the film.
        options: of the run.
        pool: loads the models.
        source_sha256: of the film.
        versions: of all that decides what comes out.
        arithmetic: of the machines that color, where this one does not.
        known: see `plan_of`.

    Raises:
        UsageError: a picture of the plan is not there, or cannot be used.
    """
    recolor = options.color_shots == "recolor"
    plan = schedule(
        file.plan, analysis, options.propagation, recolor=recolor, tints=options.tints, known=known
    )
    bodies = [span for span in plan.spans if isinstance(span, ShotBody)]
    shots = list(enumerate(zip(bodies, file.plan.shots, strict=True)))
    models = {
        body.start: file.shot_options(number, options.predict)
        for number, (body, _) in shots
        if not body.passthrough
    }
    given = {
        body.start: found
        for number, (body, _) in shots
        if not body.passthrough and (found := file.shot_given(number)) is not None
    }
    guided = sorted({n for found in given.values() for n in found.frames})
    return Colors(
        file=file,
        plan=with_guided(plan, guided),
        models=models,
        given=given,
        grades=Grades(shots={body.start: shot.grade for _, (body, shot) in shots}),
        film={
            "source": source_sha256,
            "rate": str(frame_rate(options.rate)),
            "override": str(options.override),
            "versions": dict(versions),
        },
        pool=pool,
        mix=options.mix,
        arithmetic=arithmetic,
    )


def planned_film(
    file: PlanFile,
    colors: Colors,
    options: VideoOptions,
    target: Path,
    *,
    pictures: str,
    view: View = View(),
) -> PlannedFilm:
    """What a plan's file makes of a film.

    Args:
        file: the plan.
        colors: by it.
        options: of the run.
        target: the output, whose ending chooses the container.
        pictures: digest of the film that takes the color.
        view: what of the plan it shows.

    Raises:
        UsageError: a model of the plan does not fit.
        FilmError: weights or a picture cannot be read.
    """
    plan = colors.plan
    keys = {piece.first: colors.key(piece) for piece in pieces_of(plan)}
    project = Project(file.project)
    suffix = segment_suffix(target, options.preset)
    store = SegmentStore(project.segments, suffix)
    encoding = {
        **colors.film,
        "pictures": pictures,
        "suffix": suffix,
        "ending": target.suffix.lower(),
        "preset": options.preset,
        "codec": options.codec,
        "codec_options": options.codec_options,
        "tints": options.tints,
        **encoder_threads(matter=depends_on_threads(target, options)),
    }
    if view != View():
        encoding["view"] = asdict(view)
    segments = []
    for first, stop in _stretches(plan, options.segment_frames, view):
        pieces = pieces_of(plan, first, stop)
        own = [_of_segment(piece, keys, colors.grades, options) for piece in pieces]
        key = segment_key({**encoding, "frames": [first, stop], "pieces": own})
        segments.append(store.segment(first, stop, key))
    return PlannedFilm(
        plan=plan,
        models=colors.models,
        given=colors.given,
        grades=colors.grades,
        layer=LayerStore(folder=project.layer, keys=keys),
        store=store,
        segments=tuple(segments),
        view=view,
    )


def _stretches(plan: Plan, most: int, view: View) -> Iterator[tuple[int, int]]:
    """Frames of the segments: each span by itself, so that a change stays within its shot."""
    begin, end = view.first, len(plan) if view.stop is None else view.stop
    for span in plan.spans:
        for first in range(span.start, span.stop, most):
            low, high = max(first, begin), min(first + most, span.stop, end)
            if low < high:
                yield low, high


def _of_segment(
    piece: Piece, keys: Mapping[int, str], grades: Grades, options: VideoOptions
) -> dict[str, Any]:
    """What of a piece decides the pixels of the segment that shows it."""
    if not piece.sides:
        return {"own color": True}
    graded = Grades(film=combined(film_grade(options.predict), grades.film), shots=grades.shots)
    return {
        "layer": keys[piece.first],
        "grades": [asdict(graded.of(side.start)) for side in piece.sides],
    }
