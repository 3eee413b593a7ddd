"""Shots as an OpenTimelineIO timeline, and as what its adapters write of one (Final Cut Pro 7 XML).

A timeline has one video track, a clip a shot, in the order of the film; times count from the film's
first timecode.  A clip's metadata under `pycolor` hold all else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from pycolor.errors import UsageError
from pycolor.options.frame_ranges import Timecode
from pycolor.system.optional import extra
from pycolor.video.shots.lists.film_times import FilmTimes
from pycolor.video.shots.lists.lists import check_count, shots_from_starts
from pycolor.video.shots.shot import Shot, Transition

JSON, FCP7 = "otio_json", "fcp_xml"
OWN = "pycolor"
_DISSOLVE = "SMPTE_Dissolve"
_FADES = "pycolor_Fade"


@dataclass(frozen=True, kw_only=True)
class TimelineFilm:
    """The film of a timeline.

    Attributes:
        name: of its file.
        frames: how many it has.
        rate: frames per second.
        timecode: of its first frame; empty: 00:00:00:00.
    """

    name: str
    frames: int
    rate: Fraction
    timecode: str = ""

    @property
    def first(self) -> int:
        """The first frame's timecode as a number of frames."""
        if not self.timecode:
            return 0
        parts = [int(part) for part in self.timecode.replace(";", ":").replace(".", ":").split(":")]
        code = Timecode(parts[0], parts[1], parts[2], parts[3], self.timecode[-3] != ":")
        try:
            return code.frame(self.rate)
        except UsageError:
            return 0


def write_timeline(
    shots: Sequence[Shot],
    film: TimelineFilm,
    *,
    adapter: str = JSON,
    metadata: Mapping[str, Any] | None = None,
    details: Sequence[Mapping[str, Any]] = (),
) -> str:
    """A timeline of shots.

    Args:
        shots: in order, without gaps.
        film: that they are of.
        adapter: what it is written by, a name of OpenTimelineIO's.
        metadata: of the whole; only .otio holds it.
        details: of each shot, likewise.

    Raises:
        UsageError: the library is not installed, or the list does not hold the film's rate.
    """
    otio = _library(adapter)
    rate, first = float(film.rate), film.first

    def time(frame: int) -> Any:
        return otio.opentime.RationalTime(frame, rate)

    def span(start: int, length: int) -> Any:
        return otio.opentime.TimeRange(time(first + start), time(length))

    timeline = otio.schema.Timeline(film.name)
    timeline.global_start_time = time(first)
    timeline.metadata[OWN] = dict(metadata or {})
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    for number, shot in enumerate(shots):
        opening = shot.opening
        if opening is not None and opening.stop > opening.start:
            before, after = shot.start - opening.start, opening.stop - shot.start
            if before >= 0 and after >= 0:  # an editor's transition holds the cut that it covers
                kind = _DISSOLVE if opening.kind == "dissolve" else _FADES
                track.append(otio.schema.Transition(opening.kind, kind, time(before), time(after)))
        reference = otio.schema.ExternalReference(film.name, span(0, film.frames))
        reference.name = film.name
        own = dict(details[number]) if details else _detail(shot)
        track.append(
            otio.schema.Clip(
                f"shot {number + 1:03d}",
                reference,
                span(shot.start, len(shot)),
                metadata={OWN: _plain(own)},
            )
        )
    try:
        text: str = otio.adapters.write_to_string(timeline, adapter)
    except ValueError as e:  # no timecode counts at this rate
        raise UsageError(
            f"{film.name} has {film.rate} frames a second, which this kind of list does not count: "
            f"expected a rate of SMPTE ST 12 ({str(e)[:100]}); .otio holds any."
        ) from None
    return text


def read_timeline(
    text: str,
    frames: int,
    *,
    times: FilmTimes,
    adapter: str = JSON,
    open_end: bool = False,
) -> list[Shot]:
    """Shots from the clips of a timeline's first video track, at their times in it.

    Args:
        text: of the file.
        frames: how many the film has.
        times: of the film's frames; clips are put right by them.
        adapter: what it is read by.
        open_end: the film may have more frames.

    Returns:
        shots that follow each other without gap from 0 to `frames`.

    Raises:
        ValueError: it is no timeline, or does not fit the film.
        UsageError: the library is not installed.
    """
    clips = clips_of(text, times, adapter)
    if not open_end:
        check_count(len(clips), frames)
    starts = [clip.start for clip in clips]
    length = max(frames, max(starts) + 1) if open_end and starts else frames
    openings = {clip.start: clip.opening for clip in clips if clip.opening is not None}
    shots = shots_from_starts(starts, length, openings)
    flashes = {clip.start: _flashes(clip.own, clip) for clip in clips}
    return [replace(shot, disturbances=flashes.get(shot.start, ())) for shot in shots]


@dataclass(frozen=True, kw_only=True)
class TimelineClip:
    """A clip of a timeline, in frames of the film.

    Attributes:
        start: its first frame; `stop` one past its last.
        opening: the transition at its start.
        own: what we wrote into its metadata, empty where it is another program's.
        whole: what we wrote into the timeline's.
    """

    start: int
    stop: int
    opening: Transition | None
    own: Mapping[str, Any]
    whole: Mapping[str, Any]

    @property
    def as_written(self) -> bool:
        """Whether it lies where it lay when we wrote it."""
        return (self.own.get("start"), self.own.get("stop")) == (self.start, self.stop)


def clips_of(text: str, times: FilmTimes, adapter: str = JSON) -> list[TimelineClip]:
    """The clips of a timeline's first video track.

    Args:
        text: of the file.
        times: of the film's frames.
        adapter: what it is read by.

    Raises:
        ValueError: it is no timeline with a video track.
        UsageError: the library is not installed.
    """
    otio = _library(adapter)
    try:
        timeline = otio.adapters.read_from_string(text, adapter)
    except Exception as e:  # whatever adapters raise on a file that is none of theirs
        raise ValueError(f"not a timeline: {' '.join(str(e).split())[:200]}") from None
    if isinstance(timeline, otio.schema.SerializableCollection):
        timeline = next(
            iter(timeline.find_children(descended_from_type=otio.schema.Timeline)), None
        )
    tracks = timeline.video_tracks() if isinstance(timeline, otio.schema.Timeline) else []
    if not tracks:
        raise ValueError("not a timeline with a video track")
    whole = _own(otio, timeline)
    found: list[TimelineClip] = []
    before: Any = None
    for item in tracks[0]:
        if isinstance(item, otio.schema.Transition):
            before = item
            continue
        place = item.range_in_parent()
        start, stop = (times.frame_at(_seconds(t, times)) for t in (
            place.start_time, place.end_time_exclusive()))  # fmt: skip
        if isinstance(item, otio.schema.Clip):
            clip = TimelineClip(
                start=start, stop=stop, opening=None, own=_own(otio, item), whole=whole
            )
            found.append(replace(clip, opening=_opening(before, clip, times)))
        before = None
    if not found:
        raise ValueError("the timeline's video track has no clip")
    return found


def _opening(before: Any, clip: TimelineClip, times: FilmTimes) -> Transition | None:
    """The transition into a clip: ours where it is as we wrote it, else the timeline's."""
    told = clip.own.get("opening") if clip.as_written else None
    if told:
        kind, confidence = told["kind"], float(told["confidence"])
        if kind in ("cut", "dissolve", "fade"):
            return Transition(kind, int(told["start"]), int(told["stop"]), confidence)
    if before is None:
        return None
    lengths = [
        round(_seconds(t, times) * times.rate) for t in (before.in_offset, before.out_offset)
    ]
    start, stop = max(0, clip.start - lengths[0]), clip.start + lengths[1]
    if before.transition_type == _FADES:
        return Transition("fade", start, stop, 1.0)
    return Transition("dissolve", start, stop, 1.0)


def _seconds(time: Any, times: FilmTimes) -> Fraction:
    """A time of a timeline, exact where its float is meant for a rate of the kind n/1001."""
    rate = Fraction(time.rate)
    near = [
        times.rate,
        Fraction(round(rate)),
        Fraction(round(rate * 1001 / 1000) * 1000, 1001),
    ]
    exact = next((r for r in near if r and abs(r - rate) < Fraction(1, 10**6)), rate)
    return Fraction(time.value).limit_denominator(10**6) / exact


def _detail(shot: Shot) -> dict[str, Any]:
    def told(mark: Transition) -> dict[str, Any]:
        return {
            "kind": mark.kind,
            "start": mark.start,
            "stop": mark.stop,
            "confidence": mark.confidence,
        }

    return {
        "start": shot.start,
        "stop": shot.stop,
        "opening": None if shot.opening is None else told(shot.opening),
        "disturbances": [told(mark) for mark in shot.disturbances],
    }


def _flashes(own: Mapping[str, Any], clip: TimelineClip) -> tuple[Transition, ...]:
    if not clip.as_written:
        return ()
    return tuple(
        Transition("flash", int(m["start"]), int(m["stop"]), float(m["confidence"]))
        for m in own.get("disturbances", [])
    )


def _own(otio: Any, item: Any) -> dict[str, Any]:
    """Our metadata of an item, as plain values."""
    if OWN not in item.metadata:
        return {}
    found = json.loads(otio.core.serialize_json_to_string(item.metadata[OWN]))
    return found if isinstance(found, dict) else {}


def _plain(value: Any) -> Any:
    """Mappings and tuples as dictionaries and lists."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _library(adapter: str) -> Any:
    otio = extra("opentimelineio")
    for name in ("opentime", "schema", "adapters", "core"):
        extra(f"opentimelineio.{name}")
    if adapter == FCP7:
        extra("otio_fcp_adapter")
    return otio
