"""Which frames of a film are worth coloring by hand.

Each key frame of the plan stands for the frames around it, weighed by how much the model doubts
its colors.  Frames are chosen one by one, the one first that explains most of what is not explained
yet: greedy facility location (Nemhauser, Wolsey and Fisher, 1978), with the likeness of two frames
from the features of the network's trunk.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from pycolor import ops
from pycolor.errors import UsageError
from pycolor.image.files.picture_files import write_image
from pycolor.models.inference.uncertain import doubt
from pycolor.models.predictor import Predictor
from pycolor.system.atomic_file import check_output
from pycolor.video.io import FilmInfo, Frame, Reader
from pycolor.video.io.frame.tensors import as_tensor
from pycolor.video.plan.plan import Plan, ShotBody

STEP = 24  # frames between candidates, about
SHARPNESS = 12.0  # of likeness: exp(−SHARPNESS · (1 − cosine))
ELSEWHERE = 0.6  # share of its likeness that a still of another shot counts
CERTAIN = 0.25  # weight of a frame of which the model doubts nothing


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A frame to color by hand.

    Attributes:
        frame: its number.
        frames: of the film, for which it is the best of those suggested.
        doubt: of the model on it, 0 … 1: entropy of its distributions over that of no idea.
    """

    frame: int
    frames: int
    doubt: float


def suggest_stills(
    source: Path,
    plan: Plan,
    predictor: Predictor,
    count: int,
    *,
    rate: Fraction | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> list[Suggestion]:
    """The frames to color, in the film's order; fewer if there are not as many candidates.

    Args:
        source: the film.
        plan: of all of it.
        predictor: of the model whose doubt counts.
        count: of frames.
        rate: frames per second where the film does not say.
        on_frame: called for each frame that is read.

    Raises:
        UsageError: the whole film is in color, or the model has no features to compare.
        FilmError: the film cannot be read.
    """
    frames, spans, shots = _candidates(plan)
    if not frames:
        raise UsageError(f"{source} is in color; expected a film with gray shots.")
    predictor.lead_by_any()
    looks, doubts = [], []
    wanted = set(frames)
    with Reader(source, rate=rate) as reader:
        for frame in reader:
            on_frame()
            if frame.index in wanted:
                look, unsure = _seen(frame, reader.info, predictor)
                looks.append(look)
                doubts.append(unsure)
    like = _likeness(np.stack(looks), np.array(shots))
    weight = np.array(spans) * (CERTAIN + np.array(doubts))
    chosen = sorted(greedy(like, weight, count))
    serves = like[:, chosen].argmax(1)
    return [
        Suggestion(
            frame=frames[i],
            frames=int(np.array(spans)[serves == place].sum()),
            doubt=float(doubts[i]),
        )
        for place, i in enumerate(chosen)
    ]


def greedy(like: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], count: int) -> list[int]:
    """Candidates, best first: each adds most to Σ weightᵢ · max likeᵢⱼ over the chosen j.

    Args:
        like: n×n, how well column j explains row i, 0 … 1.
        weight: n.
        count: of candidates, at most.
    """
    chosen: list[int] = []
    best = np.zeros(len(weight))
    for _ in range(min(count, len(weight))):
        gain = (np.maximum(like, best[:, None]) * weight[:, None]).sum(0)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        best = np.maximum(best, like[:, chosen[-1]])
    return chosen


def _stem(source: Path) -> str:
    """What the names of a film's stills begin with."""
    return source.stem.replace("%", "_") if source.suffix else source.name


def check_stills_folder(source: Path, folder: Path, *, overwrite: bool = False) -> None:
    """Can stills of a film be written to a folder?  Leaves it as it is.

    Raises:
        UsageError: it is a file, may not be written or made, or has stills of this film while
            `overwrite` is not set.
    """
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not there.is_dir():
        raise UsageError(f"{there} is a file; expected a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise UsageError(f"{there} may not be written to.")
    if there != folder:
        return
    name = re.compile(re.escape(_stem(source)) + r"_\d{6,}\.png")
    still = next((p.name for p in sorted(folder.iterdir()) if name.fullmatch(p.name)), None)
    if still and not overwrite:
        raise UsageError(
            f"{folder} has stills of this film, such as {still}; expected another folder, or "
            "--overwrite."
        )


def write_stills(
    source: Path,
    frames: Sequence[int],
    folder: Path,
    *,
    rate: Fraction | None = None,
    predictor: Predictor | None = None,
    overwrite: bool = False,
) -> list[Path]:
    """Write frames as PNG, upright, with square pixels: `NAME_000048.png`.

    Args:
        source: the film.
        frames: numbers, rising.
        folder: made if missing; see `check_stills_folder`.
        rate: frames per second where the film does not say.
        predictor: colors them; None leaves them gray.
        overwrite: replace existing files.

    Raises:
        UsageError: a file exists.
        FilmError: the film cannot be read, or a file not be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{_stem(source)}_{n:06d}.png" for n in frames]
    for path in paths:
        check_output(path, overwrite=overwrite)
    by_frame = dict(zip(frames, paths, strict=True))
    with Reader(source, rate=rate) as reader:
        for frame in reader:
            if frame.index in by_frame:
                picture = shown(frame, reader.info, predictor)
                write_image(by_frame[frame.index], picture, overwrite=overwrite)
            if frame.index >= max(frames):
                break
    return paths


def shown(
    frame: Frame, info: FilmInfo, predictor: Predictor | None = None
) -> npt.NDArray[np.uint8]:
    """A frame as an editor shows it: H×W×3 codes of sRGB, upright, its pixels square."""
    luma = as_tensor(frame.luma)[None]
    aspect, turns = float(info.pixel_aspect or 1), info.turns
    if predictor is None:
        black, white = info.encoding.luma_code_range
        gray = ((luma[0].float() - black) / (white - black)).clamp(0, 1)
        rgb = gray.expand(3, -1, -1)
    else:
        field = predictor.predict(luma, info.encoding, aspect, turns).cpu()
        unit = ops.render_rgb(field, luma, encoding=info.encoding)[0].movedim(-1, 0).float()
        rgb = unit / (2**info.encoding.bit_depth - 1)
    height, width = rgb.shape[1:]
    if aspect != 1:
        size = (height, round(width * aspect))
        rgb = F.interpolate(rgb[None], size, mode="bilinear", antialias=True)[0]
    rgb = torch.rot90(rgb, turns, (1, 2))
    codes = (rgb.clamp(0, 1) * 255).round().byte().movedim(0, -1)
    return np.ascontiguousarray(codes.numpy())


def _candidates(plan: Plan) -> tuple[list[int], list[int], list[int]]:
    """Frames, for how many frames each stands, and in which shot it lies."""
    frames: list[int] = []
    spans: list[int] = []
    shots: list[int] = []
    for span in plan.spans:
        if not isinstance(span, ShotBody) or span.passthrough:
            continue
        length = span.stop - span.start
        parts = max(1, round(length / STEP))
        usable = np.array(span.usable())
        for i in range(parts):
            low = span.start + length * i // parts
            high = span.start + length * (i + 1) // parts
            frames.append(int(usable[np.abs(usable - (low + high) // 2).argmin()]))
            spans.append(high - low)
            shots.append(span.start)
    # Outliers may leave two parts the same frame.
    once = [i for i, n in enumerate(frames) if i == 0 or n != frames[i - 1]]
    return [frames[i] for i in once], [spans[i] for i in once], [shots[i] for i in once]


@torch.inference_mode()
def _seen(
    frame: Frame, info: FilmInfo, predictor: Predictor
) -> tuple[npt.NDArray[np.float64], float]:
    """What a frame looks like, of length 1, and how much the model doubts its colors."""
    luma = as_tensor(frame.luma)[None]
    turns = info.turns
    lightness = predictor.lightness(luma, info.encoding, float(info.pixel_aspect or 1), turns)
    taps = predictor.taps(lightness)
    parts = [F.adaptive_avg_pool2d(x.float(), (3, 4)).flatten() for x in taps[2:]]
    look = torch.cat([F.normalize(x - x.mean(), dim=0) for x in parts])
    likelihoods = predictor.likelihoods(lightness)
    unsure = 0.0 if likelihoods is None else float(doubt(likelihoods).mean())
    return F.normalize(look, dim=0).double().cpu().numpy(), unsure


def _likeness(
    looks: npt.NDArray[np.float64], shots: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    like: npt.NDArray[np.float64] = np.exp(-SHARPNESS * (1 - looks @ looks.T).clip(0))
    return like * np.where(shots[:, None] == shots[None], 1.0, ELSEWHERE)
