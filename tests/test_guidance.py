"""Guidance: matching, marks, spread, looks, stills brought back, films led and sliced."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from pycolor.errors import UsageError
from pycolor.image.guidance.align import align, onto
from pycolor.image.guidance.references import Reference, references
from pycolor.models.colorizer import Guidance
from pycolor.models.guidance.descriptors import Basis, describe, levels
from pycolor.models.guidance.guide import Guide, GuidedPicture, blend
from pycolor.models.guidance.looks import LOOKS, Grade
from pycolor.models.guidance.marks import Mark, Marks, ab_of
from pycolor.models.guidance.matching import Cells, match
from pycolor.models.guidance.raster import coverage, rasterized
from pycolor.models.guidance.spread import spread


def taps(seed: int = 0, h: int = 8, w: int = 12) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(1, c, h // k, w // k, generator=generator)
        for c, k in ((6, 1), (8, 2), (10, 4), (12, 4))
    ]


def test_a_match_is_the_softmax_in_float64() -> None:
    generator = torch.Generator().manual_seed(1)
    q = torch.randn(1, 5, 4, 6, generator=generator)
    pictures = [
        Cells(
            keys=torch.randn(n, 5, generator=generator),
            color=torch.randn(n, 2, generator=generator) * 20,
            weight=torch.rand(n, generator=generator),
            bias=bias,
        )
        for n, bias in ((7, 0.0), (9, -0.3))
    ]
    found = match(q, pictures, temperature=0.5)
    keys, color, weight = (
        torch.cat([getattr(p, name) for p in pictures]).double()
        for name in ("keys", "color", "weight")
    )
    bias = torch.cat([torch.full((len(p.keys),), p.bias) for p in pictures]).double()
    rows = q[0].flatten(1).T.double()
    away = torch.cdist(rows, keys) ** 2
    p = ((bias - away) / 0.5).softmax(1) * weight
    known = p.sum(1)
    mean = p @ color / known[:, None]
    length = (p @ color.norm(dim=1)) / known
    mean = mean * (length / mean.norm(dim=1)).clamp(1, 1.6)[:, None]
    assert torch.allclose(found.known.flatten().double(), known, atol=1e-5)
    assert torch.allclose(found.color[0].flatten(1).T.double(), mean, atol=1e-3)


def test_a_picture_finds_itself() -> None:
    parts = levels(taps(), torch.rand(1, 1, 32, 48) * 100)
    basis = Basis.of([parts], kept=16)
    keys = basis.project(parts)
    cells = keys[0].flatten(1).T
    assert torch.equal(torch.cdist(cells, cells).argmin(1), torch.arange(96))
    color = torch.randn(96, 2) * 30
    found = match(keys, [Cells(keys=keys[0].flatten(1).T, color=color, weight=torch.ones(96))])
    assert float((found.color[0].flatten(1).T - color).norm(dim=1).median()) < 1
    assert float(found.distance.median()) < 0.05


def test_projecting_levels_is_projecting_them_joined() -> None:
    lightness = torch.rand(1, 1, 32, 48) * 100
    parts, joined = levels(taps(), lightness), describe(taps(), lightness)
    basis = Basis.of([parts], kept=8)
    plain = torch.einsum("ndhw,dk->nkhw", joined - basis.mean.reshape(1, -1, 1, 1), basis.axes)
    assert torch.allclose(basis.project(parts), plain, atol=1e-4)


def picture(seed: int, color: float, **where: object) -> GuidedPicture:
    lightness = torch.full((1, 1, 32, 48), float(seed))
    hints = torch.full((1, 2, 8, 12), color)
    known = Guidance(hints=hints, weight=torch.ones(1, 1, 8, 12))
    return GuidedPicture(lightness=lightness, color=known, **where)  # type: ignore[arg-type]


def of_seed(lightness: torch.Tensor) -> list[torch.Tensor]:
    return taps(int(lightness[0, 0, 0, 0]))


def asked(guide: Guide, seed: float, *place: Any) -> Guidance:
    lightness = torch.full((1, 1, 32, 48), seed)
    return guide.guidance(of_seed(lightness), lightness, *place)


def test_the_color_of_a_guided_frame_holds() -> None:
    guide = Guide([picture(3, 40.0, frame=7, shot=(0, 20))], of_seed)
    known = asked(guide, 3.0, 7, (0, 20))
    assert torch.equal(known.hints, torch.full((1, 2, 8, 12), 40.0))
    assert torch.equal(known.weight, torch.ones(1, 1, 8, 12))
    field = blend(torch.zeros(1, 2, 8, 12), known)
    assert torch.equal(field, known.hints)


def test_the_nearer_of_two_stills_wins_and_they_do_not_gray_each_other() -> None:
    red, green = (picture(3, c, frame=n, shot=(0, 101)) for c, n in ((40.0, 0), (-40.0, 100)))
    guide = Guide([red, green], of_seed)
    near = asked(guide, 3.0, 10, (0, 101))
    far = asked(guide, 3.0, 90, (0, 101))
    assert float(near.hints.mean()) > 35
    assert float(far.hints.mean()) < -35


def test_what_is_unlike_says_nothing() -> None:
    guide = Guide([picture(3, 40.0)], of_seed)
    assert float(asked(guide, 4.0).weight.max()) < 0.1


# ---- marks -------------------------------------------------------------------------------------

DOCUMENT = {
    "version": 1,
    "marks": [
        {"frame": 4, "kind": "color", "color": "#c03020", "at": [10, 8], "radius": 4.0},
        {"frame": 4, "kind": "color", "color": [50.0, 10.0, -20.0], "stroke": [[1, 1], [9, 1]]},
        {"frame": 4, "kind": "keep-gray", "polygon": [[0, 0], [8, 0], [8, 16], [0, 16]]},
        {"frame": 0, "kind": "only-here", "polygon": [[0, 0], [8, 0], [8, 8]]},
    ],
    "palette": ["#5a6b3c"],
    "looks": [{"first": 0, "stop": 9, "saturation": 0.5, "warmth": 0.0}],
}


def test_marks_go_through_their_document() -> None:
    marks = Marks.read(json.dumps(DOCUMENT), "g.json")
    assert marks.frames == (0, 4)
    assert len(marks.of(4)) == 3
    assert Marks.from_json(json.loads(json.dumps(marks.to_json()))) == marks


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version"),
        ({"marks": [{"frame": 1, "color": "#fff000"}]}, "one of at, stroke, polygon"),
        ({"marks": [{"frame": 1, "at": [1, 2]}]}, "needs a color"),
        ({"marks": [{"frame": 1, "at": [1, 2], "color": "red"}]}, "#rrggbb"),
        ({"marks": [{"frame": 1.5, "at": [1, 2], "color": "#ffffff"}]}, "whole number"),
        ({"marks": [{"frame": 1, "at": [1], "color": "#ffffff"}]}, r"\[x, y\]"),
        ({"marks": [{"frame": 1, "at": [1, 2], "colour": "#ffffff"}]}, "colour"),
        ({"looks": [{"first": 5, "stop": 5}]}, "first < stop"),
        ({"looks": [{"first": 10**400, "stop": 5}]}, "too many digits"),
        ({"palette": ["blue"]}, "#rrggbb"),
    ],
)
def test_a_document_that_says_something_impossible_is_refused(change: object, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Marks.from_json({**DOCUMENT, **change})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"version": 1, "marks": [], "marks": []}', "g.json: the key 'marks' stands twice"),
        ('{"version": 1, "marks": ' + "[" * 100000, "g.json has lists in lists"),
        ("{", "g.json is no JSON"),
    ],
)
def test_a_text_that_is_no_document_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Marks.read(text, "g.json")


def test_a_mark_touches_the_picture_or_lies_outside() -> None:
    inside = Mark(frame=0, color="#ff0000", at=(-3, 40))
    beside = replace(inside, at=(-7, 40))
    line = Mark(frame=0, color="#ff0000", stroke=((-90, 90), (-60, 20), (50, 30)))
    area = Mark(frame=0, kind="keep-gray", polygon=((64, 0), (90, 0), (90, 20)))
    assert [m.touches(64, 48) for m in (inside, beside, line, area)] == [True, False, True, False]


def test_colors_have_their_chroma() -> None:
    # Bruce Lindbloom's values of the sRGB primaries, D65.
    for color, expected in (("#ff0000", (80.09, 67.20)), ("#0000ff", (79.19, -107.86))):
        assert np.allclose(ab_of(color), expected, atol=0.15)
    assert np.allclose(ab_of("#808080"), (0, 0), atol=0.05)


def test_a_polygon_covers_its_share_of_each_cell() -> None:
    mark = Mark(frame=0, kind="keep-gray", polygon=((0, 0), (31, 0), (31, 16), (0, 16)))
    covered = coverage(mark, (32, 64), (8, 16))[0, 0]
    assert float(covered[:4, :7].min()) == 1
    assert float(covered[5:].max()) == 0
    assert float(covered[:, 9:].max()) == 0


def test_later_marks_lie_on_top_and_only_here_is_kept() -> None:
    red = Mark(frame=0, color="#c03020", at=(8, 8), radius=8)
    gray = Mark(frame=0, kind="keep-gray", polygon=((0, 0), (16, 0), (16, 16), (0, 16)))
    here = Mark(frame=0, kind="only-here", polygon=((0, 0), (16, 0), (16, 32), (0, 32)))
    spots, areas, only = rasterized([red, gray, here], (32, 32), (8, 8))
    assert float(spots.weight[..., :3, :3].max()) == 0
    assert float(areas.weight[..., :3, :3].min()) == 1
    assert only is not None
    assert float(only[..., 5:].max()) == 0


def test_a_click_fills_its_thing_and_ends_at_its_edge() -> None:
    h, w = 24, 32
    inside = torch.zeros(1, 1, h, w)
    inside[..., 6:18, 4:16] = 1
    looks = torch.cat([inside * 0.9, (1 - inside) * 0.9], 1)
    weight = torch.zeros(1, 1, h, w)
    weight[..., 10, 8] = 1
    hints = torch.tensor([30.0, -20.0]).reshape(1, 2, 1, 1).expand(1, 2, h, w)
    found = spread(Guidance(hints=hints.contiguous(), weight=weight), looks, 50 + 20 * inside)
    changed = found.weight * inside
    assert float(changed.sum() / inside.sum()) > 0.8
    assert float((found.weight * (1 - inside)).sum() / found.weight.sum()) < 0.05
    assert torch.allclose(found.hints[..., 12, 12], torch.tensor([30.0, -20.0]), atol=0.1)


# ---- looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("look", LOOKS)
def test_the_ends_of_the_lightness_are_gray(look: str) -> None:
    field = torch.randn(1, 2, 4, 4) * 30
    for end in (0.0, 2.0, 99.0, 100.0):
        graded = Grade(look=look, warmth=0.5).of(field, torch.full((1, 1, 4, 4), end))
        assert torch.equal(graded, torch.zeros_like(graded))


def test_looks_do_what_they_say() -> None:
    field, light = torch.randn(1, 2, 8, 8) * 30, torch.full((1, 1, 8, 8), 50.0)
    assert torch.allclose(Grade(look="natural").of(field, light), field)
    assert torch.allclose(Grade(saturation=0.5).of(field, light), field / 2)
    two = Grade(look="two-color", warmth=-0.1).of(field, light)
    angle = torch.atan2(two[:, 1], two[:, 0]) % math.pi
    assert float((angle - math.radians(38)).abs().max()) < 1e-3
    with pytest.raises(UsageError, match="natural, vivid"):
        Grade(look="sepia")


def test_a_palette_draws_colors_to_it() -> None:
    light = torch.full((1, 1, 1, 1), 50.0)
    field = torch.tensor([30.0, 5.0]).reshape(1, 2, 1, 1)
    drawn = Grade(palette=((40.0, 0.0), (-40.0, 0.0))).of(field, light)
    assert float((drawn - torch.tensor([40.0, 0.0]).reshape(1, 2, 1, 1)).norm()) < 5


# ---- stills ------------------------------------------------------------------------------------


def scene(h: int = 120, w: int = 200) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    coarse = torch.rand(1, 1, 9, 14, generator=generator)
    return F.interpolate(coarse, (h, w), mode="bicubic")[0, 0].clamp(0, 1) * 100


def resized(x: torch.Tensor, h: int, w: int) -> torch.Tensor:
    return F.interpolate(x[None, None], (h, w), mode="bilinear", antialias=True)[0, 0]


@pytest.mark.parametrize(
    "edit",
    [
        lambda x: resized(x, 300, 500),
        lambda x: resized(x, 120, 275),  # stored pixels, not square
        lambda x: torch.rot90(x, 3),
        lambda x: torch.rot90(resized(x, 90, 150), 2),
        lambda x: 20 + 0.6 * x,
        lambda x: resized(x[10:110, 20:180], 250, 400),
        lambda x: F.pad(x, (0, 0, 20, 20)),
    ],
    ids=["larger", "anamorphic", "turned", "upside-down", "paler", "cropped", "bars"],
)
def test_an_edited_still_comes_back(edit) -> None:
    frame = scene()
    still = edit(frame)
    placed = align(still, frame)
    assert placed.agreement > 0.95
    laid, inside = onto(still[None].expand(3, -1, -1) / 100, placed, (60, 100))
    truth = resized(frame, 60, 100) / 100
    shown = inside[0, 0] > 0
    assert float(shown.float().mean()) > 0.6
    a, b = laid[0, 0][shown], truth[shown]
    assert float(torch.corrcoef(torch.stack([a, b]))[0, 1]) > 0.97


@pytest.mark.parametrize("turns", [0, 1])
def test_what_is_transparent_is_not_compared(turns: int) -> None:
    frame = scene()
    opacity = (torch.arange(200) < 90).float().expand(120, 200)
    still = torch.rot90(frame * opacity, turns)  # black where nothing is seen
    assert align(still, frame).agreement < 0.7
    placed = align(still, frame, torch.rot90(opacity, turns))
    assert placed.agreement > 0.95
    assert (placed.turns, placed.left, placed.right) == (-turns % 4, 0, 1)


def test_a_still_of_another_frame_is_told() -> None:
    other = scene().flip(1).roll(33, 1)
    assert align(other, scene()).agreement < 0.7


def test_references_name_their_frames(tmp_path: Path) -> None:
    folder = tmp_path / "stills"
    folder.mkdir()
    for name in ("a_000012.png", "b-00-00-02-05.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    found = references([folder, Path("7=x.png"), Path("like.jpg")], 24)  # type: ignore[arg-type]
    assert [r.frame for r in found] == [12, 53, 7, None]
    assert found[-1] == Reference(path=Path("like.jpg"))
    with pytest.raises(UsageError, match="two references are of frame 12"):
        references([folder, Path("12=x.png")], 24)  # type: ignore[arg-type]
    for name in ("c_000020.webp", "a_000012.psd", "._a_000012.png", "notes_000020.txt"):
        (folder / name).touch()  # a picture, a document beside its export, what systems leave
    named = references([folder], 24)  # type: ignore[arg-type]
    assert [r.path.suffix for r in named] == [".png", ".png", ".webp"]
    Image.new("RGB", (8, 8)).save(folder / "none.png")
    with pytest.raises(UsageError, match="names no frame"):
        references([folder], 24)  # type: ignore[arg-type]
