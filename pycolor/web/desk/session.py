"""A film's project on the desk: its plan as it is, every change saved before it is reported."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pycolor.errors import PycolorError, UsageError
from pycolor.image.predictor_pool import PredictorPool
from pycolor.models.guidance.looks import LOOKS
from pycolor.models.zoo import all_cards
from pycolor.options import VideoOptions
from pycolor.video.film_plan.decisions import TREATMENTS, FilmPlan, PlanError
from pycolor.video.job.decisions.planned import Colors
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.web.desk.plan.changes import Said, add_guidance, change, copied_shot, copy, whole
from pycolor.web.desk.plan.copying import PREFIX, frames_to_copy
from pycolor.web.desk.plan.journal import Change, ShotDocument, Step
from pycolor.web.desk.plan.kept_plan import KeptPlan
from pycolor.web.desk.project.editor import Editor
from pycolor.web.desk.project.palette import Palette
from pycolor.web.desk.project.pictures import kept, packed, suffix_of
from pycolor.web.desk.rendering.frames import VIEWS, Frames, View
from pycolor.web.desk.rendering.playing import Playing
from pycolor.web.desk.rendering.ready import Ready
from pycolor.web.desk.shots.alike import Alike
from pycolor.web.desk.shots.needs_kept import Needs
from pycolor.web.local_server import RefusedError

MOST_NEWS = 9
LONGEST_WAIT = 2.0  # seconds, for a frame that is being made


class Desk:
    """See the module; knows nothing of HTTP.

    Args:
        source: the film.
        path: of its plan, which exists.
        options: of the film to come.
        analysis: of the film.
        pool: of models that are loaded.
        ahead: see `Frames`.

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
        *,
        ahead: bool = True,
    ) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._kept = KeptPlan(source, path, options, analysis, pool)
        self.folder = self._kept.folder
        self.frames = Frames(self._kept.preview, ahead=ahead)
        self.palette = Palette(self.folder / "palette.json")
        self.editor = Editor(self.folder / "editor", self._came_back)
        self.playing = Playing(self.frames)
        self.needs = Needs(self.frames, self.folder / "needs.jsonl")
        self.alike = Alike(self.frames, self.folder / "alike.jsonl", self.plan)
        self.news: list[dict[str, Any]] = []  # what happened here by itself, newest last

    @property
    def plan(self) -> FilmPlan:
        """As it was saved last."""
        return self._kept.plan

    def close(self) -> None:
        """End what runs in the background."""
        self.editor.close()
        self.needs.close()
        self.alike.close()
        self.playing.close()
        self.frames.close()

    def state(self) -> dict[str, Any]:
        """All that the page has to know."""
        with self._lock:
            self._take_up()
            source, (wide, tall) = self.plan.source, self.frames.size
            film = {"name": source.name, "frames": source.frames, "rate": float(source.rate)}
            film |= {"timecode": source.timecode, "width": wide, "height": tall}
            return {
                "revision": self.plan.revision,
                "film": film,
                "shots": self._shown(0, len(self.plan.shots)),
                "palette": self.palette.colors(),
                "treatments": TREATMENTS,
                "looks": ["", *LOOKS],
                "models": [card.name for card in all_cards()],
                "news": self.news,
                **self._kept.steps,
            }

    def revision(self) -> int:
        """Of the plan as it is in its file."""
        return self._newest().revision

    def picture(self, frame: int, view: str, how: str = "") -> tuple[bytes, bool] | None:
        """A frame as PNG, and whether it is the film's picture; see `Frames`.

        Args:
            frame: its number.
            view: color, gray or doubt.
            how: `quick`: now, perhaps of the frame alone; `made`: only if that takes no model;
                `wait`: as soon as it is made, or None after some seconds; else: make it.
        """
        if view not in VIEWS or how not in ("", "quick", "made", "wait"):
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"expected a view of {', '.join(VIEWS)}")
        self._newest()
        shown: View = view  # type: ignore[assignment]
        if how == "quick":
            return self.frames.quick(frame, shown)
        if view == "color" and how == "wait" and not self.frames.wait(frame, LONGEST_WAIT):
            return None
        if view != "gray" and how == "made" and not self.frames.is_made(frame):
            return None
        return self.frames.png(frame, shown), True

    def small(self, frame: int) -> tuple[bytes, bool]:
        """A frame as a small JPEG, to be played; see `Playing`."""
        self._newest()
        return self.playing.jpeg(frame)

    def looks_like(self, number: int) -> dict[str, Any]:
        """The shots that look like one, see `Alike`.

        Raises:
            RefusedError: there is no such shot.
        """
        plan = self._newest()
        if number >= len(plan.shots):
            raise RefusedError(HTTPStatus.NOT_FOUND, "the film has no such shot")
        return {**self.alike.told(number), "revision": plan.revision}

    def _shown(self, first: int, stop: int) -> list[ShotDocument]:
        shots = self.plan.shots[first:stop]
        return [
            {
                **document,
                "digest": shot.digest,
                "shown_state": "changed" if shot.changed_since_accepted else shot.state,
            }
            for shot, document in zip(shots, self._kept.documents(first, stop), strict=True)
        ]

    def edit(self, said: Said) -> dict[str, Any]:
        """Change the plan as the page says, and save it.

        Returns:
            the new revision, and which shots are replaced by which.

        Raises:
            RefusedError: the page has not seen the plan as it is, or asks for what cannot be.
            FilmError: it cannot be saved.
        """
        with self._lock:
            self._expect(said)
            if said.get("do") in ("undo", "redo"):
                step: Step = "undo" if said["do"] == "undo" else "redo"
                return self._saved(self._kept.step(step, self._try_out))
            with ExitStack() as pictures:
                try:
                    number = copied_shot(self.plan, said)
                    if number is None:
                        desired = change(self.plan, said, self.frames.size)
                    else:
                        leading = self._pictures(number, said, pictures)
                        desired = copy(self.plan, said, leading)
                except (PlanError, UsageError) as e:
                    raise RefusedError(HTTPStatus.BAD_REQUEST, str(e)) from None
                return self._saved(self._kept.edit(desired, self._try_out))

    def _pictures(self, number: int, said: Said, kept_while: ExitStack) -> dict[int, str]:
        """Paths of a shot's frames that lead others, as they are before they are graded."""
        groups = said.get("groups", ["colors"])
        if not isinstance(groups, list) or "colors" not in groups:
            return {}
        found = {}
        for frame in frames_to_copy(self.plan.shots[number], always=said["do"] == "copy"):
            content = packed(self.frames.ungraded(frame))
            picture = kept(self.path.parent, f"{PREFIX}{frame:06d}", content)
            found[frame] = kept_while.enter_context(picture)
        return found

    def add_still(
        self, frame: int, revision: int, content: bytes, *, instead: bool = False
    ) -> dict[str, Any]:
        """Keep a picture in the project, and lead the shot of a frame by it.

        Args:
            frame: its number.
            revision: of the plan that was seen.
            content: PNG or JPEG.
            instead: other stills of the frame lead no more.

        Raises:
            RefusedError: it is no picture, or the plan is another.
            FilmError: it cannot be saved.
        """
        if suffix_of(content) is None:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "expected a picture, PNG or JPEG")
        with self._lock:
            self._expect({"revision": revision})
            with kept(self.path.parent, f"stills/frame-{frame:06d}", content) as path:
                entry = {"kind": "still", "frame": frame, "path": path}
                try:
                    number = self.plan.number_at(frame)
                    desired = add_guidance(self.plan, number, entry, "still", instead=instead)
                except PlanError as e:
                    raise RefusedError(HTTPStatus.BAD_REQUEST, str(e)) from None
                return self._saved(self._kept.edit(desired, self._try_out))

    def give_to_editor(self, frame: int) -> Path:
        """Write a frame as the film will show it for an editor; it comes back when it is saved.

        Raises:
            UsageError: the film has no such frame.
            FilmError: it cannot be read or written.
        """
        return self.editor.give(frame, packed(self.frames.png(frame)))

    def _came_back(self, frame: int, content: bytes) -> None:
        """Lead a shot by a frame that an editor has saved, in place of what led it there."""
        with self._lock:
            self._take_up()
            revision = self.plan.revision
            try:
                self.add_still(frame, revision, content, instead=True)
            except (RefusedError, PycolorError) as e:
                self._tell(f"frame {frame} came back from the editor, and cannot be used: {e}")
            else:
                self._tell(
                    f"frame {frame} came back from the editor and leads its shot; Z takes it back"
                )

    def _tell(self, text: str) -> None:
        """Tell what happened here without a page asking for it."""
        number = self.news[-1]["number"] + 1 if self.news else 1
        self.news = [*self.news, {"number": number, "text": text}][-MOST_NEWS:]

    def keep_palette(self, said: Said) -> list[str]:
        """Keep the project's colors.

        Raises:
            RefusedError: they are none.
            FilmError: they cannot be saved.
        """
        with self._lock:
            return self.palette.keep(said.get("colors"))

    def _expect(self, said: Said) -> None:
        self._take_up()
        if whole(said, "revision") != self.plan.revision:
            raise RefusedError(
                HTTPStatus.CONFLICT, "the plan was changed meanwhile; this page takes it up now"
            )

    def _try_out(self, colors: Colors, look_at: int | None) -> Ready:
        ready = self.frames.ready(colors)
        if look_at is not None:  # what cannot be shown is not saved
            self.frames.quick(look_at, ready=ready)
        return ready

    def _saved(self, done: tuple[Change, Ready]) -> dict[str, Any]:
        made, ready = done
        self.frames.use(ready)
        self.alike.use(self.plan)
        moved, parts = 0, []
        for part in made.parts:
            at = part.at + moved
            shots = self._shown(at, at + len(part.new))
            parts.append({"at": at, "removed": len(part.old), "shots": shots})
            moved += len(part.new) - len(part.old)
        return {"revision": self.plan.revision, "parts": parts, **self._kept.steps}

    def _newest(self) -> FilmPlan:
        with self._lock:
            self._take_up()
            return self.plan

    def _take_up(self) -> None:
        """What somebody else has saved, an editor or another desk."""
        colors = self._kept.take_up()
        if colors is not None:
            self.frames.use(self.frames.ready(colors))
            self.alike.use(self.plan)
