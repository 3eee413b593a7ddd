"""What each shot needs, found while nobody waits for a picture, and kept in the project.

The file has one line a shot and state: what was decided on the shot, as the keys of its color, and
the warnings.  Lines of a version that is no more, or cut off by the end of the machine, count for
nothing and are found anew.
"""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pycolor.errors import PycolorError
from pycolor.video.plan.plan import ShotBody
from pycolor.video.propagation.layer_store import pieces_of
from pycolor.web.desk.rendering.frames import Frames
from pycolor.web.desk.rendering.ready import Ready
from pycolor.web.desk.shots.background import Background
from pycolor.web.desk.shots.needs import Sample, score, warnings_of
from pycolor.web.desk.shots.samples import sample, sampled_frames

VERSION = 1  # of what is found
LOOK_EVERY = 2.0  # seconds, for a plan that was changed

Told = dict[str, Any]


class Needs(Background):
    """See the module.

    Args:
        frames: of the film.
        path: of the file; it is made with the first line.
    """

    def __init__(self, frames: Frames, path: Path) -> None:
        self._frames, self._path = frames, path
        self._known = self._load()
        self._keys: dict[int, str] = {}  # of the plan in use, by the first frame of the body
        self._of: Ready | None = None  # what the keys are of
        self._serial = 1
        self._lock = threading.Lock()
        super().__init__("needs")

    def told(self, since: int = 0) -> Told:
        """What is known of the shots in use.

        Args:
            since: a number that was told before; where nothing is new since, only it is told.
        """
        with self._lock:
            if since == self._serial:
                return {"serial": self._serial}
            shots = {
                str(start): self._known[key]
                for start, key in self._keys.items()
                if key in self._known
            }
            return {"serial": self._serial, "shots": shots, "all": len(self._keys)}

    def look(self, start: int) -> Told:
        """What a shot needs, by the first frame of its body; found now if it is not known.

        Raises:
            FilmError: the film cannot be read.
        """
        self._take_up()
        key = self._keys[start]
        if key not in self._known:
            self._find(self._frames.now, start, key)
        return self._known[key]

    # -- in the background -----------------------------------------------------------------------

    def _run(self) -> None:
        failed: set[str] = set()
        while not self._ended.is_set():
            with suppress(PycolorError):  # who looks at the film is told
                self._take_up()
            missing = [
                (start, key)
                for start, key in self._keys.items()
                if key not in self._known and key not in failed
            ]
            if not missing:
                self._ended.wait(LOOK_EVERY)
                continue
            start, key = missing[0]
            failed.add(key)
            with suppress(PycolorError):
                self._find(self._frames.now, start, key)

    def _take_up(self) -> None:
        """The shots of the plan in use, and what each depends on."""
        ready = self._frames.now
        if ready is self._of:
            return
        colors, grades = ready.preview.colors, ready.preview.grades
        keys = {}
        for body in colors.plan.spans:
            if isinstance(body, ShotBody) and not body.passthrough:
                pieces = [ready.key(p) for p in pieces_of(colors.plan, body.start, body.stop)]
                content = json.dumps([VERSION, pieces, repr(grades.of(body.start))])
                keys[body.start] = hashlib.sha256(content.encode()).hexdigest()[:24]
        with self._lock:
            self._keys, self._of = keys, ready
            self._serial += 1

    def _find(self, ready: Ready, start: int, key: str) -> None:
        """Look at the frames of a shot, one at a time."""
        plan = ready.preview.colors.plan
        body = plan.span_at(start)
        assert isinstance(body, ShotBody)
        samples: list[Sample] = []
        for n in sampled_frames(body):
            with self._frames.spare_time(self._ended) as mine:
                if not mine or self._frames.now is not ready:
                    return
                samples.append(self._sample(ready, n))
        given = ready.preview.colors.given.get(start)
        gray_wanted = given is not None and any(
            mark.get("kind") == "keep-gray" for mark in given.marks.to_json()["marks"]
        )
        warned = warnings_of(samples, gray_wanted=gray_wanted)
        found = {"score": score(warned), "warnings": [asdict(each) for each in warned]}
        with self._lock:
            self._known[key] = found
            self._serial += 1
        with suppress(OSError):  # it is found again
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"key": key, **found}) + "\n")

    def _sample(self, ready: Ready, n: int) -> Sample:
        frame, info = self._frames.aside(n)
        return sample(ready, frame, info, self._frames.color_kept(ready, n))

    def _load(self) -> dict[str, Told]:
        known: dict[str, Told] = {}
        with suppress(OSError, UnicodeDecodeError):
            for line in self._path.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError, KeyError, TypeError):
                    found = json.loads(line)
                    known[found.pop("key")] = found
        return known
