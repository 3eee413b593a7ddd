"""A film from file to file: analyze, plan, color segment by segment, join, check."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pycolor.errors import UsageError
from pycolor.frame_ranges import frame_range, frame_rate
from pycolor.image.predictor_pool import PredictorPool, without_grade
from pycolor.models import zoo
from pycolor.models.guidance.guide import GuidedPicture
from pycolor.models.predictor import Predictor
from pycolor.option_checks import as_path
from pycolor.options import VideoOptions, slice_of
from pycolor.system.atomic_file import check_output
from pycolor.system.progress import Progress
from pycolor.system.stopwatch import Stopwatch
from pycolor.video.io import Damage, FrameSource, Reader, Writer, concat_segments
from pycolor.video.io.containers.presets import PIPE, Preset, ending_of, preset_for, segment_suffix
from pycolor.video.job import guided
from pycolor.video.job.atomic_output import atomic_output, exists, pattern_of, placed_files
from pycolor.video.job.claims import Claims
from pycolor.video.job.delivery import check_luma, missing_runs
from pycolor.video.job.job_folder import JobFolder, Segment, job_folder
from pycolor.video.job.listed_shots import ListedShots, listed_shots
from pycolor.video.job.placed_files import has_placed
from pycolor.video.job.plan_file import PlanFile, read_plan_file
from pycolor.video.job.planned import PlannedFilm, colors_of, planned_film
from pycolor.video.job.project import Project, cache_bytes
from pycolor.video.job.report import FilmReport
from pycolor.video.job.segment import SegmentJob, run_segments
from pycolor.video.job.segment_store import SegmentStore, segment_key
from pycolor.video.job.sidecar import (
    framemd5_path,
    free_sidecar,
    made_before,
    removed_on_error,
    synthetic_media_tag,
    write_framemd5,
    write_sidecar,
)
from pycolor.video.job.slices import LeftToOthers, slices_plan, work_off
from pycolor.video.job.source_digest import SourceDigest, file_digest
from pycolor.video.job.stdin import materialize_stdin
from pycolor.video.job.versions import versions
from pycolor.video.plan.analysis import FilmAnalysis, analyze_film
from pycolor.video.plan.own_color import tints_note
from pycolor.video.plan.plan import Plan, ShotBody, plan_of


def color_film(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    options: VideoOptions = VideoOptions(),  # noqa: B008  (frozen)
    *,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
    pool: PredictorPool | None = None,
) -> FilmReport:
    """Color a film.

    The target appears when it is complete, under its name and at once.  Until then the work lies
    in a hidden folder beside it; a run that was interrupted goes on from there when it is started
    again.  Nothing of the process changes: neither torch's random state nor its defaults.  A child
    that is forked from a process in which a model has run is refused; start it by spawn.

    Args:
        source: the film.
        target: the colored film; its ending chooses the container.
        options: see `VideoOptions`.
        say: called with each warning, as soon as it is known.
        progress: advanced by each frame that is looked at and, counted anew, that is written.
        pool: of models that are loaded, or will be for the films to come.

    Raises:
        UsageError: an option or a name does not fit.
        FilmError: the film cannot be read, or the output not be written.
    """
    with materialize_stdin(as_path("source", source)) as path:
        target = as_path("target", target)
        report = FilmRun(path, target, options, say, progress, pool or PredictorPool()).run()
        assert report is not None, "only a slice may end without an output"
        return report


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What is known of a film before its frames are colored.

    Attributes:
        reader: of the source, closed; its `info` and range describe what is colored.
        pixel_format: of the output.
        source: its digest, and whether it stays so.
        predictor: the model.
        work: the folder, held.
        store: has the segments that are made: `work`, or a project.
        planned: what the film's plan makes of it, if it has one.
        seen: what the film showed at the first look.
        plan: what is done with each frame.
        guided: what a person gave.
        segments: in which the frames are colored and encoded.
        resumed: frames of the segments that an earlier run had made.
    """

    reader: Reader
    pixel_format: str
    source: SourceDigest
    predictor: Predictor
    work: JobFolder
    store: JobFolder | SegmentStore
    planned: PlannedFilm | None
    seen: FilmAnalysis
    plan: Plan
    guided: tuple[GuidedPicture, ...]
    segments: Sequence[Segment]
    resumed: int


class FilmRun:
    """One film on its way: the steps in order, and what they share."""

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

    def run(self) -> FilmReport | None:
        """Color the film; None where a slice is done and the output is another worker's to join."""
        with suppress(LeftToOthers):
            return self._run()
        return None

    def _run(self) -> FilmReport:
        began = time.perf_counter()
        options, target = self.options, self.target
        self._validate_options()
        listed = None if options.shots is None else listed_shots(options.shots, self.first_listed)
        if options.plan is None and slices_plan(target).exists():
            options = self.options = replace(options, plan=slices_plan(target), shots=None)
            listed = None
            self.warn(f"{target} was begun in slices: what they made is taken")
        if options.plan is not None:
            self.plan_file = read_plan_file(options.plan)
            self.project = Project(self.plan_file.project)
        own = self._is_own_output()
        with ExitStack() as held:  # the work folder and the project, until the output is in place
            with (
                removed_on_error() as beside,
                atomic_output(
                    target,
                    preset=options.preset,
                    sources=[self.source],
                    overwrite=options.overwrite or own,
                ) as part,
            ):
                sidecar = None if str(target) == PIPE else free_sidecar(target)
                if options.framemd5:
                    check_output(framemd5_path(target), overwrite=options.overwrite or own)
                job = self._prepare(part, listed, held)
                self._color(job)
                if options.slice is not None:
                    held.enter_context(self._joining(job))
                self._join(part, job)
                with self.watch("check"):
                    check_luma(part, self._preset, options, job.store.digests(job.segments), target)
                job.source.check()
                report = self._report(job, sidecar, time.perf_counter() - began)
                self._write_beside(job, report, part, beside)
            if options.framemd5:
                write_framemd5(target, overwrite=options.overwrite or own)
            if not options.keep_work:
                job.work.remove()
        if self.project is not None and job.planned is not None:
            self.project.clean(cache_bytes(options.cache_size), spare=job.planned.needs)
        return report

    # -- the steps ---------------------------------------------------------------------------

    def _validate_options(self) -> None:
        """What no film could make right is refused before any work."""
        zoo.card(self.options.predict.model)
        if self.options.framemd5 and str(self.target) == PIPE:
            raise UsageError("framemd5 needs an output file; expected a name, got -.")

    def _prepare(self, part: Path, listed: ListedShots | None, held: ExitStack) -> _Job:
        """Look at the film, load the model and plan the work; `held` takes the work folder."""
        options = self.options
        # What it tells is needed later on; the packets' index that it holds is not.
        source = SourceDigest(self.source)
        with Reader(
            self.source, frames=self.range, rate=self.rate, override=options.override
        ) as reader:
            factory = self._probe(part, reader)
        for text in (*reader.info.warnings, *factory.warnings):
            self.warn(text)
        if self.plan_file is not None:
            self._check_source(source.sha256)
        predictor = self.pool.of(without_grade(options.predict))
        for text in predictor.notes:
            self.warn(text)
        given = guided.given(options.predict, predictor, reader.info, self.offset)
        work = held.enter_context(
            JobFolder(
                job_folder(self.target, options.work_dir),
                self._fingerprint(source.sha256, predictor, given),
                segment_suffix(self.target, options.preset),
                say=self.warn,
            )
        )
        self._check_output_free(work)
        if self.project is not None:
            held.enter_context(self.project.held())
        seen = self._survey(work, listed, source.sha256)
        for damage in seen.damages:
            self.warn(f"{self.source} {damage}")
        tinted = tints_note(seen.looks, options.tints)
        if tinted is not None:
            self.warn(tinted)
        planned = self._planned(seen, source.sha256)
        store: JobFolder | SegmentStore
        segments: Sequence[Segment]
        if planned is not None:
            plan, store, segments = planned.plan, planned.store, planned.segments
        else:
            recolor = options.color_shots == "recolor"
            plan = plan_of(seen, options.steady, recolor=recolor, tints=options.tints)
            plan = guided.guided_plan(plan, given, options.predict, self.offset)
            store = work
            segments = [work.segment(*ends) for ends in pairwise(plan.cuts(options.segment_frames))]
        return _Job(
            reader=reader,
            pixel_format=factory.pixel_format,
            source=source,
            predictor=predictor,
            work=work,
            store=store,
            planned=planned,
            seen=seen,
            plan=plan,
            guided=guided.guided_pictures(given, plan, self._frame_source(seen), predictor),
            segments=segments,
            resumed=sum(s.stop - s.first for s in segments if store.is_done(s)),
        )

    @property
    def _color_digest(self) -> str | None:
        """Of the film whose color it is, where that is another."""
        return None

    def _check_source(self, sha256: str, frames: int | None = None) -> None:
        """Make sure that the plan is of the film, before it is surveyed and then."""
        assert self.plan_file is not None
        self.plan_file.check(self.source, sha256, frames)

    def _planned(self, seen: FilmAnalysis, source_digest: str) -> PlannedFilm | None:
        """What the plan makes of the film, and a word on what is there already."""
        if self.plan_file is None:
            return None
        self._check_source(source_digest, len(seen))
        for text in self.plan_file.cautions():
            self.warn(text)
        colors = colors_of(
            self.plan_file,
            seen,
            self.options,
            self.pool,
            source_sha256=self._color_digest or source_digest,
            versions=versions(),
        )
        planned = planned_film(
            self.plan_file, colors, self.options, self.target, pictures=source_digest
        )
        encoded, colored = planned.reused()
        if encoded or colored:
            rest = len(planned.plan) - encoded - colored
            self.say(
                f"of {len(planned.plan)} frames {encoded} are encoded already, the color of "
                f"{colored} more is kept, {rest} are colored now"
            )
        return planned

    def _report(self, job: _Job, sidecar: Path | None, seconds: float) -> FilmReport:
        spans, predictor = job.plan.spans, job.predictor
        return FilmReport(
            source=self.source,
            target=self.target,
            sidecar=sidecar,
            info=job.reader.info,
            frames=len(job.plan),
            kept=sum(span.stop - span.start for span in spans if span.passthrough),
            resumed=job.resumed,
            seconds=seconds,
            stage_seconds=dict(self.watch.seconds),
            shots=job.seen.shots,
            key_frames=sum(len(span.keys) for span in spans if isinstance(span, ShotBody)),
            model=f"{predictor.loaded.card.name} ({predictor.loaded.sha256[:8]})",
            device=f"{predictor.device} in {str(predictor.dtype).removeprefix('torch.')}",
            pixel_format=job.pixel_format,
            warnings=tuple(self.warnings),
        )

    def _write_beside(self, job: _Job, report: FilmReport, part: Path, beside: list[Path]) -> None:
        """Write the sidecar, add it to `beside`, and note what the output is made of.

        The output takes its name after that: a run that is killed in between is not in the way of
        the next one.
        """
        if report.sidecar is None:
            return
        beside.append(report.sidecar)
        write_sidecar(
            report.sidecar,
            report=report,
            options=self.options,
            versions=versions(),
            source_digest=job.source.sha256,
            model=(job.predictor.loaded.card.name, job.predictor.loaded.sha256),
            analysis=job.seen,
            luma=job.store.digests(job.segments),
        )
        job.work.announce(placed_files(self.target, part))

    def _is_own_output(self) -> bool:
        """Whether a run that was killed at its very end gave the output its name."""
        try:
            pattern = pattern_of(self.target, self.options.preset)
        except UsageError:  # told later, with all that else may be wrong
            return False
        return has_placed(job_folder(self.target, self.options.work_dir), pattern)

    def _check_output_free(self, work: JobFolder) -> None:
        """Between the first look at the output's name and the lock, another run may have ended."""
        if self.options.overwrite or not exists(self.target, self.options.preset):
            return
        if not has_placed(work.path, pattern_of(self.target, self.options.preset)):
            raise UsageError(
                f"{self.target} was finished by another run while this one began; --overwrite "
                "replaces it."
            )

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

    def _jobs(self, job: _Job, segments: Sequence[Segment]) -> list[SegmentJob]:
        source = self._frame_source(job.seen)
        planned = job.planned
        by_plan: dict[str, Any] = {"guided": job.guided}
        if planned is not None:
            by_plan = {
                "models": planned.models,
                "given": planned.given,
                "grades": planned.grades,
                "layer": planned.layer,
            }
        return [
            SegmentJob(
                source=source,
                plan=job.plan,
                first=segment.first,
                stop=segment.stop,
                preset=self.options.preset,
                codec=self.options.codec,
                encoder_options=self.options.encoder_options,
                predict=self.options.predict,
                weights_sha256=job.predictor.loaded.sha256,
                batch=self.options.batch or (8 if job.predictor.device.type == "cuda" else 1),
                output=job.store.part(segment),
                target=self.target,
                **by_plan,
            )
            for segment in segments
        ]

    def _fingerprint(
        self, source_digest: str, predictor: Predictor, given: guided.Given
    ) -> dict[str, Any]:
        """Everything that the result depends on."""
        if self.plan_file is not None:  # what is made lies in the project
            return {"plan": self.plan_file.plan.source.sha256}
        options = self.options
        ignored = ("plan", "cache_size", "overwrite", "work_dir", "keep_work", "framemd5", "shots")
        chosen = {k: v for k, v in asdict(options).items() if k not in ignored}
        predict = options.predict
        files = [*filter(None, (options.shots, predict.style, predict.guidance))]
        if predictor.network.guide == "reference":
            files += predict.reference
        files += [r.path for r in (*given.stills.values(), *given.alike)]
        return {
            "source": source_digest,
            "options": json.loads(json.dumps(chosen, default=str)),
            "files": [file_digest(path) for path in files],
            "weights": predictor.loaded.sha256,
            "arithmetic": f"{predictor.device.type} {predictor.dtype}",
            "container": segment_suffix(self.target, self.options.preset),
            "versions": versions(),
        }

    def _survey(
        self, work: JobFolder, listed: ListedShots | None, source_digest: str
    ) -> FilmAnalysis:
        project = self.project
        known = work.load_analysis() if project is None else project.load_analysis(source_digest)
        if known is not None:
            return known
        if self.progress is not None:
            self.progress.stage(f"{self.source.name}: looking for shots", None)
        with self.watch("survey"):
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
            project.save_analysis(source_digest, seen)
        return seen

    def _timeline(self, seen: FilmAnalysis) -> Sequence[int] | None:
        """Lets readers seek, where what they find by it is what the survey found."""
        return None if self.offset or seen.damages else seen.timeline

    def _color(self, job: _Job) -> None:
        """Make the segments that are missing, one run of neighbors after the other."""
        store, progress = job.store, self.progress
        if progress is not None:
            left = sum(s.stop - s.first for s in job.segments if not store.is_done(s))
            progress.stage(f"{self.source.name}: coloring", left)
        on_frame = progress.advance if progress is not None else lambda: None

        def make(*segments: Segment) -> None:
            jobs = self._jobs(job, segments)
            results = run_segments(jobs, self.pool, watch=self.watch, on_frame=on_frame)
            for segment, result in zip(segments, results, strict=True):
                store.complete(segment, result.luma)

        if self.options.slice is not None and isinstance(store, SegmentStore):
            work_off(job.segments, store, slice_of(self.options.slice), make, say=self.say)
            return
        for group in missing_runs(job.segments, store):
            make(*group)

    @contextmanager
    def _joining(self, job: _Job) -> Iterator[None]:
        """Of the workers on slices one joins the film."""
        name = f"join-{segment_key({'target': str(self.target.resolve())})[:16]}"
        assert isinstance(job.store, SegmentStore)
        with Claims(job.store.folder).claimed(name) as mine:
            if not mine or (made_before(self.source, self.target) and not self.options.overwrite):
                raise LeftToOthers
            yield

    def _join(self, part: Path, job: _Job) -> None:
        damages: list[Damage] = []
        with self.watch("join"):
            concat_segments(
                [segment.path for segment in job.segments],
                job.reader,
                part,
                timeline=job.seen.timeline,
                preset=self._preset,
                metadata=synthetic_media_tag(job.predictor.loaded, self.options),
                name=self.target,
                damages=damages,
            )
        for damage in damages:
            self.warn(f"{self.source} {damage}")
