"""Color over time: plans, and what a film made for the purpose must show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from fractions import Fraction
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pycolor import ops
from pycolor.encoding import Encoding
from pycolor.errors import FilmError
from pycolor.options import PropagationOptions
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.plan.plan import Plan, ShotBody, TransitionSpan
from pycolor.video.plan.planning import plan_of
from pycolor.video.propagation import lookahead as sights_of_a_film
from pycolor.video.propagation import propagate
from pycolor.video.propagation.layer import mixed
from pycolor.video.propagation.lookahead import Lookahead
from pycolor.video.shots.detector import ShotDetector
from pycolor.video.shots.shot import Shot, Transition

HEIGHT, WIDTH = 72, 96
RED, GREEN = torch.tensor([50.0, 30.0]), torch.tensor([-40.0, 40.0])


class Painter:
    """A model of few words: the right half of the scale in one color, the left in another.

    Args:
        paint: chroma of a lightness image, N×1×h×w → N×2×h×w.
    """

    per_shot = False
    device = torch.device("cpu")

    def __init__(self, paint: Callable[[Tensor], Tensor]) -> None:
        self.paint = paint
        self.asked = 0

    def lightness(self, luma: Tensor, *_: Any) -> Tensor:
        small = torch.nn.functional.avg_pool2d(luma.float()[:, None], 4)
        return small / 2.55

    def field(self, lightness: Tensor, turns: int, context: Tensor | None, **_: object) -> Tensor:
        self.asked += len(lightness)
        return self.paint(lightness)


def survey_of(lumas: list[np.ndarray]) -> FilmAnalysis:
    detector = ShotDetector()
    shots: list[Shot] = []
    change = []
    for luma in lumas:
        shots += detector.push(luma)
        change.append(detector.last_change)
    shots += detector.finish()
    return an_analysis(shots, [float(luma.mean()) / 255 for luma in lumas], change)


def an_analysis(shots: list[Shot], lightness: list[float], change: list[float]) -> FilmAnalysis:
    return FilmAnalysis(
        timeline=tuple(range(len(lightness))),
        shots=tuple(shots),
        lightness=np.array(lightness, np.float32),
        change=np.array(change, np.float32),
        colored=(False,) * len(shots),
        starts=tuple(Fraction(s.start) for s in shots),
        rate=Fraction(24),
    )


def colors(
    lumas: list[np.ndarray], plan: Plan, painter: Painter, first: int = 0, stop: int | None = None
) -> list[Tensor]:
    begin = plan.first_needed(first)
    info = SimpleNamespace(
        pixel_aspect=None, rotation=0, turns=0, height=HEIGHT, width=WIDTH,
        encoding=Encoding(full_range=True), path="film",
    )  # fmt: skip
    frames: Iterator[Any] = (SimpleNamespace(luma=luma) for luma in lumas[begin:])
    lookahead = Lookahead(frames, begin, begin, plan, painter, info, lambda _: nullcontext())  # type: ignore[arg-type]
    found = propagate.fields(lookahead, plan, first, len(lumas) if stop is None else stop)
    return [mixed(parts) for parts in found if parts is not None]


def scene(seed: int, low: int = 40, high: int = 200) -> np.ndarray:
    chance = np.random.default_rng(seed)
    coarse = torch.from_numpy(chance.random((1, 1, 9, 12)).astype(np.float32))
    fine = torch.nn.functional.interpolate(coarse, (HEIGHT, WIDTH), mode="bicubic")[0, 0]
    return (low + (high - low) * fine.clamp(0, 1).numpy()).astype(np.uint8)


def by_lightness(lightness: Tensor) -> Tensor:
    """Colors that follow the picture closely: a mistake in brightness is one in color."""
    return torch.cat([lightness - 50, 50 - lightness], 1)


class SmallMemory(Painter):
    """Takes no more than some pictures at once."""

    def __init__(self, most: int) -> None:
        super().__init__(by_lightness)
        self.most = most

    def field(
        self, lightness: Tensor, turns: int, context: Tensor | None, **options: Any
    ) -> Tensor:
        if options["together"] > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().field(lightness, turns, context)


def test_a_small_memory_takes_fewer_pictures_at_once():
    lumas = [scene(3)] * 30
    plan = plan_of(survey_of(lumas), PropagationOptions(), recolor=True)
    want = colors(lumas, plan, Painter(by_lightness))
    for most in (8, 3, 1):
        got = colors(lumas, plan, SmallMemory(most))
        assert all(torch.equal(a, b) for a, b in zip(got, want, strict=True))
    with pytest.raises(FilmError, match=r"one frame of film does not fit into the memory of cpu"):
        colors(lumas, plan, SmallMemory(0))


# ---- plans --------------------------------------------------------------------------------------


@given(
    lengths=st.lists(st.integers(1, 70), min_size=1, max_size=6),
    mode=st.sampled_from(["off", "fast", "best"]),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_a_plan_covers_every_frame_once(lengths, mode, data):
    ends = np.cumsum([0, *lengths]).tolist()
    openings: list[Transition | None] = [None]
    for at in ends[1:-1]:
        kind = data.draw(st.sampled_from(["cut", "dissolve", "fade"]))
        reach = data.draw(st.integers(1, 12)) if kind != "cut" else 0
        start, stop = max(0, at - reach), min(ends[-1], at + reach)
        openings.append(Transition(kind, start, stop, 1.0))
    shots = [
        Shot(a, b, openings[i], openings[i + 1] if i + 1 < len(openings) else None,
             (Transition("flash", a, min(a + 2, b), 1.0),) if b - a > 4 else ())
        for i, (a, b) in enumerate(pairwise(ends))
    ]  # fmt: skip
    seen = an_analysis(shots, [0.5] * ends[-1], [0.02] * ends[-1])
    plan = plan_of(seen, PropagationOptions(mode=mode), recolor=False)
    at = 0
    for span in plan.spans:
        assert span.start == at < span.stop
        at = span.stop
        if isinstance(span, ShotBody):
            usable = span.usable()
            assert usable
            assert list(span.keys) == sorted(set(span.keys))
            assert (span.keys[0], span.keys[-1]) == (usable[0], usable[-1])
            assert set(span.keys) <= set(usable)
            gaps = np.diff(span.keys)
            assert (gaps <= PropagationOptions(mode=mode).stride_frames + 5).all()
    assert at == ends[-1]
    needed = [plan.first_needed(n) for n in range(at)]
    assert all(a <= n for n, a in enumerate(needed))
    assert needed == sorted(needed)
    for most in (1, 7, 240):
        cuts = plan.cuts(most)
        assert (cuts[0], cuts[-1]) == (0, at)
        assert all(0 < b - a <= most for a, b in pairwise(cuts))


def test_lively_shots_have_more_key_frames():
    shots = [Shot(0, 100)]
    quiet, lively = (
        plan_of(seen, PropagationOptions(), recolor=False).spans[0]
        for seen in (an_analysis(shots, [0.5] * 100, [c] * 100) for c in (0.005, 0.1))
    )
    assert isinstance(quiet, ShotBody)
    assert isinstance(lively, ShotBody)
    assert len(lively.keys) > 2 * len(quiet.keys)


def test_flashes_are_no_key_frames():
    shot = Shot(
        0, 40, disturbances=(Transition("flash", 0, 2, 1.0), Transition("flash", 39, 40, 1))
    )
    span = plan_of(
        an_analysis([shot], [0.5] * 40, [0.01] * 40), PropagationOptions(), recolor=False
    ).spans[0]
    assert isinstance(span, ShotBody)
    assert (span.keys[0], span.keys[-1]) == (2, 38)
    assert span.outliers == {0, 1, 39}


# ---- pictures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["fast", "best"])
def test_any_slicing_gives_the_same_fields(mode):
    wide = np.concatenate([scene(1), scene(2)], 1)
    lumas = [np.ascontiguousarray(wide[:, n : n + WIDTH]) for n in range(60)]
    lumas += [np.ascontiguousarray(wide[:, WIDTH - n // 2 :][:, :WIDTH]) for n in range(50)]
    plan = plan_of(survey_of(lumas), PropagationOptions(mode=mode), recolor=False)
    whole = colors(lumas, plan, Painter(by_lightness))
    assert len(whole) == len(lumas)
    for size in (7, 37):
        parts: list[Tensor] = []
        for first in range(0, len(lumas), size):
            stop = min(first + size, len(lumas))
            parts += colors(lumas, plan, Painter(by_lightness), first, stop)
        assert all(torch.equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_most_frames_need_no_network():
    lumas = [scene(1)] * 90
    painter = Painter(by_lightness)
    colors(lumas, plan_of(survey_of(lumas), PropagationOptions(), recolor=False), painter)
    assert painter.asked <= 10


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_flicker_of_the_light_is_none_of_the_color(share):
    chance = np.random.default_rng(3)
    still = scene(1, 40, 190).astype(np.float32)
    gains = 1 + share * chance.uniform(-1, 1, 80)
    lumas = [np.clip(still * g, 0, 255).round().astype(np.uint8) for g in gains]
    plan = plan_of(survey_of(lumas), PropagationOptions(mode="best"), recolor=False)
    assert len(plan.spans) == 1
    found = torch.stack(colors(lumas, plan, Painter(by_lightness)))
    drift = (found[1:] - found[:-1]).norm(dim=1).mean()
    alone = by_lightness(torch.from_numpy(np.stack(lumas))[:, None].float() / 2.55)
    assert float(drift) < 0.25
    assert float((alone[1:] - alone[:-1]).norm(dim=1).mean()) > 10 * float(drift)


def test_frames_by_themselves_need_no_guides(monkeypatch):
    """Dissolves, flashes and fades included: nothing but the model's input is made."""
    looked = []
    real = ops.mean_lightness

    def counted(luma: Tensor, size: tuple[int, int], **options: Any) -> Tensor:
        looked.append(size)
        return real(luma, size, **options)

    monkeypatch.setattr(ops, "mean_lightness", counted)
    first, second = scene(1), scene(2)
    mixed = [((first * (8.0 - n) + second * float(n)) / 8).astype(np.uint8) for n in range(9)]
    lumas = [first] * 30 + mixed + [second] * 20 + [np.full_like(first, 255)] + [second] * 20
    plan = plan_of(survey_of(lumas), PropagationOptions(mode="off"), recolor=False)
    alone = len(colors(lumas, plan, Painter(by_lightness)))
    assert (alone, plan.carries) == (len(lumas), False)
    assert sights_of_a_film._motion_size(HEIGHT, WIDTH) not in looked
    plan = plan_of(survey_of(lumas), PropagationOptions(), recolor=False)
    colors(lumas, plan, Painter(by_lightness))
    assert plan.carries
    assert sights_of_a_film._motion_size(HEIGHT, WIDTH) in looked


def test_flicker_of_the_model_is_averaged_out():
    chance = torch.Generator().manual_seed(1)

    def moody(lightness: Tensor) -> Tensor:
        mood = 6 * torch.randn(len(lightness), 2, 1, 1, generator=chance)
        return by_lightness(lightness) + mood

    lumas = [scene(1)] * 120
    seen = survey_of(lumas)
    alone = torch.stack(
        colors(lumas, plan_of(seen, PropagationOptions(mode="off"), recolor=False), Painter(moody))
    )
    for mode in ("fast", "best"):
        plan = plan_of(seen, PropagationOptions(mode=mode), recolor=False)
        found = torch.stack(colors(lumas, plan, Painter(moody)))
        flicker = (found[1:] - found[:-1]).norm(dim=1).mean()
        assert float(flicker) < 0.2 * float((alone[1:] - alone[:-1]).norm(dim=1).mean())


def two_scenes(lightness: Tensor) -> Tensor:
    """Red for pictures that are dark on the whole, green for bright ones."""
    bright = (lightness.mean((2, 3), keepdim=True) > 47).float()
    color = bright * GREEN[:, None, None] + (1 - bright) * RED[:, None, None]
    return color.expand(-1, -1, *lightness.shape[2:])


def test_nothing_crosses_a_cut():
    lumas = [scene(1, 20, 110)] * 30 + [scene(2, 140, 230)] * 30
    plan = plan_of(survey_of(lumas), PropagationOptions(), recolor=False)
    found = colors(lumas, plan, Painter(two_scenes))
    for n, field in enumerate(found):
        assert torch.allclose(field, (RED if n < 30 else GREEN)[:, None, None], atol=1e-3), n


def test_a_dissolve_shows_both_in_the_measured_shares():
    before, after = scene(1, 20, 110).astype(np.float32), scene(2, 140, 230).astype(np.float32)
    shares = np.clip((np.arange(90) - 30) / 30, 0, 1)  # a dissolve over frames 30 … 60
    lumas = [((1 - s) * before + s * after).round().astype(np.uint8) for s in shares]
    dissolve = Transition("dissolve", 31, 60, 1.0)
    shots = [Shot(0, 45, None, dissolve), Shot(45, 90, dissolve, None)]
    lightness = [float(luma.mean()) / 255 for luma in lumas]
    plan = plan_of(an_analysis(shots, lightness, [0.01] * 90), PropagationOptions(), recolor=False)
    assert [type(span) for span in plan.spans] == [ShotBody, TransitionSpan, ShotBody]
    found = torch.stack(colors(lumas, plan, Painter(two_scenes)))
    want = torch.stack([(1 - s) * RED + s * GREEN for s in shares.tolist()])
    assert float((found.mean((2, 3)) - want).norm(dim=1).max()) < 2


def test_a_moving_dissolve_has_no_ghost():
    """Both scenes pan; the colors are those of the mix, within a tenth of what parts them."""
    dark = np.concatenate([scene(1, 20, 110), scene(3, 20, 110)], 1).astype(np.float32)
    bright = np.concatenate([scene(2, 140, 230), scene(4, 140, 230)], 1).astype(np.float32)
    shares = np.clip((np.arange(90) - 30) / 30, 0, 1)
    lumas = []
    for n, s in enumerate(shares):
        at = n // 2
        mixed = (1 - s) * dark[:, at : at + WIDTH] + s * bright[:, 50 - at : 50 - at + WIDTH]
        lumas.append(np.ascontiguousarray(mixed.round().astype(np.uint8)))
    dissolve = Transition("dissolve", 31, 60, 1.0)
    shots = [Shot(0, 45, None, dissolve), Shot(45, 90, dissolve, None)]
    lightness = [float(luma.mean()) / 255 for luma in lumas]
    plan = plan_of(an_analysis(shots, lightness, [0.01] * 90), PropagationOptions(), recolor=False)
    found = torch.stack(colors(lumas, plan, Painter(two_scenes)))
    want = torch.stack([(1 - s) * RED + s * GREEN for s in shares.tolist()])
    error = (found - want[:, :, None, None]).norm(dim=1)
    assert float(error.max()) < 0.1 * float((RED - GREEN).norm())


def test_a_fade_takes_its_color_with_it():
    picture = scene(1, 30, 200).astype(np.float32)
    shares = np.concatenate([np.ones(30), np.linspace(1, 0, 20)])
    lumas = [(s * picture).round().astype(np.uint8) for s in shares]
    shots = [Shot(0, 50, None, Transition("fade", 30, 50, 1.0))]
    lightness = [float(luma.mean()) / 255 for luma in lumas]
    plan = plan_of(an_analysis(shots, lightness, [0.01] * 50), PropagationOptions(), recolor=False)
    found = torch.stack(colors(lumas, plan, Painter(two_scenes)))
    strength = found.norm(dim=1).mean((1, 2)) / RED.norm()
    assert np.abs(strength.numpy() - shares).max() < 0.06


def test_a_flash_shows_its_neighbors_color_and_does_not_vote():
    lumas = [scene(1, 20, 110)] * 60
    lumas[30] = np.full_like(lumas[0], 250)
    seen = survey_of(lumas)
    assert [d.kind for d in seen.shots[0].disturbances] == ["flash"]
    plan = plan_of(seen, PropagationOptions(), recolor=False)
    for field in colors(lumas, plan, Painter(two_scenes)):
        assert torch.allclose(field, RED[:, None, None], atol=1e-3)


def test_color_follows_what_moves():
    """A bright block that crosses the frame keeps its green; the rest stays red."""

    def paint(lightness: Tensor) -> Tensor:
        bright = (lightness > 70).float()
        return bright * GREEN[:, None, None] + (1 - bright) * RED[:, None, None]

    ground = scene(1, 30, 90)
    lumas = []
    for n in range(48):
        luma = ground.copy()
        luma[24:48, n : n + 24] = scene(5, 215, 245)[24:48, :24]
        lumas.append(luma)
    plan = plan_of(survey_of(lumas), PropagationOptions(mode="best"), recolor=False)
    found = torch.stack(colors(lumas, plan, Painter(paint)))
    for n, field in enumerate(found):
        inside = field[:, 8:10, (n + 8) // 4 : (n + 16) // 4].mean((1, 2))
        assert float((inside - GREEN).norm()) < 12, n
