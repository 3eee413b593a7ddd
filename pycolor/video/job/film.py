"""A film from file to file: analyze, plan, color segment by segment, join, check."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pycolor.image.predictor_pool import PredictorPool, without_grade
from pycolor.option_checks import as_path
from pycolor.options import VideoOptions, slice_of
from pycolor.system.atomic_file import check_output
from pycolor.system.progress import Progress
from pycolor.system.trace import traced
from pycolor.video.io import Damage, concat_segments
from pycolor.video.io.containers.presets import PIPE
from pycolor.video.job.decisions.listed_shots import listed_shots
from pycolor.video.job.decisions.plan_file import read_plan_file
from pycolor.video.job.decisions.planned import PlannedFilm
from pycolor.video.job.decisions.project import Project, cache_bytes
from pycolor.video.job.delivery import check_output_luma, missing_runs
from pycolor.video.job.preparation import FilmPreparation, PreparedFilm
from pycolor.video.job.record.report import FilmReport
from pycolor.video.job.record.sidecar import (
    framemd5_path,
    free_sidecar,
    made_before,
    removed_on_error,
    synthetic_media_tag,
    write_framemd5,
    write_sidecar,
)
from pycolor.video.job.record.versions import versions
from pycolor.video.job.segment import SegmentJob, run_segments
from pycolor.video.job.slices import LeftToOthers, slices_plan, work_off
from pycolor.video.job.stdin import materialize_stdin
from pycolor.video.job.work.atomic_output import atomic_output, placed_files
from pycolor.video.job.work.claims import Claims
from pycolor.video.job.work.job_folder import Segment
from pycolor.video.job.work.segment_store import SegmentStore, segment_key
from pycolor.video.plan.document import plan_text
from pycolor.video.plan.plan import ShotBody


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


class FilmRun(FilmPreparation):
    """One film on its way: the steps in order, and what they share."""

    def run(self) -> FilmReport | None:
        """Color the film; None where a slice is done and the output is another worker's to join."""
        options = self.options
        with (
            traced(options.trace, overwrite=options.overwrite) as self.watch.trace,
            suppress(LeftToOthers),
        ):
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
                    check_output_luma(part, self._preset, options, job.segments, job.store, target)
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

    def _report(self, job: PreparedFilm, sidecar: Path | None, seconds: float) -> FilmReport:
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

    def _write_beside(
        self, job: PreparedFilm, report: FilmReport, part: Path, beside: list[Path]
    ) -> None:
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
            plan=None if job.planned is None else self._decisions(job.planned),
        )
        job.work.announce(placed_files(self.target, part))

    def _decisions(self, planned: PlannedFilm) -> dict[str, Any]:
        """What people decided, for the record."""
        assert self.plan_file is not None
        told: dict[str, Any] = json.loads(plan_text(self.plan_file.plan))
        loaded = [self.pool.of(without_grade(o)).loaded for o in set(planned.models.values())]
        weights = {each.card.name: each.sha256 for each in loaded}
        return {"revision": told["revision"], "shots": told["shots"], "weights": weights}

    def _jobs(self, job: PreparedFilm, segments: Sequence[Segment]) -> list[SegmentJob]:
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

    def _color(self, job: PreparedFilm) -> None:
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
    def _joining(self, job: PreparedFilm) -> Iterator[None]:
        """Of the workers on slices one joins the film."""
        name = f"join-{segment_key({'target': str(self.target.resolve())})[:16]}"
        assert isinstance(job.store, SegmentStore)
        with Claims(job.store.folder).claimed(name) as mine:
            if not mine or (made_before(self.source, self.target) and not self.options.overwrite):
                raise LeftToOthers
            yield

    def _join(self, part: Path, job: PreparedFilm) -> None:
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
