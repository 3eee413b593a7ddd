"""Shot lists as CSV in PySceneDetect's layout, written and read back.

A list that an editor corrected comes back as shots.  Only the start frames count: the first
numeric column named "Start Frame", or the first column of a list without a header; cells may be
separated by commas, semicolons or tabs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from fractions import Fraction

from pycolor.video.shots.lists.film_times import FilmTimes
from pycolor.video.shots.lists.lists import (
    check_count,
    film_timecode,
    length_of,
    shots_from_starts,
    transition_of,
)
from pycolor.video.shots.shot import Shot, Transition

# Lines of a CSV: of a film whose length is not known (twelve hours of it), and besides the shots.
_MOST_LINES, _OTHER_LINES = 1 << 20, 1000

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
    "Source Timecode In",
    "Source Timecode Out",
)


def write_csv(
    shots: Sequence[Shot],
    rate: Fraction,
    *,
    times: FilmTimes | None = None,
    timecode: str = "",
) -> str:
    """The list as PySceneDetect writes it: a line of cut times, a header, a line a scene.

    Args:
        shots: in order, without gaps.
        rate: frames a second, for the time columns.
        times: of the frames, where they are known; in place of the rate.
        timecode: of the film's first frame; empty if it has none.

    Returns:
        the text.  Start frames count from 1 and end frames are the last ones shown, as there.
    """
    times = times or FilmTimes(frames=shots[-1].stop if shots else 0, rate=rate)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Timecode List:", *(_clock(times.seconds(s.start)) for s in shots[1:])])
    writer.writerow(_CSV_COLUMNS)
    for number, shot in enumerate(shots, 1):
        begin, end = times.seconds(shot.start), times.seconds(shot.stop)
        row: list[object] = [number]
        row += [shot.start + 1, _clock(begin), _seconds(begin)]
        row += [shot.stop, _clock(end), _seconds(end)]
        row += [len(shot), _clock(end - begin), _seconds(end - begin)]
        opening = shot.opening
        if opening is None:
            row += [""] * 4
        else:
            row += [opening.kind, opening.start + 1, opening.stop, opening.confidence]
        row += [film_timecode(timecode, n, rate) for n in (shot.start, shot.stop)]
        while row[-1] == "":
            row.pop()
        writer.writerow(row)
    return text.getvalue()


def read_csv(
    text: str, frames: int, *, open_end: bool = False, times: FilmTimes | None = None
) -> list[Shot]:
    """Shots from a CSV list, ours, PySceneDetect's, or one start frame (from 1) a line.

    Of a film whose rate varies PySceneDetect counts frames that are not there (at the nominal rate,
    or by its backend), but knows the times: then these count.

    Args:
        text: the file's content.
        frames: how many frames the film has.
        open_end: it may have more.
        times: of the frames; None where the rate is constant.

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
    by_time = times is not None and times.varies and "transition" not in columns
    seconds = columns.get("start time (seconds)") if by_time else None
    for row in rows:
        start = _whole(row, columns.get("start frame", 0), "start frame") - 1
        if seconds is not None and times is not None:
            start = times.frame_at(_number(row, seconds, "start time"))
        starts.append(start)
        kind = _cell(row, columns.get("transition"))
        if kind in ("cut", "dissolve", "fade"):
            begin = _whole(row, columns.get("transition start frame"), "transition start frame") - 1
            end = _whole(row, columns.get("transition end frame"), "transition end frame")
            confidence = _cell(row, columns.get("confidence"))
            transitions[start] = transition_of(kind, begin, end, float(confidence or 1))
    return shots_from_starts(starts, length_of(starts, frames, open_end), transitions)


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


def _cell(row: list[str], column: int | None) -> str:
    return row[column].strip() if column is not None and column < len(row) else ""


def _whole(row: list[str], column: int | None, name: str) -> int:
    cell = _cell(row, column)
    try:
        return int(cell)
    except ValueError:
        raise ValueError(f"the {name} is not a whole number: {cell[:40]!r}") from None


def _number(row: list[str], column: int, name: str) -> Fraction:
    cell = _cell(row, column)
    try:
        return Fraction(cell)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"the {name} is not a number of seconds: {cell[:40]!r}") from None


def _clock(seconds: Fraction) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{milliseconds / 1000:06.3f}"


def _seconds(seconds: Fraction) -> str:
    return f"{float(seconds):.3f}"
