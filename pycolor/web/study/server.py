"""The page and its pictures, served to this machine only."""

from __future__ import annotations

import io
import secrets
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pycolor.image.files.picture_files import read_image
from pycolor.options import StudyOptions
from pycolor.web.local_server import LocalServer, RefusedError, Reply, json_reply
from pycolor.web.study.answers import Answer, AnswerFile, is_believed, read_answers, way_judged
from pycolor.web.study.design import Gallery, Trial, plan
from pycolor.web.study.results import results

PAGE = Path(__file__).with_name("page.html")
LONGEST_NAME = 80  # characters
MOST_SESSIONS = 10_000


@dataclass
class Session:
    """A participant at work: trials, the secret names of their pictures, and what is answered."""

    participant: str
    trials: list[Trial]
    pictures: dict[str, Path] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)


class Study:
    """All sessions of a study; knows nothing of HTTP.

    Args:
        gallery: the pictures.
        options: see `StudyOptions`.
        answers: where to.
    """

    def __init__(self, gallery: Gallery, options: StudyOptions, answers: AnswerFile) -> None:
        self.gallery, self.options, self.answers = gallery, options, answers
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        plan_of = self._plan("")  # an impossible plan is refused before anyone sits down
        self.trials = len(plan_of)

    def begin(self, participant: str) -> dict[str, Any]:
        """A new session: its key, and what the page has to show.

        Pictures go by secret names, so that nothing on the page tells how they were colored.
        """
        participant = " ".join(participant.split())[:LONGEST_NAME] or "anonymous"
        session = Session(participant, self._plan(participant))
        trials = []
        for trial in session.trials:
            keys = [secrets.token_urlsafe(12) for _ in trial.shown]
            for key, way in zip(keys, trial.shown, strict=True):
                session.pictures[key] = self.gallery.files[way, trial.name]
            trials.append({"pictures": keys, "practice": trial.practice})
        key = secrets.token_urlsafe(12)
        with self._lock:
            if len(self._sessions) >= MOST_SESSIONS:
                raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "too many sessions were begun")
            self._sessions[key] = session
        return {
            "session": key,
            "question": self.options.question,
            "seconds": self.options.seconds,
            "side": self.options.side,
            "trials": trials,
        }

    def answer(self, key: str, number: int, choice: str, milliseconds: int) -> dict[str, Any]:
        """Write down an answer; returns whether it was right, of a practice trial.

        Raises:
            RefusedError: the session or trial is not known, was answered, or the choice is none.
        """
        session = self._session(key)
        choices = ("yes", "no") if self.options.question == "natural" else ("left", "right")
        if not 0 <= number < len(session.trials) or choice not in choices or milliseconds < 0:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "expected a trial of the session and a choice"
            )
        with self._lock:
            if number in session.answered:
                raise RefusedError(HTTPStatus.CONFLICT, f"trial {number} is answered already")
            session.answered.add(number)
        trial, truth = session.trials[number], self.options.truth
        believed = is_believed(trial, choice, truth)
        try:
            self._add(session, trial, choice, believed, milliseconds)
        except BaseException:
            with self._lock:
                session.answered.discard(number)  # it may be sent again
            raise
        return {"right": not believed} if trial.practice else {}

    def _add(
        self, session: Session, trial: Trial, choice: str, believed: bool, milliseconds: int
    ) -> None:
        truth = self.options.truth
        self.answers.add(
            Answer(
                time=datetime.now(UTC).isoformat(timespec="milliseconds"),
                participant=session.participant,
                question=self.options.question,
                seed=self.options.seed,
                trial=trial.number,
                practice=trial.practice,
                picture=trial.name,
                way=way_judged(trial, truth),
                left=trial.shown[0] if len(trial.shown) > 1 else "",
                answer=choice,
                believed=believed,
                milliseconds=milliseconds,
            )
        )

    def results(self) -> list[dict[str, Any]]:
        """Of all answers so far."""
        return [asdict(result) for result in results(read_answers(self.answers.path))]

    def picture(self, key: str) -> bytes:
        """A picture as PNG, its longer side as long as the study shows it.

        Raises:
            RefusedError: no session knows it.
        """
        with self._lock:
            paths = [s.pictures[key] for s in self._sessions.values() if key in s.pictures]
        if not paths:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such picture")
        return shown(paths[0], self.options.side)

    def _session(self, key: str) -> Session:
        with self._lock:
            session = self._sessions.get(key)
        if session is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "no such session")
        return session

    def _plan(self, participant: str) -> list[Trial]:
        options = self.options
        return plan(
            self.gallery,
            options.question,
            participant=participant,
            seed=options.seed,
            most=options.trials,
            practice=options.practice_trials,
        )


def shown(path: Path, side: int) -> bytes:
    """A picture as it is shown: PNG of 8 bits, without what else its file says."""
    pixels = read_image(path).pixels
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    image = Image.fromarray(np.asarray(pixels, np.uint8)).convert("RGB")
    scale = side / max(image.size)
    sides = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    file = io.BytesIO()
    image.resize(sides, Image.Resampling.LANCZOS).save(file, "PNG")
    return file.getvalue()


class StudyPages:
    """GET / and /results and /pictures/KEY, POST /sessions and /answers."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def get(self, path: str) -> Reply:
        if path == "/":
            return Reply("text/html; charset=utf-8", PAGE.read_bytes())
        if path == "/results":
            return json_reply(self.study.results())
        folder, _, key = path[1:].partition("/")
        if folder == "pictures":
            return Reply("image/png", self.study.picture(key))
        raise RefusedError(HTTPStatus.NOT_FOUND, "no such page")

    def post(self, path: str, said: dict[str, Any]) -> Reply:
        try:
            if path == "/sessions":
                return json_reply(self.study.begin(str(said["participant"])))
            if path == "/answers":
                asked = (
                    str(said["session"]),
                    int(said["trial"]),
                    str(said["choice"]),
                    round(float(said["milliseconds"])),
                )
                return json_reply(self.study.answer(*asked))
        except (KeyError, TypeError, ValueError, OverflowError) as e:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"the request lacks something: {e}") from e
        raise RefusedError(HTTPStatus.NOT_FOUND, "no such page")


def serve(study: Study, port: int, **options: Any) -> LocalServer:
    """A server on this machine, see `LocalServer`."""
    return LocalServer(StudyPages(study), port, **options)
