"""Shot lists as CMX3600 edit decision lists, written and read back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from pycolor.errors import UsageError
from pycolor.options.frame_ranges import Timecode
from pycolor.video.shots.lists.lists import (
    check_count,
    film_timecode,
    length_of,
    shots_from_starts,
    transition_of,
)
from pycolor.video.shots.shot import Shot, Transition

MOST_EVENTS = 999  # three digits
_LONGEST_LINE = 1000  # characters of an event


def write_edl(
    shots: Sequence[Shot], rate: Fraction, title: str = "pycolor shots", timecode: str = ""
) -> str:
    """The list as a CMX3600 edit decision list, one event a shot, source and record alike.

    Args:
        shots: in order, without gaps.
        rate: frames a second; time codes count its whole number upwards, non-drop.
        title: of the list.
        timecode: of the film's first frame; empty: 00:00:00:00.

    Returns:
        the text.  A dissolve or fade is a `D` event of its length at the shot that it opens.
    """
    base = _base(rate)
    drop = ";" in timecode
    lines = [f"TITLE: {title}", f"FCM: {'' if drop else 'NON-'}DROP FRAME", ""]
    for number, shot in enumerate(shots, 1):
        kind, opening = "C        ", shot.opening
        if opening is not None and opening.stop > opening.start:
            kind = f"D    {min(opening.stop - opening.start, 999):03d} "
        ends = (shot.start, shot.stop)
        span = " ".join(film_timecode(timecode, n, rate) or _timecode(n, base) for n in ends)
        lines.append(f"{number:03d}  AX       V     {kind}{span} {span}")
        if opening is not None:
            lines.append(
                f"* PYCOLOR {opening.kind.upper()} {opening.start} {opening.stop} "
                f"{opening.confidence}"
            )
    return "\n".join(lines) + "\n"


_EVENT = re.compile(
    r"^\s*\d+\s+\S+\s+(\S+)\s+(C|D|W\w+|K\s*\w?)\s+(?:\d+\s+)?"
    r"\d+:\d+:\d+[:;]\d+\s+\d+:\d+:\d+[:;]\d+\s+(\d+:\d+:\d+)([:;])(\d+)\s+\d+:\d+:\d+[:;]\d+\s*$"
)
_NOTE = re.compile(r"^\* PYCOLOR (CUT|DISSOLVE|FADE) (\d+) (\d+) ([\d.]+)\s*$")


def read_edl(text: str, frames: int, rate: Fraction, *, open_end: bool = False) -> list[Shot]:
    """Shots from the record-in times of the video events of a CMX3600 list.

    Times count from the first event, so a list that begins at 01:00:00:00 is read as well.

    Args:
        text: the file's content.
        frames: how many frames the film has.
        rate: frames a second.
        open_end: it may have more.

    Returns:
        shots that follow each other without gap from 0 to `frames`.

    Raises:
        ValueError: no video event, a drop-frame list of a rate that has none, a bad time code, or
            one past the end.
    """
    base = _base(rate)
    starts: list[int] = []
    transitions: dict[int, Transition] = {}
    for line in text.splitlines():
        if len(line) > _LONGEST_LINE:
            continue
        if line.split()[:2] == ["FCM:", "DROP"]:
            _check_drop(rate)
        note = _NOTE.match(line)
        if note and starts:
            kind = note[1].lower()
            transitions[starts[-1]] = transition_of(
                kind, int(note[2]), int(note[3]), float(note[4])
            )
        event = _EVENT.match(line)
        if event is None or not event[1].upper().startswith(("V", "B")):
            continue
        drop = event[4] == ";"
        if drop:
            _check_drop(rate)
        hours, minutes, seconds = map(int, event[3].split(":"))
        try:
            starts.append(Timecode(hours, minutes, seconds, int(event[5]), drop).frame(rate))
        except UsageError:
            raise ValueError(
                f"not a time code at {base} frames a second: {line.strip()!r}"
            ) from None
        if not open_end:
            check_count(len(starts), frames)
    if starts:
        first = min(starts)
        # Our own list begins at 0; then the transitions' frames agree with the starts.
        transitions = {start - first: found for start, found in transitions.items()}
        starts = [start - first for start in starts]
    return shots_from_starts(starts, length_of(starts, frames, open_end), transitions)


def _check_drop(rate: Fraction) -> None:
    if rate not in (Fraction(30000, 1001), Fraction(60000, 1001)):
        raise ValueError(
            f"a drop-frame list needs 29.97 or 59.94 frames a second, and the film has {rate}; "
            "write it as non-drop frame"
        )


def _check_rate(rate: Fraction) -> None:
    if rate <= 0:
        raise ValueError(f"the frame rate must be above 0, got {rate}")


def _base(rate: Fraction) -> int:
    """Frames that a time code counts in a second: 24 at 24000/1001."""
    _check_rate(rate)
    return -(-rate.numerator // rate.denominator)


def _timecode(frame: int, base: int) -> str:
    seconds, frame = divmod(frame, base)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frame:02d}"
