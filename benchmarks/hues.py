"""How often sky, plants and skin get a hue of their own kind: a count, and a contact sheet.

python -m benchmarks.hues DATA [--model NAME] [--weights FILE]

DATA holds eval/, color photographs that no training sees.  What is where was marked by hand
(regions.json: a box for each kind in a picture, as shares of its sides: left, top, right, bottom).
A region is judged by the median a and b of its pixels: right if their hue lies in the sector of
its kind and their chroma is not gray.  The truth must pass the same test, or the region is left
out: an evening sky, an overcast one, a face in red light.  Writes docs/results/hues.json,
docs/hues.jpg and the table in docs/models.md.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tyro
from PIL import Image, ImageDraw
from torch import Tensor
from tyro.conf import OmitArgPrefixes, Positional

from benchmarks.page import DOCS, RESULTS, fill_in, table
from pycolor.evaluate.environment import record
from pycolor.evaluate.pairs import Pair
from pycolor.evaluate.reports.sheets import thumbnail
from pycolor.evaluate.stills import gray_of, read_pair
from pycolor.image.guidance.guides import load_picture_predictor
from pycolor.models.predictor import Predictor
from pycolor.ops.reference import rgb_to_lab
from pycolor.options import PredictOptions

REGIONS = Path(__file__).with_name("regions.json")
SHORT_SIDE = 256  # at which pictures are judged

# Hue angles in the ab plane, degrees: cyan to violet, olive to bluish green, red to orange.
SECTORS = {"sky": (190, 310), "vegetation": (85, 165), "skin": (20, 80)}
LEAST_CHROMA = 5.0  # below it a color is taken for gray, as in the training (Zhang et al. 2016)

TILE, COLUMNS, CAPTION = 108, 4, 14
RIGHT, WRONG, LEFT_OUT = "right", "wrong", "left out"
INK = {RIGHT: (0, 110, 40), WRONG: (200, 0, 0), LEFT_OUT: (130, 130, 130)}

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Color:
    """Of a region: hue in degrees, chroma in ab units."""

    hue: float
    chroma: float

    def is_of(self, kind: str) -> bool:
        """Whether a region of this kind may look so."""
        low, high = SECTORS[kind]
        return self.chroma >= LEAST_CHROMA and low <= self.hue <= high


@dataclass(frozen=True)
class Region:
    """A region, as it was colored and as it is."""

    picture: str
    kind: str
    found: Color
    true: Color

    @property
    def verdict(self) -> str:
        if not self.true.is_of(self.kind):
            return LEFT_OUT
        return RIGHT if self.found.is_of(self.kind) else WRONG


def color_of(rgb: Tensor, box: Box) -> Color:
    """The median color of a box of 3×H×W display-encoded RGB."""
    height, width = rgb.shape[1:]
    left, top, right, bottom = box
    rows = slice(round(top * height), round(bottom * height))
    columns = slice(round(left * width), round(right * width))
    a, b = rgb_to_lab(rgb[None, :, rows, columns])[0, 1:].flatten(1).median(dim=1).values.tolist()
    return Color(math.degrees(math.atan2(b, a)) % 360, math.hypot(a, b))


def counts(regions: list[Region]) -> dict[str, dict[str, float]]:
    """Verdicts by kind, and of all."""
    found: dict[str, dict[str, float]] = {}
    for kind in (*SECTORS, "all"):
        own = [r.verdict for r in regions if kind in (r.kind, "all")]
        judged = len(own) - own.count(LEFT_OUT)
        found[kind] = {v: own.count(v) for v in (RIGHT, WRONG, LEFT_OUT)}
        found[kind]["share"] = own.count(RIGHT) / max(1, judged)
    return found


@dataclass(frozen=True)
class Tile:
    """A picture in three views, and what was said of its regions."""

    views: tuple[Image.Image, ...]
    regions: list[Region]


def judged(
    photos: Path, marked: Mapping[str, Mapping[str, Box]], predictor: Predictor
) -> Iterator[Tile]:
    """Every marked picture, colored."""
    for name, boxes in marked.items():
        found, true = read_pair(Pair("picture", photos / name), SHORT_SIDE, predictor)
        regions = [
            Region(name, kind, color_of(found, box), color_of(true, box))
            for kind, box in boxes.items()
        ]
        yield Tile(tuple(thumbnail(view) for view in (gray_of(true), found, true)), regions)


def sheet(tiles: list[Tile]) -> Image.Image:
    """Gray, colored and true of every picture, the verdicts below."""
    row, column = TILE + CAPTION, 3 * TILE + 10
    rows = math.ceil(len(tiles) / COLUMNS)
    page = Image.new("RGB", (COLUMNS * column, rows * row), "white")
    pen = ImageDraw.Draw(page)
    for i, tile in enumerate(tiles):
        left, top = (i % COLUMNS) * column, (i // COLUMNS) * row
        for k, view in enumerate(tile.views):
            small = view.copy()
            small.thumbnail((TILE - 2, TILE - 2), Image.Resampling.LANCZOS)
            page.paste(small, (left + k * TILE, top))
        x = float(left)
        for region in tile.regions:
            text = f"{region.kind} {region.verdict}   "
            pen.text((x, top + TILE), text, INK[region.verdict])
            x += pen.textlength(text)
    return page


@dataclass(frozen=True, kw_only=True)
class Hues:
    """Count right hues.

    Attributes:
        data: a folder that holds eval/.
        predict: the model.
    """

    data: Positional[Path]
    predict: OmitArgPrefixes[PredictOptions] = field(default_factory=PredictOptions)


def main(options: Hues) -> None:
    """Count, print and write."""
    predictor = load_picture_predictor(options.predict)
    marked: dict[str, dict[str, Box]] = json.loads(REGIONS.read_text(encoding="utf-8"))
    tiles = list(judged(options.data / "eval", marked, predictor))
    regions = [region for tile in tiles for region in tile.regions]
    found = counts(regions)
    for kind, verdicts in found.items():
        right, of = verdicts[RIGHT], verdicts[RIGHT] + verdicts[WRONG]
        print(f"{kind}: {right} of {of} ({verdicts['share']:.0%}); {verdicts[LEFT_OUT]} left out")
    told: dict[str, Any] = {
        "record": record(),
        "model": predictor.loaded.card.name,
        "weights": predictor.loaded.sha256[:12],
        "sectors": SECTORS,
        "least_chroma": LEAST_CHROMA,
        "counts": found,
        "regions": [asdict(r) | {"verdict": r.verdict} for r in regions],
    }
    RESULTS.joinpath("hues.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    sheet(tiles).save(DOCS / "hues.jpg", quality=78)
    fill_in("hues", hues_table(told))


def hues_table(told: dict[str, Any]) -> str:
    """For docs/models.md."""
    rows = [
        [kind, *[str(v[key]) for key in (RIGHT, WRONG, LEFT_OUT)], f"{v['share']:.0%}"]
        for kind, v in told["counts"].items()
    ]
    columns = ["region", RIGHT, WRONG, LEFT_OUT, "share that is right"]
    return f"`{told['model']}`, weights {told['weights']}:\n\n" + table(columns, rows)


if __name__ == "__main__":
    main(tyro.cli(Hues, description=(__doc__ or "").partition("\n")[0]))
