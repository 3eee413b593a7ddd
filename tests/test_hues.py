"""Counting right hues: regions, sectors, verdicts."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks.hues import (
    LEAST_CHROMA,
    REGIONS,
    SECTORS,
    Color,
    Region,
    color_of,
    counts,
    hues_table,
)
from benchmarks.page import DOCS, RESULTS
from pycolor.ops.reference import lab_to_rgb


def test_every_marked_region_is_of_a_kind_and_inside() -> None:
    marked = json.loads(REGIONS.read_text(encoding="utf-8"))
    for boxes in marked.values():
        assert set(boxes) <= set(SECTORS)
        for left, top, right, bottom in boxes.values():
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1


def test_the_color_of_a_region_is_its_median() -> None:
    lab = torch.full((1, 3, 10, 20), 50.0)
    lab[:, 1:] = 0.0
    lab[0, 1, 2:5, 4:10], lab[0, 2, 2:5, 4:10] = -12.0, 16.0
    lab[0, 1, 3, 5] = 60.0  # one pixel of another color changes nothing
    found = color_of(lab_to_rgb(lab)[0], (0.2, 0.2, 0.5, 0.5))
    assert found.hue == pytest.approx(126.87, abs=0.1)
    assert found.chroma == pytest.approx(20.0, abs=0.05)
    assert found.is_of("vegetation")
    assert not found.is_of("sky")
    assert not Color(found.hue, LEAST_CHROMA - 0.1).is_of("vegetation")


def test_what_the_truth_does_not_show_is_not_asked() -> None:
    blue, gray, orange = Color(250, 20), Color(250, 1), Color(60, 20)
    regions = [
        Region("a", "sky", blue, blue),
        Region("b", "sky", orange, blue),
        Region("c", "sky", blue, gray),
        Region("d", "skin", orange, orange),
    ]
    found = counts(regions)
    assert found["sky"] == {"right": 1, "wrong": 1, "left out": 1, "share": 0.5}
    assert found["skin"]["share"] == 1.0
    assert found["all"] == {"right": 2, "wrong": 1, "left out": 1, "share": pytest.approx(2 / 3)}


def test_the_page_says_what_its_file_says() -> None:
    told = json.loads((RESULTS / "hues.json").read_text(encoding="utf-8"))
    regions = [
        Region(r["picture"], r["kind"], Color(**r["found"]), Color(**r["true"]))
        for r in told["regions"]
    ]
    assert counts(regions) == told["counts"]
    assert hues_table(told) in (DOCS / "models.md").read_text(encoding="utf-8")
