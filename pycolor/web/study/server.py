"""The page and its pictures, served to this machine only."""

from __future__ import annotations

import io
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pycolor.errors import FilmError, PycolorError
from pycolor.image.picture_files import read_image
from pycolor.options import StudyOptions
from pycolor.web.study.answers import Answer, AnswerFile, is_believed, read_answers, way_judged
from pycolor.web.study.design import Gallery, Trial, plan
from pycolor.web.study.results import results

PAGE = Path(__file__).with_name("page.html")
HERE = "127.0.0.1"
LONGEST_REQUEST, LONGEST_NAME = 4096, 80  # bytes, characters
# The page brings all that it needs; nothing may be fetched from elsewhere.
POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; " \
         "script-src 'unsafe-inline'; connect-src 'self'"  # fmt: skip


@dataclass
class Session:
    """A participant at work: trials, the secret names of their pictures, and what is answered."""

    participant: str
    trials: list[Trial]
    pictures: dict[str, Path] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)


class RefusedError(Exception):
    """A request that is not as the page makes it."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


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
            self._sessions[key] = session
        return {
            "session": key,
            "question": self.options.question,
            "seconds": self.options.seconds,
            "side": self.options.side,
            "trials": trials,
        }

    def answer(self, key: str, number: int, choice: str, milliseconds: int) -> dict[str, Any]:
        """Write down an answer; tells of a practice trial whether it was right.

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
        self.answers.add(
            Answer(
                time=datetime.now(UTC).isoformat(timespec="milliseconds"),
                participant=session.participant,
                question=self.options.question,
                seed=self.options.seed,
                trial=number,
                practice=trial.practice,
                picture=trial.name,
                way=way_judged(trial, truth),
                left=trial.shown[0] if len(trial.shown) > 1 else "",
                answer=choice,
                believed=believed,
                milliseconds=milliseconds,
            )
        )
        return {"right": not believed} if trial.practice else {}

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


def serve(study: Study, port: int) -> ThreadingHTTPServer:
    """A server on this machine; `serve_forever` runs it.

    Args:
        study: what is asked.
        port: 0 takes a free one; `server_port` tells which.

    Raises:
        FilmError: the port is taken.
    """
    handler = type("Handler", (_Handler,), {"study": study})
    try:
        return ThreadingHTTPServer((HERE, port), handler)
    except OSError as e:
        raise FilmError(f"port {port} cannot be used: {e.strerror}; --port 0 takes another.") from e


class _Handler(BaseHTTPRequestHandler):
    """GET / and /results and /pictures/KEY, POST /sessions and /answers."""

    study: Study

    def do_GET(self) -> None:
        self._reply(self._get)

    def do_POST(self) -> None:
        self._reply(self._post)

    def _get(self) -> tuple[str, bytes]:
        if self.path == "/":
            return "text/html; charset=utf-8", PAGE.read_bytes()
        if self.path == "/results":
            return "application/json", _json(self.study.results())
        folder, _, key = self.path[1:].partition("/")
        if folder == "pictures":
            return "image/png", self.study.picture(key)
        raise RefusedError(HTTPStatus.NOT_FOUND, "no such page")

    def _post(self) -> tuple[str, bytes]:
        said = self._body()
        try:
            if self.path == "/sessions":
                return "application/json", _json(self.study.begin(str(said["participant"])))
            if self.path == "/answers":
                found = self.study.answer(
                    str(said["session"]),
                    int(said["trial"]),
                    str(said["choice"]),
                    round(float(said["milliseconds"])),
                )
                return "application/json", _json(found)
        except (KeyError, TypeError, ValueError, OverflowError) as e:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"the request lacks something: {e}") from e
        raise RefusedError(HTTPStatus.NOT_FOUND, "no such page")

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LONGEST_REQUEST:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, f"expected a body of {LONGEST_REQUEST} bytes"
            )
        # A page from elsewhere cannot send this type without being asked first, and is refused.
        if self.headers.get_content_type() != "application/json":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected JSON")
        try:
            said = json.loads(self.rfile.read(int(length)))
        except ValueError as e:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "expected JSON") from e
        if not isinstance(said, dict):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "expected an object")
        return said

    def _reply(self, make: Callable[[], tuple[str, bytes]]) -> None:
        host = self.headers.get("Host", "").rpartition(":")[0]
        try:
            if host not in (HERE, "localhost"):  # another site's name for this machine
                raise RefusedError(HTTPStatus.FORBIDDEN, "this page is for this machine only")
            kind, body = make()
            status = HTTPStatus.OK
        except RefusedError as e:
            status, kind, body = e.status, "text/plain; charset=utf-8", str(e).encode()
        except PycolorError as e:
            status, kind, body = (
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "text/plain; charset=utf-8",
                str(e).encode(),
            )
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the terminal is for the person who runs the study."""


def _json(value: object) -> bytes:
    return json.dumps(value, allow_nan=False).encode()
