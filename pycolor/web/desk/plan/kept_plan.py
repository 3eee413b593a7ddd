"""The plan as it is in its file: each change saved before it is reported, and undone on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pycolor.errors import PycolorError, UsageError
from pycolor.image.predictor_pool import PredictorPool
from pycolor.options import VideoOptions
from pycolor.video.film_plan.decisions import FilmPlan, PlanError
from pycolor.video.film_plan.document import shots_of
from pycolor.video.film_plan.document_text import ShotTexts, plan_text
from pycolor.video.job.decisions.plan_file import PlanFile, read_plan_file, save_plan_file
from pycolor.video.job.decisions.planned import Colors, colors_of
from pycolor.video.job.frames.preview import Preview, open_preview
from pycolor.video.job.record.versions import versions
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.planning import KnownBodies
from pycolor.web.desk.plan.changes import Desired
from pycolor.web.desk.plan.journal import Change, Journal, Step, difference
from pycolor.web.desk.rendering.ready import Ready
from pycolor.web.local_server import RefusedError

FOLDER = "desk"  # of the project
REMEMBERED = 64  # pictures whose features are kept, a megabyte and a half each

TryOut = Callable[[Colors, int | None], Ready]


class KeptPlan:
    """See the module; for one thread at a time.

    Args:
        source: the film.
        path: of its plan, which exists.
        options: of the film to come.
        analysis: of the film.
        pool: of models that are loaded.

    Attributes:
        preview: of the film by the plan as it was when it was opened.

    Raises:
        UsageError: the plan is of another film.
        FilmError: the film or the project cannot be read.
    """

    def __init__(
        self,
        source: Path,
        path: Path,
        options: VideoOptions,
        analysis: FilmAnalysis,
        pool: PredictorPool | None = None,
    ) -> None:
        self._source, self._path, self._options = source, path, options
        self._analysis = analysis
        self._pool = pool or PredictorPool(remembered=REMEMBERED)
        # Of a thousand shots a change is of one: the others are not worked out again.
        self._bodies: KnownBodies = {}
        self._texts = ShotTexts()
        self._stamp = _stamp(path)
        self._file = read_plan_file(path)
        self.preview: Preview = open_preview(
            source, self._file, options, lambda: analysis, self._pool, self._bodies
        )
        self.folder = self._file.project / FOLDER
        self._journal = Journal(self.folder / "journal.jsonl", self.plan.revision)

    @property
    def plan(self) -> FilmPlan:
        """As it was saved last."""
        return self._file.plan

    @property
    def steps(self) -> dict[str, str | None]:
        """What would be taken back, and made again, in words."""
        undo, redo = self._journal.undo, self._journal.redo
        return {"undo": undo.what if undo else None, "redo": redo.what if redo else None}

    def documents(self, first: int = 0, stop: int | None = None) -> list[dict[str, Any]]:
        """Shots as they stand in the document; not to be changed."""
        return self._texts.documents(self.plan)[first:stop]

    def edit(self, desired: Desired, try_out: TryOut) -> tuple[Change, Ready]:
        """Save another plan.

        Args:
            desired: the plan.
            try_out: of what it makes of the film, and of a frame that must be possible by it:
                what gives the frames then; called before anything is saved.

        Returns:
            the change, to be told, and what gives the frames.

        Raises:
            RefusedError: it cannot be.
            FilmError: it cannot be saved.
        """
        old = self._texts.documents(self.plan)
        made = difference(desired.what, old, self._texts.documents(desired.plan))
        return made, self._save(desired.plan, "edit", try_out, made, desired.look_at)

    def step(self, step: Step, try_out: TryOut) -> tuple[Change, Ready]:
        """Take the last change back, or make it again; see `edit`."""
        found = self._journal.undo if step == "undo" else self._journal.redo
        if found is None:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"there is nothing to {step}")
        made = found.back() if step == "undo" else found
        if made.applied(self._texts.documents(self.plan)) is None:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, f"{found.what}: these shots were changed elsewhere since"
            )
        shots = list(self.plan.shots)
        try:
            for part in reversed(made.parts):
                new = shots_of(part.new, self.plan.source)
                shots[part.at : part.at + len(part.old)] = new
            plan = replace(self.plan, shots=tuple(shots))
        except PlanError as e:
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(e)) from None
        return made, self._save(plan, step, try_out)

    def _save(
        self,
        plan: FilmPlan,
        step: Step,
        try_out: TryOut,
        kept: Change | None = None,
        look_at: int | None = None,
    ) -> Ready:
        file = PlanFile(path=self._path, text=plan_text(plan, self._texts), plan=plan)
        try:
            ready = try_out(self._colors(file), look_at)
        except PycolorError as e:
            raise RefusedError(HTTPStatus.BAD_REQUEST, str(e)) from None
        self._journal.write(step, plan.revision + 1, kept)
        saved = save_plan_file(self._path, plan, before=self._file.text, shots=self._texts)
        self._journal.count(step, kept)
        self._stamp = _stamp(self._path)
        self._file = replace(file, plan=saved, text=self._path.read_text("utf-8"))
        return ready

    def take_up(self) -> Colors | None:
        """What somebody else has saved, an editor or another desk; None if nobody has.

        Raises:
            UsageError: the file is no plan of this film.
        """
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return None
        file = read_plan_file(self._path)
        file.check(self._source, self.plan.source.sha256, len(self._analysis))
        colors = self._colors(file)
        self._journal = Journal(self._journal.path, file.plan.revision)
        self._file, self._stamp = file, stamp
        return colors

    def _colors(self, file: PlanFile) -> Colors:
        return colors_of(
            file,
            self._analysis,
            self._options,
            self._pool,
            source_sha256=self.plan.source.sha256,
            versions=versions(),
            known=self._bodies,
        )


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError as e:
        raise UsageError(f"the plan {path} cannot be read: {e.strerror}.") from None
    return status.st_ino, status.st_size, status.st_mtime_ns
