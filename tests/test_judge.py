"""The rules that count faults, on pictures whose faults are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import faults, judge
from benchmarks.judge_inputs import FADED, INPUTS, faded
from benchmarks.judge_table import judge_table
from pycolor.ops.reference import lab_to_rgb

BOXES = Path(judge.__file__).parent


def plane(lightness: float, a: float, b: float, size: int = 100) -> faults.Plane:
    """One color."""
    return np.stack([np.full((size, size), v) for v in (lightness, a, b)])


def test_a_surface_of_two_hues_is_one_fault() -> None:
    true = plane(60, 0, 0)
    found = true.copy()
    found[1, :, 70:] = 30
    assert faults.surface_faults(true, true).counts["surfaces in several hues"] == (0, 1)
    assert faults.surface_faults(found, true).counts["surfaces in several hues"] == (1, 1)
    # What the truth has itself is left out.
    assert faults.surface_faults(found, found).counts["surfaces in several hues"] == (0, 0)


def test_surfaces_end_at_edges_of_the_luma() -> None:
    lightness = plane(60, 0, 0)[0]
    lightness[:, 50:] = 30
    sizes = [int(s.sum()) for s in faults.flat_surfaces(lightness)]
    assert len(sizes) == 2
    assert all(3500 < s < 5000 for s in sizes)
    noise = np.random.default_rng(0).normal(50, 20, (100, 100))
    assert not list(faults.flat_surfaces(noise))


def test_the_width_of_a_halo() -> None:
    """A square in a plane: color bleeds 14 pixels around it."""
    size = 160
    found = plane(60, 0, -20, size)
    found[0, 70:90, 70:90] = 20
    y, x = np.mgrid[:size, :size]
    around = np.maximum(np.abs(x - 79.5), np.abs(y - 79.5)) < 24
    clean = found.copy()
    found[2, around] = 20
    (surface,) = (s for s in faults.flat_surfaces(found[0]) if s.sum() > 0.5 * s.size)
    assert faults.halo_width(clean, surface) == 0
    assert 9 <= faults.halo_width(found, surface) <= 15


def test_boxes_of_cloth_and_skin() -> None:
    gray, wine, skin = plane(25, 1, 1), plane(25, 20, 2), plane(65, 14, 18)
    box = (0.1, 0.1, 0.9, 0.9)
    assert faults.dark_fault(gray, gray, box).counts == {
        "dark neutral colored": (0, 1),
        "of these wine": (0, 1),
    }
    assert faults.dark_fault(wine, gray, box).counts["of these wine"] == (1, 1)
    assert faults.dark_fault(wine, wine, box).counts["dark neutral colored"] == (0, 0)
    assert faults.skin_fault(skin, skin, box).counts["skin"] == (0, 1)
    assert faults.skin_fault(plane(65, 0, 0), skin, box).counts["skin"] == (1, 1)
    patchy = skin.copy()
    patchy[1, :, ::2] = 40
    assert faults.skin_fault(patchy, skin, box).counts["skin"] == (1, 1)


def test_whites_grays_washes_and_ends() -> None:
    white, gray, blue = plane(90, 0, 0), plane(50, 0, 0), plane(50, 0, -30)
    brown = plane(50, 10, 25)
    assert faults.white_fault(plane(90, 0, 15), white).counts["white made yellow"] == (1, 1)
    assert faults.gray_fault(blue, gray).counts["gray subjects colored"] == (1, 1)
    assert faults.wash_fault(brown, blue).counts["one brown wash"] == (1, 1)
    assert faults.wash_fault(brown, brown).counts["one brown wash"] == (0, 0)
    assert faults.end_fault(plane(2, 5, 0)).counts["colored ends"] == (1, 1)
    assert faults.end_fault(plane(2, 0, 0)).counts["colored ends"] == (0, 1)
    both = faults.end_fault(white) + faults.end_fault(plane(2, 5, 0))
    assert both.counts["colored ends"] == (1, 1)


def test_drift_is_that_of_steady_places() -> None:
    """Exposure goes up and down; a takes every value from 0 to 10 at all places."""
    frames = torch.linspace(0, 1, 101).view(-1, 1, 1, 1)
    lightness = 40 + 20 * frames + torch.linspace(0, 20, 16).view(1, 1, 4, 4)
    ab = torch.cat([10 * frames, 0 * frames], dim=1).expand(-1, -1, 4, 4)
    assert faults.drift(ab, lightness) == pytest.approx(9.0, abs=0.01)
    restless = torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(0)) * 100
    assert np.isnan(faults.drift(ab[:20], restless))


def test_what_was_made_for_it_is_gray_and_differs_in_levels() -> None:
    for make in INPUTS.values():
        codes = make()
        assert codes.dtype == np.uint8
        assert codes.shape == (256, 320)
    codes = np.arange(256, dtype=np.uint8)
    for low, span in FADED:
        copy = faded(codes, low, span)
        assert copy[0] == round(255 * low)
        assert copy[-1] == round(255 * (low + span))


def test_photographs_for_choosing_are_not_reported(tmp_path: Path) -> None:
    for i in range(100):
        (tmp_path / f"{i:03d}.jpg").touch()
    chosen, reported = judge.photographs(tmp_path)
    assert (len(chosen), len(reported)) == (40, 60)
    assert not set(chosen) & set(reported)
    assert judge.photographs(tmp_path) == (chosen, reported)


def test_figures_of_a_perfect_and_of_a_gray_result() -> None:
    ab = torch.linspace(-20, 20, 64).view(1, 1, 1, 64).expand(1, 2, 64, 64)
    true = lab_to_rgb(torch.cat([torch.full((1, 1, 64, 64), 60.0), ab], dim=1))[0].double()
    judged = judge.Photographs()
    judged.add("none.jpg", true, true)
    figures = judged.figures()
    assert figures["CIEDE2000"] == pytest.approx(0, abs=1e-6)
    assert figures["colorfulness"] == pytest.approx(1)
    assert figures["plain over gray"] > 3
    column = {
        "name": "one",
        "figures": figures,
        "faults": judged.faults.counts,
        "chroma of what has none": {"map": 1.25},
        "faded copies": {"0.35 + 0.4 y": 1.0},
    }
    text = judge_table([column])
    assert "| colorfulness | 100% |" in text
    assert "| mean chroma: map | 1.2 |" in text


def test_boxes_lie_in_their_pictures() -> None:
    dark = json.loads((BOXES / "dark_neutral.json").read_text())
    assert all(0 <= a < c <= 1 and 0 <= b < d <= 1 for a, b, c, d in dark.values())
