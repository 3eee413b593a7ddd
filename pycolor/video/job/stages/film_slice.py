"""A worker's share of a film that several color, see `VideoOptions.slice`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pycolor.image.predictor_pool import PredictorPool
from pycolor.options import VideoOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.progress import Progress
from pycolor.video.job.decisions.start_plan import start_plan
from pycolor.video.job.distribute.claims import Claims
from pycolor.video.job.distribute.slices import slices_plan
from pycolor.video.job.record.report import FilmReport
from pycolor.video.job.record.sidecar import made_before
from pycolor.video.job.record.source_digest import DIGEST_NOTE
from pycolor.video.job.stages.film_run import FilmRun


def color_slice(
    source: Path,
    target: Path,
    options: VideoOptions,
    *,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> FilmReport | None:
    """Do a worker's share of a film, and join it if all is done.

    The workers meet in the project of the film's plan; without one, in `OUT.pycolor`.

    Args:
        source: the film.
        target: the colored film, in a folder that the workers share.
        options: with a slice.
        say: called with each warning.
        progress: advanced by each frame.

    Returns:
        None if the output is another worker's to join, or was joined already.

    Raises:
        UsageError: an option or a name does not fit.
        FilmError: the film cannot be read, or the output not be written.
    """
    if made_before(source, target) and not options.overwrite:
        say(f"{target} is finished")
        return None
    if options.plan is None:
        plan = slices_plan(target)
        _begin(source, plan, options, say, progress)
        options = replace(options, plan=plan, shots=None)
    with TemporaryDirectory(prefix="pycolor-") as own:  # each worker has a work folder of its own
        options = replace(options, work_dir=Path(own))
        return FilmRun(source, target, options, say, progress, PredictorPool()).run()


def _begin(
    source: Path,
    plan: Path,
    options: VideoOptions,
    say: Callable[[str], None],
    progress: Progress | None,
) -> None:
    """Have one of the workers look through the film, and the others wait for its plan."""
    claims, told = Claims(plan.parent), False
    while not plan.exists():
        with claims.claimed("survey") as mine:
            if mine and not plan.exists():
                start_plan(
                    source,
                    plan,
                    shots=options.shots,
                    sensitivity=options.sensitivity,
                    note=plan.parent / DIGEST_NOTE,
                    rate=frame_rate(options.rate),
                    overwrite=True,  # a dead worker's, or that of one who had slept: it is the same
                    say=say,
                    progress=progress,
                )
        if not mine:
            if not told:
                say("another worker looks through the film; this one waits for its plan")
            told = True
            claims.pause()
