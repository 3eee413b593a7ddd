"""What guidance gains: clips led by true stills, photographs by their halves and by points.

    python -m benchmarks.guidance DATA [--parts clips photographs points unrelated] [--json FILE]

DATA holds video/colour (color films) and eval/ (color photographs).  Constants of the matching and
its gate were chosen on training photographs and on the films of FITTED; the other films, and all
photographs of eval/, were not looked at for that.  Films go through `pycolor video` whole: greyed,
led by true frames as stills, read back; photographs and points through the library.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import av
import numpy as np
import torch
import torch.nn.functional as F
import tyro
from PIL import Image
from torch import Tensor
from tyro.conf import Positional, arg

from benchmarks.classics import levin
from pycolor import ops
from pycolor.evaluate import metrics
from pycolor.evaluate.films import frame_pairs
from pycolor.evaluate.pairs import items
from pycolor.evaluate.stills import read_rgb
from pycolor.image.guidance.guides import alike, load_predictor, marked
from pycolor.models.guidance.marks import Mark
from pycolor.models.predictor import Predictor
from pycolor.ops import reference
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.job.film import color_film
from pycolor.video.plan.analysis import analyze_film

FITTED = ("sav_dog_audio", "mdn_flower_audio", "carphone_qcif")
EVERY, LOOKED_AT = 48, 6  # frames between stills; of so many frames one is measured
POINTS, POINT_RADIUS = 10, 3  # 7×7 pixels
SIDE = 256

Row = dict[str, Any]
Part = Callable[["Options"], list[Row]]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Measure what guidance gains.

    Attributes:
        data: folder of video/colour and eval.
        parts: of the measurement.
        photographs: how many of eval/, evenly spread.
        films: names without their ending; none: all.
        json: file for the rows.
    """

    data: Annotated[Positional[Path], arg(metavar="DATA")]
    parts: tuple[str, ...] = ("clips", "photographs", "unrelated", "points")
    photographs: int = 34
    films: tuple[str, ...] = ()
    json: Path | None = None


# ---- films -------------------------------------------------------------------------------------


def clips(options: Options) -> list[Row]:
    """Each film: automatic, the true first frame of each shot given, one in 48 frames given."""
    rows: list[Row] = []
    folder = options.data / "video" / "colour"
    paths = sorted(folder.glob("*.mp4"), key=lambda p: (p.stem in FITTED, p.stem))
    for path in paths:
        if options.films and path.stem not in options.films:
            continue
        with TemporaryDirectory(prefix="pycolor-") as scratch:
            rows += _clip(path, Path(scratch))
            print(*rows[-3:], sep="\n", flush=True)
    return rows


def _clip(path: Path, folder: Path) -> list[Row]:
    gray = folder / "gray.mkv"
    write_gray(path, gray)
    shots = analyze_film(gray).shots
    firsts = [shot.start for shot in shots]
    often = [n for shot in shots for n in range(shot.start, shot.stop, EVERY)]
    rows: list[Row] = []
    for name, frames in (("automatic", []), ("first", firsts), ("every 48", often)):
        options = PredictOptions(reference=write_true_stills(path, frames, folder))
        target = folder / f"{name.split()[0]}.mkv"
        began = time.perf_counter()
        color_film(gray, target, VideoOptions(predict=options, overwrite=True))
        seconds = time.perf_counter() - began
        rows.append(
            {
                "film": path.stem,
                "half": "fitted" if path.stem in FITTED else "reported",
                "stills": name,
                **errors(path, target, set(frames)),
                "seconds": round(seconds, 2),
            }
        )
        rows[-1]["relative"] = rows[-1]["ab"] / rows[0]["ab"]
    return rows


def write_gray(path: Path, target: Path) -> None:
    """The luma of a film of 8 bits, lossless, its encoding kept."""
    with av.open(str(path)) as source, av.open(str(target), "w") as sink:
        video = source.streams.video[0]
        rate = video.average_rate or Fraction(24)
        stream: Any = sink.add_stream("ffv1", rate=rate)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        for n, frame in enumerate(source.decode(video)):
            planes = frame.to_ndarray(format="yuv420p")
            planes[frame.height :] = 128
            plain = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            plain.pts, plain.time_base = n, 1 / rate
            plain.colorspace, plain.color_range = frame.colorspace, frame.color_range
            sink.mux(stream.encode(plain))
        sink.mux(stream.encode(None))


def write_true_stills(path: Path, frames: Sequence[int], folder: Path) -> tuple[Path, ...]:
    """True frames as `--reference` takes them."""
    named = []
    with av.open(str(path)) as source:
        for n, frame in enumerate(source.decode(video=0)):
            if n in frames:
                still = folder / f"still_{n:06d}.png"
                Image.fromarray(frame.to_ndarray(format="rgb24")).save(still)
                named.append(Path(f"{n}={still}"))
    return tuple(named)


def errors(true: Path, found: Path, given: set[int]) -> Row:
    """Mean ab error, and CIEDE2000 of pixels, mean and 90th percentile; given frames apart."""
    ab, delta = [], []
    for pair in frame_pairs(true, found, SIDE):
        if pair.index % LOOKED_AT or pair.index in given:
            continue
        ab.append(float(metrics.ab_error(pair.found.ab[None], pair.true.ab[None]).mean()))
        lab = [reference.rgb_to_lab(p.shown.double())[None] for p in (pair.found, pair.true)]
        delta.append(pixel_ciede2000(*lab)[::7])
    every = np.concatenate(delta)
    return {
        "ab": float(np.mean(ab)),
        "ciede2000": float(every.mean()),
        "p90": float(np.quantile(every, 0.9)),
    }


def pixel_ciede2000(a: Tensor, b: Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Of each pixel of 1×3×H×W Lab."""
    from skimage import color

    first, second = (x[0].movedim(0, -1).numpy() for x in (a, b))
    return np.asarray(color.deltaE_ciede2000(first, second), np.float64).ravel()


# ---- photographs -------------------------------------------------------------------------------


def photographs(options: Options) -> list[Row]:
    """The left half of each leads the right."""
    predictor = load_predictor(PredictOptions())
    rows = []
    for path, rgb in _photos(options):
        half = rgb.shape[2] // 2
        rows.append({"photograph": path.stem, **_led(predictor, rgb[..., half:], rgb[..., :half])})
    return rows


def unrelated(options: Options) -> list[Row]:
    """Another photograph leads; and a frame of another film."""
    predictor = load_predictor(PredictOptions())
    photos = _photos(options)
    rows = [
        {"target": path.stem, **_led(predictor, rgb, photos[(i + 1) % len(photos)][1])}
        for i, (path, rgb) in enumerate(photos)
    ]
    films = [_frame(p, 20) for p in sorted((options.data / "video" / "colour").glob("[!c]*.mp4"))]
    for i, rgb in enumerate(films):
        for other in (1, 2):
            led = _led(predictor, rgb, films[(i + other) % len(films)])
            rows.append({"target": f"film {i}, {other}", **led})
    return rows


def points(options: Options) -> list[Row]:
    """Ten random true points of 7×7 pixels: ours, automatic, and Levin et al. with the same."""
    predictor = load_predictor(PredictOptions())
    rows = []
    for i, (path, rgb) in enumerate(_photos(options)):
        random = np.random.default_rng(i)
        h, w = rgb.shape[1:]
        lab = ops.rgb_to_lab(rgb[None].contiguous())
        places = [
            (int(random.integers(3, h - 3)), int(random.integers(3, w - 3))) for _ in range(POINTS)
        ]
        boxes = [(slice(y - 3, y + 4), slice(x - 3, x + 4)) for y, x in places]
        means = [
            lab[0, :, by, bx].mean((1, 2)).clamp(min=torch.tensor([0.0, -128, -128])).tolist()
            for by, bx in boxes
        ]
        marks = [
            Mark(frame=0, at=(x + 0.5, y + 0.5), radius=POINT_RADIUS + 0.5, color=tuple(mean))
            for (y, x), mean in zip(places, means, strict=True)
        ]
        light = _lightness(predictor, rgb)
        known = marked(marks, (h, w), light, predictor, path.name)
        truth = lab[:, 1:]
        rows.append(
            {
                "photograph": path.stem,
                "automatic": _psnr(predictor.field(light), truth),
                "guided": _psnr(predictor.field(light, guidance=known), truth),
                "levin": _psnr(_levin(rgb, boxes), truth),
            }
        )
    return rows


def _levin(rgb: Tensor, boxes: Sequence[tuple[slice, slice]]) -> Tensor:
    ycbcr = reference.rgb_to_ycbcr(rgb.double(), matrix="bt601")
    given = np.zeros(tuple(rgb.shape[1:]), bool)
    for box in boxes:
        given[box] = True
    chroma = levin(ycbcr[0].numpy(), ycbcr[1:].movedim(0, -1).numpy(), given)
    colored = torch.cat([ycbcr[:1], torch.from_numpy(chroma).movedim(-1, 0)])
    shown = reference.ycbcr_to_rgb(colored, matrix="bt601").clamp(0, 1)
    return reference.rgb_to_lab(shown)[None, 1:].float()


def _photos(options: Options) -> list[tuple[Path, Tensor]]:
    paths = items(options.data / "eval")
    last = len(paths) - 1
    chosen = [paths[round(i)] for i in np.linspace(0, last, options.photographs)]
    return [
        (path, torch.from_numpy(read_rgb(path, SIDE).copy()).movedim(-1, 0) / 255)
        for path in chosen
    ]


def _frame(path: Path, n: int) -> Tensor:
    with av.open(str(path)) as source:
        for i, frame in enumerate(source.decode(video=0)):
            if i == n:
                return torch.from_numpy(frame.to_ndarray(format="rgb24")).movedim(-1, 0) / 255
    raise ValueError(f"{path} has no frame {n}")


def _lightness(predictor: Predictor, rgb: Tensor) -> Tensor:
    return predictor.lab_of(rgb)[:, :1].contiguous()


def _led(predictor: Predictor, rgb: Tensor, by: Tensor) -> Row:
    """Mean ab error at the field's size, automatic and led."""
    light = _lightness(predictor, rgb)
    predictor.lead_by([])
    automatic = predictor.field(light)
    predictor.lead_by([alike(by, predictor)])
    led = predictor.field(light)
    truth = F.interpolate(predictor.lab_of(rgb)[:, 1:].cpu(), led.shape[2:], mode="area")
    errors = [float((f.cpu() - truth).norm(dim=1).mean()) for f in (automatic, led)]
    return {"automatic": errors[0], "led": errors[1], "relative": errors[1] / errors[0]}


def _psnr(field: Tensor, truth: Tensor) -> float:
    large = F.interpolate(field.cpu(), truth.shape[2:], mode="bilinear", align_corners=False)
    return float(metrics.ab_psnr(large.double(), truth.double()))


# ---- the table ---------------------------------------------------------------------------------

PARTS: dict[str, Part] = {
    "clips": clips,
    "photographs": photographs,
    "unrelated": unrelated,
    "points": points,
}


def summary(part: str, rows: Sequence[Row]) -> Row:
    """Means of what a part measured."""

    def mean(key: str, chosen: Sequence[Row]) -> float:
        return round(float(np.mean([row[key] for row in chosen])), 3)

    if part == "clips":
        return {
            f"{half}, {stills}": {
                key: mean(key, chosen) for key in ("relative", "ab", "ciede2000", "p90", "seconds")
            }
            for half in ("reported", "fitted")
            for stills in ("automatic", "first", "every 48")
            if (chosen := [r for r in rows if (r["half"], r["stills"]) == (half, stills)])
        }
    numbers = [key for key, value in rows[0].items() if isinstance(value, float)]
    out: Row = {key: mean(key, rows) for key in numbers}
    if "relative" in out:
        out["worse by more than 3 %"] = sum(row["relative"] > 1.03 for row in rows)
    return {"pictures": len(rows), **out}


def main() -> None:
    options = tyro.cli(Options)
    found: dict[str, Any] = {}
    for part in options.parts:
        rows = PARTS[part](options)
        found[part] = {"summary": summary(part, rows), "rows": rows}
        print(part, json.dumps(found[part]["summary"], indent=1), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
