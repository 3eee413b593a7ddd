"""Lists of shots to and from other programs: OpenTimelineIO, Final Cut Pro 7 XML, PySceneDetect."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from pycolor.cli import main
from pycolor.errors import UsageError
from pycolor.video.film_plan import edit
from pycolor.video.film_plan.decisions import FilmPlan, SourceFilm, new_plan
from pycolor.video.film_plan.timeline import plan_timeline, read_plan_timeline, times_of
from pycolor.video.job.decisions.plan_file import read_plan_file, save_plan_file
from pycolor.video.job.decisions.shot_lists import list_of, list_of_plan
from pycolor.video.shots.lists import list_files
from pycolor.video.shots.lists.csv_list import read_csv, write_csv
from pycolor.video.shots.lists.edl_list import read_edl, write_edl
from pycolor.video.shots.lists.film_times import FilmTimes
from pycolor.video.shots.lists.timelines import FCP7, TimelineFilm, read_timeline, write_timeline
from pycolor.video.shots.shot import Shot, Transition
from tests.films import make_film

CUT, DISSOLVE = Transition("cut", 44, 44, 0.9), Transition("dissolve", 100, 120, 0.75)
FADE = Transition("fade", 300, 310, 0.6)
SHOTS = [
    Shot(0, 44, None, CUT, (Transition("flash", 7, 9, 0.8),)),
    Shot(44, 110, CUT, DISSOLVE),
    Shot(110, 305, DISSOLVE, FADE),
    Shot(305, 4000, FADE, None),
]
NTSC = Fraction(30000, 1001)
RATES = [Fraction(24), Fraction(24000, 1001), Fraction(25), NTSC, Fraction(60000, 1001)]


def film(rate: Fraction, timecode: str = "") -> TimelineFilm:
    return TimelineFilm(name="reel.mkv", frames=4000, rate=rate, timecode=timecode)


@pytest.mark.parametrize("rate", [*RATES, Fraction(16), Fraction(25, 2)])
@pytest.mark.parametrize("timecode", ["", "10:00:00:00"])
def test_a_timeline_comes_back(rate: Fraction, timecode: str) -> None:
    text = write_timeline(SHOTS, film(rate, timecode))
    assert read_timeline(text, 4000, times=FilmTimes(frames=4000, rate=rate)) == SHOTS


@pytest.mark.parametrize("rate", RATES)
def test_final_cut_pro_xml_comes_back_but_for_what_it_does_not_hold(rate: Fraction) -> None:
    text = write_timeline(SHOTS, film(rate, "01:00:00:00"), adapter=FCP7)
    found = read_timeline(text, 4000, times=FilmTimes(frames=4000, rate=rate), adapter=FCP7)
    assert [(s.start, s.stop) for s in found] == [(s.start, s.stop) for s in SHOTS]
    ends = [(t.start, t.stop) for s in found if (t := s.opening) is not None]
    assert ends == [(44, 44), (100, 120), (300, 310)]


def test_a_rate_without_timecodes_is_refused_by_xml() -> None:
    with pytest.raises(UsageError, match="has 16 frames a second, which this kind of list"):
        write_timeline(SHOTS, film(Fraction(16)), adapter=FCP7)


def test_clips_count_from_the_film_s_timecode() -> None:
    timeline: Any = otio.adapters.read_from_string(
        write_timeline(SHOTS, film(Fraction(24), "10:00:00:00")), "otio_json"
    )
    second = timeline.video_tracks()[0][1]
    assert second.source_range.start_time.to_timecode(24) == "10:00:01:20"
    assert second.media_reference.available_range.duration.value == 4000
    dissolve = timeline.video_tracks()[0][2]
    assert (dissolve.in_offset.value, dissolve.out_offset.value) == (10, 10)


# -- plans ---------------------------------------------------------------------------------------


def plan(timecode: str = "01:00:00:00") -> FilmPlan:
    source = SourceFilm(
        name="reel.mkv",
        sha256="ab" * 32,
        frames=4000,
        rate=Fraction(24000, 1001),
        timecode=timecode,
        width=720,
        height=540,
    )
    made = new_plan(source, SHOTS, [False, True, False, False])
    guidance = (
        {"kind": "still", "frame": 60, "path": "stills/é 60.png"},
        {"kind": "color", "frame": 61, "at": [310.5, 122], "color": "#5a6b3c"},
        {"kind": "keep-gray", "frame": 62, "polygon": [[0, 0], [200, 0], [200, 90]]},
    )
    made = edit.set_shot(
        made,
        1,
        guidance=guidance,
        warmth=-0.25,
        notes='"a", b\n',
        model="zhang2016",
    )
    made = edit.set_shot(made, 2, treatment="black-and-white", look="vivid")
    return replace(edit.review(made, 1, "accepted", "Ada"), revision=7)


def test_a_plan_as_a_timeline_and_back() -> None:
    made = plan()
    found = read_plan_timeline(plan_timeline(made), times_of(made.source), made.source)
    assert found == made
    assert found.shots[1].digest == made.shots[1].digest
    assert not found.shots[1].changed_since_accepted


def test_a_cut_that_an_editor_moved() -> None:
    made = plan()
    timeline: Any = otio.adapters.read_from_string(plan_timeline(made), "otio_json")
    first, second = timeline.video_tracks()[0][0], timeline.video_tracks()[0][1]
    for clip, start, length in ((first, 0, 40), (second, 40, 70)):
        rate, begin = clip.source_range.start_time.rate, first.source_range.start_time.value
        clip.source_range = otio.opentime.TimeRange(
            otio.opentime.RationalTime(begin + start, rate),
            otio.opentime.RationalTime(length, rate),
        )
    text = otio.adapters.write_to_string(timeline, "otio_json")
    found = read_plan_timeline(text, times_of(made.source), made.source)
    assert found is not None
    assert [shot.start for shot in found.shots] == [0, 40, 110, 305]
    assert found.shots[1].notes == made.shots[1].notes
    assert found.shots[1].changed_since_accepted
    assert found.shots[2].closing == FADE


def test_each_kind_says_what_it_holds() -> None:
    made = plan()
    text = list_of_plan("edl", made, None)
    assert "002  AX       V     C        01:00:01:20 01:00:04:14 01:00:01:20 01:00:04:14" in text
    rows = list(csv.DictReader(io.StringIO(list_of_plan("csv", made, None).split("\n", 1)[1])))
    assert rows[1]["Source Timecode In"] == "01:00:01:20"
    shots = [Shot(n, n + 1) for n in range(1000)]
    with pytest.raises(UsageError, match="numbers 999 events, and the film has 1000 shots"):
        list_of("edl", shots, film(Fraction(24)), None)


def test_commands_take_and_give_timelines(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = make_film(tmp_path / "reel.mkv", frames=30, timecode="10:00:00:00")
    path = tmp_path / "reel.mkv.pycolor" / "plan.json"
    assert main(["plan", str(source), "--quiet"]) == 0
    made = edit.set_shot(edit.split_shot(read_plan_file(path).plan, 12), 1, notes="a coat")
    made = save_plan_file(path, made)
    lists = [str(tmp_path / "a.otio"), str(tmp_path / "a.xml")]
    told = ["--otio", lists[0], "--xml", lists[1], "--progress", "none"]
    assert main(["plan", str(source), *told]) == 0
    assert "a.otio: the whole plan" in capfd.readouterr().err
    for number, (name, notes) in enumerate(zip(lists, ("a coat", ""), strict=True)):
        again = tmp_path / f"{number}.json"
        told = ["--to", str(again), "--shots", name, "--progress", "none"]
        assert main(["plan", str(source), *told]) == 0
        found = read_plan_file(again).plan
        assert [s.start for s in found.shots] == [0, 12]
        assert found.shots[1].notes == notes
    assert main(["shots", str(source), "--otio", str(tmp_path / "b.otio"), "--quiet"]) == 0
    assert json.loads((tmp_path / "b.otio").read_text())["OTIO_SCHEMA"] == "Timeline.1"


# -- films whose rate varies ---------------------------------------------------------------------

# Frames of 40 ms, but for ten of 120 ms: PySceneDetect counts frames that are not there.
VARYING = [40 * n + 80 * min(max(n - 5, 0), 10) for n in range(60)]
TIMES = FilmTimes(frames=60, rate=Fraction(25), timeline=VARYING, tick=Fraction(1, 1000))
OF_PYSCENEDETECT = """Timecode List:,00:00:01.600
Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,\
End Time (seconds),Length (frames),Length (timecode),Length (seconds)
1,1,00:00:00.000,0.000,40,00:00:01.600,1.600,40,00:00:01.600,1.600
2,41,00:00:01.600,1.600,80,00:00:03.200,3.200,40,00:00:01.600,1.600
"""


# As its OpenCV backend writes it: the times of cuts are right, and the last scene ends by the rate,
# before it begins.
OF_OPENCV = """Timecode List:,00:00:01.600,00:00:02.520
Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,\
End Time (seconds),Length (frames),Length (timecode),Length (seconds)
1,1,00:00:00.000,0.000,40,00:00:01.600,1.600,40,00:00:01.600,1.600
2,41,00:00:01.600,1.600,63,00:00:02.520,2.520,23,00:00:00.920,0.920
3,64,00:00:02.520,2.520,60,00:00:02.400,2.400,0,00:00:00.000,0.000
"""


def test_times_of_frames() -> None:
    assert TIMES.varies
    assert not FilmTimes(frames=60, rate=Fraction(25)).varies
    for frame in range(61):
        assert TIMES.frame_at(TIMES.seconds(frame)) == frame
    assert TIMES.seconds(20) == Fraction(1600, 1000)
    assert TIMES.frame_at(Fraction(1579, 1000)) == 19
    assert TIMES.frame_at(Fraction(1581, 1000)) == 20


def test_pyscenedetect_s_frames_are_put_right_by_time() -> None:
    assert [s.start for s in list_files.read(".csv", OF_PYSCENEDETECT, TIMES)] == [0, 20]
    opencv = list_files.read(".csv", OF_OPENCV, TIMES)
    assert [(s.start, s.stop) for s in opencv] == [(0, 20), (20, 43), (43, 60)]
    constant = FilmTimes(frames=80, rate=Fraction(25))
    assert [s.start for s in list_files.read(".csv", OF_PYSCENEDETECT, constant)] == [0, 40]
    ours = write_csv([Shot(0, 20), Shot(20, 60)], Fraction(25), times=TIMES)
    assert ",1.600," in ours
    assert [s.start for s in read_csv(ours, 60, times=TIMES)] == [0, 20]
    with pytest.raises(ValueError, match="for a whole film only"):
        list_files.read(".csv", OF_PYSCENEDETECT, TIMES, 10)


def test_pyscenedetect_s_timeline() -> None:
    """As it writes one: positions in seconds times the rate, an available range of 1980 frames."""

    def time(value: float) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": 25.0, "value": value}

    def clip(start: float, length: float) -> dict[str, Any]:
        return {
            "OTIO_SCHEMA": "Clip.2",
            "name": "reel.mkv",
            "source_range": {
                "OTIO_SCHEMA": "TimeRange.1",
                "start_time": time(start),
                "duration": time(length),
            },
            "media_references": {"DEFAULT_MEDIA": {"OTIO_SCHEMA": "MissingReference.1"}},
            "active_media_reference_key": "DEFAULT_MEDIA",
        }

    text = json.dumps(
        {
            "OTIO_SCHEMA": "Timeline.1",
            "name": "reel",
            "global_start_time": time(0),
            "tracks": {
                "OTIO_SCHEMA": "Stack.1",
                "children": [
                    {
                        "OTIO_SCHEMA": "Track.1",
                        "kind": kind,
                        "children": [clip(0, 40.0), clip(40.0, 40.0)],
                    }
                    for kind in ("Video", "Audio")
                ],
            },
        }
    )
    assert [s.start for s in list_files.read(".otio", text, TIMES)] == [0, 20]
    constant = FilmTimes(frames=80, rate=Fraction(25))
    assert [s.start for s in list_files.read(".otio", text, constant)] == [0, 40]


def test_what_is_no_timeline() -> None:
    for text in ("", "{}", "no json", json.dumps({"OTIO_SCHEMA": "Clip.2"})):
        with pytest.raises(ValueError, match="not a timeline"):
            list_files.read(".otio", text, TIMES)
    with pytest.raises(ValueError, match="not a timeline"):
        list_files.read(".xml", "<xmeml", TIMES)


def test_drop_frame_lists() -> None:
    """An hour of timecode at 29.97 has 107892 frames (ST 12-1)."""
    shots = [Shot(0, 1800), Shot(1800, 107892)]
    text = write_edl(shots, NTSC, timecode="01:00:00;00")
    assert "FCM: DROP FRAME" in text
    assert "01:01:00;02 02:00:00;00" in text
    assert [s.start for s in read_edl(text, 107892, NTSC)] == [0, 1800]
    with pytest.raises(ValueError, match="a drop-frame list needs"):
        read_edl(text, 107892, Fraction(24))
