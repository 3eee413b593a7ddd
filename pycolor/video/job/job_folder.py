"""The work folder of a run: what is done of a film, so that a killed run goes on where it was."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from pycolor.errors import FilmError, UsageError
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.own_color import OwnColor
from pycolor.video.shots import lists

_FINGERPRINT = "identity.json"
_SURVEY = "survey.json"  # written when the survey is complete
_LOCK = "lock"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Frames first … stop − 1 of the film, encoded alone."""

    first: int
    stop: int
    path: Path

    @property
    def digests_path(self) -> Path:
        return self.path.with_suffix(".luma")


def job_folder(target: Path, folder: Path | None) -> Path:
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


class JobFolder:
    """A folder that one run at a time holds, for one output made in one way.

    Entering it finds what an earlier run of the same identity left; work of another identity is
    removed, and a folder that is not ours is refused.  Leaving it keeps the segments that are
    finished, and after an interruption the survey too; `remove` is for when the output is in place.

    Args:
        path: of the folder.
        fingerprint: everything that the result depends on, as JSON holds it.
        suffix: of the segments' files.
        say: called with a sentence where earlier work is removed, or this work is kept.

    Raises:
        UsageError: the folder is not ours.
        FilmError: another run holds it, or it cannot be made.
    """

    def __init__(
        self,
        path: Path,
        fingerprint: Mapping[str, Any],
        suffix: str,
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = path
        self._fingerprint = dict(fingerprint)
        self._suffix = suffix
        self._say = say
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> JobFolder:
        self._refuse_foreign()
        try:
            self._lock = self._locked()
        except OSError as e:
            raise FilmError(f"the work folder {self.path} cannot be made: {e.strerror}.") from None
        try:
            known = self.path / _FINGERPRINT
            if known.exists():
                self._recognize(known)
            self._write(known.name, json.dumps(self._fingerprint, indent=1, sort_keys=True))
        except BaseException:
            self._leave()
            raise
        return self

    def _refuse_foreign(self) -> None:
        """A folder that holds something, and does not say that it is ours."""
        if (self.path / _FINGERPRINT).exists():  # the first file to come and the last to go
            return
        try:
            names = {p.name for p in self.path.iterdir()}
        except FileNotFoundError:  # or a run that ends has removed it since
            return
        except NotADirectoryError:
            names = {self.path.name}
        if names - {_LOCK, f"{_FINGERPRINT}.part"} and _FINGERPRINT not in names:
            raise UsageError(
                f"{self.path} is not a work folder of pycolor; move it away or choose another "
                "with --work-dir."
            )

    def _locked(self) -> IO[bytes]:
        """The folder's lock, held; the folder is made where there is none."""
        while True:
            with suppress(FileExistsError):  # mkdir's own `exist_ok` fails where it is gone by then
                self.path.mkdir()
            try:
                lock = (self.path / _LOCK).open("wb")
            except FileNotFoundError:
                continue  # a run that ends has removed the folder since
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                raise FilmError(f"another run is at work on this output, in {self.path}.") from None
            if _is_file(lock, self.path / _LOCK):
                return lock
            lock.close()  # of a folder that was removed since

    def _recognize(self, known: Path) -> None:
        try:
            before = json.loads(known.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            before = {}
        if before == self._fingerprint:
            return
        differs = sorted(
            k for k in {*before, *self._fingerprint} if before.get(k) != self._fingerprint.get(k)
        )
        self._say(f"earlier work on this output is of other {', '.join(differs)}: it begins anew")
        self._empty()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._lock is not None:  # or it is removed, and may be another run's by now
            # What failed once may well fail again, but who was interrupted will come back.
            interrupted = kind is not None and not issubclass(kind, Exception)
            if self._leave(keep_survey=interrupted) and interrupted:
                self._say(f"what is finished is kept in {self.path} for the same command to go on")

    def _leave(self, *, keep_survey: bool = False) -> bool:
        """Keep what is finished and tell whether anything is; if not, leave no folder either."""
        kept = any(self.path.glob(f"segment-*{self._suffix}"))
        if kept or (keep_survey and (self.path / _SURVEY).exists()):
            for part in self.path.glob(".*"):
                part.unlink(missing_ok=True)
            self._release()
            return True
        self.remove()
        return False

    def remove(self) -> None:
        """The output is in place, or there is nothing to keep: leave, and leave nothing behind.

        The lock is held until the folder is gone.  A run that comes meanwhile finds it held, or
        gone, or is the new owner of a folder that it keeps.
        """
        try:
            self._empty()
            (self.path / _LOCK).unlink()
            with suppress(OSError):  # it is not empty: another run has come
                self.path.rmdir()
        except OSError as e:
            self._say(f"the work folder {self.path} could not be removed: {e.strerror}")
        finally:
            self._release()

    def _empty(self) -> None:
        """Remove all but the lock; last the identity, by which a half-empty folder is known."""
        for path in sorted(self.path.iterdir(), key=lambda path: path.name == _FINGERPRINT):
            if path.name != _LOCK:
                path.unlink()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # -- the survey --------------------------------------------------------------------------

    def load_analysis(self) -> FilmAnalysis | None:
        """What an earlier run saw, None if there was none."""
        arrays, facts = self.path / "survey.npz", self.path / _SURVEY
        if not facts.exists():
            return None
        with np.load(arrays) as stored:
            content = json.loads(facts.read_text(encoding="utf-8"))
            return FilmAnalysis(
                timeline=array("q", stored["timeline"].tobytes()),
                shots=tuple(lists.read_json(json.dumps(content["shots"]))),
                lightness=stored["lightness"],
                change=stored["change"],
                colored=tuple(content["colored"]),
                starts=tuple(Fraction(start) for start in content["starts"]),
                rate=Fraction(content["rate"]),
                damages=tuple(content["damages"]),
                looks=tuple(OwnColor(**look) for look in content["looks"]),
            )

    def save_analysis(self, analysis: FilmAnalysis) -> None:
        with self._told():
            np.savez(
                self.path / "survey.npz",
                timeline=np.asarray(analysis.timeline, np.int64),
                lightness=analysis.lightness,
                change=analysis.change,
            )
        content = {
            "shots": json.loads(lists.write_json(analysis.shots)),
            "colored": analysis.colored,
            "starts": [str(start) for start in analysis.starts],
            "rate": str(analysis.rate),
            "damages": analysis.damages,
            "looks": [asdict(look) for look in analysis.looks],
        }
        self._write(_SURVEY, json.dumps(content))

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
        self._write(segment.digests_path.name, "\n".join(d.hex() for d in digests))
        os.replace(self.part(segment), segment.path)

    def digests(self, segments: Iterable[Segment]) -> Iterator[str]:
        """Of the luma planes that segments were given, hexadecimal."""
        for segment in segments:
            yield from segment.digests_path.read_text(encoding="utf-8").split()

    # -- files -------------------------------------------------------------------------------

    def _write(self, name: str, text: str) -> None:
        """Write a file, complete or not at all."""
        part = self.path / f"{name}.part"
        with self._told():
            part.write_text(text, encoding="utf-8")
            os.replace(part, self.path / name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A disk that is full, in a sentence."""
        try:
            yield
        except OSError as e:
            raise FilmError(
                f"the work folder {self.path} could not be written: {e.strerror}."
            ) from None


def _is_file(file: IO[bytes], path: Path) -> bool:
    """Is an open file the one that has this name?"""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
