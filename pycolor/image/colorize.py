"""Pictures from file to file: one, or all of a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pycolor import ops
from pycolor.errors import FilmError, PycolorError, UsageError
from pycolor.image.guides import load_predictor
from pycolor.image.picture_files import (
    SUFFIXES,
    StillImage,
    encoding_of,
    luma_of,
    read_image,
    write_image,
)
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions
from pycolor.system.atomic_file import check_output
from pycolor.system.progress import Progress


def color_still(image: StillImage, predictor: Predictor) -> npt.NDArray[np.generic]:
    """A picture's colors: H×W×3 codes of its own depth, its luma kept."""
    encoding = encoding_of(image)
    luma = torch.from_numpy(np.require(luma_of(image), requirements="W"))[None]
    field = predictor.predict(luma, encoding).cpu()
    return ops.render_rgb(field, luma, encoding=encoding)[0].numpy()


def color_stills(
    source: Path,
    target: Path,
    options: PredictOptions,
    *,
    overwrite: bool = False,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> list[Path]:
    """Color a picture, or every picture of a folder.

    Args:
        source: a PNG, TIFF or JPEG file, or a folder of them.
        target: a file (or a folder to put it into); for a folder, a folder, made if missing.
        options: see `PredictOptions`.
        overwrite: replace existing files.
        say: called with each note.
        progress: advanced by each picture.

    Returns:
        The files written.

    Raises:
        UsageError: a name or an option does not fit.
        FilmError: a picture cannot be read or written; of a folder, all others are done first.
    """
    pairs = _pairs(source, target)
    for one, result in pairs:
        if result.suffix.lower() not in SUFFIXES:
            raise UsageError(
                f"{result.name} names no picture; expected one of {', '.join(SUFFIXES)}."
            )
        if source.is_dir():
            result.parent.mkdir(parents=True, exist_ok=True)
        check_output(result, sources=[one], overwrite=overwrite)
    if progress is not None:
        progress.total = len(pairs)
    # A single picture is opened before the model is loaded: its errors come at once.
    first = read_image(source) if not source.is_dir() else None
    predictor = load_predictor(options)
    for text in predictor.notes:
        say(f"note: {text}")
    failures: list[PycolorError] = []
    for one, result in pairs:
        try:
            image = first or read_image(one)
            pixels = color_still(image, predictor)
            notes = write_image(
                result,
                pixels,  # type: ignore[arg-type]
                like=image.info,
                alpha=image.alpha,
                overwrite=overwrite,
            )
        except PycolorError as error:
            failures.append(error)
            say(f"note: {error}")
        else:
            for text in (*image.info.warnings, *notes):
                say(f"note: {one}: {text}")
        if progress is not None:
            progress.advance()
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise FilmError(
            f"{len(failures)} of {len(pairs)} pictures could not be colored; first: {failures[0]}"
        )
    return [result for _, result in pairs]


def _pairs(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """What is read and what is written."""
    if not source.is_dir():
        return [(source, target / source.name if target.is_dir() else target)]
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; expected a folder, as {source} is one.")
    pictures = sorted(p for p in source.iterdir() if p.suffix.lower() in SUFFIXES)
    if not pictures:
        raise FilmError(f"{source} holds no picture; expected {', '.join(SUFFIXES)} files.")
    return [(p, target / p.name) for p in pictures]
