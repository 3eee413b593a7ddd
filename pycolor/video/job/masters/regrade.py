"""The color of a film on another version of it: a new grade, a cleaner scan, another size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pycolor.errors import UsageError, counted
from pycolor.image.predictor_pool import PredictorPool
from pycolor.options import VideoOptions
from pycolor.system.progress import Progress
from pycolor.video.io import Reader
from pycolor.video.job.decisions.planned import PlannedFilm, View
from pycolor.video.job.decisions.project import analysis_key
from pycolor.video.job.record.report import FilmReport
from pycolor.video.job.stages.film_run import FilmRun
from pycolor.video.master.framing import Crop, FilmCrop, check_aspect
from pycolor.video.plan.alignment import offset_of
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.propagation.layer_store import pieces_of
from pycolor.video.shots.lists.list_files import shots_in_range


class _Regrade(FilmRun):
    """A run whose frames are of one version, and whose color is of another."""

    def __init__(
        self,
        *arguments: Any,
        given_offset: int | None = None,
        crop: Crop | None = None,
    ) -> None:
        super().__init__(*arguments)
        self._given_offset, self._crop = given_offset, crop
        self._shown: FilmAnalysis | None = None

    def _check_source(self, sha256: str, frames: int | None = None) -> None:
        """The versions' frames are compared later, when both are known."""

    def _check_rate(self, reader: Reader) -> None:
        """A version may have a rate of its own."""

    def _found_offset(self, known: FilmAnalysis, shown: FilmAnalysis) -> int:
        """Number of the film's frame that is this version's first."""
        assert self.plan_file is not None
        name, frames = self.plan_file.plan.source.name, len(known)
        if self._given_offset is not None:
            last = self._given_offset + len(shown)
            if last > frames:
                raise UsageError(
                    f"{self.source} with offset {self._given_offset} would end at frame {last}, "
                    f"expected {frames} at most, as {name} has."
                )
            return self._given_offset
        if len(shown) == frames:
            return 0
        found = offset_of(known.change, shown.change)
        if found is None:
            raise UsageError(
                f"{self.source} has {counted(len(shown), 'frame')} and {name} {frames}, and "
                "where they agree is not beyond doubt; --offset N is the frame of that film with "
                "which it begins."
            )
        self.warn(f"{self.source} begins with frame {found} of {name}")
        return found

    def _view(self, seen: FilmAnalysis) -> View:
        assert self._shown is not None
        first = self._found_offset(seen, self._shown)
        self.offset = -first
        view = View(first=first, stop=first + len(self._shown), crop=self._film_crop())
        return View() if view == View(stop=len(seen)) else view

    def _film_crop(self) -> FilmCrop | None:
        """The crop that was given; None for the whole picture."""
        assert self.plan_file is not None
        film = self.plan_file.plan.source
        with Reader(self.source, rate=self.rate, override=self.options.override) as reader:
            size = reader.info.height, reader.info.width
        if not film.width:
            if self._crop is None:
                self.warn(
                    f"{self.plan_file.path} does not say the size of {film.name}: {self.source} is "
                    "taken to show all of its picture"
                )
                return None
            raise UsageError(
                f"{self.plan_file.path} does not say the size of {film.name}, which a crop needs: "
                "expected width and height in its source."
            )
        if self._crop is None:
            check_aspect((film.height, film.width), size, str(self.source))
            return None
        self._crop.check(film.width, film.height)
        if self._crop.is_whole(film.width, film.height):
            return None
        return FilmCrop(crop=self._crop, height=film.height, width=film.width)

    def _decided(self, seen: FilmAnalysis, planned: PlannedFilm) -> FilmAnalysis:
        """The shots of this version, as the plan has them."""
        assert self.plan_file is not None
        recolor = self.options.color_shots == "recolor"
        first, own = planned.view.first, []
        shots = [shot.shot for shot in self.plan_file.plan.shots]
        for shot in self.plan_file.plan.shots:
            if shot.start < first + len(seen) and shot.stop > first:
                own.append(shot.keeps_own_color(recolor=recolor))
        found = tuple(shots_in_range(shots, first, len(seen)))
        step = 1 / seen.rate
        return replace(
            seen,
            shots=found,
            colored=tuple(own),
            starts=tuple(shot.start * step for shot in found),
            looks=(),
        )

    def _timeline(self, seen: FilmAnalysis) -> Sequence[int] | None:
        return None if seen.damages else seen.timeline

    def _seen(self, shown: FilmAnalysis) -> FilmAnalysis:
        """Of the other version all that its color was made by."""
        self._shown = shown
        assert self.plan_file is not None
        assert self.project is not None
        film = self.plan_file.plan.source
        known = self.project.load_analysis(analysis_key(film.sha256, self.options.override))
        if known is None or len(known) != film.frames:
            raise UsageError(
                f"{self.project.folder} does not know {film.name}; color that film first: "
                f"pycolor video --plan {self.plan_file.path}."
            )
        return known

    @property
    def _color_digest(self) -> str | None:
        assert self.plan_file is not None
        return self.plan_file.plan.source.sha256

    def _planned(self, seen: FilmAnalysis, source_digest: str) -> PlannedFilm | None:
        planned = super()._planned(self._seen(seen), source_digest)
        assert planned is not None
        pieces = pieces_of(planned.plan, planned.view.first, planned.view.stop)
        missing = [p for p in pieces if p.sides and planned.layer.load(p) is None]
        if missing:
            count = sum(p.stop - p.first for p in missing)
            raise UsageError(
                f"the color of {counted(count, 'frame')}, from frame {missing[0].first} on, is "
                f"not kept in {planned.layer.folder} by these options; color the film by them "
                "first."
            )
        return planned


def apply_layer(
    plan: Path,
    regrade: Path,
    target: Path,
    options: VideoOptions,
    *,
    offset: int | None = None,
    crop: Crop | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> FilmReport:
    """Give another version of a film the color that its project keeps; no network runs.

    Size, depth, grain and grade may differ, frames at its ends and borders of its picture be
    missing.  The luma of the version is exact.

    Args:
        plan: of the film, in its project.
        regrade: the other version.
        target: the colored version.
        options: by which the film was colored; those of the output are new.
        offset: the film's frame that is the version's first; None: it is found by the changes
            from frame to frame, where that is beyond doubt.
        crop: the part of the film's picture that the version shows; None: all.
        say: called with each warning.
        progress: advanced by each frame.

    Raises:
        UsageError: the versions do not fit, or color is missing.
        FilmError: a film cannot be read, or the output not be written.
    """
    options = replace(options, plan=plan)
    run = _Regrade(
        *(regrade, target, options, say, progress, PredictorPool()), given_offset=offset, crop=crop
    )
    report = run.run()
    assert report is not None
    return report
