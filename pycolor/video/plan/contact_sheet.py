"""A contact sheet of a film's shots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from pycolor.video.io import Reader
from pycolor.video.plan.analysis import FilmAnalysis

COLUMNS = 6
WIDTH = 192  # of a picture, pixels
LABEL = 16
PAPER, INK = (250, 250, 247), (40, 40, 38)


def draw_sheet(source: Path, analysis: FilmAnalysis, path: Path) -> None:
    """Write the middle frame of each shot, with its number, frames and time, as a PNG.

    Args:
        source: the film.
        analysis: of the whole film.
        path: of the picture.

    Raises:
        FilmError: the film cannot be read.
    """
    wanted = {(shot.start + shot.stop) // 2: i for i, shot in enumerate(analysis.shots)}
    rows = -(-len(wanted) // COLUMNS)
    with Reader(source, timeline=analysis.timeline) as reader:
        info = reader.info
        tall, wide = info.upright_size
        shape = tall / (wide * float(info.upright_aspect))
        height = max(1, round(WIDTH * shape))
        columns = min(COLUMNS, len(wanted))
        sheet = Image.new(
            "RGB", (columns * (WIDTH + 8) + 8, rows * (height + LABEL + 8) + 8), PAPER
        )
        pen = ImageDraw.Draw(sheet)
        for n, frame in enumerate(reader):
            if n not in wanted:
                continue
            i = wanted[n]
            shot = analysis.shots[i]
            left, top = 8 + i % COLUMNS * (WIDTH + 8), 8 + i // COLUMNS * (height + LABEL + 8)
            black, white = info.encoding.luma_code_range
            gray = (frame.luma.astype(np.float32) - black) / (white - black)
            gray = np.rot90(gray, info.turns)
            picture = Image.fromarray((gray.clip(0, 1) * 255).astype(np.uint8))
            sheet.paste(picture.resize((WIDTH, height), Image.Resampling.BOX), (left, top))
            kind = f", {shot.opening.kind}" if shot.opening else ""
            label = f"{i + 1}: {shot.start}:{shot.stop}, {float(analysis.starts[i]):.2f} s{kind}"
            pen.text((left, top + height + 2), label, fill=INK)
    sheet.save(path, "PNG")
