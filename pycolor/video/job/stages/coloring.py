"""The segments of a film that is prepared: colored here, by slices, or by a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

from pycolor.models.predictor import Predictor
from pycolor.options import slice_of
from pycolor.video.job.distribute.kinds import unlike_kinds
from pycolor.video.job.distribute.ray_cluster import RayWorkers
from pycolor.video.job.distribute.segment import SegmentJob, run_segments
from pycolor.video.job.distribute.slices import work_off
from pycolor.video.job.record.arithmetic import arithmetic_of
from pycolor.video.job.record.encoder_threads import depends_on_threads, encoder_threads
from pycolor.video.job.record.versions import versions
from pycolor.video.job.stages.preparation import FilmPreparation
from pycolor.video.job.stages.prepared import PreparedFilm
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.job.work.segments.delivery import neighbors
from pycolor.video.job.work.segments.segment_store import SegmentStore


class FilmColoring(FilmPreparation):
    """A film on its way, from what was prepared to its segments."""

    workers: RayWorkers | None = None

    def _enlist(self, held: ExitStack) -> None:
        """Have workers of a cluster come, if they are to color the film."""
        if self.options.ray is None:
            return
        self.workers = held.enter_context(
            RayWorkers(
                self.options.ray,
                self.options.predict,
                mix=self.options.mix,
                by_threads=depends_on_threads(self.target, self.options),
                say=self.warn,
            )
        )
        self.arithmetic = self.workers.arithmetic

    def _device(self, predictor: Predictor) -> str:
        if self.workers is None:
            return f"{predictor.device} in {str(predictor.dtype).removeprefix('torch.')}"
        told, count = self.workers.arithmetic, self.workers.taken
        return f"{count} workers of a cluster, {told.get('device', 'unlike')} in {told['dtype']}"

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
                "crop": planned.view.crop,
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
                batch=self.options.batch or (8 if self._on_gpu(job) else 1),
                output=job.store.part(segment),
                target=self.target,
                **by_plan,
            )
            for segment in segments
        ]

    def _on_gpu(self, job: PreparedFilm) -> bool:
        told = {"device": job.predictor.device.type} if self.workers is None else self.arithmetic
        return told is not None and told.get("device") == "cuda"

    def _color(self, job: PreparedFilm) -> None:
        """Make the segments that are missing."""
        store, own = job.store, self.options.slice
        there = store.is_done
        if own is not None and isinstance(store, SegmentStore):
            there = store.is_there
        missing = [segment for segment in job.segments if not there(segment)]
        self._stage("coloring", sum(segment.stop - segment.first for segment in missing))
        if self.workers is not None:
            self._color_elsewhere(job, missing)
        elif own is not None and isinstance(store, SegmentStore):
            self._tell_unlike(job)
            work_off(job.segments, store, slice_of(own), partial(self._make, job))
        else:
            for group in neighbors(missing):
                self._make(job, *group)

    def _tell_unlike(self, job: PreparedFilm) -> None:
        """A word on workers that do not share what they make with this one."""
        assert self.project is not None, "slices have a plan"
        mix = self.options.mix
        own = {
            **arithmetic_of(job.predictor, mix=mix),
            **encoder_threads(matter=depends_on_threads(self.target, self.options)),
            **versions(mix=mix),
        }
        for text in unlike_kinds(self.project.folder, own):
            self.say(f"note: {text}")

    def _make(self, job: PreparedFilm, *segments: Segment) -> None:
        """Color neighboring segments here."""
        on_frame = self.progress.advance if self.progress is not None else lambda: None
        jobs = self._jobs(job, segments)
        results = run_segments(jobs, self.pool, watch=self.watch, on_frame=on_frame)
        for segment, result in zip(segments, results, strict=True):
            job.store.complete(segment, result.luma)
        for piece in job.planned.layer.damaged if job.planned is not None else ():
            self.warn(
                f"the color of frames {piece.first} to {piece.stop - 1} that was kept is damaged: "
                "it is made again"
            )

    def _color_elsewhere(self, job: PreparedFilm, missing: Sequence[Segment]) -> None:
        """Have a cluster color segments; what follows takes one machine."""
        assert self.workers is not None

        def count(segment: Segment) -> None:
            if self.progress is not None:
                self.progress.advance(segment.stop - segment.first)

        with self.watch("cluster"):
            if missing:
                (film,) = self._jobs(job, missing[:1])
                self.workers.color(film, missing, job.store, count)
            self.workers.close()
