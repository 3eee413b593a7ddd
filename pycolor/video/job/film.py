"""A film from file to file."""

from __future__ import annotations

import os
from collections.abc import Callable

from pycolor.image.predictor_pool import PredictorPool
from pycolor.options import VideoOptions
from pycolor.options.checks import as_path
from pycolor.system.progress import Progress
from pycolor.video.job.record.report import FilmReport
from pycolor.video.job.stages.film_run import FilmRun
from pycolor.video.job.work.stdin import materialize_stdin


def color_film(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    options: VideoOptions = VideoOptions(),  # noqa: B008  (frozen)
    *,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
    pool: PredictorPool | None = None,
) -> FilmReport:
    """Color a film.

    The target appears when it is complete, under its name and at once.  Until then the work lies
    in a hidden folder beside it; a run that was interrupted goes on from there when it is started
    again.  Nothing of the process changes: neither torch's random state nor its defaults.  A child
    that is forked from a process in which a model has run is refused; start it by spawn.

    Args:
        source: the film.
        target: the colored film; its ending chooses the container.
        options: see `VideoOptions`.
        say: called with each warning, as soon as it is known.
        progress: advanced by each frame that is looked at and, counted anew, that is written.
        pool: of models that are loaded, or will be for the films to come.

    Raises:
        UsageError: an option or a name does not fit.
        FilmError: the film cannot be read, or the output not be written.
    """
    with materialize_stdin(as_path("source", source)) as path:
        target = as_path("target", target)
        report = FilmRun(path, target, options, say, progress, pool or PredictorPool()).run()
        assert report is not None, "only a slice may end without an output"
        return report
