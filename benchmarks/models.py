"""The packaged models side by side: docs/models.md and docs/models.jpg.

python -m benchmarks.models DATA

DATA holds eval/ (color photographs) and video/archival/ (black-and-white films).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the commands set it

import av
from PIL import Image, ImageDraw

from benchmarks.page import DOCS, RESULTS, fill_in, table
from pycolor.evaluate.run import evaluate
from pycolor.info import record
from pycolor.models import zoo
from pycolor.options import Decode, EvaluateOptions, PredictOptions, VideoOptions
from pycolor.video.pipeline import color_film

FRAMES, SHOWN = "0:30", 15  # of each film: colored, and the one that is shown
TILE = (300, 225)
DECODES: tuple[Decode, ...] = ("mean", "annealed", "mode")


MEASURES = ("ab_auc", "colorfulness")  # means over photographs
EXPLAINED = """\
The area under the cumulative ab-error curve (0 to 150 units, Zhang et al. 2016), the mean over
photographs, and over all of them with every color bin alike; colorfulness by Hasler and Süsstrunk.
"""


def row(name: str, predict: PredictOptions, photos: Path) -> dict[str, Any]:
    """One model's figures, with those of gray and of the truth."""
    report, _ = evaluate(photos, None, EvaluateOptions(), VideoOptions(predict=predict))
    summary = report.summary()
    found: dict[str, Any] = {"name": name, "weights": report.settings["weights_sha256"][:12]}
    for measure in MEASURES:
        found[measure] = {whose: told.mean for whose, told in summary[measure].items()}
    found["balanced_ab_auc"] = report.balanced
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def sheet(models: list[str], films: list[Path], path: Path) -> None:
    """A frame of each film as each model colors it."""
    picture = Image.new("RGB", (TILE[0] * len(films), (TILE[1] + 18) * len(models)), "white")
    pen = ImageDraw.Draw(picture)
    with TemporaryDirectory() as folder:
        for y, model in enumerate(models):
            pen.text((4, y * (TILE[1] + 18) + 3), model, fill="black")
            for x, film in enumerate(films):
                target = Path(folder, f"{model}-{film.stem}.mkv")
                options = VideoOptions(frames=FRAMES, predict=PredictOptions(model=model))
                color_film(film, target, options)
                with av.open(str(target)) as colored:
                    frames: list[Any] = [
                        f.to_ndarray(format="rgb24") for f in colored.decode(video=0)
                    ]
                tile = Image.fromarray(frames[min(SHOWN, len(frames) - 1)]).resize(TILE)
                picture.paste(tile, (x * TILE[0], y * (TILE[1] + 18) + 18))
    picture.save(path, quality=88)


def main(data: Path) -> None:
    """Measure and write."""
    packaged = [card.name for card in zoo.CARDS if card.weights]
    photos = data / "eval"
    rows = [row(name, PredictOptions(model=name), photos) for name in packaged]
    rows += [
        row(f"zhang2016, decode {decode}", PredictOptions(decode=decode), photos)
        for decode in DECODES
    ]
    sheet(packaged, sorted((data / "video" / "archival").glob("*.mp4")), DOCS / "models.jpg")
    facts = {"record": record(), "rows": rows}
    RESULTS.joinpath("models.json").write_text(json.dumps(facts, indent=1) + "\n")
    lines = [line("gray", rows[0], "gray")]
    lines += [line(r["name"], r, "found") for r in rows]
    lines.append(["truth", "1", "1", f"{rows[0]['colorfulness']['true']:.1f}"])
    columns = ["model", "ab AuC", "every bin alike", "colorfulness"]
    text = EXPLAINED + "\n" + table(columns, lines)
    fill_in("table", text)


def line(name: str, row: dict[str, Any], whose: str) -> list[str]:
    """Of the table."""
    areas = [row[m][whose] for m in ("ab_auc", "balanced_ab_auc")]
    return [name, *[f"{a:.4f}" for a in areas], f"{row['colorfulness'][whose]:.1f}"]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
