"""The color of a film on another version of it: a new grade, a cleaner scan, another size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pycolor.errors import UsageError
from pycolor.image.predictor_pool import PredictorPool
from pycolor.options import VideoOptions
from pycolor.system.progress import Progress
from pycolor.video.job.decisions.planned import PlannedFilm
from pycolor.video.job.decisions.project import survey_key
from pycolor.video.job.film import FilmRun
from pycolor.video.job.record.report import FilmReport
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.propagation.layer_store import pieces_of


class _Regrade(FilmRun):
    """A run whose frames are of one version, and whose color is of another."""

    def _check_source(self, sha256: str, frames: int | None = None) -> None:
        assert self.plan_file is not None
        film = self.plan_file.plan.source
        if frames is not None and frames != film.frames:
            raise UsageError(
                f"{self.source} has {frames} frames, expected {film.frames} as {film.name}: the "
                "color of a film fits versions of the same frames."
            )

    def _seen(self, shown: FilmAnalysis) -> FilmAnalysis:
        """The times of this version, and of the other all that its color was made by."""
        assert self.plan_file is not None
        assert self.project is not None
        film = self.plan_file.plan.source
        known = self.project.load_analysis(survey_key(film.sha256, self.options.override))
        if known is None or len(known) != len(shown):
            self._check_source("", len(shown))
            raise UsageError(
                f"{self.project.folder} does not know {film.name}; color that film first: "
                f"pycolor video --plan {self.plan_file.path}."
            )
        return replace(known, timeline=shown.timeline, damages=shown.damages)

    @property
    def _color_digest(self) -> str | None:
        assert self.plan_file is not None
        return self.plan_file.plan.source.sha256

    def _planned(self, seen: FilmAnalysis, source_digest: str) -> PlannedFilm | None:
        planned = super()._planned(self._seen(seen), source_digest)
        assert planned is not None
        pieces = pieces_of(planned.plan)
        missing = [p for p in pieces if p.sides and planned.layer.load(p) is None]
        if missing:
            count = sum(p.stop - p.first for p in missing)
            raise UsageError(
                f"the color of {count} frames, from frame {missing[0].first} on, is not kept in "
                f"{planned.layer.folder} by these options; color the film by them first."
            )
        return planned


def apply_layer(
    plan: Path,
    regrade: Path,
    target: Path,
    options: VideoOptions,
    *,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> FilmReport:
    """Give another version of a film the color that its project keeps; no network runs.

    The versions have the same frames and framing; size, depth, grain and grade may differ.  The
    luma of the version is exact.

    Args:
        plan: of the film, in its project.
        regrade: the other version.
        target: the colored version.
        options: by which the film was colored; those of the output are new.
        say: called with each warning.
        progress: advanced by each frame.

    Raises:
        UsageError: the versions do not fit, or color is missing.
        FilmError: a film cannot be read, or the output not be written.
    """
    options = replace(options, plan=plan)
    report = _Regrade(regrade, target, options, say, progress, PredictorPool()).run()
    assert report is not None
    return report
