"""The work folder of a run: what is done of a film, so that a killed run goes on where it was.

    identity.json                        what the result depends on
    survey.json, survey.npz              the analysis of the film
    segment-FIRST-STOP.SUFFIX, .luma     frames that are done, and the digests of their luma
    placed.json                          which files the output was about to become
    lock                                 held by the run at work

All but the pictures carry a digest of themselves, and the pictures' stand beside them: what does
not match was damaged, and is made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from pycolor.errors import FilmError
from pycolor.video.job.work.analysis_file import SURVEY, read_analysis, write_analysis
from pycolor.video.job.work.folder_lock import LOCK, OWNER, Held, lock_folder, refuse_foreign
from pycolor.video.job.work.own_files import (
    digest_of,
    read_own,
    sealed,
    unsealed,
    write_whole,
)
from pycolor.video.job.work.placed_files import write_placed
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.plan.analysis import FilmAnalysis

_FINGERPRINT = "identity.json"


def job_folder(target: Path, folder: Path | None) -> Path:
    """Where the work for an output lies: hidden, beside it or in `folder`."""
    return (folder or target.parent) / f".{target.name}.pycolor"


class JobFolder:
    """A folder that one run at a time holds, for one output made in one way.

    Entering it finds what an earlier run of the same identity left; work of another identity is
    removed, and a folder that is not ours is refused.  Leaving it keeps finished segments, after an
    interruption the analysis too; `remove` is for when the output is in place.

    Args:
        path: of the folder.
        fingerprint: everything that the result depends on, as JSON holds it.
        suffix: of the segments' files.
        say: called with a sentence where earlier work is removed, or this work is kept.

    Raises:
        UsageError: the folder is not ours, or another user may write into it.
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
        self._lock: Held | None = None
        self._sound: dict[Path, bool] = {}  # segments that were looked at

    def __enter__(self) -> JobFolder:
        self._refuse_foreign()
        try:
            self._lock = lock_folder(self.path)
        except OSError as e:
            raise FilmError(f"the work folder {self.path} cannot be made: {e.strerror}.") from None
        try:
            self._remove_parts()
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
        refuse_foreign(self.path, _FINGERPRINT)

    def _recognize(self, known: Path) -> None:
        try:
            before = json.loads(unsealed(read_own(known)))
        except (OSError, ValueError):
            before = None
        if before == self._fingerprint:
            return
        if isinstance(before, dict):
            differs = sorted(
                k
                for k in {*before, *self._fingerprint}
                if before.get(k) != self._fingerprint.get(k)
            )
            self._say(
                f"earlier work on this output is of other {', '.join(differs)}: it begins anew"
            )
        else:
            self._say("earlier work on this output cannot be recognized: it begins anew")
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
        """Keep what is finished and return whether anything is; if not, leave no folder either."""
        kept = any(self.path.glob(f"segment-*{self._suffix}"))
        if kept or (keep_survey and (self.path / SURVEY).exists()):
            self._remove_parts()
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
            (self.path / LOCK).unlink()
            (self.path / OWNER).unlink(missing_ok=True)
            with suppress(OSError):  # it is not empty: another run has come
                self.path.rmdir()
        except OSError as e:
            self._say(f"the work folder {self.path} could not be removed: {e.strerror}")
        finally:
            self._release()

    def _empty(self) -> None:
        """Remove what is ours but the lock; last the identity, by which the folder is known."""
        self._sound.clear()
        foreign = []
        for path in sorted(self.path.iterdir(), key=lambda path: path.name == _FINGERPRINT):
            if path.name in (LOCK, OWNER):
                continue
            if _is_ours(path):
                path.unlink()
            elif path.name != _FINGERPRINT:
                foreign.append(path.name)
        if foreign:
            self._say(f"{self.path} holds {', '.join(foreign)}, which is not pycolor's: left there")

    def _remove_parts(self) -> None:
        """What a killed run was writing."""
        for part in (*self.path.glob(".segment-*"), *self.path.glob("*.part")):
            if _is_ours(part):
                part.unlink(missing_ok=True)

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # -- the analysis ------------------------------------------------------------------------

    def load_analysis(self) -> FilmAnalysis | None:
        """What an earlier run saw, None if there was none, or it is damaged."""
        if not os.path.lexists(self.path / SURVEY):
            return None
        try:
            return read_analysis(self.path)
        except Exception:  # whatever a damaged file makes of the libraries that read it
            self._say("the analysis of an earlier run is damaged: the film is analyzed again")
            return None

    def save_analysis(self, analysis: FilmAnalysis) -> None:
        with self._told():
            write_analysis(self.path, analysis)

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
        """Whether an earlier run, or this one, has made a segment that is still as it was."""
        if segment.path not in self._sound:
            self._sound[segment.path] = self._is_sound(segment)
        return self._sound[segment.path]

    def _is_sound(self, segment: Segment) -> bool:
        try:
            listed = self._listed(segment)
            if digest_of(segment.path) == listed[0] and len(listed) > segment.stop - segment.first:
                return True
        except FileNotFoundError:
            if not os.path.lexists(segment.path):
                return False
        except (OSError, ValueError):
            pass
        span = f"frames {segment.first} to {segment.stop - 1}"
        self._say(f"{span} of an earlier run are damaged: they are made again")
        for path in (segment.path, segment.digests_path):
            self._set_aside(path)
        return False

    def _set_aside(self, path: Path) -> None:
        """Make a name free."""
        with self._told():
            if path.is_dir() and not path.is_symlink():
                path.rename(path.with_name(f"aside-{os.getpid()}-{path.name}"))
            else:
                path.unlink(missing_ok=True)

    def complete(self, segment: Segment, digests: Sequence[bytes]) -> None:
        """The segment's part is whole: give it its name."""
        with self._told():
            content = digest_of(self.part(segment))
        lines = (content, *(d.hex() for d in digests))
        self._write(segment.digests_path.name, "\n".join(lines))
        with self._told():
            os.replace(self.part(segment), segment.path)
        self._sound[segment.path] = True

    def is_unchanged(self, segment: Segment) -> bool:
        """Whether a segment that is done is still as it was, looked at anew."""
        try:
            return digest_of(segment.path) == self._listed(segment)[0]
        except (OSError, ValueError):
            return False

    def digests(self, segments: Iterable[Segment]) -> Iterator[str]:
        """Of the luma planes that segments were given, hexadecimal."""
        for segment in segments:
            yield from self._listed(segment)[1:]

    def _listed(self, segment: Segment) -> list[str]:
        """The digest of a segment's file, then those of its luma planes."""
        return unsealed(read_own(segment.digests_path)).split()

    # -- the output --------------------------------------------------------------------------

    def announce(self, files: Iterable[tuple[str, Path]]) -> None:
        """Note which files are about to become the output, see `write_placed`."""
        with self._told():
            write_placed(self.path, files)

    # -- files -------------------------------------------------------------------------------

    def _write(self, name: str, text: str) -> None:
        """Write a file with its digest, complete or not at all."""
        with self._told():
            write_whole(self.path / name, sealed(text))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A disk that is full, in a sentence."""
        try:
            yield
        except OSError as e:
            raise FilmError(
                f"the work folder {self.path} could not be written: {e.strerror}."
            ) from None


def _is_ours(path: Path) -> bool:
    """Whether a work folder has such a file, or a link in its place."""
    if path.is_dir() and not path.is_symlink():
        return False
    name = path.name
    return name.startswith(("segment-", ".segment-", "survey.", "identity.", "placed.")) or (
        name.endswith(".part")
    )
