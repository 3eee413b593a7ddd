"""Does the picture bear the same marks: size, aspect, range, matrix, fields, rotation, timecode?"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

from pycolor.video.io import FilmInfo, Reader
from pycolor.video.io.containers.capacity import stores_range, unsupported_marks
from pycolor.video.io.containers.presets import LIMITED_RANGE_ENCODERS
from pycolor.video.io.frame.pixel_formats import UNSPECIFIED
from pycolor.video.verify.report import Check, same

# FFmpeg's decoders and its command write and read "tb" as "tt": which field comes first.
_FIRST = {"tt": "top first", "tb": "top first", "bb": "bottom first", "bt": "bottom first"}


def marks(before: Reader, result: FilmInfo, container: str) -> Iterator[Check]:
    """What the picture's stream says of itself, mark by mark."""
    source = before.info
    lacking = unsupported_marks(source, container, result.codec, result.encoding)

    def check(name: str, one: str, other: str) -> Check:
        return same(name, one, other, lacking=lacking)

    yield check("size", f"{source.width}×{source.height}", f"{result.width}×{result.height}")
    aspects = [i.pixel_aspect or Fraction(1) for i in (source, result)]
    yield check("pixel aspect", *(f"{a.numerator}:{a.denominator}" for a in aspects))
    yield _range(source, result, container)
    yield _matrix(source, result, lacking)
    yield check("primaries", _code(source.tags.primaries), _code(result.tags.primaries))
    yield check("transfer", _code(source.tags.transfer), _code(result.tags.transfer))
    sited = not source.gray and source.encoding.subsampling in ("420", "422")
    if sited and not result.description.rgb and result.encoding.subsampling != "444":
        sitings = [i.encoding.chroma_location for i in (source, result)]
        yield check("chroma location", *sitings)
    yield check("rotation", _turn(source), _turn(result))
    if source.field_order != "unknown" or source.interlaced:
        yield _order(source, result, lacking)
    if source.reel:
        yield check("reel name", source.reel, result.reel or "none")
    if source.captions:
        yield check("captions", "in the pictures", "in the pictures" if result.captions else "none")
    if source.clean_aperture is not None:
        yield check("clean aperture", *(_aperture(i) for i in (source, result)))
    if source.unread:
        detail = f"the source also holds, and no output: {', '.join(source.unread)}"
        yield Check(name="container", state="note", detail=detail)
    if source.timecode:
        yield check("timecode", before.timecode or "none", result.timecode or "none")


def _range(source: FilmInfo, result: FilmInfo, container: str) -> Check:
    names = ["full" if i.encoding.full_range else "limited" for i in (source, result)]
    check = partial(Check, name="range", key="range", expected=names[0], got=names[1])
    if names == ["full", "limited"] and not stores_range(container, result.codec):
        what = result.codec if result.codec in LIMITED_RANGE_ENCODERS else container
        detail = f"full carried as limited, all that {what} has"
        return check(state="note", detail=detail)
    if names == ["limited", "full"] and result.description.rgb:
        detail = "limited carried as full, all that R'G'B' has"
        return check(state="note", detail=detail)
    return same("range", *names)


def _matrix(source: FilmInfo, result: FilmInfo, lacking: frozenset[str]) -> Check:
    names = (source.matrix_name, result.matrix_name)
    check = partial(Check, name="matrix", key="matrix", expected=names[0], got=names[1])
    if result.description.rgb and not source.description.rgb:
        detail = f"{source.matrix_name}, converted to R'G'B' by it"
        return check(state="note", detail=detail)
    if source.tags.matrix == UNSPECIFIED and names[0] != names[1]:
        return check(state="note", detail=f"not stored; {names[1]} in the result")
    if source.gray and names[0] != names[1] and result.codec == "dnxhd":
        detail = f"{names[0]}, stored as {names[1]}, all that DNxHR is: gray holds under any"
        return check(state="note", detail=detail)
    alike = source.encoding.matrix == result.encoding.matrix
    if source.matrix_code != result.matrix_code and alike:
        detail = f"{source.matrix_name}, stored as {result.matrix_name}, its equal"
        return check(state="ok", detail=detail)
    return same("matrix", *names, lacking=lacking)


def _order(source: FilmInfo, result: FilmInfo, lacking: frozenset[str]) -> Check:
    names = _fields(source), _fields(result)
    first = [_FIRST.get(name, name) for name in names]
    if names[0] != names[1] and first[0] == first[1]:
        detail = f"{first[0]} (stored as {names[0]}, and as {names[1]} in the result)"
        return Check(
            name="field order",
            key="field order",
            state="ok",
            detail=detail,
            expected=names[0],
            got=names[1],
        )
    return same("field order", *names, lacking=lacking)


def _aperture(info: FilmInfo) -> str:
    if info.clean_aperture is None:
        return "none"
    width, height = (f"{float(size):g}" for size in info.clean_aperture)
    return f"{width}×{height}"


def _code(code: int) -> str:
    """A code point of H.273, in words where it says nothing."""
    return "not stored" if code == 2 else f"code {code} of H.273"


def _fields(info: FilmInfo) -> str:
    if info.field_order == "unknown":
        return "unknown, interlaced" if info.interlaced else "progressive"
    return info.field_order


def _turn(info: FilmInfo) -> str:
    if info.display_matrix is None:
        return "none"
    a, b, _, c, d = info.display_matrix[:5]
    turn = f"{info.rotation}°"
    if a * d - b * c > 0:
        return turn if info.rotation else "none"
    return f"{turn} mirrored"
