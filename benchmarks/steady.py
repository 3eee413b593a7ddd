"""How steady is color with `--propagation off`, `fast` and `best`, where true color is known?

python -m benchmarks.steady FILM... [--short-side 240] [--json steady.json]

Each film is colored from its luma alone and compared with itself: consistency of the chroma's
distribution (CDC), squared change along the motion (warp error, of ab), mean change along the
motion (flicker), strength of the chroma, and PSNR of ab.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import torch
import tyro
from rich.console import Console
from rich.table import Table
from torch import Tensor
from tyro.conf import Positional, arg

from pycolor.evaluate import metrics
from pycolor.evaluate.frames import picture_of
from pycolor.evaluate.metrics.video import Consistency, chroma_codes
from pycolor.evaluate.stills import judged_size
from pycolor.options import PredictOptions, PropagationOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.job.film import color_film
from pycolor.video.plan.analysis import analyze_film

MODES: tuple[Literal["off", "fast", "best"], ...] = ("off", "fast", "best")


@dataclass(frozen=True, kw_only=True)
class Steady:
    """Compare the three modes.

    Attributes:
        films: with color.
        short_side: at which they are judged, pixels.
        json: file to write.
        predict: the model.
    """

    films: Annotated[Positional[tuple[Path, ...]], arg(metavar="FILM ...")]
    short_side: int = 240
    json: Path | None = None
    predict: PredictOptions = field(default_factory=PredictOptions)


class Tally:
    """Sums over the frames of one film."""

    def __init__(self) -> None:
        self.cdc: list[float] = []
        self.warp: list[float] = []
        self.flicker: list[float] = []
        self.strength: list[float] = []
        self.error: list[float] = []
        self.clip = Consistency()

    def cut(self) -> None:
        """A shot is over."""
        if self.clip.frames > 4:
            self.cdc.append(float(self.clip.value().mean()))
        self.clip = Consistency()

    def figures(self) -> dict[str, float]:
        means = {
            "cdc": self.cdc, "warp": self.warp, "flicker": self.flicker, "strength": self.strength
        }  # fmt: skip
        found = {name: sum(v) / max(1, len(v)) for name, v in means.items()}
        mean_error = sum(self.error) / len(self.error)
        found["psnr"] = -10 * math.log10(max(mean_error, 1e-9) / 255**2)
        return found


def side_by_side(films: list[Path], short_side: int) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Luma of the first film, and the ab of all of them, frame by frame."""
    with ExitStack() as stack:
        readers = [stack.enter_context(Reader(film)) for film in films]
        info = readers[0].info
        size = judged_size(*info.upright_size, short_side)
        for frames in zip(*readers, strict=True):
            pictures = [
                picture_of(frame, reader.info, size)
                for frame, reader in zip(frames, readers, strict=True)
            ]
            yield pictures[0].luma, [p.ab for p in pictures]


def measure(film: Path, options: Steady, folder: Path) -> dict[str, dict[str, float]]:
    """The figures of a film: of the truth, and of each mode."""
    colored = []
    for mode in MODES:
        target = folder / f"{film.stem}-{mode}.mkv"
        chosen = VideoOptions(
            overwrite=True,
            color_shots="recolor",
            predict=options.predict,
            propagation=PropagationOptions(mode=mode),
        )
        color_film(film, target, chosen)
        colored.append(target)
    starts = {shot.start for shot in analyze_film(film).shots}
    names = ("truth", *MODES)
    tallies = {name: Tally() for name in names}
    before: tuple[Tensor, list[Tensor]] | None = None
    for n, (luma, chroma) in enumerate(side_by_side([film, *colored], options.short_side)):
        if n in starts:
            before = None
            for tally in tallies.values():
                tally.cut()
        moved = None if before is None else metrics.motion(torch.stack([before[0], luma]))
        for i, (name, ab) in enumerate(zip(names, chroma, strict=True)):
            tally = tallies[name]
            tally.clip.add(chroma_codes(ab))
            tally.strength.append(float(ab.norm(dim=0).mean()))
            tally.error.append(float(((ab - chroma[0]) ** 2).mean()))
            if moved is not None and before is not None:
                pair = torch.stack([before[1][i], ab])
                tally.warp.append(float(metrics.warp_error(pair, moved)))
                tally.flicker.append(float(metrics.chroma_flicker(pair, moved)))
        before = luma, chroma
    for tally in tallies.values():
        tally.cut()
    return {name: tally.figures() for name, tally in tallies.items()}


def main() -> None:
    options = tyro.cli(Steady)
    found: dict[str, dict[str, dict[str, float]]] = {}
    with TemporaryDirectory() as folder:
        for film in options.films:
            found[film.name] = measure(film, options, Path(folder))
            print(film.name, json.dumps(found[film.name]), file=sys.stderr, flush=True)
    table = Table(title="color over time; in brackets, against coloring each frame by itself")
    for column in ("film", "color", "CDC ×1000", "warp, ab²", "flicker, ab", "strength", "PSNR"):
        table.add_column(column, justify="left" if column in ("film", "color") else "right")
    for film_name, rows in found.items():
        off = rows["off"]
        for name, row in rows.items():
            share = {k: row[k] / off[k] if off[k] else math.nan for k in row}
            table.add_row(
                film_name if name == "truth" else "",
                name,
                f"{1000 * row['cdc']:.2f} ({share['cdc']:.2f})",
                f"{row['warp']:.2f} ({share['warp']:.2f})",
                f"{row['flicker']:.2f} ({share['flicker']:.2f})",
                f"{row['strength']:.1f} ({share['strength']:.3f})",
                "" if name == "truth" else f"{row['psnr']:.2f} ({row['psnr'] - off['psnr']:+.2f})",
            )
    Console(width=110).print(table)
    for mode in MODES[1:]:
        parts = []
        for key in ("cdc", "warp", "flicker", "strength"):
            ratios = [rows[mode][key] / rows["off"][key] for rows in found.values()]
            parts.append(f"{key} {sum(ratios) / len(ratios):.3f}")
        gains = [rows[mode]["psnr"] - rows["off"]["psnr"] for rows in found.values()]
        print(f"{mode}, mean of ratios: {', '.join(parts)}, psnr {sum(gains) / len(gains):+.3f} dB")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1, allow_nan=False))


if __name__ == "__main__":
    main()
