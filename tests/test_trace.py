"""A trace of a film shows its stages, each thread in a row of its own."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from pycolor.errors import UsageError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.system.stopwatch import Stopwatch
from pycolor.system.trace import traced
from pycolor.video.job.film import color_film
from tests.films import make_film


def test_events_nest_in_the_rows_of_their_threads(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    watch = Stopwatch()
    with traced(path) as watch.trace:
        with watch("outer"), watch("inner"):
            pass
        thread = threading.Thread(target=lambda: list(watch.timed("beside", [1])))
        thread.start()
        thread.join()
    events = json.loads(path.read_text())
    assert all(e["ph"] in "MX" and {"name", "pid", "tid"} <= e.keys() for e in events)
    rows = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert rows == {1: "main", 2: "beside"}
    timed = [e for e in events if e["ph"] == "X"]
    assert [(e["name"], e["tid"]) for e in timed] == [
        *(("inner", 1), ("outer", 1)),
        *(("beside", 2), ("beside", 2)),  # an item, and the end
    ]
    inner, outer = timed[:2]
    assert outer["ts"] <= inner["ts"]
    assert inner["ts"] + inner["dur"] <= outer["ts"] + outer["dur"] + 0.2  # rounded
    with pytest.raises(UsageError, match="exists"), traced(path):
        pass


def test_a_film_is_traced(tmp_path: Path) -> None:
    film, path = make_film(tmp_path / "in.mkv"), tmp_path / "trace.json"
    options = VideoOptions(trace=path, predict=PredictOptions(model="varga2017"))
    report = color_film(film, tmp_path / "out.mkv", options)
    events = json.loads(path.read_text())
    assert {e["name"] for e in events if e["ph"] == "X"} == set(report.stage_seconds)
    for stage in ("encode", "render"):
        assert sum(e["name"] == stage for e in events) == 10


def test_a_stage_inside_another_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 4.0, 4.5, 6.0, 10.0, 20.0, 21.0])
    monkeypatch.setattr("pycolor.system.stopwatch.time.perf_counter", lambda: next(clock))
    watch = Stopwatch()
    with watch("outer"):  # 0 … 10
        with watch("inner"):  # 1 … 4
            pass
        with watch("inner"):  # 4.5 … 6
            pass
    with watch("outer"):  # 20 … 21
        pass
    assert watch.seconds == {"inner": 4.5, "outer": 6.5}
