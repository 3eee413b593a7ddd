"""What a stranger would find fault with, counted by rules: any model, by the package's own API.

python -m benchmarks.judge DATA [--model NAME] [--weights FILE] [--name NAME] [--no-films]

DATA holds eval/ (color photographs that no training sees) and video/archival/.  40 photographs of
eval/, fixed by a seed, are for choosing a model's dials; the other 60 are reported.  The rules are
in faults.py, the pictures without color in judge_inputs.py, the boxes of skin and of dark neutral
cloth in regions.json and dark_neutral.json, drawn by hand.  The result is added by its name to
docs/results/judge.json, and docs/results.md has a column for each.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
import tyro
from torch import Tensor
from tyro.conf import OmitArgPrefixes, Positional

from benchmarks import faults
from benchmarks.faults import Faults, Plane
from benchmarks.judge_inputs import FADED, INPUTS, Codes
from benchmarks.judge_inputs import faded as faded_copy
from benchmarks.page import RESULTS
from benchmarks.results import PAGE, page
from pycolor.evaluate import metrics
from pycolor.evaluate.environment import record
from pycolor.evaluate.frames import picture_of
from pycolor.evaluate.pairs import Pair
from pycolor.evaluate.stills import gray_of, judged_size, read_pair
from pycolor.image.colorize import color_still
from pycolor.image.files.picture_files import StillImage, StillInfo
from pycolor.image.guidance.guides import load_picture_predictor
from pycolor.models.palette import gamut_bins
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.job.film import color_film
from pycolor.video.plan.analysis import analyze_film

HERE = Path(__file__).parent
CHOOSING, SEED = 40, 2026
SHORT_SIDE = 256
EVERY = 12  # frames of a film whose surfaces are judged


def photographs(folder: Path) -> tuple[list[Path], list[Path]]:
    """Those for choosing, and those that are reported."""
    found = sorted(p for p in folder.iterdir() if p.suffix == ".jpg")
    order = np.random.default_rng(SEED).permutation(len(found))
    chosen, reported = sorted(order[:CHOOSING]), sorted(order[CHOOSING:])
    return [found[i] for i in chosen], [found[i] for i in reported]


def colored_gray(codes: Codes, predictor: Predictor) -> Tensor:
    """A gray picture H×W of 8 bits in the model's colors, 3×H×W in 0 … 1."""
    info = StillInfo(path=Path("made.png"), kind="PNG", bit_depth=8, gray=True)
    shown = color_still(StillImage(pixels=codes, alpha=None, info=info), predictor)
    return torch.from_numpy(np.asarray(shown, np.float64)).permute(2, 0, 1) / 255


class Photographs:
    """Figures and faults of photographs."""

    def __init__(self) -> None:
        bins = torch.from_numpy(gamut_bins().copy())
        self.areas = {whose: metrics.BalancedArea(bins) for whose in ("found", "gray")}
        self.values: dict[str, list[float]] = {}
        self.faults = Faults({})
        self.skin: dict[str, dict[str, list[float]]] = json.loads(
            HERE.joinpath("regions.json").read_text()
        )
        self.dark: dict[str, list[float]] = json.loads(
            HERE.joinpath("dark_neutral.json").read_text()
        )

    def add(self, name: str, found: Tensor, true: Tensor) -> None:
        """A photograph as it was colored and as it is, 3×H×W."""
        lab, truth = (faults.lab_of(rgb) for rgb in (found, true))
        self._measure(found, true, torch.from_numpy(lab)[None], torch.from_numpy(truth)[None])
        judged = [
            faults.surface_faults(lab, truth),
            faults.end_fault(lab),
            faults.white_fault(lab, truth),
            faults.gray_fault(lab, truth),
            faults.wash_fault(lab, truth),
        ]
        if "skin" in self.skin.get(name, {}):
            judged.append(faults.skin_fault(lab, truth, _box(self.skin[name]["skin"])))
        if name in self.dark:
            judged.append(faults.dark_fault(lab, truth, _box(self.dark[name])))
        for fault in judged:
            self.faults += fault

    def _measure(self, found: Tensor, true: Tensor, lab: Tensor, truth: Tensor) -> None:
        gray = torch.zeros_like(truth[:, 1:])
        for whose, ab in (("found", lab[:, 1:]), ("gray", gray)):
            self.areas[whose].add(ab, truth[:, 1:])
            self._note(f"area {whose}", metrics.ab_auc(ab, truth[:, 1:]))
        flat = torch.cat([lab[:, :1], gray], dim=1)
        self._note("CIEDE2000", metrics.ciede2000(lab, truth))
        self._note("CIEDE2000 of gray", metrics.ciede2000(flat, truth))
        self._note("colorfulness", metrics.colorfulness(found[None]))
        self._note("colorfulness of the truth", metrics.colorfulness(true[None]))

    def _note(self, name: str, value: Tensor) -> None:
        self.values.setdefault(name, []).append(float(value))

    def figures(self) -> dict[str, float]:
        """Means over the photographs; areas in hundredths over gray's."""
        mean = {name: float(np.mean(v)) for name, v in self.values.items()}
        balanced = {whose: float(area.share()) for whose, area in self.areas.items()}
        return {
            "balanced over gray": 100 * (balanced["found"] - balanced["gray"]),
            "plain over gray": 100 * (mean["area found"] - mean["area gray"]),
            "CIEDE2000": mean["CIEDE2000"],
            "CIEDE2000 of gray": mean["CIEDE2000 of gray"],
            "colorfulness": mean["colorfulness"] / mean["colorfulness of the truth"],
        }


def _box(sides: list[float]) -> faults.Box:
    left, top, right, bottom = sides
    return left, top, right, bottom


def judge_photographs(paths: list[Path], predictor: Predictor) -> Photographs:
    """Color and judge them."""
    judged = Photographs()
    for path in paths:
        found, true = read_pair(Pair("picture", path), SHORT_SIDE, predictor)
        judged.add(path.name, found, true)
    return judged


def judge_inputs(predictor: Predictor) -> dict[str, float]:
    """Mean chroma of each picture that has no color."""
    return {
        name: float(faults.chroma_of(faults.lab_of(colored_gray(make(), predictor))).mean())
        for name, make in INPUTS.items()
    }


def judge_faded(paths: list[Path], predictor: Predictor) -> dict[str, float]:
    """Mean ab error of faded copies over the clean copies', both in the clean one's light."""
    errors: dict[str, list[float]] = {}
    for path in paths:
        _, true = read_pair(Pair("picture", path), SHORT_SIDE, predictor)
        codes = (gray_of(true)[0] * 255).round().byte().numpy()
        truth = faults.lab_of(true)
        copies = {"clean": codes} | {f"{a:g} + {b:g} y": faded_copy(codes, a, b) for a, b in FADED}
        for name, copy in copies.items():
            lab = faults.lab_of(colored_gray(copy, predictor))
            far = np.hypot(lab[1] - truth[1], lab[2] - truth[2]).mean()
            errors.setdefault(name, []).append(float(far))
    clean = np.mean(errors.pop("clean"))
    return {name: float(np.mean(v) / clean) for name, v in errors.items()}


def _frames(film: Path, size: tuple[int, int]) -> Iterator[tuple[Tensor, Tensor]]:
    """Lab and luma of each frame, 3×h×w and h×w."""
    with Reader(film) as reader:
        for frame in reader:
            picture = picture_of(frame, reader.info, size)
            yield torch.from_numpy(faults.lab_of(picture.shown)), picture.luma


def judge_film(film: Path, options: PredictOptions) -> tuple[Faults, list[float | None]]:
    """Faults of every twelfth frame, and the drift of each shot that lasts a second.

    None for a shot without a steady place.
    """
    found = Faults({})
    shots = [(shot.start, shot.stop) for shot in analyze_film(film).shots]
    with TemporaryDirectory(prefix="pycolor-") as folder:
        target = Path(folder) / "colored.mkv"
        color_film(film, target, VideoOptions(color_shots="recolor", predict=options))
        with Reader(target) as reader:
            size = judged_size(reader.info.height, reader.info.width, SHORT_SIDE)
        small: list[Tensor] = []
        for n, (lab, _) in enumerate(_frames(target, size)):
            if n % EVERY == 0:
                plane: Plane = lab.numpy()
                scale = min(plane.shape[1:]) / SHORT_SIDE
                found += faults.surface_faults(plane, None, scale)
                found += faults.end_fault(plane)
                found += faults.wash_fault(plane, None)
            pooled = torch.nn.functional.adaptive_avg_pool2d(lab.float()[None], (48, 64))
            small.append(pooled[0])
    drifts = [
        faults.drift(torch.stack(small[a:b])[:, 1:], torch.stack(small[a:b])[:, :1])
        for a, b in shots
        if b - a >= 24
    ]
    return found, [None if math.isnan(d) else d for d in drifts]


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Count faults.

    Attributes:
        data: a folder that holds eval/ and video/archival/.
        name: of the column (default: the model's).
        films: also judge the archival clips.
        choosing: judge the 40 photographs for choosing, print, and write nothing.
        predict: the model.
    """

    data: Positional[Path]
    name: str = ""
    films: bool = True
    choosing: bool = False
    predict: OmitArgPrefixes[PredictOptions] = field(default_factory=PredictOptions)


def main(options: Judge) -> None:
    """Judge, print and write."""
    predictor = load_picture_predictor(options.predict)
    chosen, reported = photographs(options.data / "eval")
    paths = chosen if options.choosing else reported
    photos = judge_photographs(paths, predictor)
    told: dict[str, Any] = {
        "name": options.name or predictor.loaded.card.name,
        "weights": predictor.loaded.sha256[:12],
        "record": record(),
        "photographs": len(paths),
        "figures": photos.figures(),
        "faults": photos.faults.counts,
        "chroma of what has none": judge_inputs(predictor),
        "faded copies": judge_faded(paths, predictor),
    }
    if options.films and not options.choosing:
        told["films"], told["drift"] = {}, {}
        for film in sorted((options.data / "video" / "archival").glob("*.mp4")):
            counted, drifts = judge_film(film, options.predict)
            told["films"][film.stem], told["drift"][film.stem] = counted.counts, drifts
    print(json.dumps(told, indent=1))
    if not options.choosing:
        write(told)


def write(told: dict[str, Any]) -> None:
    """Put a column into the JSON, and all of them on the page."""
    path = RESULTS / "judge.json"
    known = json.loads(path.read_text(encoding="utf-8"))["columns"] if path.exists() else []
    columns = [c for c in known if c["name"] != told["name"]] + [told]
    whole = {"record": told["record"], "columns": columns}
    path.write_text(json.dumps(whole, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Judge, description=(__doc__ or "").partition("\n")[0]))
