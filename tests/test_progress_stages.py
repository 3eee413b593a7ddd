"""Every part of the work is told: reading, shots, coloring, joining, checking."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from pycolor.options import PredictOptions, VideoOptions
from pycolor.system import progress as module
from pycolor.system.progress import Progress
from pycolor.video.job.film import color_film
from tests.films import make_film


@pytest.mark.parametrize(("target", "checked"), [("out.mkv", True), ("c_%02d.png", False)])
def test_every_stage_counts_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, checked: bool
) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.0)
    source = make_film(tmp_path / "in.mkv", pixel_format="gray", frames=10)
    told = io.StringIO()
    options = VideoOptions(
        predict=PredictOptions(model="richart2017", short_side=16), segment_frames=4
    )
    with Progress("in.mkv", None, style="json", stream=told) as progress:
        color_film(source, tmp_path / target, options, progress=progress)
    last = {}
    for line in told.getvalue().splitlines():
        state = json.loads(line)
        last[state["title"].removeprefix("in.mkv: ")] = state
    stages = ["reading", "looking for shots", "coloring", "joining", *(["checking"] * checked)]
    assert list(last) == stages
    assert last["reading"]["done"] == last["reading"]["total"] == 1
    for stage in stages[1:]:
        assert last[stage]["done"] == last[stage]["total"] == 10
