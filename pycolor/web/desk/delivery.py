"""The film made from the desk, in a process of its own: its progress, and its end on demand."""

from __future__ import annotations

import multiprocessing
import re
import signal
import threading
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from pycolor.errors import PycolorError
from pycolor.options import VideoOptions
from pycolor.system.progress import Progress
from pycolor.web.local_server import RefusedError

# What the page offers: the preset, its suffix, and what it is for.
KINDS = {
    "archive": (".mkv", "FFV1, lossless: the archive's master"),
    "h264": (".mp4", "H.264: to watch"),
    "prores": (".mov", "ProRes 422 HQ: to edit"),
    "dnxhr": (".mxf", "DNxHR: to edit"),
}
FOLDER = "delivered"  # of the project
_NAME = re.compile(r"[^\W_][\w .()+-]{0,99}")

State = Literal["none", "running", "done", "failed", "canceled"]


@dataclass(kw_only=True)
class Told:
    """How far a delivery is, and what it has said."""

    state: State = "none"
    name: str = ""
    stage: str = ""
    done: int = 0
    total: int | None = None
    lines: list[str] = field(default_factory=list)


class Deliveries:
    """One film at a time.

    Args:
        source: the film.
        project: its folder; films are delivered into a folder of it.
        options: of the film.
        plan: the plan's file.
    """

    def __init__(self, source: Path, project: Path, options: VideoOptions, plan: Path) -> None:
        self._source, self._folder = source, project / FOLDER
        self._options = replace(options, plan=plan)
        self._told = Told()
        self._process: Any = None
        self._lock = threading.Lock()

    def state(self) -> dict[str, Any]:
        """How far it is, for the page."""
        with self._lock:
            told = {k: v for k, v in vars(self._told).items() if k != "lines"}
            return {**told, "lines": self._told.lines[-20:], "folder": str(self._folder)}

    def start(self, preset: object, name: object, overwrite: bool) -> None:
        """Begin, or go on with what was canceled.

        Args:
            preset: one of `KINDS`.
            name: of the film to come, without a suffix.
            overwrite: replace one of this name.

        Raises:
            RefusedError: one of them cannot be, or a film is being made.
        """
        if not isinstance(preset, str) or preset not in KINDS:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"expected one of {', '.join(KINDS)}")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, "expected a name of letters, digits, spaces and .()+-_"
            )
        target = self._folder / f"{name}{KINDS[preset][0]}"
        options = replace(self._options, preset=preset, overwrite=overwrite)
        with self._lock:
            if self._told.state == "running":
                raise RefusedError(HTTPStatus.CONFLICT, "a film is being made already")
            if target.exists() and not overwrite:
                raise RefusedError(HTTPStatus.CONFLICT, f"{target.name} is there already")
            self._folder.mkdir(parents=True, exist_ok=True)
            # Spawned: a process that is forked from one in which a model has run may hang.
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe(duplex=False)
            arguments = (self._source, target, options, theirs)
            self._process = context.Process(target=_deliver, args=arguments)
            self._process.start()
            theirs.close()
            self._told = Told(state="running", name=target.name)
        threading.Thread(target=self._listen, args=(ours, self._told), daemon=True).start()

    def cancel(self) -> None:
        """End it; what is made is kept, and the same again goes on from there."""
        with self._lock:
            if self._told.state == "running":
                self._told.state = "canceled"
                self._process.terminate()

    def close(self) -> None:
        """End it, and wait for its end."""
        self.cancel()
        if self._process is not None:
            self._process.join(20)
            if self._process.is_alive():
                self._process.kill()

    def _listen(self, pipe: Connection, told: Told) -> None:
        try:
            while True:
                kind, *values = pipe.recv()
                with self._lock:
                    if kind == "progress":
                        told.stage, told.done, told.total = values
                    elif kind == "say":
                        told.lines.append(values[0])
                    elif told.state == "running":
                        told.state = kind
                        told.lines += values[0]
        except (EOFError, OSError):
            pass
        self._process.join()
        with self._lock:
            if told.state == "running":
                told.state = "failed"
                told.lines.append(f"the run ended with {self._process.exitcode}")


class _Piped(Progress):
    """Progress that is reported to the desk."""

    def __init__(self, title: str, pipe: Connection) -> None:
        super().__init__(title, None, style="none")
        self._pipe = pipe

    def stage(self, title: str, total: int | None, unit: str = "frames") -> None:
        super().stage(title, total, unit)
        self._send()

    def advance(self, steps: int = 1) -> None:
        super().advance(steps)
        self._send()

    def _send(self) -> None:
        self._pipe.send(("progress", self.title, self.done, self.total))


def _deliver(source: Path, target: Path, options: VideoOptions, pipe: Connection) -> None:
    """In the process that makes the film."""
    from pycolor.video.job.film import color_film

    def say(text: str) -> None:
        pipe.send(("say", text))

    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the desk ends it
    with _Piped(source.name, pipe) as progress:
        try:
            report = color_film(source, target, options, say=say, progress=progress)
        except PycolorError as e:
            pipe.send(("failed", [str(e)]))
        else:
            pipe.send(("done", list(report.summary())))


def _ended(number: int, _: FrameType | None) -> None:
    raise SystemExit(128 + number)
