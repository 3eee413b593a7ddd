"""Which of an encoder's pixel formats loses least of a film, and what it loses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pycolor.encoding import Encoding, Subsampling
from pycolor.errors import UsageError
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.pixel_formats import PixelFormat, pixel_format

# Even width and height of the picture, in the directions where chroma is subsampled.
_NEEDS_EVEN = ("libx264", "libx265")


def best_format(
    allowed: Iterable[str], info: FilmInfo, codec: str, wanted: Subsampling
) -> PixelFormat:
    """The format among `allowed` that loses least of a film.

    Raises:
        UsageError: where none holds it.
    """
    ranked: list[tuple[tuple[int, ...], PixelFormat]] = []
    for candidate in allowed:
        target = pixel_format(candidate)
        if target is not None and _fits(target, info, codec):
            ranked.append((_loss(info.description, target, wanted), target))
    if not ranked:
        raise UsageError(
            f"{codec} takes no Y'CbCr picture of {info.width}×{info.height}; "
            "name an output with .mkv, whose FFV1 holds any size."
        )
    return min(ranked, key=lambda pair: pair[0])[1]


def costs_of(target: PixelFormat, info: FilmInfo, codec: str, wanted: Subsampling) -> Iterator[str]:
    """Sentences on what a format does not hold of a film."""
    source = info.description
    if target.bit_depth < source.bit_depth:
        yield (
            f"{codec} holds {target.bit_depth} bits: the luma of {source.bit_depth} bits is "
            "rounded (FFV1 in .mkv keeps it whole)"
        )
    if target.subsampling != wanted and _narrower(target.subsampling, wanted):
        yield f"{codec} holds chroma as {_colons(target.subsampling)} only"
    elif target.subsampling != wanted and codec in _NEEDS_EVEN:
        became = f"chroma is {_colons(target.subsampling)}"
        if info.height % 2 or info.width % 2:
            yield (
                f"{info.width}×{info.height} is odd and {codec} cannot hold it as "
                f"{_colons(wanted)}: {became}, which few hardware players show"
            )
        else:
            yield f"{codec} does not hold {_colons(wanted)}: {became}"
    if _keeps_alpha(source) and not target.alpha:
        yield f"{codec} in {target.name} holds no alpha channel: the film's is left out"


def _fits(target: PixelFormat, info: FilmInfo, codec: str) -> bool:
    if target.rgb or target.gray or not target.planar or target.big_endian or target.shift:
        return False
    if target.name.startswith("yuvj") or (target.alpha and not _keeps_alpha(info.description)):
        return False
    shifts = Encoding(subsampling=target.subsampling or "444").shifts
    odd_height, odd_width = info.height % 2, info.width % 2
    if codec in _NEEDS_EVEN and ((odd_height and shifts[0]) or (odd_width and shifts[1])):
        return False
    return not (codec == "v210" and odd_width)


def _keeps_alpha(source: PixelFormat) -> bool:
    """Does a film's alpha go into an output?  Beside R'G'B' it is left out as it is read."""
    return source.alpha and not source.rgb


def _loss(source: PixelFormat, target: PixelFormat, wanted: Subsampling) -> tuple[int, ...]:
    shifts = Encoding(subsampling=target.subsampling or "444").shifts
    asked = Encoding(subsampling=wanted).shifts
    return (
        max(0, source.bit_depth - target.bit_depth),
        int(_keeps_alpha(source) and not target.alpha),
        sum(max(0, s - a) for s, a in zip(shifts, asked, strict=True)),
        max(0, target.bit_depth - source.bit_depth),
        sum(max(0, a - s) for s, a in zip(shifts, asked, strict=True)),
    )


def _narrower(subsampling: Subsampling | None, wanted: Subsampling) -> bool:
    shifts = Encoding(subsampling=subsampling or "444").shifts
    asked = Encoding(subsampling=wanted).shifts
    return any(s > a for s, a in zip(shifts, asked, strict=True))


def _colons(subsampling: str | None) -> str:
    return ":".join(subsampling or "444")
