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

from benchmarks.quality import Quality, measure
from pycolor.info import record
from pycolor.models import zoo
from pycolor.options import Decode, PredictOptions, VideoOptions
from pycolor.video.pipeline import color_film

DOCS = Path(__file__).resolve().parents[1] / "docs"
FRAMES, SHOWN = "0:30", 15  # of each film: colored, and the one that is shown
TILE = (300, 225)
DECODES: tuple[Decode, ...] = ("mean", "annealed", "mode")


def row(name: str, predict: PredictOptions, photos: Path) -> dict[str, object]:
    """One model's figures."""
    found = measure(Quality(photos=photos, predict=predict))
    print(name, json.dumps(found), file=sys.stderr, flush=True)
    return {"name": name, **found}


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


def write_table(name: str, lines: list[str]) -> None:
    """Put a table in the place of the one of that name in docs/models.md."""
    page = DOCS / "models.md"
    text = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(head + begin + "\n".join(lines) + "\n" + end + tail, encoding="utf-8")


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
    (DOCS / "results" / "models.json").write_text(json.dumps(facts, indent=1))
    lines = [
        "| model | ab AuC | every bin alike | colorfulness |",
        "| --- | ---: | ---: | ---: |",
        f"| gray | {rows[0]['auc_of_gray']:.4f} | {rows[0]['balanced_auc_of_gray']:.4f} | 0 |",
    ]
    for r in rows:
        lines.append(
            f"| {r['name']} | {r['auc']:.4f} | {r['balanced_auc']:.4f} | {r['colorfulness']:.1f} |"
        )
    lines.append(f"| truth | 1 | 1 | {rows[0]['colorfulness_of_truth']:.1f} |")
    write_table("table", lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
