"""Which shots to look at first: each sign on pictures of which it is known what is wrong."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pycolor.models.inference.uncertain import doubt
from pycolor.models.palette import gamut_bins
from pycolor.web.desk.shots.needs import (
    RANGES,
    Sample,
    gray_share,
    hues_apart,
    jump,
    score,
    skin_bins,
    skin_out,
    warnings_of,
)
from pycolor.web.desk.shots.needs_kept import Needs
from tests.test_desk import make_started, opened

SIZE = 24, 32


def made(frame: int = 0, **parts: Any) -> Sample:
    """A sample of even light and color, but for what is given."""
    lightness, color = np.full(SIZE, 50.0), np.empty((2, *SIZE))
    color[0], color[1] = 10.0, 20.0
    return Sample(frame=frame, **{"lightness": lightness, "color": color, **parts})


def test_a_shot_of_which_nothing_is_wrong() -> None:
    samples = [made(0), made(20)]
    assert warnings_of(samples) == []
    assert score([]) == 0


def test_a_still_place_changes_color() -> None:
    other = made().color.copy()
    other[:, :12] += np.array([18.0, -24.0])[:, None, None]  # 30 ab in the upper half
    assert jump(made(), made(color=other)) == pytest.approx(30)
    moved = np.tile(np.linspace(20, 40, SIZE[1]), (SIZE[0], 1))
    assert jump(made(), made(color=other, lightness=moved)) == 0  # nothing stands still
    found = {w.kind: w for w in warnings_of([made(3), made(9, color=other)])}
    assert found["jump"].frame == 9
    assert found["jump"].text == "a still place changes color by 30 ab from frame 3"


def test_two_colors_in_one_surface() -> None:
    color = made().color.copy()
    color[:, :, 16:] = np.array([-20.0, -20.0])[:, None, None]
    assert hues_apart(made(color=color)) == pytest.approx(50)  # (10, 20) to (−20, −20)
    lightness = made().lightness.copy()
    lightness[:, 16:] = 75  # an edge: two surfaces
    assert hues_apart(made(color=color, lightness=lightness)) == pytest.approx(0, abs=1e-6)
    warned = warnings_of([made(7, color=color)])
    assert [(w.kind, w.strength, w.frame) for w in warned] == [("hues", 1.0, 7)]
    assert "50 ab apart" in warned[0].text


def test_a_gray_patch() -> None:
    color = made().color.copy()
    color[:, :12, :16] = 0
    assert gray_share(made(color=color)) == pytest.approx(0.25)
    kinds = [w.kind for w in warnings_of([made(color=color)])]
    assert "gray" in kinds
    assert "gray" not in [w.kind for w in warnings_of([made(color=color)], gray_wanted=True)]
    (none,) = warnings_of([made(color=np.zeros((2, *SIZE)))])
    assert (none.kind, none.strength, none.text) == ("gray", 1.0, "nearly no color")
    dark = np.full(SIZE, 5.0)  # where nothing can be judged
    assert warnings_of([made(color=np.zeros((2, *SIZE)), lightness=dark)]) == []


def test_skin_that_has_no_color_of_skin() -> None:
    skin = np.zeros(SIZE, bool)
    skin[4:12, 4:12] = True
    assert skin_out(made(skin=skin)) == 0  # hue 63°, chroma 22
    green = made().color.copy()
    green[0, 4:12, 4:8] = -20
    assert skin_out(made(skin=skin, color=green)) == pytest.approx(0.5)
    assert skin_out(made(color=green)) == 0
    few = np.zeros(SIZE, bool)
    few[0, 0] = True
    assert skin_out(made(skin=few, color=-green)) == 0
    chosen = gamut_bins()[skin_bins(gamut_bins())]
    assert len(chosen)
    assert (chosen > 0).all()  # red and yellow both


def test_doubt() -> None:
    q = 8
    even = torch.full((1, q, 1, 2), 1 / q)
    even[0, :, 0, 1] = torch.eye(q)[3]
    even[0, :, 0, 1] = torch.where(torch.arange(q) < 2, 0.5, 0.0)
    found = doubt(even)
    assert found[0, 0, 0] == pytest.approx(1)
    assert found[0, 0, 1] == pytest.approx(math.log(2) / math.log(q))
    low, high = RANGES["doubt"]
    unsure = np.full(SIZE, (low + high) / 2)
    (warned,) = warnings_of([made(doubt=np.full(SIZE, low)), made(5, doubt=unsure)])
    assert (warned.kind, warned.frame) == ("doubt", 5)
    assert warned.strength == pytest.approx(0.6)


def test_the_strongest_of_a_kind_and_their_sum() -> None:
    low, high = RANGES["doubt"]
    pale = np.zeros((2, *SIZE))
    sure = [made(n, doubt=np.full(SIZE, v), color=pale) for n, v in ((1, high), (2, low + 0.02))]
    warned = warnings_of(sure)
    assert {w.kind: w.frame for w in warned} == {"doubt": 1, "gray": 1}
    assert score(warned) == pytest.approx(2)


def test_needs_are_kept_in_the_project(film: Path) -> None:
    with opened(film) as page:
        needs = page.desk.needs
        first = needs.look(0)
        assert set(first) == {"score", "warnings"}
        told = json.loads(page.get("api/needs"))
        assert (told["all"], told["shots"]) == (3, {"0": first})
        assert json.loads(page.get(f"api/needs?since={told['serial']}")) == {
            "serial": told["serial"]
        }
        page.edit(do="set", shot=0, values={"saturation": 0.0})
        assert needs.look(0)["warnings"][0]["text"] == "nearly no color"
        page.edit(do="undo")
        path = page.desk.folder / "needs.jsonl"
        assert len(path.read_text().splitlines()) == 2
        path.write_text(path.read_text() + '{"key": "cut o')
        again = Needs(page.desk.frames, path)
        assert again.look(0) == first
        assert len(path.read_text().splitlines()) == 3  # nothing was found anew


def test_they_are_found_while_nobody_waits(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pycolor.web.desk.rendering.turns.IDLE", 0.0)
    with opened(film) as page:
        page.desk.needs.start()
        for _ in range(600):
            if len(page.desk.needs.told()["shots"]) == 3:
                break
            page.desk.needs._ended.wait(0.1)
        assert len(page.desk.needs.told()["shots"]) == 3


def test_the_view_of_doubt(film: Path) -> None:
    with opened(film) as page:
        gray, shown = page.codes(9, "gray").astype(int), page.codes(9, "doubt").astype(int)
        assert (shown[..., 0] - shown[..., 2]).mean() > 5  # orange somewhere
        where = [30, 20]
        page.edit(do="mark", frame=9, kind="color", at=where, radius=9, color="#2040c0")
        after = page.codes(9, "doubt").astype(int)
        there = np.s_[18:23, 28:33]
        assert np.abs(after - gray)[there].mean() < np.abs(shown - gray)[there].mean() / 2


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_started(tmp_path_factory.mktemp("needs"))


@pytest.fixture
def film(started: Path, tmp_path: Path) -> Path:
    shutil.copytree(started, tmp_path, dirs_exist_ok=True)
    return tmp_path / "reel.mkv"
