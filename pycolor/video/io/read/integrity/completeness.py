"""What is missing of a film: known when all of it is read that there is."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.video.stream import VideoStream

from pycolor.errors import counted
from pycolor.video.io.containers.y4m import RatedY4m, without_rate
from pycolor.video.io.frame.film import rational
from pycolor.video.io.read.integrity.continuity import Continuity
from pycolor.video.io.read.integrity.damage import DamageLog

# Containers whose header tells how long a film is, unless whoever wrote it was cut off.
_TELL_THEIR_LENGTH = ("mov", "matroska", "avi", "asf", "flv", "mxf")


def without_length(container: InputContainer, declared_end: Fraction | None) -> bool:
    """Is it unknown how long a film should be, where a header usually says?"""
    if declared_end is not None or container.duration is not None:
        return False
    return container.format.name.startswith(_TELL_THEIR_LENGTH)


def note_gaps(continuity: Continuity, damages: DamageLog) -> None:
    """Note the gaps between the frames' times."""
    for gap in continuity.gaps():
        damages.add(gap.time, str(gap))


def is_cut(stream: VideoStream, hidden: int, rate: Fraction) -> bool:
    """Does an edit list hide a part of the film?

    Args:
        stream: the picture.
        hidden: packets that were read and are not shown; a range may begin behind them.
        rate: frames a second.
    """
    if hidden or not stream.container.format.name.startswith("mov"):
        return hidden > 0
    lasting = (stream.duration or 0) * rational(stream.time_base) * rate
    return 0 < lasting < stream.frames - Fraction(1, 16)


def note_early_end(
    continuity: Continuity, declared_end: Fraction | None, damages: DamageLog, *, cut: bool
) -> None:
    """Note a film that ends before its header says; `cut`: an edit list hides its beginning."""
    missing = 0 if declared_end is None else continuity.shortfall(declared_end, cut=cut)
    if missing:
        what = f"the film ends before its header says ({counted(missing, 'frame')} missing)"
        damages.add(continuity.last, what)


def note_lost(declared: int, delivered: int, damages: DamageLog) -> None:
    """A container that counts its frames knows of those that are lost without a trace.

    Args:
        declared: frames that it counts, without hidden ones.
        delivered: frames that were decoded.
        damages: where it is noted, unless other damage explains it.
    """
    lost = declared - delivered
    # Some count fields, two to a frame.
    if not damages.count and lost > 0 and declared != 2 * delivered:
        what = f"{lost} of the {declared} frames that its header counts are not there"
        damages.add(None, what)


def bytes_left_over(path: Path, read_to: int, rate: Fraction | None) -> int:
    """Bytes of a y4m behind its last frame: its demuxer leaves half a frame without a word.

    Args:
        path: of the file.
        read_to: the byte behind the last packet read.
        rate: that was put into a header without one.
    """
    size = path.stat().st_size
    if rate is not None and without_rate(path):
        size += RatedY4m(path, rate).growth
    return max(0, size - read_to)
