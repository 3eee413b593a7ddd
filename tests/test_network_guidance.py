"""Hints and levels: what the default network does with them, and how training makes hints."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as functional

from pycolor.models import zoo
from pycolor.models.colorizer import Guidance, gray_of
from pycolor.models.networks.layers.ends import within_ends
from pycolor.models.networks.layers.levels import lightness_of, normalized, presence
from pycolor.models.networks.layers.surfaces import descriptors, grid_of, unified
from pycolor.models.networks.pycolor2026 import Pycolor2026
from pycolor.train.data.guidance import simulated


def network(**options: Any) -> Pycolor2026:
    torch.manual_seed(0)
    made = Pycolor2026(width=0.25, **options)
    made(torch.rand(2, 1, 64, 64) * 100)  # a step of the running statistics
    return made.eval().requires_grad_(False)


def some_hints(n: int = 2, h: int = 16, w: int = 24) -> Guidance:
    weight = torch.zeros(n, 1, h, w)
    weight[:, :, 4:7, 5:9] = 1
    return Guidance(hints=torch.full((n, 2, h, w), 40.0), weight=weight)


def test_new_layers_say_nothing_at_first() -> None:
    plain = network()
    grown = network(attention=True, hints=True)
    grown.load_state_dict(plain.state_dict(), strict=False)
    lightness = torch.rand(2, 1, 64, 96) * 100
    expected = plain(lightness)
    torch.testing.assert_close(grown(lightness), expected)
    torch.testing.assert_close(grown(lightness, None, some_hints()), expected)


def test_hints_of_no_weight_change_nothing_and_others_do() -> None:
    guided = network(hints=True)
    assert guided.hints is not None
    for layer in (guided.hints.to16, guided.hints.to8, guided.hints.to4):
        torch.nn.init.normal_(layer.weight, std=0.1)
    torch.nn.init.normal_(guided.scores.weight)
    lightness = torch.rand(2, 1, 64, 96) * 100
    hints = some_hints()
    none = Guidance(hints=hints.hints, weight=torch.zeros_like(hints.weight))
    expected = guided.chroma(lightness)
    assert torch.equal(guided.chroma(lightness, guidance=none), expected)
    moved = guided.chroma(lightness, guidance=hints) - expected
    assert moved.abs().amax() > 0.1
    guided.fold()
    torch.testing.assert_close(
        guided.chroma(lightness, guidance=hints) - expected, moved, atol=0.05, rtol=0.01
    )


def test_one_encoding_serves_many_decodings() -> None:
    guided = network(levels=True, attention=True, hints=True, reach=0.8)
    lightness = torch.rand(1, 1, 64, 96) * 100
    seen = guided.encode(lightness)
    decoded = guided.decode(seen)
    assert [t.shape[-1] for t in seen.taps] == [24, 12, 6, 3]
    assert [m.shape[-1] for m in decoded.maps] == [6, 12]
    assert torch.equal(guided.logits(decoded.last), guided(lightness))
    assert torch.equal(guided.colors(seen, decoded, 0.5), guided.chroma(lightness, None, 0.5))


@pytest.mark.parametrize("name", [c.name for c in zoo.CARDS])
def test_what_takes_no_hints_says_so(name: str) -> None:
    made = zoo.create(name, **({"width": 0.1} if name not in ("zhang2017", "richart2017") else {}))
    assert made.guides <= {"hints", "reference", "style"}
    if "hints" not in made.guides:
        with pytest.raises(ValueError, match="takes no hints"):
            made(torch.zeros(1, 1, 64, 64), None, some_hints(1))


def test_guidance_checks_its_shapes() -> None:
    with pytest.raises(ValueError, match=r"N×2×h×w and weights N×1×h×w, got \(1, 3, 4, 4\)"):
        Guidance(hints=torch.zeros(1, 3, 4, 4), weight=torch.zeros(1, 1, 4, 4))


@pytest.mark.parametrize(("low", "span"), [(0.35, 0.4), (0.4, 0.2), (0.0, 0.35)])
def test_a_faded_copy_looks_as_the_clean_one(low: float, span: float) -> None:
    """But for the faintest contrast, which is not blown up wholly: 0.08 of a span of 0.2."""
    gray = torch.rand(1, 1, 8, 12).repeat_interleave(8, 2).repeat_interleave(8, 3)
    clean, faded = (normalized(lightness_of(y)) for y in (gray, low + span * gray))
    assert (clean - faded).abs().amax() < 0.05
    assert clean.amin() == pytest.approx(0.03, abs=0.03)
    assert clean.amax() == pytest.approx(0.95, abs=0.03)


def test_only_faded_pictures_are_changed_where_that_is_asked_for() -> None:
    gray = torch.rand(1, 1, 8, 12).repeat_interleave(8, 2).repeat_interleave(8, 3)
    seen = normalized(lightness_of(gray), faded_only=True)
    torch.testing.assert_close(seen, gray, atol=1e-4, rtol=0)
    faded = lightness_of(0.35 + 0.4 * gray)
    whole, part = normalized(faded), normalized(faded, faded_only=True)
    torch.testing.assert_close(part, whole)


@pytest.mark.parametrize("level", [0.0, 0.2, 0.5, 1.0])
def test_an_empty_picture_keeps_its_level(level: float) -> None:
    gray = torch.full((1, 1, 64, 64), level) + torch.randn(1, 1, 64, 64) * 0.005
    seen = normalized(lightness_of(gray.clamp(0, 1)))
    assert float(seen.mean()) == pytest.approx(level, abs=0.02)
    assert float(seen.std()) < 0.1


@pytest.mark.parametrize(("span", "share"), [(0.01, 0.0), (0.05, 0.5), (0.1, 1.0)])
def test_where_nothing_is_in_a_picture_nothing_is_colored(span: float, share: float) -> None:
    gray = torch.full((1, 1, 64, 64), 0.4)
    gray[..., 32:] += span
    assert presence(lightness_of(gray)).item() == pytest.approx(share, abs=1e-3)
    colored = network(levels=True)
    with torch.no_grad():
        field = colored.chroma(lightness_of(gray))
    assert bool(field.any()) == (share > 0)


def test_lightness_and_gray_are_inverse() -> None:
    gray = torch.linspace(0, 1, 101)
    torch.testing.assert_close(gray_of(lightness_of(gray)), gray, atol=1e-4, rtol=0)


def test_chroma_ends_where_lightness_does() -> None:
    share = within_ends(torch.tensor([0.0, 2.0, 7.0, 12.0, 50.0, 94.0, 96.5, 99.0, 100.0]))
    torch.testing.assert_close(share, torch.tensor([0, 0, 0.5, 1, 1, 1, 0.5, 0, 0]))


def test_alike_places_get_one_color() -> None:
    """Two materials: within each the scores become their mean, across them nothing passes."""
    feature = torch.zeros(1, 2, 8, 8)
    feature[:, 0, :, :4], feature[:, 1, :, 4:] = 1, 1
    scores = torch.randn(1, 5, 8, 8)
    columns = descriptors([(feature, 30.0)], torch.full((1, 1, 8, 8), 50.0))
    columns[:, -2:] = 0  # wherever they lie
    found = unified(scores, columns, 1.0)
    for part in (slice(0, 4), slice(4, 8)):
        mean = scores[..., part].mean((2, 3), keepdim=True).expand(-1, -1, 8, 4)
        torch.testing.assert_close(found[..., part], mean)


@pytest.mark.parametrize("channels", [5, 200])  # fewer and more than the map has places
def test_places_weigh_as_their_distance_says(channels: int) -> None:
    """Against weights by the formula, in double precision, of maps of two sizes."""
    torch.manual_seed(1)
    maps = [(torch.randn(2, channels, 4, 5), 0.7), (torch.randn(2, 3, 8, 10), 0.5)]
    lightness, values = torch.rand(2, 1, 8, 10) * 100, torch.randn(2, 6, 16, 20)
    columns = descriptors(maps, lightness)
    whole = []
    for x, weight in maps:
        x = x.double() - x.double().mean((2, 3), keepdim=True)
        x = x / (x.std((2, 3), correction=0, keepdim=True) + 1e-4)
        x = x / x.norm(dim=1, keepdim=True) * weight
        whole.append(functional.interpolate(x, (8, 10), mode="bilinear"))
    places = torch.cat([*whole, columns[:, -3:].double()], 1).flatten(2).mT
    far = torch.cdist(places, places)
    found = columns.double().flatten(2).mT
    torch.testing.assert_close(torch.cdist(found, found), far, atol=1e-4, rtol=0)
    coarse = functional.avg_pool2d(values.double(), 2).flatten(2)
    moved = (coarse @ (-far.square() / 0.8).softmax(2).mT - coarse).unflatten(2, (8, 10))
    expected = values + functional.interpolate(moved, (16, 20), mode="bilinear")
    torch.testing.assert_close(unified(values, columns, 0.8), expected.float(), atol=1e-4, rtol=0)


def test_places_are_compared_on_a_grid_of_bounded_size() -> None:
    assert grid_of(24, 32) == (24, 32)
    h, w = grid_of(300, 400)
    assert h * w <= 2100
    assert h / w == pytest.approx(0.75, abs=0.02)


def test_simulated_hints_are_the_truth_where_they_are_sure() -> None:
    ab = torch.randn(64, 2, 16, 16).cumsum(2).cumsum(3)
    made = simulated(ab, 0.5, torch.Generator().manual_seed(0))
    again = simulated(ab, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(made.hints, again.hints)
    assert torch.equal(made.weight, again.weight)
    assert made.weight.amin() >= 0
    assert made.weight.amax() <= 1
    guided = made.weight.flatten(1).amax(1) > 0
    assert 15 < int(guided.sum()) < 45
    assert not simulated(ab, 0.0, torch.Generator().manual_seed(0)).weight.any()
