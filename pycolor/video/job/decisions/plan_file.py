"""A plan's file: read with the lines of what is wrong, saved whole, never over another's change."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

from pycolor.errors import FilmError, UsageError, counted
from pycolor.image.guidance.references import Reference
from pycolor.models import zoo
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions
from pycolor.system.atomic_file import atomic_write
from pycolor.video.film_plan.decisions import FilmPlan
from pycolor.video.film_plan.document import read_plan
from pycolor.video.film_plan.document_text import ShotTexts, plan_text
from pycolor.video.film_plan.json_lines import Place, line_of, lines_of
from pycolor.video.film_plan.shot_guidance import marks_of, stills_twice, styles_of
from pycolor.video.job.decisions.guided import Given

PROJECT_SUFFIX, PLAN_NAME = ".pycolor", "plan.json"


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """A plan as it stands in a file.

    Attributes:
        path: of the file.
        text: its content.
        plan: what it says.
    """

    path: Path
    text: str
    plan: FilmPlan

    @property
    def project(self) -> Path:
        """The folder for what is made by the plan: the film's project, or one beside the file."""
        folder = self.path.parent
        own = folder.resolve().name.endswith(PROJECT_SUFFIX)
        return folder if own else self.path.with_suffix(PROJECT_SUFFIX)

    def refuse(self, text: str, place: Place) -> NoReturn:
        """Tell what is wrong at a place of the document.

        Raises:
            UsageError: always.
        """
        line = line_of(lines_of(self.text), place)
        raise UsageError(f"{self.path}, line {line}: {text}.")

    def check(self, source: Path, sha256: str, frames: int | None = None) -> None:
        """Make sure that the plan is of a film.

        Args:
            source: the film.
            sha256: of its content.
            frames: how many it has, if that is known.

        Raises:
            UsageError: it is of another.
        """
        film = self.plan.source
        if film.sha256 != sha256:
            self.refuse(
                f"the plan is of {film.name}, whose digest is {film.sha256[:12]}…; {source} has "
                f"{sha256[:12]}…",
                ("source", "sha256"),
            )
        if frames is not None and frames != film.frames:
            self.refuse(
                f"{source} has {counted(frames, 'frame')}, got {film.frames}", ("source", "frames")
            )

    def check_rate(self, source: Path, rate: Fraction) -> None:
        """Make sure that a film has the plan's rate, which an option may have said.

        Raises:
            UsageError: it has another.
        """
        told = self.plan.source.rate
        if told != rate:
            self.refuse(
                f"the plan counts {told} frames a second, and {source} is read with {rate}; "
                f"--rate {told} goes by the plan",
                ("source", "rate"),
            )

    def cautions(self, *, recolor: bool = False) -> list[str]:
        """What a reviewer has said that a delivery should know of, and what has no effect.

        Args:
            recolor: what `auto` does with colored shots.
        """
        shots = list(enumerate(self.plan.shots, 1))
        rejected = [n for n, shot in shots if shot.state == "rejected"]
        changed = [n for n, shot in shots if shot.changed_since_accepted]
        found = []
        if rejected:
            found.append(f"{_shots(rejected)} rejected in {self.path.name}")
        if changed:
            found.append(f"{_shots(changed)} no longer as accepted in {self.path.name}")
        kept = [n for n, s in shots if s.guidance and s.keeps_own_color(recolor=recolor)]
        if kept:
            found.append(
                f"{_shots(kept)} in the source's own color in {self.path.name}, where guidance has "
                "no effect; with the treatment color it has"
            )
        for n in sorted({frame for _, shot in shots for frame in stills_twice(shot.guidance)}):
            found.append(f"frame {n} has two stills or more in {self.path.name}; the last counts")
        for n in [n for n, shot in shots if styles_of(shot.guidance) > 1]:
            found.append(f"shot {n} has two styles or more in {self.path.name}; the last counts")
        return found

    def shot_options(self, number: int, film: PredictOptions) -> PredictOptions:
        """How a shot is predicted.

        Args:
            number: of the shot, from 0.
            film: how the film's other shots are.

        Raises:
            UsageError: a picture is not there, or the model is none.
        """
        shot = self.plan.shots[number]
        options = film
        if shot.model is not None and shot.model != film.model:
            try:
                zoo.card(shot.model)
            except UsageError as e:
                self.refuse(str(e).rstrip("."), ("shots", number, "model"))
            options = replace(film, model=shot.model, weights=None, style=None, decode="auto")
        for path in self._files(number, "style"):
            options = replace(options, style=path)
        return options

    def shot_given(self, number: int) -> Given | None:
        """What leads the model in a shot; None if nothing does.

        Raises:
            UsageError: a picture is not there.
        """
        shot = self.plan.shots[number]
        if not shot.guidance:
            return None
        stills = zip(
            (entry["frame"] for entry in shot.guidance if entry["kind"] == "still"),
            self._files(number, "still"),
            strict=True,
        )
        given = Given(
            stills={n: Reference(path=path, frame=n) for n, path in stills},
            alike=tuple(Reference(path=path) for path in self._files(number, "picture")),
            marks=marks_of(shot.guidance),
        )
        return given if given.stills or given.alike or given.marks.marks else None

    def check_model(self, frame: int, predictor: Predictor) -> None:
        """Make sure that a model takes what leads a shot.

        Args:
            frame: of the shot.
            predictor: of its model.

        Raises:
            UsageError: the model takes no such picture or mark.
        """
        number = bisect_right(self.plan.shots, frame, key=lambda shot: shot.start) - 1
        guidance = self.plan.shots[number].guidance
        alone = all(entry.get("frame") is None for entry in guidance)
        references = alone and predictor.network.guide == "reference"
        for n, entry in enumerate(guidance):
            try:
                if entry["kind"] == "style":
                    predictor.check_guide("style")
                elif entry["kind"] != "palette" and not references:
                    predictor.lead_by_any()
            except UsageError as e:
                self.refuse(str(e).rstrip("."), ("shots", number, "guidance", n))

    def _files(self, number: int, kind: str) -> list[Path]:
        """The files of a shot's guidance of one kind."""
        found = []
        for n, entry in enumerate(self.plan.shots[number].guidance):
            if entry["kind"] == kind:
                path = self._beside(entry["path"])
                if not path.is_file():
                    place = ("shots", number, "guidance", n, "path")
                    self.refuse(f"the {kind} {path} is not there", place)
                found.append(path)
        return found

    def _beside(self, path: str) -> Path:
        """Names in a plan are relative to its folder."""
        return self.path.parent / path


def read_plan_file(path: Path) -> PlanFile:
    """The plan in a file.

    Raises:
        UsageError: it cannot be read, or is none; the sentence names the line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f"the plan {path} cannot be read: {e}.") from None
    try:
        return PlanFile(path=path, text=text, plan=read_plan(text))
    except ValueError as e:
        raise UsageError(f"{path}, {e}.") from None


def save_plan_file(
    path: Path, plan: FilmPlan, *, before: str | None = None, shots: ShotTexts | None = None
) -> FilmPlan:
    """Save a plan over the one that it was made from, complete or not at all.

    Args:
        path: of the file; a new one is made where there is none.
        plan: its revision is that of the plan it was made from.
        before: text of that plan: a file that holds just this need not be understood again.
        shots: see `plan_text`.

    Returns:
        the plan as it was saved, its revision one more.

    Raises:
        UsageError: the file holds another revision: somebody else has changed it meanwhile.
    """
    with _alone(path):
        if path.exists() and (before is None or not _holds(path, before)):
            found = read_plan_file(path).plan.revision
            if found != plan.revision:
                raise UsageError(
                    f"{path} was changed meanwhile: expected revision {plan.revision}, got {found}."
                )
        saved = replace(plan, revision=plan.revision + 1)
        with atomic_write(path, overwrite=True) as part:
            part.write_text(plan_text(saved, shots), encoding="utf-8")
    return saved


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Between reading the revision and writing the next nobody else may do the same."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        file = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise FilmError(
            f"{path} is being saved by another program; if none is, remove {lock}."
        ) from None
    except OSError as e:
        raise FilmError(f"{path} cannot be saved: {e.strerror}.") from None
    try:
        yield
    finally:
        os.close(file)
        lock.unlink(missing_ok=True)


def _shots(numbers: list[int]) -> str:
    told = ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")
    return f"shot {told} is" if len(numbers) == 1 else f"shots {told} are"
