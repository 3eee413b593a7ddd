"""Shot lists written and read back."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

from pycolor.video.shots.lists.csv_list import read_csv, write_csv
from pycolor.video.shots.lists.edl_list import read_edl, write_edl
from pycolor.video.shots.lists.json_list import read_json, write_json
from pycolor.video.shots.lists.lists import shots_from_starts
from pycolor.video.shots.shot import Shot, Transition

CUT = Transition("cut", 44, 44, 0.9)
DISSOLVE = Transition("dissolve", 100, 120, 0.75)
SHOTS = [
    Shot(0, 44, None, CUT, (Transition("flash", 7, 9, 0.8),)),
    Shot(44, 110, CUT, DISSOLVE),
    Shot(110, 4000, DISSOLVE, None),
]
BARE = [Shot(s.start, s.stop, s.opening, s.closing) for s in SHOTS]
RATES = [Fraction(24), Fraction(24000, 1001), Fraction(16), Fraction(25, 2)]


@pytest.mark.parametrize("rate", RATES)
def test_csv_comes_back(rate: Fraction):
    assert read_csv(write_csv(SHOTS, rate), 4000) == BARE


@pytest.mark.parametrize("rate", RATES)
def test_edl_comes_back(rate: Fraction):
    assert read_edl(write_edl(SHOTS, rate), 4000, rate) == BARE


def test_json_comes_back():
    assert read_json(write_json(SHOTS)) == SHOTS


def test_csv_has_the_columns_of_pyscenedetect():
    lines = write_csv(SHOTS, Fraction(25)).splitlines()
    assert lines[0] == "Timecode List:,00:00:01.760,00:00:04.400"
    assert lines[1].startswith(
        "Scene Number,Start Frame,Start Timecode,Start Time (seconds),End Frame,End Timecode,"
        "End Time (seconds),Length (frames),Length (timecode),Length (seconds),"
    )
    assert lines[2] == "1,1,00:00:00.000,0.000,44,00:00:01.760,1.760,44,00:00:01.760,1.760"
    assert lines[3].startswith("2,45,00:00:01.760,1.760,110,00:00:04.400,4.400,66,")


def test_edl_is_cmx3600():
    lines = write_edl(SHOTS, Fraction(24)).splitlines()
    assert lines[1] == "FCM: NON-DROP FRAME"
    assert lines[3] == (
        "001  AX       V     C        00:00:00:00 00:00:01:20 00:00:00:00 00:00:01:20"
    )
    assert lines[6].startswith("003  AX       V     D    020 00:00:04:14 ")


def test_an_edited_csv_is_read():
    text = "\ufeffScene Number,Start Frame,End Frame\r\n1,1,10\r\n\r\n2,11,30\r\n"
    assert [s.start for s in read_csv(text, 30)] == [0, 10]
    assert [s.start for s in read_csv("11\n21\n", 30)] == [0, 10, 20]


def test_an_edl_of_another_program_is_read():
    text = """TITLE: REEL 1
FCM: NON-DROP FRAME
001  R1       V     C        00:00:10:00 00:00:12:00 01:00:00:00 01:00:02:00
* FROM CLIP NAME: A.MOV
001  R1       A     C        00:00:10:00 00:00:12:00 01:00:00:00 01:00:02:00
002  R1       B     D    024 00:00:12:00 00:00:14:00 01:00:02:00 01:00:04:00
"""
    shots = read_edl(text, 96, Fraction(24))
    assert [(s.start, s.stop) for s in shots] == [(0, 48), (48, 96)]


def test_bad_lists_are_refused():
    with pytest.raises(ValueError, match="names no start"):
        read_csv("Scene Number,Start Frame\n", 10)
    with pytest.raises(ValueError, match="whole number"):
        read_csv("Scene Number,Start Frame\n1,one\n", 10)
    with pytest.raises(ValueError, match="has 10 frames"):
        read_csv("11\n", 10)
    with pytest.raises(ValueError, match="drop-frame"):
        read_edl(re.sub(r":(\d\d)\b(?!:)", r";\1", write_edl(SHOTS, RATES[0])), 4000, RATES[0])
    with pytest.raises(ValueError, match="drop-frame"):
        read_edl("FCM: DROP FRAME\n", 4000, RATES[0])
    with pytest.raises(ValueError, match="not a time code"):
        read_edl(write_edl(SHOTS, Fraction(24)), 4000, Fraction(16))
    with pytest.raises(ValueError, match="not a pycolor shot list"):
        read_json("{}")
    with pytest.raises(ValueError, match="not a pycolor shot list"):
        read_json("no json")
    with pytest.raises(ValueError, match="frame rate"):
        write_csv(SHOTS, Fraction(0))
    assert shots_from_starts([5, 5, 2], 9) == shots_from_starts([2, 5], 9)
