"""Before a film is colored: what it is, what is decided of it, what was made of it already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pycolor.errors import UsageError
from pycolor.image.predictor_pool import PredictorPool, without_grade
from pycolor.models import zoo
from pycolor.models.predictor import Predictor
from pycolor.options import VideoOptions
from pycolor.options.checks import as_path
from pycolor.options.frame_ranges import frame_range, frame_rate
from pycolor.system.progress import Progress, begin_stage
from pycolor.system.stopwatch import Stopwatch
from pycolor.video.film_plan.schedule import decided
from pycolor.video.io import FrameSource, Reader, Writer
from pycolor.video.io.containers.presets import PIPE, Preset, ending_of, preset_for, segment_suffix
from pycolor.video.job.decisions import guided
from pycolor.video.job.decisions.listed_shots import ListedShots
from pycolor.video.job.decisions.plan_file import PlanFile
from pycolor.video.job.decisions.planned import PlannedFilm, View, colors_of, planned_film
from pycolor.video.job.decisions.project import Project, analysis_key
from pycolor.video.job.record.source_digest import DIGEST_NOTE, SourceDigest
from pycolor.video.job.record.versions import versions
from pycolor.video.job.stages.fingerprint import fingerprint
from pycolor.video.job.stages.prepared import PreparedFilm
from pycolor.video.job.work.job_folder import JobFolder, job_folder
from pycolor.video.job.work.placed_files import refuse_finished
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.job.work.segments.delivery import frames_made
from pycolor.video.job.work.segments.segment_store import SegmentStore
from pycolor.video.plan.analysis import FilmAnalysis, analyze_film
from pycolor.video.plan.own_color import tints_note
from pycolor.video.plan.planning import plan_of


class FilmPreparation:
    """A film on its way, up to where its first frame is colored.

    Args:
        source: the film.
        target: the colored film.
        options: of the run.
        say: called with each warning, and with what is there already.
        progress: advanced by each frame.
        pool: of models.
    """

    def __init__(
        self,
        source: str | Path,
        target: str | Path,
        options: VideoOptions,
        say: Callable[[str], None],
        progress: Progress | None,
        pool: PredictorPool,
    ) -> None:
        self.source, self.target = as_path("source", source), as_path("target", target)
        self.options = options
        self.say, self.progress = say, progress
        self.range, self.rate = frame_range(options.frames), frame_rate(options.rate)
        self.offset = self.range[0] if self.range else 0
        self.watch = Stopwatch()
        self.pool = pool
        self.warnings: list[str] = []
        self.arithmetic: Mapping[str, str] | None = None  # of other machines, where they color
        self.plan_file: PlanFile | None = None
        self.project: Project | None = None

    @property
    def first_listed(self) -> int | None:
        """The range's first frame, from whose film's beginning a list of shots counts."""
        return self.offset if self.range else None

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)
            self.say(f"note: {text}")

    def _validate_options(self) -> None:
        """What no film could make right is refused before any work."""
        zoo.card(self.options.predict.model)
        if self.options.framemd5 and str(self.target) == PIPE:
            raise UsageError("framemd5 needs an output file; expected a name, got -.")

    def _prepare(self, part: Path, listed: ListedShots | None, held: ExitStack) -> PreparedFilm:
        """Look at the film, load the model and plan the work; `held` takes the work folder."""
        options = self.options
        # What it tells is needed later on; the packets' index that it holds is not.
        source = SourceDigest(self.source, note=self._digest_note)
        with Reader(
            self.source, frames=self.range, rate=self.rate, override=options.override
        ) as reader:
            factory = self._probe(part, reader)
        for text in (*reader.info.warnings, *factory.warnings):
            self.warn(text)
        source.on_block = self._stage("reading", source.blocks, "MB")
        if self.plan_file is not None:
            self._check_source(source.sha256)
            self._check_rate(reader)
        predictor = self.pool.of(without_grade(options.predict))
        for text in predictor.notes:
            self.warn(text)
        stop = self.range[1] if self.range else None
        given = guided.given(options.predict, predictor, reader.info, self.offset, stop)
        for text in given.notes:
            self.warn(text)
        self._enlist(held)
        work = self._hold(self._fingerprint(source.sha256, predictor, given), held)
        seen = self._survey(work, listed, source.sha256)
        for damage in seen.damages:
            self.warn(f"{self.source} {damage}")
        tinted = tints_note(seen.looks, options.tints)
        if tinted is not None:
            self.warn(tinted)
        planned = self._planned(seen, source.sha256)
        store: JobFolder | SegmentStore = work
        if planned is None:
            recolor = options.color_shots == "recolor"
            plan = plan_of(seen, options.propagation, recolor=recolor, tints=options.tints)
            plan = guided.guided_plan(plan, given, options.predict, self.offset)
            ends = pairwise(plan.cuts(options.segment_frames))
            segments: Sequence[Segment] = [work.segment(first, stop) for first, stop in ends]
        else:
            plan, store, segments = planned.plan, planned.store, planned.segments
            seen = self._decided(seen, planned)
        pictures = guided.guided_pictures(given, plan, self._frame_source(seen), predictor)
        for text in guided.without_effect(given, plan, pictures, self.offset):
            self.warn(text)
        return PreparedFilm(
            reader=reader,
            pixel_format=factory.pixel_format,
            source=source,
            predictor=predictor,
            work=work,
            store=store,
            planned=planned,
            seen=seen,
            plan=plan,
            guided=pictures,
            segments=segments,
            resumed=frames_made(segments, store, unread=options.slice is not None),
        )

    def _enlist(self, held: ExitStack) -> None:
        """Have other machines come, where they color the film."""

    def _view(self, seen: FilmAnalysis) -> View:
        """What of the plan the film shows."""
        return View()

    def _decided(self, seen: FilmAnalysis, planned: PlannedFilm) -> FilmAnalysis:
        """What the film showed, with the plan's shots."""
        assert self.plan_file is not None
        return decided(self.plan_file.plan, seen, recolor=self.options.color_shots == "recolor")

    def _hold(self, identity: dict[str, Any], held: ExitStack) -> JobFolder:
        """The work folder, and the project of a film that has one, held by this run."""
        work = held.enter_context(
            JobFolder(
                job_folder(self.target, self.options.work_dir),
                identity,
                segment_suffix(self.target, self.options.preset),
                say=self.warn,
            )
        )
        if not self.options.overwrite:
            refuse_finished(self.target, self.options.preset, work.path)
        if self.project is not None:
            held.enter_context(self.project.held())
        return work

    @property
    def _digest_note(self) -> Path | None:
        """Where workers on slices note the source's digest, so that one of them reads it all."""
        if self.options.slice is None or self.project is None:
            return None
        return self.project.folder / DIGEST_NOTE

    @property
    def _color_digest(self) -> str | None:
        """Of the film whose color it is, where that is another."""
        return None

    def _check_source(self, sha256: str, frames: int | None = None) -> None:
        """Make sure that the plan is of the film, before it is analyzed and then."""
        assert self.plan_file is not None
        self.plan_file.check(self.source, sha256, frames)

    def _check_rate(self, reader: Reader) -> None:
        """Make sure that the plan counts the frames a second that the film is read with."""
        assert self.plan_file is not None
        self.plan_file.check_rate(self.source, reader.info.rate)

    def _planned(self, seen: FilmAnalysis, source_digest: str) -> PlannedFilm | None:
        """What the plan makes of the film, and a word on what is there already."""
        if self.plan_file is None:
            return None
        self._check_source(source_digest, len(seen))
        for text in self.plan_file.cautions(recolor=self.options.color_shots == "recolor"):
            self.warn(text)
        colors = colors_of(
            self.plan_file,
            seen,
            self.options,
            self.pool,
            source_sha256=self._color_digest or source_digest,
            versions=versions(mix=self.options.mix),
            arithmetic=self.arithmetic,
        )
        planned = planned_film(
            self.plan_file,
            colors,
            self.options,
            self.target,
            pictures=source_digest,
            view=self._view(seen),
        )
        predictor = self.pool.of(without_grade(self.options.predict))
        for text in guided.without_effect_in_shots(
            planned.given, planned.plan, planned.layer, predictor
        ):
            self.warn(text)
        planned.store.say = self.warn
        if told := planned.reuse(unread=self.options.slice is not None):
            self.say(told)
        return planned

    @property
    def _preset(self) -> Preset:
        name = self.options.preset
        return preset_for(ending_of(self.target, name), name)

    def _probe(self, part: Path, reader: Reader) -> Writer:
        """A Writer whose header is written and removed again.

        What the container refuses or drops is known before the model loads; it makes the
        pictures, and others write them.
        """
        with TemporaryDirectory() as folder:
            path = Path(folder, "probe.y4m") if str(self.target) == PIPE else part
            writer = Writer(
                path,
                reader,
                preset=self._preset,
                codec=self.options.codec,
                options=self.options.encoder_options,
                name=self.target,
            )
            writer.abort()
        return writer

    def _frame_source(self, seen: FilmAnalysis) -> FrameSource:
        return FrameSource(
            path=self.source,
            rate=self.rate,
            override=self.options.override,
            offset=self.offset,
            timeline=self._timeline(seen),
        )

    def _fingerprint(
        self, source_digest: str, predictor: Predictor, given: guided.Given
    ) -> dict[str, Any]:
        if self.plan_file is not None:  # what is made lies in the project
            return {"plan": self.plan_file.plan.source.sha256}
        return fingerprint(
            self.options, self.target, source_digest, predictor, given, self.arithmetic
        )

    def _stage(self, what: str, total: int | None, unit: str = "frames") -> Callable[[], None]:
        """Begin to count a part of the work; the answer counts one step."""
        return begin_stage(self.progress, f"{self.source.name}: {what}", total, unit)

    def _survey(
        self, work: JobFolder, listed: ListedShots | None, source_digest: str
    ) -> FilmAnalysis:
        project, key = self.project, analysis_key(source_digest, self.options.override)
        known = work.load_analysis() if project is None else project.load_analysis(key)
        if known is not None:
            return known
        self._stage("looking for shots", None)
        with self.watch("analyze"):
            seen = analyze_film(
                self.source,
                frames=self.range,
                rate=self.rate,
                sensitivity=self.options.sensitivity,
                shots=listed,
                progress=self.progress,
                override=self.options.override,
            )
        if project is None:
            work.save_analysis(seen)
        else:
            project.save_analysis(key, seen)
        return seen

    def _timeline(self, seen: FilmAnalysis) -> Sequence[int] | None:
        """Lets readers seek, where what they find by it is what the analysis found."""
        return None if self.offset or seen.damages else seen.timeline
