"""Compares two films: is the luma the same, and is everything else still there?"""

from __future__ import annotations

import filecmp
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

from pycolor.encoding import TagOverride
from pycolor.errors import counted
from pycolor.video.io import Reader
from pycolor.video.io.containers.sequence import pictures_of
from pycolor.video.io.containers.spec import spec_of, spec_of_suffix
from pycolor.video.io.write.timing.muxing import beginning
from pycolor.video.verify.marks import marks
from pycolor.video.verify.pictures import Pictures
from pycolor.video.verify.report import Check, State, VerifyReport
from pycolor.video.verify.streams import Comparison
from pycolor.video.verify.tags import chapters, film_tags

__all__ = ["Check", "VerifyReport", "verify"]

LOSSLESS_CODECS = (
    "ffv1",
    "ffvhuff",
    "huffyuv",
    "utvideo",
    "magicyuv",
    "v210",
    "v410",
    "rawvideo",
    "png",
    "tiff",
    "dpx",
)


def verify(
    source: str | Path,
    result: str | Path,
    *,
    frames: slice | tuple[int, int | None] | None = None,
    rate: Fraction | None = None,
    lossless: bool | None = None,
    override: TagOverride | None = None,
) -> VerifyReport:
    """Compare a colored film with its source; both are read once, frame by frame.

    Whatever the source has must be in the result: luma, times, every packet of every other
    stream, attachments, chapters, tags, languages, flags and the marks of the picture.  What the
    result has besides is its own affair.  What the result's format cannot hold, and the Writer
    therefore announced, is a note.

    Args:
        source: the film that was colored.
        result: what came of it.
        frames: the range of the source that was colored, None for all.
        rate: frames per second of a source that does not state it, see `Reader`.
        lossless: demand equal luma; None demands it of codecs that are lossless by nature.
        override: tags in place of the source's own, see `Reader`.

    Raises:
        FilmError: if one of them cannot be read.
    """
    with Reader(source, frames=frames, rate=rate, override=override) as before:
        matrix = before.info.encoding.matrix
        # Numbered pictures are shown as the source is.
        shown = before.info.rate if pictures_of(Path(result)) else None
        with Reader(result, rate=shown, rgb_matrix=matrix) as after:
            return _compare(before, after, lossless)


def _compare(before: Reader, after: Reader, lossless: bool | None) -> VerifyReport:
    container = container_name(after)
    shift = beginning(before, container) - after.origin
    demanded = after.info.codec in LOSSLESS_CODECS if lossless is None else lossless
    pictures = Pictures(before, after, shift=shift, has_times=not spec_of(container).fixed_rate)
    for pair in zip_longest(before, after):
        pictures.add(*pair)
    checks = [
        *pictures.checks(demanded=demanded),
        *marks(before, after.info, container),
        *Comparison(before, after, container, shift=shift).checks(),
        *chapters(before, after.info, container, shift=shift),
        *film_tags(before.info, after.info, container),
    ]
    checks += [*_color(before, after), *_damage(before, after)]
    return VerifyReport(
        source=str(before.path),
        result=str(after.path),
        frames=pictures.pairs,
        identical_frames=pictures.identical,
        luma_digest=pictures.digest.hexdigest(),
        mean_psnr_db=pictures.mean_psnr,
        least_psnr_db=pictures.least_psnr if pictures.pairs else math.nan,
        checks=tuple(checks),
    )


def container_name(reader: Reader) -> str:
    """FFmpeg's name of the muxer that writes what a Reader reads."""
    named = spec_of_suffix(reader.path.suffix)
    demuxer = reader.info.container.split(",")
    return named.name if named is not None else demuxer[0]


def _color(before: Reader, after: Reader) -> Iterator[Check]:
    """Is the result a film in color, and not the source once more?"""
    paths = before.path, after.path
    if all(path.is_file() for path in paths) and filecmp.cmp(*paths, shallow=False):
        yield Check(name="color", state="differs", detail="the result is the source itself")
    elif after.info.gray:
        detail = f"the result is gray: {after.info.pixel_format} has no chroma"
        yield Check(name="color", state="differs", detail=detail)


def _damage(before: Reader, after: Reader) -> Iterator[Check]:
    """What is broken in the source is noted; what is broken in the result alone, differs."""
    for name, reader in (("source", before), ("result", after)):
        state: State = "note" if name == "source" else "differs"
        # Holes between numbered pictures stay where they were, under other names of files.
        told = {_kind(w.partition("(")[0]) for w in before.info.warnings if name == "result"}
        for warning in reader.info.warnings:
            if _kind(warning.partition("(")[0]) in told:
                continue
            if "truncated" in warning or "missing" in warning:
                yield Check(name="damage", state=state, detail=f"{name}: {warning}")
        found = reader.damages
        if name == "result":  # a time without a picture is kept
            known = {_kind(damage.what) for damage in before.damages}
            found = [damage for damage in found if _kind(damage.what) not in known]
        if found:
            detail = f"{name}: {counted(reader.damage_count, 'place')}, first {found[0]}"
            yield Check(name="damage", state=state, detail=detail)


def _kind(what: str) -> str:
    """A damage without its numbers, and whether these are of one or of more."""
    return re.sub(r"[\d.]+( [a-z]+?)?s?\b", r"#\1", what)
