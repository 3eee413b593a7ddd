"""What color a shot has of its own, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pycolor.encoding import Encoding
from pycolor.options import PredictOptions, PropagationOptions, VideoOptions
from pycolor.video.io import Reader, Writer
from pycolor.video.job.film import color_film
from pycolor.video.plan.analysis import analyze_film
from pycolor.video.plan.own_color import OwnColor, picture_color, shot_color, tints_note
from pycolor.video.plan.plan import ShotBody, TransitionSpan
from pycolor.video.plan.planning import plan_of
from pycolor.video.render.chroma_planes import render_picture
from tests.films import make_film

LUMA = np.tile(np.linspace(16, 235, 32), (24, 1))


def planes(cb: Any, cr: Any) -> Any:
    """Y', Cb and Cr of chroma given as a function of luma, 0 to 1, from neutral."""
    unit = (LUMA - 16) / 219
    chroma = [128 + np.broadcast_to(f(unit), unit.shape) for f in (cb, cr)]
    return np.rint(np.stack([LUMA, *chroma])).astype(np.uint8)


@pytest.mark.parametrize(
    ("cb", "cr", "said"),
    [
        (lambda y: 0 * y, lambda y: 0 * y, "none"),
        (lambda y: 0 * y - 3, lambda y: 0 * y + 3, "amber cast of 4 codes"),
        (lambda y: 0 * y - 8, lambda y: 0 * y + 8, "amber cast of 11 codes"),
        (lambda y: 0 * y + 24, lambda y: 0 * y - 14, "blue tint of 28 codes"),
        (lambda y: 0 * y - 30, lambda y: 0 * y + 20, "amber tint of 36 codes"),
        (lambda y: 0 * y + 12, lambda y: 0 * y + 24, "pink tint of 27 codes"),
        (lambda y: -90 * y * (1 - y), lambda y: 60 * y * (1 - y), "amber tone of 27 codes"),
        (lambda y: 25 * np.sin(40 * np.arange(32)), lambda y: 0 * y, "color"),
    ],
)
def test_the_kinds(cb: Any, cr: Any, said: str) -> None:
    found = picture_color(planes(cb, cr))
    if said == "color":  # chroma that does not follow the luma
        random = np.random.default_rng(0).integers(100, 156, (2, 24, 32))
        found = picture_color(np.stack([LUMA.astype(int), *random]).astype(np.uint8))
    assert str(found) == said


def test_a_shot_is_its_middle_frame() -> None:
    tint, gray = OwnColor(cb=30, lightest=30), OwnColor()
    assert shot_color([tint, tint, gray]).kind == "tint"
    assert shot_color([]).kind == "none"
    assert shot_color([OwnColor(noise=6.0)] * 3).kind == "cast"
    assert str(OwnColor(noise=6.0)) == "noise of 6 codes"
    assert tints_note([gray, OwnColor(noise=9)], "remove") is None
    said = tints_note([gray, tint], "remove")
    assert said is not None
    assert "shot 2 (blue tint of 30 codes)" in said
    assert "--tints keep or leave" in said


def tinted_film(path: Path) -> Path:
    """Ten frames in gray, then ten in blue, as one could print them."""
    gray = make_film(
        path.with_name("gray.mkv"), pixel_format="gray", frames=20, width=96, height=72
    )
    with Reader(gray) as reader, Writer(path, reader, chroma="420") as writer:
        for frame in reader:
            picture = writer.picture(frame)
            for plane, offset in zip(picture.chroma, (40, -20), strict=True):
                plane[:] = 128 + (offset if frame.index >= 10 else 0)
            writer.write(picture)
    return path


def test_a_film_with_a_tinted_shot(tmp_path: Path) -> None:
    source = tinted_film(tmp_path / "in.mkv")
    shots = tmp_path / "shots.csv"
    shots.write_text("Scene Number,Start Frame,End Frame\n1,1,10\n2,11,20\n")
    chroma: dict[str, Any] = {}
    for tints in ("remove", "keep"):
        said: list[str] = []
        options = VideoOptions(
            tints=tints,
            shots=shots,
            predict=PredictOptions(short_side=16),
        )
        color_film(source, tmp_path / f"{tints}.mkv", options, say=said.append)
        assert any("shot 2 (blue tint of 45 codes)" in text for text in said), said
        with Reader(tmp_path / f"{tints}.mkv") as reader:
            frames = [np.frombuffer(memoryview(f.native.planes[1]), np.uint8) for f in reader]
            width = reader.info.width // 2
            chroma[tints] = np.stack([f.reshape(36, -1)[:, :width] for f in frames]).astype(int)
    assert np.array_equal(chroma["keep"][:10], chroma["remove"][:10])
    assert np.array_equal(chroma["keep"][10:], (chroma["remove"][10:] + 40).clip(0, 255))
    assert abs(chroma["remove"][10:] - 128).mean() < 35


def test_what_the_plan_does(tmp_path: Path) -> None:
    seen = analyze_film(tinted_film(tmp_path / "in.mkv"))
    seen = replace(seen, looks=(OwnColor(cb=30, lightest=30),) * len(seen.shots))
    options = PropagationOptions()
    for tints, kept, under in (("remove", 0, 0), ("keep", 0, 1), ("leave", 1, 0)):
        plan = plan_of(seen, options, recolor=True, tints=tints)  # type: ignore[arg-type]
        assert any(span.passthrough for span in plan.spans) == bool(kept)
        assert any(span.under for span in plan.spans) == bool(under)
    body = ShotBody(start=0, stop=3, keys=(0, 2), under=True)
    assert TransitionSpan(start=3, stop=6, kind="fade", before=body, after=None).under
    assert not TransitionSpan(start=3, stop=6, kind="fade", before=None, after=None).under


@pytest.mark.parametrize("full_range", [False, True])
def test_the_sum_stays_within_chroma(tmp_path: Path, full_range: bool) -> None:
    source = make_film(
        tmp_path / "in.mkv", pixel_format="yuv444p", frames=1, color_range=2 if full_range else 1
    )
    with Reader(source) as reader, Writer(tmp_path / "out.mkv", reader) as writer:
        encoding: Encoding = writer.encoding
        assert encoding.full_range == full_range
        picture = writer.picture(next(iter(reader)))
        for plane in picture.chroma:
            plane[:] = 230
        render_picture(torch.full((2, 6, 8), 60.0), picture, encoding, interlaced=False, under=True)
        top = 255 if full_range else 240
        assert all(int(plane.max()) <= top for plane in picture.chroma)
        assert int(picture.chroma[1].max()) == top
        writer.write(picture)
