"""The plan that people keep beside a film: its document, what is wrong in it, its changes."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycolor.models.guidance.looks import LOOKS, Grade
from pycolor.options import PropagationOptions
from pycolor.video.film_plan import edit
from pycolor.video.film_plan.decisions import FilmPlan, PlanError, ShotPlan, SourceFilm, new_plan
from pycolor.video.film_plan.document import plan_schema, read_plan
from pycolor.video.film_plan.document_text import plan_text
from pycolor.video.film_plan.schedule import schedule
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.grade import Grades, combined
from pycolor.video.plan.plan import ShotBody, TransitionSpan
from pycolor.video.shots.shot import Shot, Transition

FILM = SourceFilm(
    name="reel.mkv", sha256="ab" * 32, frames=60, rate=Fraction(24), timecode="01:00:00:00"
)
CUT, MIX = Transition("cut", 20, 20, 0.9), Transition("dissolve", 36, 44, 0.7)
SHOTS = (
    Shot(0, 20, None, CUT, (Transition("flash", 5, 6, 1.0),)),
    Shot(20, 40, CUT, MIX),
    Shot(40, 60, MIX, None),
)


@pytest.fixture
def plan() -> FilmPlan:
    return new_plan(FILM, SHOTS, [False, False, True])


def test_a_plan_goes_through_its_document(plan: FilmPlan) -> None:
    plan = edit.set_shot(
        plan, 1, guidance=({"kind": "picture", "path": "käthe.png"},), warmth=-0.25, notes="ö\n"
    )
    plan = edit.review(plan, 0, "accepted", "Ada")
    text = plan_text(plan)
    assert read_plan(text) == plan
    assert plan_text(read_plan(text)) == text
    jsonschema.validate(json.loads(text), plan_schema())
    assert json.loads(text)["shots"][1]["timecode"] == "01:00:00:20"


def test_the_schema_is_one_and_knows_every_field(plan: FilmPlan) -> None:
    schema = plan_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    known = schema["$defs"]["shot"]["properties"]
    assert list(known) == list(json.loads(plan_text(plan))["shots"][0])
    assert set(ShotPlan.__dataclass_fields__) == set(known) - {"timecode"}
    assert known["look"]["enum"] == ["", *LOOKS]


def test_what_is_left_out_has_a_value(plan: FilmPlan) -> None:
    content = json.loads(plan_text(plan))
    content["shots"] = [{"start": 0, "stop": 20}, {"start": 20, "stop": 60}]
    read = read_plan(json.dumps(content))
    assert read.shots[1].opening == read.shots[0].closing == Transition("cut", 20, 20, 1.0)
    assert read.shots[0].saturation == 1
    content["shots"][1]["opening"] = {"kind": "dissolve", "start": 16, "stop": 24}
    read = read_plan(json.dumps(content))
    assert read.shots[0].closing == Transition("dissolve", 16, 24, 1.0)


WRONG = [
    ('"saturation": 1.0', '"saturation": 9', "saturation must lie in 0 to 4, got 9"),
    ('"saturation": 1.0', '"saturation": "much"', 'saturation should be a number, got "much"'),
    ('"saturation": 1.0', '"saturation": NaN', "saturation should be a number, got NaN"),
    ('"warmth": 0.0', '"warmth": -2', "warmth must lie in -1 to 1"),
    ('"warmth"', '"warmht"', "'warmht' is not known; expected one of"),
    ('"look": ""', '"look": "sepia"', "look must be one of natural"),
    ('"treatment": "auto"', '"treatment": "gray"', "expected one of auto, color"),
    ('"state": "new"', '"state": 3', "state should be a text, got 3"),
    ('"stop": 20,', '"stop": 21,', "shot 2 should start at frame 21"),
    ('"stop": 60,', '"stop": 61,', "the last shot should stop at frame 60"),
    ('"start": 20,', '"start": 20.5,', "start should be a whole number, got 20.5"),
    ('"guidance": []', '"guidance": [7]', "expected guidance, a JSON object; got 7"),
    ('"timecode": "01:00:00:20"', '"timecode": "01:00:00:21"', "has the timecode 01:00:00:20"),
    ('"rate": "24"', '"rate": "fast"', "expected frames per second such as 24"),
    ('"version": 1', '"version": 2', "expected version 1"),
    ('"frames": 60,', "", "frames is missing; expected a whole number"),
    ('"format"', '"notes": 1, "format"', "'notes' is not known"),
    ('"colored": true', '"colored": 1', "colored should be true or false, got 1"),
    ('"kind": "dissolve"', '"kind": "wipe"', "expected the kind cut or dissolve or fade"),
    ('"state": "new"', '"state": "new", "state": "new"', "'state' stands twice"),
    ('"shots": [', '"shots": [,', "expected JSON"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG, ids=[w[1] for w in WRONG])
def test_what_is_wrong_is_told_with_its_line(plan: FilmPlan, old: str, new: str, said: str) -> None:
    text = plan_text(plan)
    assert old in text
    with pytest.raises(ValueError, match=said) as caught:
        read_plan(text.replace(old, new, 1))
    line = text[: text.index(old)].count("\n") + 1
    told = int(str(caught.value).split(":")[0].removeprefix("line "))
    expected = {
        '"stop": 20,': text[: text.index('"start": 20,\n   "stop": 40')].count("\n") + 1,
        '"frames": 60,': text[: text.index('"source"')].count("\n") + 1,
    }
    assert told == expected.get(old, line)


KEYS = st.sampled_from(["format", "version", "source", "shots", "start", "stop"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)


@given(JSON)
@settings(max_examples=60)
def test_no_json_ends_otherwise_than_in_a_sentence(content: object) -> None:
    with pytest.raises(ValueError, match=r"^line "):
        read_plan(json.dumps(content, indent=1))


WRONG_GUIDANCE = [
    ({}, "guidance", "guidance needs a kind"),
    ({"kind": "photo", "path": "a.png"}, "kind", "got 'photo'"),
    ({"kind": "picture"}, "guidance", "a picture needs the path"),
    ({"kind": "picture", "path": "a", "at": 1}, "at", "'at' is not known"),
    ({"kind": "still", "path": "a.png"}, "guidance", "number of its frame"),
    ({"kind": "still", "path": "a.png", "frame": 20}, "frame", "not of this shot, frames 0 to 19"),
    ({"kind": "palette", "colors": ["red"]}, "colors", "a palette needs colors: a color must be"),
    ({"kind": "palette"}, "guidance", "a palette needs colors"),
    ({"kind": "color", "frame": 3, "at": [1, 2]}, "guidance", "needs a color"),
    ({"kind": "keep-gray", "frame": 3, "polygon": [[1, 2]]}, "guidance", "3 corners"),
]


@pytest.mark.parametrize(("entry", "key", "said"), WRONG_GUIDANCE)
def test_guidance_that_cannot_be(
    plan: FilmPlan, entry: dict[str, object], key: str, said: str
) -> None:
    content = json.loads(plan_text(plan))
    content["shots"][0]["guidance"] = [entry]
    text = json.dumps(content, indent=1)
    with pytest.raises(ValueError, match=said) as caught:
        read_plan(text)
    line = int(str(caught.value).split(":")[0].removeprefix("line "))
    at = text.index('"guidance"')
    if key != "guidance":
        assert line == text[: text.index(f'"{key}"', at)].count("\n") + 1
    else:
        assert line == text[:at].count("\n") + 2


def test_guidance_stays_with_its_frames(plan: FilmPlan) -> None:
    still = {"kind": "still", "frame": 4, "path": "a.png"}
    mark = {"kind": "color", "frame": 15, "at": [1, 2], "color": "#102030"}
    alike = {"kind": "picture", "path": "b.png"}
    plan = edit.set_shot(plan, 0, guidance=(still, mark, alike))
    split = edit.split_shot(plan, 10)
    assert [shot.guidance for shot in split.shots[:2]] == [(still, alike), (mark, alike)]
    moved = edit.move_cut(split, 1, 16)
    assert set(map(str, moved.shots[0].guidance)) == set(map(str, (still, mark, alike)))
    assert moved.shots[1].guidance == (alike,)
    assert set(map(str, edit.merge_shots(split, 0).shots[0].guidance)) == set(
        map(str, (still, mark, alike))
    )
    with pytest.raises(PlanError, match="not of this shot"):
        edit.set_shot(plan, 2, guidance=(still,))


def test_splits_and_merges_undo_each_other(plan: FilmPlan) -> None:
    split = edit.split_shot(plan, 7)
    assert [s.start for s in split.shots] == [0, 7, 20, 40]
    assert split.shots[0].disturbances == SHOTS[0].disturbances
    assert split.shots[1].disturbances == ()
    assert edit.merge_shots(split, 0) == plan
    for frame in (0, 20, 60, -1):
        with pytest.raises(PlanError):
            edit.split_shot(plan, frame)
    with pytest.raises(PlanError, match="lies in the dissolve"):
        edit.split_shot(plan, 38)


def test_a_cut_that_moves_takes_its_transition_along(plan: FilmPlan) -> None:
    moved = edit.move_cut(plan, 2, 42)
    assert moved.shots[2].opening == moved.shots[1].closing == Transition("dissolve", 38, 46, 1.0)
    assert (moved.shots[1].stop, moved.shots[2].start) == (42, 42)
    with pytest.raises(PlanError, match="21 to 59"):
        edit.move_cut(plan, 2, 20)
    hard = edit.set_transition(plan, 2, "cut", 41, 41)
    assert hard.shots[2].start == 41


def test_a_changed_shot_is_no_longer_accepted(plan: FilmPlan) -> None:
    accepted = edit.review(plan, 1, "accepted", "Ada", "2026-11-27T12:00:00+00:00")
    assert not accepted.shots[1].changed_since_accepted
    changed = edit.set_shot(accepted, 1, saturation=0.5)
    assert changed.shots[1].changed_since_accepted
    assert edit.set_shot(accepted, 1, notes="blue coat").shots[1].digest == accepted.shots[1].digest
    assert edit.merge_shots(accepted, 1).shots[1].state == "new"
    with pytest.raises(PlanError, match="no color"):
        edit.set_shot(plan, 1, color=1)


def test_the_schedule_follows_the_document(plan: FilmPlan) -> None:
    seen = FilmAnalysis(
        timeline=range(60),
        shots=(Shot(0, 60),),
        lightness=np.full(60, 0.5, np.float32),
        change=np.zeros(60, np.float32),
        colored=(False,),
        starts=(Fraction(0),),
        rate=Fraction(24),
    )
    made = schedule(plan, seen, PropagationOptions(), recolor=False)
    first, second, mix, last = made.spans
    assert isinstance(first, ShotBody)
    assert (first.stop, sorted(first.outliers)) == (20, [5])
    assert isinstance(second, ShotBody)
    assert isinstance(mix, TransitionSpan)
    assert (mix.start, mix.stop) == (36, 44)
    assert last.passthrough
    plan = edit.set_shot(plan, 2, treatment="black-and-white")
    made = schedule(plan, seen, PropagationOptions(), recolor=False)
    assert not made.spans[-1].passthrough
    plan = edit.set_shot(plan, 0, treatment="own-color")
    assert schedule(plan, seen, PropagationOptions(), recolor=True).spans[0].passthrough


def test_a_shot_s_grade_goes_with_the_film_s(plan: FilmPlan) -> None:
    film = Grade(saturation=0.5, warmth=0.8, look="vivid")
    shot = edit.set_shot(plan, 0, saturation=3.0, warmth=0.5).shots[0].grade
    assert combined(film, shot) == Grade(saturation=1.5, warmth=1.0, look="vivid")
    assert combined(film, Grade(look="natural")).look == "natural"
    gray = edit.set_shot(plan, 0, saturation=3.0, treatment="black-and-white").shots[0].grade
    assert Grades(film=film, shots={4: gray}).of(4).saturation == 0
    assert Grades(film=film).of(4) == film


def test_revisions_and_shots_are_checked(plan: FilmPlan) -> None:
    with pytest.raises(PlanError, match="0 or more"):
        replace(plan, revision=-1)
    with pytest.raises(PlanError, match="one transition between them"):
        replace(plan, shots=(plan.shots[0], replace(plan.shots[1], opening=None), plan.shots[2]))
