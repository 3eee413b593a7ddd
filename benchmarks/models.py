"""The packaged models side by side: docs/models.md and docs/models.jpg.

python -m benchmarks.models DATA [MODEL...]

DATA holds train/ and eval/ (color photographs) and video/archival/ (black-and-white films).  With
models, only theirs is measured anew; of the others stay the rows and the pictures that are there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands set it

import av
import numpy as np
import torch
from PIL import Image, ImageDraw

from benchmarks.page import DOCS, RESULTS, fill_in, table
from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.evaluate.environment import record
from pycolor.evaluate.reports.report import Report
from pycolor.evaluate.run import evaluate
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_names
from pycolor.ops.reference import rgb_to_lab
from pycolor.options import Decode, EvaluateOptions, PredictOptions, VideoOptions
from pycolor.train.data.photos import SUFFIXES, center_crop, find_photos
from pycolor.video.job.film import color_film

FRAMES, SHOWN = "0:30", 15  # of each film: colored, and the one that is shown
TILE = (300, 225)
DECODES: tuple[Decode, ...] = ("mean", "annealed", "mode")
AVERAGED = 2000  # photographs of train/, for their mean color
STILL = Encoding(bit_depth=8, full_range=True, matrix="bt601", subsampling="444")

FACTS = RESULTS / "models.json"

MEASURES = ("ab_auc", "colorfulness")  # means over photographs
EXPLAINED = """\
The area under the cumulative ab-error curve (0 to 150 units, Zhang et al. 2016), the mean over
photographs, and over all of them with every color bin alike; colorfulness by Hasler and Süsstrunk.
"""


def row(name: str, predict: PredictOptions, photos: Path) -> dict[str, Any]:
    """One model's figures, with those of gray and of the truth."""
    report, _ = evaluate(photos, None, EvaluateOptions(), VideoOptions(predict=predict))
    return figures(name, report, report.settings["weights_sha256"][:12])


def mean_color(train: Path, photos: Path) -> dict[str, Any]:
    """The figures of one color for everything: the mean chroma of photographs of the training."""
    found = find_photos([train])
    chosen = np.random.default_rng(0).permutation(len(found))[:AVERAGED]
    crops = torch.stack([torch.tensor(center_crop(found[i].decode(), 64)) for i in chosen])
    ab = rgb_to_lab(crops.permute(0, 3, 1, 2) / 255)[:, 1:].mean((0, 2, 3))
    with TemporaryDirectory() as folder:
        for path in sorted(p for p in photos.iterdir() if p.suffix in SUFFIXES):
            luma = torch.tensor(np.asarray(Image.open(path).convert("L")))[None]
            rgb = ops.render_rgb(ab.reshape(1, 2, 1, 1), luma, encoding=STILL)[0]
            Image.fromarray(rgb.numpy()).save(Path(folder, f"{path.stem}.png"))
        report, _ = evaluate(photos, Path(folder), EvaluateOptions(), VideoOptions())
    return figures("mean color", report, "", ab=ab.tolist())


def figures(name: str, report: Report, weights: str, **more: Any) -> dict[str, Any]:
    """A report as a row."""
    summary = report.summary()
    found: dict[str, Any] = {"name": name, "weights": weights, **more}
    for measure in MEASURES:
        found[measure] = {whose: told.mean for whose, told in summary[measure].items()}
    found["balanced_ab_auc"] = report.balanced
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def sheet(models: list[str], anew: list[str], films: list[Path], path: Path) -> None:
    """A frame of each film as each model colors it; of models that are not anew, as it stands."""
    height = TILE[1] + 18
    picture = Image.new("RGB", (TILE[0] * len(films), height * len(models)), "white")
    if anew != models:
        with Image.open(path) as before:
            picture.paste(before)
    pen = ImageDraw.Draw(picture)
    with TemporaryDirectory() as folder:
        for model in anew:
            y = models.index(model) * height
            picture.paste("white", (0, y, picture.width, y + height))
            pen.text((4, y + 3), model, fill="black")
            for x, film in enumerate(films):
                picture.paste(_frame(model, film, Path(folder)), (x * TILE[0], y + 18))
    picture.save(path, quality=88)


def _frame(model: str, film: Path, folder: Path) -> Image.Image:
    """The frame that is shown of a film, in a model's colors."""
    target = folder / f"{model}-{film.stem}.mkv"
    options = VideoOptions(frames=FRAMES, predict=PredictOptions(model=model))
    color_film(film, target, options)
    with av.open(str(target)) as colored:
        frames: list[Any] = [f.to_ndarray(format="rgb24") for f in colored.decode(video=0)]
    return Image.fromarray(frames[min(SHOWN, len(frames) - 1)]).resize(TILE)


def cases(data: Path) -> dict[str, Callable[[], dict[str, Any]]]:
    """What gives each row of the table, by the row's name."""
    photos = data / "eval"
    predicts = {card.name: PredictOptions(model=card.name) for card in zoo.CARDS if card.weights}
    predicts["open"] = PredictOptions(weights=weight_names.OPEN)
    for decode in DECODES:
        predicts[f"{zoo.DEFAULT}, decode {decode}"] = PredictOptions(decode=decode)
    made: dict[str, Callable[[], dict[str, Any]]] = {
        name: partial(row, name, predict, photos) for name, predict in predicts.items()
    }
    return made | {"mean color": partial(mean_color, data / "train", photos)}


def main(data: Path, only: list[str]) -> None:
    """Measure and write."""
    packaged = [card.name for card in zoo.CARDS if card.weights]
    facts = record()
    known: dict[str, Any] = {}
    if only:
        before = json.loads(FACTS.read_text())
        known = {r["name"]: {"time": before["record"]["time"]} | r for r in before["rows"]}
    rows = [
        measure() | {"time": facts["time"]}
        if not only or name.partition(",")[0] in only
        else known[name]
        for name, measure in cases(data).items()
    ]
    films = sorted((data / "video" / "archival").glob("*.mp4"))
    sheet(packaged, [m for m in packaged if not only or m in only], films, DOCS / "models.jpg")
    FACTS.write_text(json.dumps({"record": facts, "rows": rows}, indent=1) + "\n")
    lines = [line("gray", rows[0], "gray")]
    lines += [line(r["name"], r, "found") for r in (rows[-1], *rows[:-1])]
    lines.append(["truth", "1", "1", f"{rows[0]['colorfulness']['true']:.1f}"])
    columns = ["model", "ab AuC", "every bin alike", "colorfulness"]
    text = EXPLAINED + "\n" + table(columns, lines)
    fill_in("table", text)


def line(name: str, row: dict[str, Any], whose: str) -> list[str]:
    """Of the table."""
    areas = [row[m][whose] for m in ("ab_auc", "balanced_ab_auc")]
    return [name, *[f"{a:.4f}" for a in areas], f"{row['colorfulness'][whose]:.1f}"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
