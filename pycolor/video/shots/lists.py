"""Shot lists as text: CSV in PySceneDetect's layout and CMX3600 EDL, written and read back.

A list that an editor corrected comes back as shots.  Of a CSV only the start frames count: the
first numeric column named "Start Frame", or the first column of a list without a header; cells may
be separated by commas, semicolons or tabs.

The number of shots is bounded: a film has no more than frames.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from fractions import Fraction

from pycolor.video.shots.shot import Shot, Transition

# Lines of a CSV: of a film whose length is not known (twelve hours of it), and besides the shots.
_MOST_LINES, _OTHER_LINES = 1 << 20, 1000
_LONGEST_LINE = 1000  # characters of an event of an EDL

_CSV_COLUMNS = (
    "Scene Number",
    "Start Frame",
    "Start Timecode",
    "Start Time (seconds)",
    "End Frame",
    "End Timecode",
    "End Time (seconds)",
    "Length (frames)",
    "Length (timecode)",
    "Length (seconds)",
    # Ours; PySceneDetect and spreadsheets ignore columns after the tenth.
    "Transition",
    "Transition Start Frame",
    "Transition End Frame",
    "Confidence",
)


def write_csv(shots: Sequence[Shot], rate: Fraction) -> str:
    """The list as PySceneDetect writes it: a line of cut times, a header, a line a scene.

    Args:
        shots: in order, without gaps.
        rate: frames a second, for the time columns.

    Returns:
        the text.  Start frames count from 1 and end frames are the last ones shown, as there.
    """
    _check_rate(rate)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Timecode List:", *(_clock(shot.start, rate) for shot in shots[1:])])
    writer.writerow(_CSV_COLUMNS)
    for number, shot in enumerate(shots, 1):
        row: list[object] = [number]
        row += [shot.start + 1, _clock(shot.start, rate), _seconds(shot.start, rate)]
        row += [shot.stop, _clock(shot.stop, rate), _seconds(shot.stop, rate)]
        row += [len(shot), _clock(len(shot), rate), _seconds(len(shot), rate)]
        opening = shot.opening
        if opening is not None:
            row += [opening.kind, opening.start + 1, opening.stop, opening.confidence]
        writer.writerow(row)
    return text.getvalue()


def read_csv(text: str, frames: int, *, open_end: bool = False) -> list[Shot]:
    """Shots from a CSV list, ours, PySceneDetect's, or one start frame (from 1) a line.

    Args:
        text: the file's content.
        frames: how many frames the film has.
        open_end: it may have more.

    Returns:
        shots that follow each other without gap from 0 to `frames`.

    Raises:
        ValueError: no start frames, one that is not a whole number, or one past the film's end.
    """
    rows = _csv_rows(text, _MOST_LINES if open_end else frames + _OTHER_LINES)
    columns: dict[str, int] = {}
    for index, row in enumerate(rows):
        names = [cell.strip().lower().replace("_", " ") for cell in row]
        if "start frame" in names:
            columns = {name: at for at, name in enumerate(names) if name}
            rows = rows[index + 1 :]
            break
    else:
        if rows and not rows[0][0].strip().lstrip("-").isdigit():
            if len(rows[0]) > 1:
                raise ValueError('no column is named "Start Frame"')
            rows = rows[1:]  # the name of the only column
    if not open_end:
        check_count(len(rows), frames)
    starts: list[int] = []
    transitions: dict[int, Transition] = {}
    for row in rows:
        start = _whole(row, columns.get("start frame", 0), "start frame") - 1
        starts.append(start)
        kind = _cell(row, columns.get("transition"))
        if kind in ("cut", "dissolve", "fade"):
            begin = _whole(row, columns.get("transition start frame"), "transition start frame") - 1
            end = _whole(row, columns.get("transition end frame"), "transition end frame")
            confidence = _cell(row, columns.get("confidence"))
            transitions[start] = _transition(kind, begin, end, float(confidence or 1))
    return shots_from_starts(starts, _length(starts, frames, open_end), transitions)


def _length(starts: Sequence[int], frames: int, open_end: bool) -> int:
    return max(frames, max(starts) + 1) if open_end and starts else frames


def _csv_rows(text: str, most: int) -> list[list[str]]:
    """The lines with anything on them, but that of the cut times; refused where they are more."""
    if text.count("\n") > most or text.count("\r") > most:
        raise ValueError(f"the list has more than {most} lines, which are too many for the film")
    lines = text.lstrip("\ufeff").splitlines()
    titles = next((line for line in lines if "start frame" in line.lower()), "")
    separator = max(",;\t", key=(titles or (lines or [""])[0]).count)
    try:
        rows = [row for row in csv.reader(lines, delimiter=separator) if any(map(str.strip, row))]
    except csv.Error as e:
        raise ValueError(f"not a CSV list: {e}") from None
    return [row for row in rows if not row[0].strip().lower().startswith("timecode list")]


def write_edl(shots: Sequence[Shot], rate: Fraction, title: str = "pycolor shots") -> str:
    """The list as a CMX3600 edit decision list, one event a shot, source and record alike.

    Args:
        shots: in order, without gaps.
        rate: frames a second; time codes count its whole number upwards, non-drop.
        title: of the list.

    Returns:
        the text.  A dissolve or fade is a `D` event of its length at the shot that it opens.
    """
    base = _base(rate)
    lines = [f"TITLE: {title}", "FCM: NON-DROP FRAME", ""]
    for number, shot in enumerate(shots, 1):
        kind, opening = "C        ", shot.opening
        if opening is not None and opening.stop > opening.start:
            kind = f"D    {min(opening.stop - opening.start, 999):03d} "
        span = f"{_timecode(shot.start, base)} {_timecode(shot.stop, base)}"
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
        ValueError: no video event, a drop-frame list, a bad time code, or one past the end.
    """
    base = _base(rate)
    starts: list[int] = []
    transitions: dict[int, Transition] = {}
    for line in text.splitlines():
        if len(line) > _LONGEST_LINE:
            continue
        if line.split()[:2] == ["FCM:", "DROP"]:
            raise ValueError("a drop-frame list is not read; write it as non-drop frame")
        note = _NOTE.match(line)
        if note and starts:
            kind = note[1].lower()
            transitions[starts[-1]] = _transition(kind, int(note[2]), int(note[3]), float(note[4]))
        event = _EVENT.match(line)
        if event is None or not event[1].upper().startswith(("V", "B")):
            continue
        if event[4] == ";":
            raise ValueError(f"a drop-frame time code is not read: {line.strip()!r}")
        hours, minutes, seconds = map(int, event[3].split(":"))
        frame = int(event[5])
        if minutes > 59 or seconds > 59 or frame >= base:
            raise ValueError(f"not a time code at {base} frames a second: {line.strip()!r}")
        starts.append(((hours * 60 + minutes) * 60 + seconds) * base + frame)
        if not open_end:
            check_count(len(starts), frames)
    if starts:
        first = min(starts)
        # Our own list begins at 0; then the transitions' frames agree with the starts.
        transitions = {start - first: found for start, found in transitions.items()}
        starts = [start - first for start in starts]
    return shots_from_starts(starts, _length(starts, frames, open_end), transitions)


def check_count(count: int, frames: int) -> None:
    """Refuse more shots than a film can have.

    Raises:
        ValueError: there are more.
    """
    if count > frames:
        raise ValueError(f"the list has {count} shots or more, but the film has {frames} frames")


def shots_from_starts(
    starts: Sequence[int], frames: int, transitions: dict[int, Transition] | None = None
) -> list[Shot]:
    """Shots that begin at `starts` (counted from 0, in any order) and fill the film.

    A first shot is added where frame 0 is no start.

    Raises:
        ValueError: no starts, or one outside the film.
    """
    if not starts:
        raise ValueError("the list of shots names no start frame")
    for start in starts:
        if not 0 <= start < frames:
            raise ValueError(f"a shot starts at frame {start}, but the film has {frames} frames")
    bounds = sorted({0, *starts})
    opening: list[Transition | None] = [None]
    for start in bounds[1:]:
        found = (transitions or {}).get(start)
        opening.append(found or Transition("cut", start, start, 1.0))
    closing = [*opening[1:], None]
    stops = [*bounds[1:], frames]
    return [Shot(*each) for each in zip(bounds, stops, opening, closing, strict=True)]


def _transition(kind: str, start: int, stop: int, confidence: float) -> Transition:
    if kind == "dissolve":
        return Transition("dissolve", start, stop, confidence)
    if kind == "fade":
        return Transition("fade", start, stop, confidence)
    return Transition("cut", start, stop, confidence)


def _cell(row: list[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _whole(row: list[str], column: int | None, name: str) -> int:
    cell = _cell(row, column)
    try:
        return int(cell)
    except ValueError:
        raise ValueError(f"the {name} is not a whole number: {cell[:40]!r}") from None


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


def _clock(frame: int, rate: Fraction) -> str:
    milliseconds = round(frame / rate * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds / 1000:06.3f}"


def _seconds(frame: int, rate: Fraction) -> str:
    return f"{float(frame / rate):.3f}"
