"""The work folder of a run: what is done of a film, so that a killed run goes on where it was."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from pycolor.errors import FilmError, UsageError
from pycolor.video import shots_files
from pycolor.video.survey import Survey

_IDENTITY = "identity.json"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Frames first … stop − 1 of the film, encoded alone."""

    first: int
    stop: int
    path: Path

    @property
    def digests_path(self) -> Path:
        return self.path.with_suffix(".luma")


def work_folder(target: Path, folder: Path | None) -> Path:
    """Where the work for an output lies: hidden, beside it or in `folder`."""
    return (folder or target.parent) / f".{target.name}.pycolor"


def file_digest(path: Path) -> str:
    """SHA-256 of a file; of a folder or a pattern of pictures, of their names and sizes."""
    if path.is_file():
        with path.open("rb") as f:
            return hashlib.file_digest(f, "sha256").hexdigest()
    folder = path if path.is_dir() else path.parent
    listed = sorted((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in folder.iterdir())
    return hashlib.sha256(repr(listed).encode()).hexdigest()


class WorkFolder:
    """A folder that one run at a time holds, for one output made in one way.

    Entering it finds what an earlier run of the same identity left; work of another identity is
    removed, and a folder that is not ours is refused.  Leaving it keeps what is finished; `remove`
    is for when the output is in place.

    Args:
        path: of the folder.
        identity: everything that the result depends on, as JSON holds it.
        suffix: of the segments' files.
        say: called with a sentence where earlier work is used or removed.

    Raises:
        UsageError: the folder is not ours.
        FilmError: another run holds it, or it cannot be made.
    """

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, Any],
        suffix: str,
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = path
        self._identity = dict(identity)
        self._suffix = suffix
        self._say = say
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> WorkFolder:
        known = self.path / _IDENTITY
        names = {p.name for p in self.path.iterdir()} if self.path.exists() else set()
        if _IDENTITY not in names and names - {"lock", f"{_IDENTITY}.part"}:
            raise UsageError(
                f"{self.path} is not a work folder of pycolor; move it away or choose another "
                "with --work-dir."
            )
        try:
            self.path.mkdir(exist_ok=True)
            self._lock = (self.path / "lock").open("wb")
        except OSError as e:
            raise FilmError(f"the work folder {self.path} cannot be made: {e.strerror}.") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise FilmError(f"another run is at work on this output, in {self.path}.") from None
        if known.exists():
            self._recognize(known)
        write_text(known, json.dumps(self._identity, indent=1, sort_keys=True))
        return self

    def _recognize(self, known: Path) -> None:
        try:
            before = json.loads(known.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            before = {}
        if before == self._identity:
            return
        differs = sorted(
            k for k in {*before, *self._identity} if before.get(k) != self._identity.get(k)
        )
        self._say(f"earlier work on this output is of other {', '.join(differs)}: it begins anew")
        for old in self.path.iterdir():
            if old.name != "lock":
                old.unlink()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if any(self.path.glob(f"segment-*{self._suffix}")):
            for part in self.path.glob(".*"):
                part.unlink(missing_ok=True)
        else:
            self.remove()
        if self._lock is not None:
            self._lock.close()

    def remove(self) -> None:
        """The output is in place, or there is nothing to keep."""
        shutil.rmtree(self.path, ignore_errors=True)

    # -- the survey --------------------------------------------------------------------------

    def load_survey(self) -> Survey | None:
        """What an earlier run saw, None if there was none."""
        arrays, facts = self.path / "survey.npz", self.path / "survey.json"
        if not facts.exists():
            return None
        with np.load(arrays) as stored:
            content = json.loads(facts.read_text(encoding="utf-8"))
            return Survey(
                timeline=tuple(stored["timeline"].tolist()),
                shots=tuple(shots_files.read_json(json.dumps(content["shots"]))),
                lightness=stored["lightness"],
                change=stored["change"],
                colored=tuple(content["colored"]),
                starts=tuple(Fraction(start) for start in content["starts"]),
                rate=Fraction(content["rate"]),
                damages=tuple(content["damages"]),
            )

    def save_survey(self, survey: Survey) -> None:
        np.savez(
            self.path / "survey.npz",
            timeline=np.array(survey.timeline, np.int64),
            lightness=survey.lightness,
            change=survey.change,
        )
        content = {
            "shots": json.loads(shots_files.write_json(survey.shots)),
            "colored": survey.colored,
            "starts": [str(start) for start in survey.starts],
            "rate": str(survey.rate),
            "damages": survey.damages,
        }
        write_text(self.path / "survey.json", json.dumps(content))

    # -- the segments ------------------------------------------------------------------------

    def segment(self, first: int, stop: int) -> Segment:
        return Segment(
            first=first,
            stop=stop,
            path=self.path / f"segment-{first:08d}-{stop:08d}{self._suffix}",
        )

    def part(self, segment: Segment) -> Path:
        """Where a segment is written until it is complete."""
        return segment.path.with_name(f".{segment.path.name}")

    def is_done(self, segment: Segment) -> bool:
        return segment.path.exists() and segment.digests_path.exists()

    def complete(self, segment: Segment, digests: Sequence[bytes]) -> None:
        """The segment's part is whole: give it its name."""
        write_text(segment.digests_path, "\n".join(d.hex() for d in digests))
        os.replace(self.part(segment), segment.path)

    def digests(self, segment: Segment) -> list[str]:
        """Of the luma planes that a segment was given, hexadecimal."""
        return segment.digests_path.read_text(encoding="utf-8").split()


def write_text(path: Path, text: str) -> None:
    """Write a file, complete or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
