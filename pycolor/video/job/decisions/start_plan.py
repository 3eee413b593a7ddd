"""The first plan of a film: its shots, and nothing decided yet."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from pycolor.errors import UsageError
from pycolor.system.atomic_file import atomic_write, check_output
from pycolor.system.progress import Progress
from pycolor.video.film_plan.decisions import FilmPlan, SourceFilm, new_plan
from pycolor.video.film_plan.document_text import plan_text
from pycolor.video.film_plan.timeline import read_plan_timeline
from pycolor.video.io import Reader
from pycolor.video.io.containers.timecode import later_timecode
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.job.decisions.listed_shots import listed_shots
from pycolor.video.job.decisions.plan_file import PlanFile
from pycolor.video.job.decisions.project import Project
from pycolor.video.job.record.source_digest import SourceDigest
from pycolor.video.plan.analysis import FilmAnalysis, analyze_film
from pycolor.video.shots.lists.list_files import read_file


def start_plan(
    source: Path,
    path: Path,
    *,
    shots: Path | None = None,
    sensitivity: float = 1.0,
    rate: Fraction | None = None,
    overwrite: bool = False,
    note: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> FilmPlan:
    """Look for the shots of a film, and write a plan.

    Args:
        source: the film.
        path: of the plan; a folder for it is made where there is none.
        shots: a list of shots in place of the detector's; an .otio of ours brings its decisions.
        sensitivity: of the detector.
        rate: frames per second where the film does not state it.
        overwrite: replace an existing plan.
        note: see `SourceDigest`.
        say: called with each warning.
        progress: advanced by each frame.

    Raises:
        UsageError: the plan exists, or the list of shots does not fit.
        FilmError: the film cannot be read.
    """
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists; --overwrite replaces it.")
    if not source.exists():
        raise UsageError(f"{source} does not exist.")
    with Reader(source, rate=rate) as reader:
        info, timecode = reader.info, reader.timecode
    for text in info.warnings:
        say(f"note: {text}")
    sha256 = SourceDigest(source, note).sha256
    seen = analyze_film(
        source,
        rate=rate,
        sensitivity=sensitivity,
        shots=None if shots is None else listed_shots(shots),
        progress=progress,
    )
    for damage in seen.damages:
        say(f"note: {source} {damage}")
    film = _source_film(info, sha256, seen, timecode)
    plan = _decided_in(shots, seen, film) or new_plan(film, seen.shots, seen.colored)
    path.parent.mkdir(parents=True, exist_ok=True)
    check_output(path, sources=[source], overwrite=overwrite)
    _write_plan(path, plan, seen, overwrite=overwrite)
    return plan


def _source_film(info: FilmInfo, sha256: str, seen: FilmAnalysis, timecode: str) -> SourceFilm:
    return SourceFilm(
        name=info.path.name,
        sha256=sha256,
        frames=len(seen),
        rate=seen.rate,
        timecode=_countable(timecode, seen),
        width=info.width,
        height=info.height,
    )


def _write_plan(path: Path, plan: FilmPlan, seen: FilmAnalysis, *, overwrite: bool) -> None:
    """Keep what the film showed in its project, then write the plan."""
    text = plan_text(plan)
    project = Project(PlanFile(path=path, text=text, plan=plan).project)
    project.save_analysis(plan.source.sha256, seen)
    with atomic_write(path, overwrite=overwrite) as part:
        part.write_text(text, encoding="utf-8")


def _decided_in(path: Path | None, seen: FilmAnalysis, film: SourceFilm) -> FilmPlan | None:
    """The plan in a timeline that we wrote; None where there is none."""
    if path is None or path.suffix.lower() != ".otio":
        return None
    try:
        return read_plan_timeline(read_file(path), seen.times, film)
    except ValueError as e:
        raise UsageError(f"the plan in {path} cannot be: {e}.") from None


def _countable(timecode: str, seen: FilmAnalysis) -> str:
    """The first frame's timecode; empty if it cannot be counted on at this rate."""
    return timecode if later_timecode(timecode, 0, seen.rate) is not None else ""
