"""`pycolor clean`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command
from pycolor.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Remove what a film's project can make again: encoded segments first, then color, the least
    recently used first.  The plan stays.

    Attributes:
        source: the film, or its project IN.pycolor.
        to_size: how much may stay, such as 20G or 500M.
        dry_run: print what would be removed, and remove nothing.
    """

    source: Annotated[Positional[Path], arg(metavar="IN")]
    to_size: Annotated[str, arg(metavar="SIZE")] = "0"
    dry_run: bool = False


def run(flags: Flags) -> int:
    from pycolor.video.job.decisions.plan_file import PROJECT_SUFFIX
    from pycolor.video.job.decisions.project import Project, cache_bytes, project_of

    most = cache_bytes(flags.to_size)
    is_project = flags.source.suffix == PROJECT_SUFFIX and flags.source.is_dir()
    folder = flags.source if is_project else project_of(flags.source)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not there; expected the project of a film.")
    project = Project(folder)
    before = project.kept()
    gone = project.surplus(most) if flags.dry_run else project.clean(most)
    total, freed = (sum(kept.size for kept in files) for files in (before, gone))
    if not flags.dry_run and not gone and total > most:
        raise UsageError(f"a run is at work in {folder}; clean it when that has ended.")
    verb = "would be" if flags.dry_run else "were"
    flags.output.say(
        f"{folder}: {len(gone)} of {len(before)} files {verb} removed, "
        f"{freed / 1e6:.1f} of {total / 1e6:.1f} MB"
    )
    return 0
