"""The folder beside a film: its plan, and what was made by it.

    plan.json                what people decided
    survey/DIGEST/           the analysis of the film
    layer/KEY.npz            its color
    segments/KEY.SUFFIX      its encoded pictures

All but the plan can be made again.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pycolor.encoding import TagOverride
from pycolor.errors import FilmError, UsageError
from pycolor.video.job.decisions.plan_file import PLAN_NAME, PROJECT_SUFFIX
from pycolor.video.job.work.analysis_file import read_analysis, write_analysis
from pycolor.video.job.work.own_files import write_shared
from pycolor.video.plan.analysis import FilmAnalysis

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def project_of(source: Path) -> Path:
    """The project folder of a film, `IN.pycolor` beside it."""
    return source.with_name(source.name.rstrip("/") + PROJECT_SUFFIX)


def analysis_key(sha256: str, override: TagOverride) -> str:
    """What the analysis of a film is kept under.

    Args:
        sha256: of the film.
        override: tags in place of its own, by which it was read.
    """
    if override == TagOverride():
        return sha256
    return hashlib.sha256(f"{sha256} {override}".encode()).hexdigest()


def cache_bytes(text: str) -> int:
    """A size such as 20G, in bytes (K, M, G and T are powers of 1000).

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise UsageError(f"cache_size must be a size such as 20G or 500M, got {text!r}.")
    return round(float(match[1]) * _UNITS[match[2].upper()])


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file that can be made again: its path, size in bytes, and when it was used last."""

    path: Path
    size: int
    used: float


class Project:
    """See the module.

    Args:
        folder: of the project; is made when something is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def plan(self) -> Path:
        return self.folder / PLAN_NAME

    @property
    def layer(self) -> Path:
        return self.folder / "layer"

    @property
    def segments(self) -> Path:
        return self.folder / "segments"

    def load_analysis(self, sha256: str) -> FilmAnalysis | None:
        """What the film of this digest showed; None if it was not looked at, or that is damaged."""
        try:
            return read_analysis(self._survey(sha256))
        except Exception:  # whatever a damaged file makes of the libraries that read it
            return None

    def save_analysis(self, sha256: str, analysis: FilmAnalysis) -> None:
        """Keep what the film of this digest showed.

        Raises:
            FilmError: it cannot be written.
        """
        folder = self._survey(sha256)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_analysis(folder, analysis, write_shared)
        except OSError as e:
            raise FilmError(f"the project {self.folder} cannot be written: {e.strerror}.") from None

    def _survey(self, sha256: str) -> Path:
        return self.folder / "survey" / sha256[:32]

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this lasts, nobody cleans the folder."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / ".lock").open("ab")
        except OSError as e:
            raise FilmError(f"the project {self.folder} cannot be made: {e.strerror}.") from None
        with file:
            with suppress(OSError):  # file systems without locks: clean when nothing runs
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            yield

    def kept(self) -> list[Kept]:
        """What can be made again, what goes first in front: segments, then layers, by last use."""
        found: list[list[Kept]] = []
        for folder in (self.segments, self.layer):
            entries = []
            for path in _files(folder):
                with suppress(FileNotFoundError):
                    status = path.stat()
                    entries.append(Kept(path=path, size=status.st_size, used=status.st_mtime))
            found.append(sorted(entries, key=lambda kept: (kept.used, kept.path.name)))
        return [kept for entries in found for kept in entries]

    def clean(self, most: int, *, spare: Callable[[Path], bool] = lambda _: False) -> list[Kept]:
        """Remove what was used longest ago until `most` bytes are left.

        Args:
            most: bytes to keep.
            spare: says of a file that it stays.

        Returns:
            what was removed; nothing where a run is at work in the project.

        Raises:
            FilmError: a file cannot be removed.
        """
        if not self.folder.is_dir():
            return []
        with (self.folder / ".lock").open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return []
            except OSError:  # no locks here: whoever has a claim is at work
                if any(self.segments.glob("*.claim")):
                    return []
            return self._removed(most, spare)

    def surplus(self, most: int, spare: Callable[[Path], bool] = lambda _: False) -> list[Kept]:
        """What `clean` would remove."""
        entries = self.kept()
        left = sum(kept.size for kept in entries)
        gone = []
        for kept in entries:
            if left > most and not spare(kept.path):
                left -= kept.size
                gone.append(kept)
        return gone

    def _removed(self, most: int, spare: Callable[[Path], bool]) -> list[Kept]:
        gone = self.surplus(most, spare)
        for kept in gone:
            try:
                kept.path.unlink(missing_ok=True)
                if kept.path.parent == self.segments:
                    kept.path.with_suffix(".luma").unlink(missing_ok=True)
            except OSError as e:
                raise FilmError(f"{kept.path} cannot be removed: {e.strerror}.") from None
        return gone


def _files(folder: Path) -> Iterable[Path]:
    if not folder.is_dir():
        return []
    return (p for p in folder.iterdir() if p.is_file() and p.suffix != ".luma")
