"""Other ways to color the same photographs, measured like ours.

    python -m benchmarks.peers PHOTOS [--photos 20] [--json FILE] [--ddcolor CMD] [--deoldify CMD]

Classic methods run here (benchmarks/classics.py).  A peer's own program runs where its command is
given, with {in} and {out} for two folders, such as

    --ddcolor "python infer.py --input {in} --output {out}"

and is named as left out otherwise.  What a method is given beside the luma is part of its name: a
reference is the photograph of the set whose luma looks most alike, or the true picture itself, the
best reference there can be; scribbles are the true chroma at some pixels in a hundred.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.classics import Plane, levin, reinhard, welsh
from pycolor.errors import FilmError
from pycolor.evaluate import metrics
from pycolor.evaluate.environment import record
from pycolor.evaluate.metrics.measures import judge, own_values
from pycolor.evaluate.pairs import Pair
from pycolor.evaluate.stills import gray_of, read_pair, read_rgb
from pycolor.image.files.picture_files import SUFFIXES
from pycolor.image.guidance.guides import load_picture_predictor
from pycolor.models import zoo
from pycolor.models.palette import gamut_bins
from pycolor.ops import reference
from pycolor.options import PredictOptions

SIDE = 128  # shorter side of a picture: what a sparse solve of every one of them allows
HINTS = (0.01, 0.001)  # shares of the pixels
SHOWN = ("psnr", "ab_psnr", "ssim", "qssim", "ciede2000", "ab_auc", "colorfulness")
Method = Callable[["Photo", Sequence["Photo"]], Tensor]


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph: its file, its colors and its luma as three channels, 3×H×W in 0 … 1."""

    path: Path
    true: Tensor
    gray: Tensor


@dataclass(frozen=True)
class Result:
    """A method's means over the photographs; `seconds` of one of them."""

    method: str
    photographs: int
    seconds: float
    values: dict[str, float]


def most_alike(photo: Photo, others: Sequence[Photo]) -> Photo:
    """The other photograph whose luma correlates best at 16×16."""

    def small(p: Photo) -> Plane:
        plane = torch.nn.functional.interpolate(p.gray[None, :1], (16, 16), mode="area")[0, 0]
        values = plane.numpy() - float(plane.mean())
        return np.asarray(values / (np.linalg.norm(values) + 1e-9))

    wanted = small(photo)
    return max(
        (p for p in others if p is not photo), key=lambda p: float((small(p) * wanted).sum())
    )


def _image(rgb: Tensor) -> Plane:
    return rgb.permute(1, 2, 0).double().numpy()


def _planes(rgb: Plane) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)


def _with_luma(rgb: Tensor, photo: Photo) -> Tensor:
    """The colors at the photograph's own luma: nobody is punished for moving it."""
    chroma = reference.rgb_to_ycbcr(rgb, matrix="bt601")
    chroma[0] = photo.gray[0]
    return reference.ycbcr_to_rgb(chroma, matrix="bt601").clamp(0, 1)


def scribbled(photo: Photo, share: float) -> Tensor:
    """Levin's propagation of the true chroma at some pixels."""
    ycbcr = _image(reference.rgb_to_ycbcr(photo.true, matrix="bt601"))
    given = np.random.default_rng(0).random(ycbcr.shape[:2]) < share
    given.flat[np.random.default_rng(1).integers(given.size)] = True
    luma = photo.gray[0].double().numpy()
    chroma = levin(luma, ycbcr[..., 1:], given)
    colored = np.concatenate([luma[..., None], chroma], 2)
    return reference.ycbcr_to_rgb(_planes(colored), matrix="bt601").clamp(0, 1)


def mean_color(photos: Sequence[Photo]) -> Method:
    """One chroma for all: the mean of the other photographs'."""
    means = {p: reference.rgb_to_lab(p.true)[1:].mean((1, 2)) for p in photos}

    def color(photo: Photo, others: Sequence[Photo]) -> Tensor:
        ab = torch.stack([means[p] for p in others if p is not photo]).mean(0)
        lab = reference.rgb_to_lab(photo.gray)
        lab[1:] = ab[:, None, None]
        return reference.lab_to_rgb(lab).clamp(0, 1)

    return color


def classic_methods(photos: Sequence[Photo]) -> dict[str, Method]:
    """By name."""

    def transferred(photo: Photo, source: Photo) -> Tensor:
        return _with_luma(_planes(reinhard(_image(photo.gray), _image(source.true))), photo)

    def matched(photo: Photo, source: Photo) -> Tensor:
        return _with_luma(_planes(welsh(photo.gray[0].numpy(), _image(source.true))), photo)

    methods: dict[str, Method] = {
        "gray": lambda p, _: p.gray,
        "mean color of the others": mean_color(photos),
        "Reinhard 2001, similar photograph": lambda p, all_: transferred(p, most_alike(p, all_)),
        "Reinhard 2001, the true picture": lambda p, _: transferred(p, p),
        "Welsh 2002, similar photograph": lambda p, all_: matched(p, most_alike(p, all_)),
        "Welsh 2002, the true picture": lambda p, _: matched(p, p),
    }
    for share in HINTS:
        name = f"Levin 2004, {share:.1%} of the pixels given"
        methods[name] = lambda p, _, share=share: scribbled(p, share)  # type: ignore[misc]
    return methods


def our_methods() -> dict[str, Method]:
    """The models that have weights."""

    def of(name: str) -> Method:
        predictor = load_picture_predictor(PredictOptions(model=name))
        return lambda p, _: read_pair(Pair("picture", p.path), SIDE, predictor)[0]

    return {f"pycolor, {c.name}": of(c.name) for c in zoo.CARDS if c.weights}


def run_peer(name: str, command: str, photos: Sequence[Photo]) -> Method:
    """Let another program color all photographs; its own results, read back, are the method.

    Raises:
        FilmError: it fails, or writes no picture of a photograph's name and size.
    """
    with tempfile.TemporaryDirectory(prefix="pycolor-") as folder:
        source, target = Path(folder) / "in", Path(folder) / "out"
        source.mkdir()
        target.mkdir()
        for photo in photos:
            codes = (_image(photo.gray) * 255).round().astype(np.uint8)
            Image.fromarray(codes).save(source / f"{photo.path.stem}.png")
        words = [w.format(**{"in": source, "out": target}) for w in shlex.split(command)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise FilmError(f"{name} ended with code {done.returncode}: {''.join(last)}.")
        colored = {p.stem: p for p in target.rglob("*") if p.suffix.lower() in SUFFIXES}
        missing = [p.path.stem for p in photos if p.path.stem not in colored]
        if missing:
            raise FilmError(f"{name} wrote no picture named {missing[0]}.")
        results = {
            p: torch.from_numpy(read_rgb(colored[p.path.stem], 0).copy()).permute(2, 0, 1) / 255
            for p in photos
        }
    for photo, rgb in results.items():
        if rgb.shape != photo.true.shape:
            raise FilmError(f"{name} changed the size of {photo.path.name}.")
    return lambda p, _: results[p]


def measure(name: str, method: Method, photos: Sequence[Photo]) -> Result:
    """Means of every measure, and the balanced area of the set."""
    tally = metrics.BalancedArea(torch.from_numpy(gamut_bins().copy()))
    rows: list[dict[str, float]] = []
    began, judging = time.perf_counter(), 0.0
    for photo in photos:
        found = method(photo, photos)
        paused = time.perf_counter()
        rows.append(judge(found, photo.true).values)
        pictures = (found.double().clamp(0, 1), photo.true)
        tally.add(*(reference.rgb_to_lab(x)[None, 1:] for x in pictures))
        judging += time.perf_counter() - paused
    seconds = (time.perf_counter() - began - judging) / len(photos)
    finite = {k: [r[k] for r in rows if np.isfinite(r[k])] for k in rows[0]}
    values = {k: float(np.mean(v)) for k, v in finite.items() if v}
    values["balanced_ab_auc"] = float(tally.share())
    return Result(name, len(photos), seconds, values)


def load(folder: Path, most: int) -> list[Photo]:
    """Photographs spread evenly over a folder's names."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    chosen = [paths[i] for i in sorted({round(x) for x in np.linspace(0, len(paths) - 1, most)})]
    photos = []
    for path in chosen:
        true = torch.from_numpy(read_rgb(path, SIDE).copy()).permute(2, 0, 1).double() / 255
        gray = (gray_of(true) * 255).round() / 255  # what a file of 8 bits would tell
        photos.append(Photo(path, true, gray))
    return photos


def show(results: Sequence[Result], truth: float, console: Console) -> None:
    table = Table(title=f"means over {results[0].photographs} photographs of {SIDE} pixels; "
                        f"their own colorfulness is {truth:.1f}")  # fmt: skip
    for column in ("method", *SHOWN, "balanced ab AuC", "s a picture"):
        table.add_column(column, justify="left" if column == "method" else "right")
    for r in results:
        cells = [f"{r.values[k]:.3g}" if k in r.values else "" for k in (*SHOWN, "balanced_ab_auc")]
        table.add_row(r.method, *cells, f"{r.seconds:.2f}")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    for peer in ("ddcolor", "deoldify"):
        parser.add_argument(f"--{peer}", metavar="CMD", help="its command, with {in} and {out}")
    options = parser.parse_args()
    console = Console(width=150)
    photos = load(options.folder, options.photos)
    methods = classic_methods(photos) | our_methods()
    for peer in ("ddcolor", "deoldify"):
        command = getattr(options, peer)
        if command is None or shutil.which(shlex.split(command)[0]) is None:
            console.print(f"{peer}: left out, --{peer} names no command that is installed")
        else:
            methods[peer] = run_peer(peer, command, photos)
    results = [measure(name, method, photos) for name, method in methods.items()]
    truth = float(np.mean([own_values(p.true)["colorfulness"] for p in photos]))
    show(results, truth, console)
    if options.json:
        told = {"record": record(), "side": SIDE, "colorfulness_of_truth": truth,
                "rows": [asdict(r) for r in results]}  # fmt: skip
        options.json.write_text(json.dumps(told, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
