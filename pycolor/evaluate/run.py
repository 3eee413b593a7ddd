"""An evaluation from files to a report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from pycolor.evaluate import films, metrics, stills
from pycolor.evaluate.environment import record
from pycolor.evaluate.metrics.measures import Judgement, judge, own_values
from pycolor.evaluate.metrics.over_time import Timeline
from pycolor.evaluate.pairs import Pair, pair_up
from pycolor.evaluate.reports.report import Report, Row, curve
from pycolor.evaluate.reports.sheets import SampleRow, thumbnail
from pycolor.image.guidance.guides import load_picture_predictor, load_predictor
from pycolor.models.palette import gamut_bins
from pycolor.models.predictor import Predictor
from pycolor.ops import reference
from pycolor.options import EvaluateOptions, PredictOptions, VideoOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.optional import extra
from pycolor.system.progress import Progress
from pycolor.video.job.film import color_film
from pycolor.video.plan.analysis import FilmAnalysis, analyze_film

LIBRARIES = ("skimage", "cv2")  # without which a measure cannot be taken


@dataclass
class Accumulator:
    """Rows, and what is counted over the whole set."""

    rows: list[Row] = field(default_factory=list)
    specimens: list[SampleRow] = field(default_factory=list)
    counts: dict[str, Tensor] = field(default_factory=dict)
    pixels: int = 0
    areas: dict[str, metrics.BalancedArea] = field(default_factory=dict)

    def add(self, name: str, found: Tensor, true: Tensor, gray: Tensor) -> None:
        """A picture as it was colored, as it is, and as the model saw it: 3×H×W RGB each."""
        judged = {"found": judge(found, true), "gray": judge(gray, true)}
        values = {whose: j.values for whose, j in judged.items()} | {"true": own_values(true)}
        self.rows.append(Row(name, values))
        self.specimens.append(SampleRow(name, (thumbnail(true), thumbnail(gray), thumbnail(found))))
        for whose, rgb in (("found", found), ("gray", gray)):
            self._count(whose, judged[whose], _ab(rgb), _ab(true))
        self.pixels += judged["found"].pixels

    def _count(self, whose: str, judged: Judgement, ab: Tensor, true: Tensor) -> None:
        self.counts[whose] = self.counts.get(whose, torch.zeros(())) + judged.errors
        if whose not in self.areas:
            self.areas[whose] = metrics.BalancedArea(torch.from_numpy(gamut_bins().copy()))
        self.areas[whose].add(ab, true)


def evaluate(
    true: Path,
    found: Path | None,
    options: EvaluateOptions,
    video: VideoOptions,
    *,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> tuple[Report, list[SampleRow]]:
    """Compare colored pictures and films with the true ones.

    Args:
        true: a color photograph, a color film, or a folder of them.
        found: the same, colored by anything; None: the model of `predict` colors them, from
            their luma alone.
        options: see `EvaluateOptions`.
        video: the model, and how it colors a film, where something is to be colored.
        say: called with each note.
        progress: advanced by each picture and frame.

    Returns:
        The report, and thumbnails of its rows.

    Raises:
        UsageError: a name does not fit, or the extra `evaluate` is not installed.
        FilmError: a file cannot be read, or two of a pair do not fit together.
    """
    for library in LIBRARIES:
        extra(library)
    rate = frame_rate(options.rate)
    pairs = pair_up(true, found, as_film=options.as_film)
    analyses = {pair: analyze_film(pair.true, rate=rate) for pair in pairs if pair.kind == "film"}
    if progress is not None:
        progress.total = len(pairs) - len(analyses) + sum(map(len, analyses.values()))
    settings: dict[str, object] = {"true": true.name, "short_side": options.size}
    predictor = None
    if found is None:
        predictor = _predictor(video.predict, pictures=len(pairs) > len(analyses))
        settings |= _of_model(predictor) | {"propagation": video.propagation.mode}
    else:
        settings["found"] = found.name
    tally, timelines = Accumulator(), {}
    for pair in pairs:
        if pair.kind == "film":
            timeline = _film(pair, analyses[pair], options, video, tally, say, progress)
            timelines[pair.true.name] = timeline
            continue
        colored, truth = stills.read_pair(pair, options.size, predictor)
        tally.add(pair.true.name, colored, truth, stills.gray_of(truth))
        if progress is not None:
            progress.advance()
    report = Report(
        rows=tally.rows,
        films=timelines,
        curves={w: curve(c.tolist(), tally.pixels) for w, c in tally.counts.items()},
        balanced={w: float(area.share()) for w, area in tally.areas.items()},
        settings=settings,
        record=record(),
    )
    return report, tally.specimens


def _predictor(options: PredictOptions, *, pictures: bool) -> Predictor:
    return load_picture_predictor(options) if pictures else load_predictor(options)


def _of_model(predictor: Predictor) -> dict[str, object]:
    return {
        "model": predictor.loaded.card.name,
        "weights_sha256": predictor.loaded.sha256,
        "network_short_side": predictor.short_side,
        "saturation": predictor.options.saturation,
        "device": predictor.device.type,
        "dtype": str(predictor.dtype).removeprefix("torch."),
    }


def _film(
    pair: Pair,
    seen: FilmAnalysis,
    options: EvaluateOptions,
    video: VideoOptions,
    tally: Accumulator,
    say: Callable[[str], None],
    progress: Progress | None,
) -> Timeline:
    """A film; colored first where nothing was found, through all of the pipeline."""
    with tempfile.TemporaryDirectory(prefix="pycolor-") as folder:
        found = pair.found
        if found is None:
            found = Path(folder) / "colored.mkv"
            recolored = replace(video, color_shots="recolor", rate=options.rate)
            color_film(pair.true, found, recolored, say=say)
        judged = films.judged_frames(len(seen))
        over_time = films.OverTime(seen.shots)
        for frame in films.frame_pairs(pair.true, found, options.size, frame_rate(options.rate)):
            over_time.add(frame)
            if frame.index in judged:
                gray = frame.true.luma.expand(3, -1, -1)
                name = f"{pair.true.name} {frame.index}"
                tally.add(name, frame.found.rgb, frame.true.rgb, gray)
            if progress is not None:
                progress.advance()
        over_time.finish()
    return over_time.timeline


def _ab(rgb: Tensor) -> Tensor:
    """1×2×H×W chroma of what is shown of 3×H×W RGB."""
    return reference.rgb_to_lab(rgb.double().clamp(0, 1))[None, 1:]
