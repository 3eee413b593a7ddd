"""What of a film's description a container cannot say: for the warning before, and the check after.

The sound tracks, subtitles and tags are asked of the muxers themselves (`streams`, `metadata`);
these are the marks of the picture, whose loss no muxer reports.
"""

from __future__ import annotations

from fractions import Fraction

from pycolor.encoding import Encoding
from pycolor.video.io.containers.presets import LIMITED_RANGE_ENCODERS
from pycolor.video.io.containers.spec import spec_of
from pycolor.video.io.containers.timecode import counts_at
from pycolor.video.io.frame.film import FilmInfo
from pycolor.video.io.frame.pixel_formats import UNSPECIFIED

# Codecs whose stream tells color tags itself, whatever the container knows.
_TELL_COLOR = ("h264", "hevc", "av1", "vp9", "prores", "mpeg2video")
# Their encoders write captions into the coded pictures.
_CAPTIONED = ("h264", "hevc", "mpeg2video")
# They call every frame progressive.
_NO_FIELDS = ("dnxhd",)


def unsupported_marks(
    info: FilmInfo, container: str, codec: str, encoding: Encoding
) -> frozenset[str]:
    """Marks that the film bears and the output cannot.

    Args:
        info: of the film.
        container: FFmpeg's name.
        codec: FFmpeg's canonical name, not its encoder's.
        encoding: of the output.

    Returns:
        Some of: pixel aspect, rotation, field order, timecode, matrix, primaries, transfer,
        chroma location, reel name, captions, clean aperture.
    """
    lacking = {mark for mark in _borne(info) if not _holds(mark, info, container, codec)}
    sited = not info.gray and info.encoding.subsampling in ("420", "422")
    sited = sited and encoding.subsampling != "444" and info.encoding.chroma_location != "left"
    if sited and not stores_siting(container, codec, encoding):
        lacking.add("chroma location")
    return frozenset(lacking)


def stores_siting(container: str, codec: str, encoding: Encoding) -> bool:
    """Can an output say where its chroma lies?  Where it cannot, every reader takes "left"."""
    siting = spec_of(container).siting
    if siting == "any":
        return True
    if encoding.subsampling != "420":
        return False
    return encoding.bit_depth == 8 if siting == "420 in 8 bits" else codec in ("h264", "hevc")


def stores_range(container: str, codec: str) -> bool:
    """Can an output say that it is of full range?  Where it cannot, every reader takes limited."""
    if codec in LIMITED_RANGE_ENCODERS:
        return False
    return codec in _TELL_COLOR or "range" not in spec_of(container).lacks


def _borne(info: FilmInfo) -> set[str]:
    present = {
        "pixel aspect": info.pixel_aspect not in (None, Fraction(1)),
        "rotation": info.display_matrix is not None,
        "field order": info.interlaced,
        "timecode": bool(info.timecode),
        "matrix": True,
        "primaries": info.tags.primaries != UNSPECIFIED,
        "transfer": info.tags.transfer != UNSPECIFIED,
        "reel name": bool(info.reel),
        "captions": info.captions,
        "clean aperture": info.clean_aperture is not None,
    }
    return {mark for mark, is_there in present.items() if is_there}


def _holds(mark: str, info: FilmInfo, container: str, codec: str) -> bool:
    spec = spec_of(container)
    if codec == "dpx" and container == "image2":
        if mark == "timecode":
            return counts_at(info.timecode, info.rate)
        if mark in ("transfer", "primaries") and info.codec == "dpx":  # a scan's are taken over
            return True
    if mark in spec.lacks or mark == "clean aperture":  # which FFmpeg reads but does not write
        return False
    if mark == "captions":
        return codec in _CAPTIONED and not spec.pictures_only
    if mark == "reel name":
        return spec.reel and bool(info.timecode)
    if mark == "field order":
        return codec not in _NO_FIELDS and (spec.fields_of is None or codec in spec.fields_of)
    if mark == "pixel aspect":
        return codec not in spec.aspect_not_of
    if mark == "timecode" and spec.counts_timecode:
        return counts_at(info.timecode, info.rate)
    codes = {"transfer": info.tags.transfer, "primaries": info.tags.primaries}
    unsaid = spec.color_but.get(mark, frozenset())
    return codec in _TELL_COLOR or codes.get(mark, info.matrix_code) not in unsaid
