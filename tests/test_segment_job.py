"""Seams: a plan as a document, a layer apart from its pictures, a segment in another process."""

from __future__ import annotations

import pickle
import subprocess
import sys
from array import array
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pycolor.image.guidance.guides import load_predictor
from pycolor.options import PredictOptions, PropagationOptions
from pycolor.video.io import FrameSource
from pycolor.video.job.distribute.segment import SegmentJob, run_segment
from pycolor.video.plan.analysis import FilmAnalysis, analyze_film
from pycolor.video.plan.plan import Plan, ShotBody, TransitionSpan
from pycolor.video.plan.plan_json import plan_from_json, plan_to_json
from pycolor.video.plan.planning import plan_of
from pycolor.video.propagation.layer import predict_layer, predict_layers
from pycolor.video.shots.shot import Shot, Transition
from tests.films import make_film

QUICK = PredictOptions(device="cpu", dtype="float32", short_side=64)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("seams") / "film.mkv", frames=40)


@pytest.fixture(scope="module")
def plan(film: Path) -> Plan:
    return plan_of(analyze_film(film), PropagationOptions(), recolor=False)


def test_a_plan_goes_through_its_document(plan: Plan) -> None:
    again = plan_from_json(plan_to_json(plan))
    assert again.reach == plan.reach
    assert np.array_equal(again.gain, plan.gain)
    assert [list(s.keys) for s in again.spans if isinstance(s, ShotBody)] == [
        list(s.keys) for s in plan.spans if isinstance(s, ShotBody)
    ]


def test_transitions_keep_their_sides() -> None:
    first = ShotBody(start=0, stop=4, keys=array("q", [0, 3]), outliers=frozenset([1]))
    last = ShotBody(start=6, stop=9, keys=(), passthrough=True)
    mix = TransitionSpan(start=4, stop=6, kind="fade", before=first, after=last)
    plan = Plan(spans=(first, mix, last), gain=np.ones(9, np.float32), reach=36)
    again = plan_from_json(plan_to_json(plan))
    assert isinstance(again.spans[1], TransitionSpan)
    assert again.spans[1].before is again.spans[0]
    assert again.spans[1].after is again.spans[2]
    assert again.spans[1].passthrough
    assert again.spans[0].outliers == {1}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("pycolor-schedule", "other"), "expected pycolor-schedule"),
        (('"version": 1', '"version": 2'), "version 1, got"),
        (('"start": 0', '"start": 1'), "follows frame 0"),
        (('"keys"', '"kays"'), "damaged"),
        (("{", "["), "JSON object"),
    ],
)
def test_a_damaged_document_is_refused(plan: Plan, change: tuple[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        plan_from_json(plan_to_json(plan).replace(*change, 1))


def test_a_layer_does_not_depend_on_where_it_is_cut(film: Path, plan: Plan) -> None:
    predictor, source = load_predictor(QUICK), FrameSource(path=film)
    whole = predict_layer(plan, source, predictor, 0, 40)
    assert (whole.first, whole.stop) == (0, 40)
    ends = [0, 1, 7, 20, 40]
    parts = list(predict_layers(plan, source, predictor, ends))
    alone = [predict_layer(plan, source, predictor, a, b) for a, b in pairwise(ends)]
    for layers in (parts, alone):
        fields = [field for layer in layers for field in layer.fields]
        assert all(torch.equal(a, b) for a, b in zip(fields, whole.fields, strict=True))  # type: ignore[arg-type]


def test_a_pickled_job_gives_the_same_segment_in_another_process(
    film: Path, plan: Plan, tmp_path: Path
) -> None:
    job = SegmentJob(
        source=FrameSource(path=film),
        plan=plan,
        first=10,
        stop=30,
        predict=QUICK,
        weights_sha256=load_predictor(QUICK).loaded.sha256,
        output=tmp_path / "segment.mkv",
        target=tmp_path / "out.mkv",
    )
    here = run_segment(job)
    content = job.output.read_bytes()
    job.output.unlink()
    code = (
        "import pickle, sys; from pycolor.video.job.distribute.segment import run_segment; "
        "print(b''.join(run_segment(pickle.load(open(sys.argv[1], 'rb'))).luma).hex())"
    )
    stored = tmp_path / "job.pickle"
    stored.write_bytes(pickle.dumps(job))
    root = Path(__file__).resolve().parents[1]
    there = subprocess.run(
        [sys.executable, "-c", code, str(stored)],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
    )
    assert job.output.read_bytes() == content
    assert there.stdout.strip() == b"".join(here.luma).hex()


@given(
    frames=st.integers(2, 90),
    damage=st.integers(0, 30),
    length=st.integers(1, 12),
    change=st.sampled_from([0.0, 0.05, 0.17, 0.6]),
    mode=st.sampled_from(["fast", "best"]),
)
@settings(max_examples=150)
def test_needs_are_counted_from_the_frame_that_is_shown(
    frames: int, damage: int, length: int, change: float, mode: str
) -> None:
    """A frame that repeats an earlier one needs the key frames of that one."""
    low = min(damage, frames - 1)
    high = min(low + length, frames)
    marks = (Transition("flash", low, high, 1.0),) if high - low < frames else ()
    analysis = FilmAnalysis(
        timeline=range(frames),
        shots=(Shot(0, frames, disturbances=marks),),
        lightness=np.full(frames, 0.5, np.float32),
        change=np.full(frames, change, np.float32),
        colored=(False,),
        starts=(Fraction(0),),
        rate=Fraction(24),
    )
    plan = plan_of(analysis, PropagationOptions(mode=mode), recolor=False)  # type: ignore[arg-type]
    (body,) = plan.spans
    assert isinstance(body, ShotBody)
    forgotten = 0
    for n in range(frames):
        forgotten = max(forgotten, plan.first_needed(n))  # what is older is dropped
        shown = body.shown(n)
        assert shown not in body.outliers
        used = [key for key in body.keys if abs(key - shown) < plan.reach]
        assert used
        assert min(used) >= forgotten
        assert shown >= forgotten or shown > n


def test_every_frame_may_be_a_key_frame() -> None:
    analysis = FilmAnalysis(
        timeline=range(9),
        shots=(Shot(0, 9),),
        lightness=np.full(9, 0.5, np.float32),
        change=np.zeros(9, np.float32),
        colored=(False,),
        starts=(Fraction(0),),
        rate=Fraction(24),
    )
    plan = plan_of(analysis, PropagationOptions(key_every=1), recolor=False)
    (body,) = plan.spans
    assert isinstance(body, ShotBody)
    assert list(body.keys) == list(range(9))
