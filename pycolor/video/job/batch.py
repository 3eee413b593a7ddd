"""Many films one after the other: one load of the model, and no film stops the others."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pycolor.errors import PycolorError, UsageError, counted
from pycolor.image.predictor_pool import PredictorPool
from pycolor.options import VideoOptions
from pycolor.system.progress import Progress
from pycolor.video.io.containers.presets import CONTAINER_OF_SUFFIX, find_preset
from pycolor.video.job.film import color_film
from pycolor.video.job.record.report import FilmReport
from pycolor.video.job.record.sidecar import made_before

# What of a folder is taken for a film.
FILM_SUFFIXES = frozenset(
    (".3gp", ".avi", ".dv", ".flv", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg")
) | {".mpg", ".mts", ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"}


@dataclass(frozen=True, kw_only=True)
class BatchItem:
    """What became of one film.

    Attributes:
        source: the film.
        target: its output.
        report: of the run; None if the film failed, or was done before.
        error: why it failed, in a sentence; empty if it did not.
    """

    source: Path
    target: Path
    report: FilmReport | None = None
    error: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"failed: {self.source}: {self.error}"
        if self.report is None:
            return f"done before: {self.target}"
        frames = counted(self.report.frames, "frame")
        return f"done: {self.target}, {frames}, {self.report.seconds:.1f} s"


def color_films(
    sources: Sequence[Path],
    folder: Path,
    options: VideoOptions,
    *,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> list[BatchItem]:
    """Color films into a folder, each under its own name.

    Args:
        sources: films, folders of films, and patterns such as reels/*.mov.
        folder: for the outputs; is made.
        options: of every film.
        say: called with each warning and, at the end, with a line a film.
        progress: see `color_film`.

    Returns:
        what became of each film, in order.

    Raises:
        UsageError: there is no film, two would have one output, or the folder cannot be made.
    """
    if any(path is not None for path in (options.plan, options.shots, options.trace)):
        raise UsageError(
            "a plan, a list of shots or a trace is of one film; expected none for several."
        )
    pairs = [(film, _target(film, folder, options)) for film in films_of(sources)]
    _refuse_clashes(pairs)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise UsageError(f"{folder} cannot be made: {e.strerror}.") from None
    pool = PredictorPool()
    items = []
    for source, target in pairs:
        items.append(_colored(source, target, options, pool, say, progress))
        if items[-1].error:
            say(str(items[-1]))
    for item in items:
        say(str(item))
    failed = sum(1 for item in items if item.error)
    say(f"{counted(len(items), 'film')}, {failed} failed")
    return items


def films_of(sources: Iterable[Path]) -> list[Path]:
    """The films that names, folders and patterns stand for, each once.

    Raises:
        UsageError: one stands for none.
    """
    found: dict[Path, None] = {}
    for source in sources:
        films = list(_films(source))
        if not films:
            what = "a folder without films" if source.is_dir() else "not there"
            raise UsageError(f"{source} is {what}; expected films, folders of films, or patterns.")
        found |= dict.fromkeys(films)
    return list(found)


def _films(source: Path) -> Iterator[Path]:
    if source.is_dir():
        for path in sorted(source.iterdir()):
            hidden = path.name.startswith(".")
            if path.is_file() and not hidden and path.suffix.lower() in FILM_SUFFIXES:
                yield path
    elif source.exists():
        yield source
    else:
        yield from (Path(name) for name in sorted(glob.glob(str(source))))


def _target(film: Path, folder: Path, options: VideoOptions) -> Path:
    """The film's own ending where that can be written, or the preset's."""
    suffix = film.suffix.lower()
    if options.preset is not None:
        suffixes = find_preset(options.preset).suffixes
        suffix = suffix if suffix in suffixes else suffixes[0]
    elif suffix not in CONTAINER_OF_SUFFIX:
        suffix = ".mkv"
    return folder / f"{film.stem}{suffix}"


def _refuse_clashes(pairs: Sequence[tuple[Path, Path]]) -> None:
    seen: dict[Path, Path] = {}
    for source, target in pairs:
        if target in seen:
            raise UsageError(f"{seen[target]} and {source} would both become {target}.")
        seen[target] = source


def _colored(
    source: Path,
    target: Path,
    options: VideoOptions,
    pool: PredictorPool,
    say: Callable[[str], None],
    progress: Progress | None,
) -> BatchItem:
    if not options.overwrite and made_before(source, target):
        return BatchItem(source=source, target=target)
    try:
        report = color_film(source, target, options, say=say, progress=progress, pool=pool)
    except PycolorError as e:
        return BatchItem(source=source, target=target, error=str(e))
    except Exception as e:  # a fault of one film's must not cost the others
        error = f"unexpected {type(e).__name__}: {' '.join(str(e).split())[:200]}"
        return BatchItem(source=source, target=target, error=error)
    return BatchItem(source=source, target=target, report=report)
