"""Two films beside each other, for the eye: a film to watch, and a plot of their color."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pycolor.errors import FilmError
from pycolor.evaluate.comparison.burn_in import BurnIn
from pycolor.evaluate.frames import Picture, check_fit, picture_of
from pycolor.ops import reference
from pycolor.options import CompareOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.atomic_file import atomic_write, check_output
from pycolor.system.optional import extra
from pycolor.system.progress import Progress
from pycolor.video.io import PreviewWriter, Reader
from pycolor.video.shots.detector import ShotDetector
from pycolor.video.shots.shot_options import ShotOptions

WIPE_SECONDS = 4.0  # from one side to the other and back
AB_LIGHTNESS = 65.0  # at which chroma alone is shown
EDGE = (240, 240, 236)
COLORS = ("#b5472f", "#2f6f8f")


@dataclass
class Curves:
    """Of each film, frame by frame.

    Attributes:
        chroma: mean |ab|.
        flicker: mean change of ab since the frame before, wherever the luma stands still.
        cuts: frames at which a shot of the first film begins.
    """

    chroma: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    flicker: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    cuts: list[int] = field(default_factory=list)


def compare(
    first: Path,
    second: Path,
    target: Path,
    options: CompareOptions,
    progress: Progress | None = None,
) -> Curves:
    """Make a film that shows two films beside each other.

    Args:
        first: a film.
        second: another, of the same size and number of frames.
        target: the film to make, .mp4, .mov or .mkv.
        options: see `CompareOptions`.
        progress: advanced by each frame.

    Raises:
        UsageError: an output cannot be written, or a library is missing.
        FilmError: a film cannot be read, or they do not fit each other.
    """
    check_output(target, sources=[first, second], overwrite=options.overwrite)
    if options.plot is not None:
        check_output(options.plot, overwrite=options.overwrite)
        extra("matplotlib")
    rate = frame_rate(options.rate)
    with (
        atomic_write(target, overwrite=options.overwrite) as part,
        Reader(first, rate=rate) as a,
        Reader(second, rate=rate) as b,
    ):
        curves = _show(a, b, part, target, options, progress)
    if options.plot is not None:
        with atomic_write(options.plot, overwrite=options.overwrite) as part:
            draw(curves, (first.name, second.name), part)
    return curves


def _show(
    a: Reader, b: Reader, part: Path, name: Path, options: CompareOptions, progress: Progress | None
) -> Curves:
    info = a.info
    check_fit(info, b.info)
    stored_height, stored_width = info.upright_size
    height = options.height or stored_height
    width = max(2, round(stored_width * float(info.upright_aspect) * height / stored_height))
    join = {"side": _side, "wipe": _wipe, "ab": _ab, "second": _second}[options.view]
    shown = (height, 2 * width if options.view in ("side", "ab") else width)
    detector = ShotDetector(
        ShotOptions(bit_depth=info.encoding.bit_depth, full_range=info.encoding.full_range)
    )
    shots = []
    curves = Curves()
    before: tuple[Picture, Picture] | None = None
    label = BurnIn(height, info.rate, a.timecode) if options.burn_in else None
    if progress is not None:
        progress.total = info.frames or None
    with PreviewWriter(part, *shown, time_base=info.time_base, rate=info.rate, name=name) as copy:
        for x, y in zip_longest(a, b):
            if x is None or y is None:
                raise FilmError(
                    f"{a.path if x is None else b.path} ends before the other film; expected two "
                    "of the same number of frames."
                )
            shots += detector.push(x.luma)
            pair = picture_of(x, info, (height, width)), picture_of(y, b.info, (height, width))
            codes = join(pair, float(x.time))
            copy.write(codes if label is None else label.draw(codes, x.index), x.pts)
            _count(curves, before, pair)
            before = pair
            if progress is not None:
                progress.advance()
    shots += detector.finish()
    curves.cuts = [shot.start for shot in shots[1:]]
    return curves


def _count(
    curves: Curves, before: tuple[Picture, Picture] | None, pair: tuple[Picture, Picture]
) -> None:
    for i, picture in enumerate(pair):
        curves.chroma[i].append(float(picture.ab.norm(dim=0).mean()))
        if before is None:
            curves.flicker[i].append(math.nan)
            continue
        still = (picture.luma - before[i].luma).abs() < 0.02
        change = (picture.ab - before[i].ab).norm(dim=0)
        curves.flicker[i].append(float(change[still].mean()) if bool(still.any()) else math.nan)


def _codes(rgb: Tensor) -> npt.NDArray[np.uint8]:
    """3×H×W in 0 … 1 → H×W×3 codes."""
    codes: npt.NDArray[np.uint8] = (rgb.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return codes


def _side(pair: tuple[Picture, Picture], _: float) -> npt.NDArray[np.uint8]:
    return np.concatenate([_codes(picture.shown) for picture in pair], 1)


def _second(pair: tuple[Picture, Picture], _: float) -> npt.NDArray[np.uint8]:
    return _codes(pair[1].shown)


def _wipe(pair: tuple[Picture, Picture], seconds: float) -> npt.NDArray[np.uint8]:
    """The first film left of an edge that wanders, the second right of it."""
    left, right = (_codes(picture.shown) for picture in pair)
    phase = seconds / WIPE_SECONDS % 1
    edge = round((1 - abs(2 * phase - 1)) * (left.shape[1] - 1))
    out = right.copy()
    out[:, :edge] = left[:, :edge]
    out[:, edge : edge + 2] = EDGE
    return out


def _ab(pair: tuple[Picture, Picture], _: float) -> npt.NDArray[np.uint8]:
    """Chroma alone."""
    flat = [
        torch.cat([torch.full_like(picture.luma[None], AB_LIGHTNESS), picture.ab])
        for picture in pair
    ]
    return np.concatenate([_codes(reference.lab_to_rgb(lab)) for lab in flat], 1)


def draw(curves: Curves, names: tuple[str, str], path: Path) -> None:
    """Mean chroma and its change, over the frames, with the cuts.

    Raises:
        UsageError: matplotlib is not installed.
    """
    figure = extra("matplotlib.figure").Figure(figsize=(10, 5), layout="constrained")
    places: list[Any] = list(figure.subplots(2, 1, sharex=True))
    rows = ((curves.chroma, "mean chroma, ab"), (curves.flicker, "change a frame, ab"))
    for place, (values, title) in zip(places, rows, strict=True):
        for line, color, name in zip(values, COLORS, names, strict=True):
            place.plot(line, color=color, linewidth=1, label=name)
        for cut in curves.cuts:
            place.axvline(cut, color="#d9d9d4", zorder=0)
        place.set_ylabel(title)
        place.set_ylim(bottom=0)
        place.spines[["top", "right"]].set_visible(False)
    places[0].legend(frameon=False)
    places[1].set_xlabel("frame")
    figure.savefig(path, dpi=110, format="png")
