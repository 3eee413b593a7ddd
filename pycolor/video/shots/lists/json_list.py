"""Shot lists as JSON: everything that is known of each shot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, get_args

from pycolor.errors import counted
from pycolor.video.shots.lists.lists import check_count
from pycolor.video.shots.shot import Kind, Shot, Transition


def write_json(shots: Sequence[Shot]) -> str:
    """The list with everything that is known of it; frames count from 0, stops are exclusive."""
    return json.dumps(
        {"format": "pycolor-shots", "version": 1, "shots": [*map(asdict, shots)]}, indent=1
    )


def read_json(text: str) -> list[Shot]:
    """The list that `write_json` wrote.

    Raises:
        ValueError: it is no such list.
    """
    try:
        content = json.loads(text)
        if content["format"] != "pycolor-shots" or content["version"] != 1:
            raise ValueError(f"{content['format']} version {content['version']}")
        return [_shot(entry) for entry in content["shots"]]
    except RecursionError:
        raise ValueError("not a pycolor shot list: it is nested without end") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"not a pycolor shot list: {str(error)[:200]}") from error


def read_filling_json(text: str, frames: int, *, open_end: bool = False) -> list[Shot]:
    """`read_json`, whose shots must follow each other and fill the film."""
    shots = read_json(text)
    if not open_end:
        check_count(len(shots), frames)
    ends = [0, *(shot.stop for shot in shots)]
    filled = ends[-1] >= frames if open_end else ends[-1] == frames
    if not filled or [shot.start for shot in shots] != ends[:-1]:
        listed = ", ".join(map(str, ends[1:8]))
        raise ValueError(
            f"expected shots that fill {counted(frames, 'frame')} without gaps, got ends at "
            f"{listed}"
        )
    return shots


def _shot(entry: dict[str, Any]) -> Shot:
    def whole(value: Any) -> int:
        if type(value) is not int or not 0 <= value < 1 << 40:
            raise ValueError(f"{str(value)[:40]!r} is no number of a frame")
        return value

    def transition(found: dict[str, Any] | None) -> Transition | None:
        if found is None:
            return None
        kind, confidence = found["kind"], found["confidence"]
        if kind not in get_args(Kind):
            raise ValueError(f"{str(kind)[:40]!r} is no transition")
        if not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
            raise ValueError(f"{str(confidence)[:40]!r} is no confidence")
        return Transition(kind, whole(found["start"]), whole(found["stop"]), float(confidence))

    inside = tuple(filter(None, map(transition, entry["disturbances"])))
    opening, closing = transition(entry["opening"]), transition(entry["closing"])
    return Shot(whole(entry["start"]), whole(entry["stop"]), opening, closing, inside)
