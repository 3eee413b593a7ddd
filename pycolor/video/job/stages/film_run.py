"""One run on a film: prepared, colored, joined, checked, and told of beside the output."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pycolor.errors import FilmError, PycolorError, UsageError
from pycolor.image.predictor_pool import without_grade
from pycolor.record import free_sidecar
from pycolor.system.atomic_file import check_output
from pycolor.system.trace import traced
from pycolor.video.film_plan.document_text import plan_text
from pycolor.video.io import Damage, concat_segments
from pycolor.video.io.containers.presets import PIPE
from pycolor.video.job.decisions.listed_shots import listed_shots
from pycolor.video.job.decisions.plan_file import read_plan_file
from pycolor.video.job.decisions.planned import PlannedFilm
from pycolor.video.job.decisions.project import Project, cache_bytes
from pycolor.video.job.distribute.slices import LeftToOthers, last_of_all, slices_plan
from pycolor.video.job.record.report import FilmReport
from pycolor.video.job.record.sidecar import (
    framemd5_path,
    made_before,
    removed_on_error,
    synthetic_media_tag,
    write_framemd5,
    write_sidecar,
)
from pycolor.video.job.record.versions import versions
from pycolor.video.job.stages.coloring import FilmColoring
from pycolor.video.job.stages.prepared import PreparedFilm
from pycolor.video.job.work.atomic_output import atomic_output, placed_files
from pycolor.video.job.work.job_folder import job_folder
from pycolor.video.job.work.placed_files import is_own_output
from pycolor.video.job.work.segments.delivery import check_output_luma, is_checked
from pycolor.video.job.work.segments.segment_store import SegmentStore, segment_key
from pycolor.video.plan.plan import ShotBody


class FilmRun(FilmColoring):
    """One film on its way: the steps in order, and what they share."""

    def run(self) -> FilmReport | None:
        """Color the film; None where a slice is done and the output is another worker's to join."""
        options = self.options
        try:
            with traced(options.trace, overwrite=options.overwrite) as self.watch.trace:
                return self._run()
        except LeftToOthers:
            return None
        except PycolorError:  # of a worker that finds the film joined meanwhile: it ends quietly
            if self.options.slice is None or not self._made_meanwhile():
                raise
            return None

    def _made_meanwhile(self) -> bool:
        return not self.options.overwrite and made_before(self.source, self.target)

    def _check_slices(self, folder: Path) -> None:
        """What was begun in slices goes on as it was begun."""
        if self.range is not None or self.options.guided:
            raise UsageError(
                f"{self.target} was begun in slices, of the whole film and unguided, as {folder} "
                "tells: expected no frames, reference or guidance, another output, or no such "
                "folder."
            )

    def _run(self) -> FilmReport:
        began = time.perf_counter()
        options, target = self.options, self.target
        self._validate_options()
        listed = None if options.shots is None else listed_shots(options.shots, self.first_listed)
        if options.plan is None and slices_plan(target).exists():
            self._check_slices(slices_plan(target).parent)
            options = self.options = replace(options, plan=slices_plan(target), shots=None)
            listed = None
            self.warn(f"{target} was begun in slices: what they made is taken")
        if options.plan is not None:
            self.plan_file = read_plan_file(options.plan)
            self.project = Project(self.plan_file.project)
        own = is_own_output(target, options.preset, job_folder(target, options.work_dir))
        with ExitStack() as held:  # the work folder and the project, until the output is in place
            with (
                removed_on_error() as beside,
                self._late_twin(beside),
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
                    held.enter_context(self._staying(job))
                self._join(part, job)
                if is_checked(self._preset, options.codec):
                    on_frame = self._stage("checking", len(job.plan))
                    with self.watch("check"):
                        check_output_luma(part, job.segments, job.store, target, on_frame)
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
            frames=sum(segment.stop - segment.first for segment in job.segments),
            kept=job.kept,
            resumed=job.resumed,
            seconds=seconds,
            stage_seconds=dict(self.watch.seconds),
            shots=job.seen.shots,
            key_frames=sum(len(span.keys) for span in spans if isinstance(span, ShotBody)),
            model=f"{predictor.loaded.card.name} ({predictor.loaded.sha256[:8]})",
            device=self._device(predictor),
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

    @contextmanager
    def _staying(self, job: PreparedFilm) -> Iterator[None]:
        """Of the workers on slices one waits for the others, and joins the film."""
        assert isinstance(job.store, SegmentStore)
        keys = [segment.path.stem for segment in job.segments]
        name = f"join-{segment_key({'target': self.target.name, 'segments': keys})[:16]}"
        make = partial(self._make, job)
        with last_of_all(job.segments, job.store, name, make, say=self.say):
            if self._made_meanwhile():
                raise LeftToOthers
            yield

    @contextmanager
    def _late_twin(self, beside: list[Path]) -> Iterator[None]:
        """Who finds the output made by another meanwhile leaves that one's sidecar alone."""
        try:
            yield
        except FilmError:
            if self._made_meanwhile():
                beside.clear()
            raise

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
                on_frame=self._stage("joining", len(job.seen.timeline)),
            )
        for damage in damages:
            self.warn(f"{self.source} {damage}")
