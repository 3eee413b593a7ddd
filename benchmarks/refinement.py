"""How well a small chroma field is brought onto the edges of a frame.

    python -m benchmarks.refinement PHOTOS [--photos 24] [--json FILE] [--picture FILE]

Every photograph is taken apart into luma and chroma; the chroma is made as small as a network
gives it, and brought back by each refinement along the luma, clean and with film grain.  Fields:
the true chroma, averaged over each cell, and what the packaged network predicts.  Measured, in
units of ab and as mean over the photographs:

* edges: distance to the true ab within 3 pixels of its strong edges, luma with grain;
* bleeding: how much of the far side's color is seen 4 pixels from edges that luma and chroma
  share, from 0 (none) to 1 (it is the far side's), luma with grain;
* leak: root mean square of what the grain changes in the chroma, the field being the same.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from benchmarks.kernel_peers import optional
from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.evaluate.environment import record
from pycolor.evaluate.stills import read_rgb
from pycolor.image.files.picture_files import SUFFIXES
from pycolor.models.predictor import Predictor
from pycolor.ops import reference
from pycolor.options import PredictOptions

STILL = Encoding(full_range=True, subsampling="444")
SIDE = 720  # shorter side of larger photographs
GRAIN_CODES, GRAIN_PIXELS = 6.0, 0.7  # standard deviation and size of the grain
STRONG_SHARE, STRONG_AB, STRONG_L = 0.05, 2.0, 2.0  # what a strong edge is; per pixel
NEAR, ACROSS = 3, 4  # pixels
FAR_AB = 15.0  # least distance of the colors on both sides
MEASURES = ("edges", "bleeding", "leak")
FIELDS = ("true", "predicted")

Plane = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Guide:
    """One luma plane as a refinement sees it: 1×1×h×w and 1×1×H×W, L*."""

    low: Tensor
    full: Tensor


Refinement = Callable[[Tensor, Guide], Tensor]


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photograph taken apart.

    Attributes:
        truth: 1×2×H×W, its ab.
        luma: 1×H×W codes.
        clean: guides of the luma.
        grainy: guides of the luma with grain.
        fields: 1×2×h×w by name.
    """

    truth: Tensor
    luma: Tensor
    clean: Guide
    grainy: Guide
    fields: dict[str, Tensor]


# ---- the refinements ---------------------------------------------------------------------------


def bilinear(field: Tensor, guide: Guide) -> Tensor:
    """No refinement."""
    return functional.interpolate(field, size=guide.full.shape[2:], mode="bilinear")


def spline(sigma_range: float, floor: float) -> Refinement:
    """What the renderer does: 3×3 samples."""
    return lambda field, guide: ops.joint_bilateral_upsample(
        field, guide.low, guide.full, sigma_range=sigma_range, floor=floor
    )


def windowed(radius: int, sigma_space: float, sigma_range: float) -> Refinement:
    """Bilinear, then the exact windowed filter at full size."""
    return lambda field, guide: ops.joint_bilateral(
        bilinear(field, guide), guide.full,
        radius=radius, sigma_space=sigma_space, sigma_range=sigma_range,
    )  # fmt: skip


def opencv(filtered: Callable[[Any, Any], Any]) -> Refinement:
    """Bilinear, then a filter of OpenCV: (guide, three channels) → three channels."""

    def refine(field: Tensor, guide: Guide) -> Tensor:
        lab = torch.cat((guide.full, bilinear(field, guide)), 1)[0].permute(1, 2, 0)
        result = filtered(guide.full[0, 0].numpy(), lab.contiguous().numpy())
        return torch.from_numpy(result[..., 1:].copy()).permute(2, 0, 1)[None]

    return refine


def refinements() -> dict[str, Refinement]:
    """By name; the default first."""
    found: dict[str, Refinement] = {"default (σ 6, floor 0.01)": spline(6, 0.01)}
    for sigma in (2, 3, 4, 9, 14):
        found[f"σ {sigma}, floor 0.01"] = spline(sigma, 0.01)
    for floor in (1e-4, 1e-3, 0.03, 0.1):
        found[f"σ 6, floor {floor:g}"] = spline(6, floor)
    for sigma, floor in ((7, 1e-3), (7, 1e-4), (8, 1e-4)):
        found[f"σ {sigma}, floor {floor:g}"] = spline(sigma, floor)
    found["no range weights (σ ∞)"] = spline(math.inf, 0.01)
    found["bilinear"] = bilinear
    found["windowed, d 9, σ 3, 6 (paper)"] = windowed(4, 3, 6)
    found["windowed, d 33, σ 8, 6"] = windowed(16, 8, 6)
    cv2 = optional("cv2")
    if hasattr(cv2, "ximgproc"):
        joint, guided = cv2.ximgproc.jointBilateralFilter, cv2.ximgproc.guidedFilter
        found["OpenCV joint bilateral, d 9"] = opencv(lambda y, x: joint(y, x, 9, 6, 3))
        found["OpenCV guided, r 8, ε 10"] = opencv(lambda y, x: guided(y, x, 8, 10.0))
        found["OpenCV guided, r 16, ε 10"] = opencv(lambda y, x: guided(y, x, 16, 10.0))
    return found


# ---- the photographs ---------------------------------------------------------------------------


def guide_of(luma: Tensor, low: tuple[int, int]) -> Guide:
    return Guide(
        low=ops.mean_lightness(luma, low, encoding=STILL),
        full=ops.luma_to_lightness(luma, encoding=STILL)[:, None],
    )


def with_grain(luma: Tensor) -> Tensor:
    noise = ndimage.gaussian_filter(
        np.random.default_rng(0).standard_normal(luma.shape), (0, GRAIN_PIXELS, GRAIN_PIXELS)
    )
    codes = luma.double() + torch.from_numpy(noise * (GRAIN_CODES / noise.std()))
    return codes.round().clamp(0, 255).to(torch.uint8)


def load(path: Path, predictor: Predictor) -> Photo:
    pixels = read_rgb(path, SIDE)
    rgb = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].double() / 255
    y = (reference.rgb_to_ycbcr(rgb)[:, 0] * 255).round().to(torch.uint8)
    truth = ops.rgb_to_lab(rgb.float())[:, 1:].contiguous()
    grainy = with_grain(y)
    predicted = predictor.predict(grainy, STILL)
    low = (predicted.shape[2], predicted.shape[3])
    return Photo(
        truth=truth, luma=y, clean=guide_of(y, low), grainy=guide_of(grainy, low),
        fields={"true": functional.adaptive_avg_pool2d(truth, low), "predicted": predicted},
    )  # fmt: skip


def chosen(folder: Path, most: int) -> list[Path]:
    """Photographs spread evenly over a folder's names."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES)
    return [paths[i] for i in sorted({round(x) for x in np.linspace(0, len(paths) - 1, most)})]


# ---- the measures ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Edges:
    """Where a photograph's chroma has strong edges.

    Attributes:
        near: H×W, whether a pixel lies within `NEAR` pixels of one.
        here: 2×K, rows and columns of pixels beside an edge that the luma has too.
        there: 2×K, the pixels across the edge.
    """

    near: Tensor
    here: Tensor
    there: Tensor


def edges_of(truth: Tensor, lightness: Tensor) -> Edges:
    """Edges of the true ab (1×2×H×W), and those the lightness (1×1×H×W) shares."""
    a, b, light = (p.double().numpy() for p in (truth[0, 0], truth[0, 1], lightness[0, 0]))
    slopes = [ndimage.gaussian_gradient_magnitude(p, 1.5) for p in (a, b)]
    slope = np.hypot(*slopes)
    strong = slope > max(STRONG_AB, float(np.quantile(slope, 1 - STRONG_SHARE)))
    near = ndimage.distance_transform_edt(~strong) <= NEAR
    dy, dx = (ndimage.gaussian_filter(light, 1.5, order=o) for o in ((1, 0), (0, 1)))
    rise = np.hypot(dy, dx)
    rows, columns = np.nonzero(strong & (rise > STRONG_L))
    step = np.stack((dy, dx))[:, rows, columns] / rise[rows, columns] * ACROSS
    up = np.rint(np.stack((rows, columns)) + step).astype(np.int64)
    down = np.rint(np.stack((rows, columns)) - step).astype(np.int64)
    here, there = (torch.from_numpy(np.concatenate(p, 1)) for p in ((up, down), (down, up)))
    limits = torch.tensor(light.shape)[:, None]
    inside = ((here >= 0) & (here < limits) & (there >= 0) & (there < limits)).all(0)
    here, there = here[:, inside], there[:, inside]
    apart = (at(truth, here) - at(truth, there)).norm(dim=0) >= FAR_AB
    near_too = torch.from_numpy(near if near.any() else np.ones_like(near))
    return Edges(near=near_too, here=here[:, apart], there=there[:, apart])


def at(ab: Tensor, places: Tensor) -> Tensor:
    """2×K: ab (1×2×H×W) at the places (2×K)."""
    return ab[0][:, places[0], places[1]]


def edge_error(ab: Tensor, truth: Tensor, edges: Edges) -> float:
    return float((ab - truth).norm(dim=1)[0][edges.near].mean())


def bleeding(ab: Tensor, truth: Tensor, edges: Edges) -> float:
    """Share of the far side's color, NaN where the photograph has no such edge."""
    own, far = at(truth, edges.here), at(truth, edges.there)
    way = far - own
    share = ((at(ab, edges.here) - own) * way).sum(0) / way.square().sum(0)
    return float(share.clamp(0, 1).mean())


def leak(ab: Tensor, clean: Tensor) -> float:
    return float((ab - clean).square().sum(1).mean().sqrt())


def measured(photo: Photo, edges: Edges, refine: Refinement) -> dict[str, dict[str, float]]:
    """The measures for each field."""
    result = {}
    for name, field in photo.fields.items():
        ab, clean = refine(field, photo.grainy), refine(field, photo.clean)
        values = (edge_error(ab, photo.truth, edges), bleeding(ab, photo.truth, edges),
                  leak(ab, clean))  # fmt: skip
        result[name] = dict(zip(MEASURES, values, strict=True))
    return result


def means(rows: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {f: {m: float(np.nanmean([r[f][m] for r in rows])) for m in MEASURES} for f in FIELDS}


# ---- table and picture -------------------------------------------------------------------------


def show(
    results: dict[str, dict[str, dict[str, float]]], photographs: int, console: Console
) -> None:
    table = Table(title=f"means over {photographs} photographs by field; less is better")
    table.add_column("", no_wrap=True)
    for name in FIELDS:
        for measure in MEASURES:
            table.add_column(f"{measure}, {name}", justify="right")
    for name, values in results.items():
        table.add_row(name, *(f"{values[f][m]:.3f}" for f in FIELDS for m in MEASURES))
    console.print(table)


SHOWN = {
    "bilinear": "bilinear",
    "default (σ 6, floor 0.01)": "default",
    "windowed, d 9, σ 3, 6 (paper)": "windowed, d 9",
    "OpenCV guided, r 8, ε 10": "OpenCV guided",
}
CROP, ZOOM, LINE = 96, 2, 16


def rgb_of(photo: Photo, ab: Tensor) -> Tensor:
    """H×W×3 in 0…255: that chroma at the photograph's own luma."""
    y = photo.luma[:, None].float() / 255
    ycbcr = ops.yab_to_ycbcr(torch.cat((y, ab), 1))
    rgb = reference.ycbcr_to_rgb(ycbcr)[0].permute(1, 2, 0)
    return (rgb.clamp(0, 1) * 255).round().to(torch.uint8)


def worst_corner(photo: Photo, edges: Edges) -> tuple[int, int]:
    """Where the crop begins in which no refinement does the most harm beside shared edges."""
    error = (bilinear(photo.fields["true"], photo.clean) - photo.truth).norm(dim=1)[0]
    shared = torch.zeros_like(error)
    shared[edges.here[0], edges.here[1]] = error[edges.here[0], edges.here[1]]
    sums = functional.avg_pool2d(shared[None, None], CROP, stride=8)[0, 0]
    best = int(sums.argmax())
    return best // sums.shape[1] * 8, best % sums.shape[1] * 8


def crops(photo: Photo, edges: Edges, methods: dict[str, Refinement]) -> list[Tensor]:
    """The same crop after each of `SHOWN`, of the field of true chroma, and the photograph's."""
    top, left = worst_corner(photo, edges)
    shown = [m(photo.fields["true"], photo.grainy) for n, m in methods.items() if n in SHOWN]
    return [rgb_of(photo, ab)[top : top + CROP, left : left + CROP] for ab in (*shown, photo.truth)]


def picture(rows: list[list[Tensor]], names: list[str]) -> Image.Image:
    """Rows of crops under the names of their columns."""
    side = CROP * ZOOM
    sheet = Image.new("RGB", (len(names) * (side + 4) - 4, LINE + len(rows) * (side + 4)), "white")
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(names):
        draw.text((column * (side + 4) + 2, 2), name, fill="black")
        for row, parts in enumerate(rows):
            crop = Image.fromarray(parts[column].numpy()).resize(
                (side, side), Image.Resampling.BICUBIC
            )
            sheet.paste(crop, (column * (side + 4), LINE + row * (side + 4)))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--picture", type=Path, help="where to write crops side by side")
    options = parser.parse_args()
    torch.set_grad_enabled(False)
    predictor, methods = Predictor(PredictOptions()), refinements()
    rows: dict[str, list[dict[str, dict[str, float]]]] = {name: [] for name in methods}
    sheet: list[tuple[float, list[Tensor]]] = []
    paths = chosen(options.folder, options.photos)
    for path in paths:
        photo = load(path, predictor)
        edges = edges_of(photo.truth, photo.clean.full)
        for name, refine in methods.items():
            rows[name].append(measured(photo, edges, refine))
        if options.picture and edges.here.shape[1]:
            sheet.append((rows["bilinear"][-1]["true"]["edges"], crops(photo, edges, methods)))
    results = {name: means(found) for name, found in rows.items()}
    show(results, len(paths), Console(width=150))
    if options.picture:
        sheet.sort(key=lambda pair: -pair[0])
        names = [SHOWN[n] for n in methods if n in SHOWN]
        picture([c for _, c in sheet[:4]], [*names, "photograph"]).save(
            options.picture, quality=88, optimize=True
        )
    if options.json:
        told = {"record": record(), "photographs": [p.name for p in paths], "means": results}
        options.json.write_text(
            json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        )


if __name__ == "__main__":
    main()
