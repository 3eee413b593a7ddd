"""What of a film's description a container cannot say: for the warning before, and the check after.

The sound tracks, subtitles and tags are asked of the muxers themselves (`streams`, `metadata`);
these are the marks of the picture, whose loss no muxer reports.
"""

from __future__ import annotations

from fractions import Fraction

from pycolor.encoding import Encoding
from pycolor.video.io.containers.presets import PICTURES_ONLY
from pycolor.video.io.frame.film import FilmInfo

# These show every frame for the same time, from 0.
FIXED_RATE = (*PICTURES_ONLY, "mxf")
# What messages call them.
DISPLAY_NAMES = {"yuv4mpegpipe": "y4m", "image2": "a sequence of pictures"}
_FIELD_CODECS_OF_MXF = ("h264", "mpeg2video", "dvvideo")


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
        chroma location.
    """
    lacking = {mark for mark in _borne(info) if not _holds(mark, info, container, codec)}
    sited = not info.gray and info.encoding.subsampling in ("420", "422")
    sited = sited and encoding.subsampling != "444" and info.encoding.chroma_location != "left"
    if sited and not stores_siting(container, codec, encoding):
        lacking.add("chroma location")
    return frozenset(lacking)


def stores_siting(container: str, codec: str, encoding: Encoding) -> bool:
    """Can an output say where its chroma lies?  Where it cannot, every reader takes "left"."""
    if container in ("matroska", "webm"):
        return True
    if encoding.subsampling != "420":
        return False
    if container == "yuv4mpegpipe":
        return encoding.bit_depth == 8
    return codec in ("h264", "hevc")


def _borne(info: FilmInfo) -> set[str]:
    present = {
        "pixel aspect": info.pixel_aspect not in (None, Fraction(1)),
        "rotation": info.display_matrix is not None,
        "field order": info.interlaced,
        "timecode": bool(info.timecode),
        "matrix": True,
        "primaries": info.tags.primaries != 2,
        "transfer": info.tags.transfer != 2,
    }
    return {mark for mark, is_there in present.items() if is_there}


def _holds(mark: str, info: FilmInfo, container: str, codec: str) -> bool:
    if mark == "field order" and (codec == "dnxhd" or container == "webm"):
        return False  # they call every frame progressive
    if container == "yuv4mpegpipe":
        return mark in ("pixel aspect", "field order")
    if container == "image2":
        return mark in ("pixel aspect", "matrix")  # R'G'B' needs no matrix
    if container == "mxf":
        if mark == "field order":
            return codec in _FIELD_CODECS_OF_MXF
        if mark == "pixel aspect":
            return codec != "dnxhd"
        # MXF has one label for the gammas of BT.470 (SMPTE RP 224).
        return mark != "rotation" and not (mark == "transfer" and info.tags.transfer == 5)
    return True
