"""Pictures from file to file: one, or all of a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from pycolor import ops
from pycolor.errors import FilmError, PycolorError, UsageError
from pycolor.image.files.picture_files import (
    MOST_MEGAPIXELS,
    READABLE,
    SUFFIXES,
    StillImage,
    encoding_of,
    luma_of,
    read_image,
    write_image,
)
from pycolor.image.guidance.given import GivenForPicture, given_for_pictures
from pycolor.image.guidance.guides import load_picture_predictor
from pycolor.image.picture_record import write_picture_record
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions
from pycolor.record import free_sidecar
from pycolor.system.atomic_file import check_output
from pycolor.system.progress import Progress

_NAMED = 6  # skipped files that a note names


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is read and what is written; `skipped` names what of a folder is neither."""

    pairs: list[tuple[Path, Path]]
    skipped: tuple[str, ...] = ()


def color_still(
    image: StillImage,
    predictor: Predictor,
    given: GivenForPicture | None = None,
) -> npt.NDArray[np.generic]:
    """A picture's colors: H×W×3 codes of its own depth, its luma kept."""
    encoding = encoding_of(image)
    luma = torch.from_numpy(np.require(luma_of(image), requirements="W"))[None]
    lightness = predictor.lightness(luma, encoding)
    known = predictor.guidance(lightness)
    grade = None
    if given is not None:
        known = given.over(known, lightness, predictor, luma.shape[-2:])
        grade = given.grade
    field = predictor.field(lightness, guidance=known, grade=grade).cpu()
    return ops.render_rgb(field, luma, encoding=encoding)[0].numpy()


def color_stills(
    source: Path,
    target: Path,
    options: PredictOptions,
    *,
    overwrite: bool = False,
    record: bool = False,
    most_megapixels: float = MOST_MEGAPIXELS,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> list[Path]:
    """Color a picture, or every picture of a folder.

    Args:
        source: a picture file, or a folder of them.
        target: a PNG, TIFF or JPEG file (or a folder to put it into); for a folder, a folder,
            made if missing.  In a folder a picture keeps its name; where pycolor does not write
            its kind, the ending becomes .tif (DPX, OpenEXR) or .png.
        options: see `PredictOptions`.
        overwrite: replace existing files.
        record: write `OUT.json` beside each result, see `picture_record`.
        most_megapixels: a picture of more pixels is refused.
        say: called with each note.
        progress: advanced by each picture.

    Returns:
        The files written.

    Raises:
        UsageError: a name or an option does not fit.
        FilmError: a picture cannot be read or written; of a folder, all others are done first.
    """
    work = _checked_work(source, target, overwrite, record, say)
    if progress is not None:
        progress.total = len(work.pairs)
    # A single picture is opened before the model is loaded: its errors come at once.
    first = read_image(source, most_megapixels=most_megapixels) if not source.is_dir() else None
    predictor = load_picture_predictor(options)
    given = given_for_pictures(options, predictor, [one for one, _ in work.pairs], say)
    for text in predictor.notes:
        say(f"note: {text}")
    failures: list[PycolorError] = []
    for (one, result), known in zip(work.pairs, given, strict=True):
        try:
            image = first or read_image(one, most_megapixels=most_megapixels)
            notes = _color_one(image, result, predictor, known, overwrite=overwrite)
            if record:
                write_picture_record(one, result, predictor, options)
        except PycolorError as error:
            failures.append(error)
            if len(work.pairs) > 1:  # of one picture it is the command's error
                say(f"note: {error}")
        else:
            for text in (*image.info.warnings, *notes):
                say(f"note: {one}: {text}")
        if progress is not None:
            progress.advance()
    _raise_first(failures, len(work.pairs))
    return [result for _, result in work.pairs]


def _raise_first(failures: list[PycolorError], pictures: int) -> None:
    """Raise what went wrong with some of so many pictures, where anything did."""
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise FilmError(
            f"{len(failures)} of {pictures} pictures could not be colored; first: {failures[0]}"
        )


def _color_one(
    image: StillImage,
    result: Path,
    predictor: Predictor,
    given: GivenForPicture | None,
    *,
    overwrite: bool,
) -> tuple[str, ...]:
    """Color a picture and write it; sentences about what its format could not hold."""
    pixels = color_still(image, predictor, given)
    return write_image(
        result,
        pixels,  # type: ignore[arg-type]
        like=image.info,
        alpha=image.alpha,
        overwrite=overwrite,
    )


def _checked_work(
    source: Path, target: Path, overwrite: bool, record: bool, say: Callable[[str], None]
) -> _Work:
    """What is to be done; each result's name is free and of a kind that can be written.

    Raises:
        UsageError: one is not.
    """
    work = _work(source, target)
    for one, result in work.pairs:
        if result.suffix.lower() not in SUFFIXES:
            raise UsageError(
                f"{result.name} names no picture; expected one of {', '.join(SUFFIXES)}."
            )
        if source.is_dir():
            result.parent.mkdir(parents=True, exist_ok=True)
        check_output(result, sources=[one], overwrite=overwrite)
        if record:
            free_sidecar(result)
    if work.skipped:
        named = ", ".join(work.skipped[:_NAMED]) + (", …" if len(work.skipped) > _NAMED else "")
        are = "is no picture" if len(work.skipped) == 1 else "are no pictures"
        say(f"note: {source}: {len(work.skipped)} of its files {are}: {named}")
    return work


def _work(source: Path, target: Path) -> _Work:
    if not source.is_dir():
        return _Work(pairs=[(source, target / written_name(source) if target.is_dir() else target)])
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; expected a folder, as {source} is one.")
    pictures, skipped = [], []
    for path in sorted(source.iterdir()):
        if path.is_dir():
            if not (target.exists() and path.samefile(target)):
                skipped.append(f"{path.name} (a folder)")
        elif path.suffix.lower() in READABLE:
            pictures.append(path)
        elif not path.name.startswith("."):
            skipped.append(path.name)
    if not pictures:
        raise FilmError(f"{source} holds no picture; expected {', '.join(READABLE)} files.")
    pairs: dict[str, tuple[Path, Path]] = {}
    for path in pictures:
        name = written_name(path)
        if name in pairs:
            raise UsageError(
                f"{pairs[name][0].name} and {path.name} would both be written as {name}; expected "
                "names that differ in more than their endings."
            )
        pairs[name] = path, target / name
    return _Work(pairs=list(pairs.values()), skipped=tuple(skipped))


def written_name(path: Path) -> str:
    """The name of a picture's result beside others."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or suffix not in READABLE:
        return path.name
    return f"{path.stem}{'.tif' if suffix in ('.dpx', '.exr') else '.png'}"
