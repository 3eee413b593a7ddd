"""A material keeps its color through a shot: anchors, and what frames are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from pycolor.errors import FilmError
from pycolor.image.guidance.guides import load_predictor
from pycolor.models.guidance.guide import Place
from pycolor.models.networks.layers.surfaces import STRIDE, descriptors, materials, unified
from pycolor.options import PredictOptions, PropagationOptions
from pycolor.video.io import FrameSource, Reader, SharedFrames, SingleFrames
from pycolor.video.plan.analysis import FilmAnalysis, analyze_film
from pycolor.video.plan.plan import ANCHORS, Plan, ShotBody
from pycolor.video.plan.plan_json import plan_from_json, plan_to_json
from pycolor.video.plan.planning import plan_of, with_guided
from pycolor.video.propagation.layer import predict_layer, predict_layers
from pycolor.video.propagation.seen_frames import SeenFrames
from pycolor.video.shots.shot import Shot
from tests.films import make_film

FRAMES = 56
QUICK = PredictOptions(device="cpu", dtype="float32", short_side=64)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("anchors")
    return make_film(folder / "film.mkv", frames=FRAMES, codec="libx264")


def plan_for(frames: int, mode: str = "fast") -> Plan:
    analysis = FilmAnalysis(
        timeline=range(frames),
        shots=(Shot(0, frames),),
        lightness=np.full(frames, 0.5, np.float32),
        change=np.zeros(frames, np.float32),
        colored=(False,),
        starts=(Fraction(0),),
        rate=Fraction(24),
    )
    return plan_of(analysis, PropagationOptions(mode=mode), recolor=False)  # type: ignore[arg-type]


def body_of(plan: Plan) -> ShotBody:
    (body,) = plan.spans
    assert isinstance(body, ShotBody)
    return body


@given(frames=st.integers(1, 3000), mode=st.sampled_from(["fast", "best"]))
def test_anchors_are_some_key_frames_from_end_to_end(frames: int, mode: str) -> None:
    body = body_of(plan_for(frames, mode))
    if len(body.keys) == 1:
        assert body.anchors == ()
        return
    assert set(body.anchors) <= set(body.keys)
    assert (body.anchors[0], body.anchors[-1]) == (body.keys[0], body.keys[-1])
    assert len(body.anchors) >= min(ANCHORS, len(body.keys))
    assert all(b - a > 0 for a, b in pairwise(body.anchors))
    if len(body.anchors) > ANCHORS:
        assert max(b - a for a, b in pairwise(body.anchors)) <= 72


@given(frames=st.integers(2, 1500), data=st.data())
def test_a_frame_is_compared_with_the_nearest_others(frames: int, data: st.DataObject) -> None:
    body = body_of(plan_for(frames))
    n = data.draw(st.sampled_from(list(body.keys)))
    near = body.anchors_near(n)
    others = [a for a in body.anchors if a != n]
    assert len(near) == min(ANCHORS, len(others))
    far = [abs(a - n) for a in others if a not in near]
    assert all(abs(a - n) <= f for a in near for f in far)
    assert list(near) == sorted(near)


def test_without_steady_color_every_frame_is_by_itself() -> None:
    assert body_of(plan_for(30, "off")).anchors == ()


def test_a_mark_on_a_frame_changes_no_anchor() -> None:
    plan = plan_for(200)
    marked = with_guided(plan, [17, 60])
    assert body_of(marked).anchors == body_of(plan).anchors
    assert body_of(plan_from_json(plan_to_json(marked))).anchors == body_of(plan).anchors


def test_other_pictures_places_count_as_those_they_stand_for() -> None:
    """Against weights by the formula, in double precision, over the places of three pictures."""
    torch.manual_seed(2)
    own, first, second = (
        descriptors([(torch.randn(1, 5, 8, 10), 0.7)], torch.rand(1, 1, 8, 10) * 100)
        for _ in range(3)
    )
    values = [torch.randn(1, 6, 16, 20) for _ in range(3)]
    around = [materials(v, c) for v, c in zip(values[1:], (first, second), strict=True)]
    found = unified(values[0], own, 0.8, torch.cat(around, 2))

    def places(x: torch.Tensor, step: int) -> torch.Tensor:
        return x.double()[:, :, ::step, ::step].flatten(2).mT

    coarse = [functional.avg_pool2d(v.double(), 2) for v in values]
    every = [places(own, 1), places(first, STRIDE), places(second, STRIDE)]
    weight = (-torch.cdist(every[0], torch.cat(every, 1)).square() / 0.8).exp()
    weight[:, :, every[0].shape[1] :] *= STRIDE**2
    weight = weight / weight.sum(2, keepdim=True)
    known = torch.cat([places(coarse[0], 1), *(places(c, STRIDE) for c in coarse[1:])], 1)
    moved = (weight @ known - places(coarse[0], 1)).mT.unflatten(2, (8, 10))
    expected = values[0] + functional.interpolate(moved, (16, 20), mode="bilinear")
    torch.testing.assert_close(found, expected.float(), atol=1e-4, rtol=0)
    batch = unified(
        torch.cat(values[:2]), torch.cat([own, first]), 0.8, torch.cat(around, 2)
    )  # one context for all
    torch.testing.assert_close(batch[:1], found, atol=1e-5, rtol=0)


def test_frames_are_colored_alike_wherever_a_film_is_cut(film: Path) -> None:
    """In one go, from the middle, where frames cannot be sought, shared, and seen before."""
    plan = plan_of(analyze_film(film), PropagationOptions(), recolor=False)
    assert len(body_of(plan).anchors) >= ANCHORS
    with Reader(film) as reader:
        info, timeline = reader.info, reader.timeline()
    predictor = load_predictor(QUICK)
    source = FrameSource(path=film, timeline=timeline)
    whole = predict_layer(plan, source, predictor, 0, FRAMES).fields
    sequential = FrameSource(path=film)
    seen = SeenFrames(info)
    pieces = [
        predict_layer(plan, source, load_predictor(QUICK), 45, FRAMES),
        predict_layer(plan, sequential, predictor, 40, 48),
        *predict_layers(plan, SharedFrames(source, 12, 30, apart=60), predictor, [12, 20, 30]),
        *predict_layers(plan, source, predictor, [50, 52], seen=seen),
        *predict_layers(plan, source, predictor, [50, 52], seen=seen),
        predict_layer(plan, source, predictor, 48, FRAMES, batch=3),
    ]
    for piece in pieces:
        for n, field in enumerate(piece.fields, piece.first):
            assert torch.equal(field, whole[n]), n  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["pycolor2026", "iizuka2016", "zhang2016"])
@pytest.mark.parametrize("mode", ["fast", "off"])
def test_the_network_beside_propagation_gives_the_same(film: Path, mode: str, model: str) -> None:
    plan = plan_of(analyze_film(film), PropagationOptions(mode=mode), recolor=False)  # type: ignore[arg-type]
    source, predictor = FrameSource(path=film), load_predictor(replace(QUICK, model=model))
    whole = predict_layer(plan, source, predictor, 0, FRAMES).fields
    for first, stop in ((0, FRAMES), (20, 31)):
        with ThreadPoolExecutor(1) as background:
            ends = [*range(first, stop, 4), stop]
            layers = predict_layers(plan, source, predictor, ends, background=background)
            found = [field for layer in layers for field in layer.fields]
        for n, field in enumerate(found, first):
            assert torch.equal(field, whole[n]), n  # type: ignore[arg-type]


def test_no_key_frame_is_predicted_that_no_frame_needs(film: Path) -> None:
    plan = plan_of(analyze_film(film), PropagationOptions(key_every=4), recolor=False)
    predictor = load_predictor(QUICK)
    colored: list[int | None] = []
    field = predictor.field

    def noted(*given: Any, places: Sequence[Place], **named: Any) -> torch.Tensor:
        colored.extend(n for n, _ in places)
        return field(*given, places=places, **named)

    predictor.field = noted  # type: ignore[method-assign,assignment]
    with ThreadPoolExecutor(1) as background:
        for _ in predict_layers(
            plan, FrameSource(path=film), predictor, [0, 4], background=background
        ):
            pass
    assert colored == [key for key in body_of(plan).keys if key < 3 + plan.reach]


def test_what_fails_in_the_background_is_told(film: Path) -> None:
    plan = plan_of(analyze_film(film), PropagationOptions(), recolor=False)
    predictor = load_predictor(QUICK)

    def fail(*given: Any, **named: Any) -> torch.Tensor:
        raise FilmError("the weights are damaged.")

    predictor.field = fail  # type: ignore[method-assign]
    with (
        ThreadPoolExecutor(1) as background,
        pytest.raises(FilmError, match="the weights are damaged"),
    ):
        list(predict_layers(plan, FrameSource(path=film), predictor, [0, 9], background=background))


def test_anchors_draw_a_material_to_one_color(film: Path) -> None:
    plan = plan_of(analyze_film(film), PropagationOptions(), recolor=False)
    body = body_of(plan)
    alone = Plan(
        spans=(ShotBody(start=0, stop=FRAMES, keys=body.keys),), gain=plan.gain, reach=plan.reach
    )
    source, predictor = FrameSource(path=film), load_predictor(QUICK)

    def fields(chosen: Plan) -> torch.Tensor:
        found = predict_layer(chosen, source, predictor, 0, FRAMES).fields
        return torch.stack([field for field in found if field is not None])

    together, apart = fields(plan), fields(alone)
    assert not torch.equal(together, apart)
    assert float(together.std(0).mean()) < float(apart.std(0).mean())


@pytest.mark.parametrize("seekable", [True, False])
def test_single_frames(film: Path, seekable: bool) -> None:
    with Reader(film) as reader:
        lumas = [frame.luma.copy() for frame in reader]
        timeline = reader.timeline()
    source = FrameSource(path=film, timeline=timeline if seekable else None)
    with SingleFrames(source, FRAMES) as frames:
        for n in (3, 40, 41, 55, 7):
            frame, info = frames(n)
            assert frame.index == n
            assert np.array_equal(frame.luma, lumas[n])
            assert info.height == 48


def test_a_single_frame_that_is_gone(film: Path) -> None:
    with (
        SingleFrames(FrameSource(path=film), FRAMES + 20) as frames,
        pytest.raises(FilmError, match=f"has no frame {FRAMES + 9}"),
    ):
        frames(FRAMES + 9)
