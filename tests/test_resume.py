"""Killed at any moment and run again: the same film, and nothing of another."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from pycolor.errors import FilmError, UsageError
from pycolor.options import PredictOptions, PropagationOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.job.film import color_film
from pycolor.video.job.work import job_folder as work_folders
from pycolor.video.job.work.job_folder import job_folder
from pycolor.video.render import chroma_planes as planes_of_a_frame
from pycolor.video.verify import verify
from tests.films import colored_film, make_film

QUICK = VideoOptions(predict=PredictOptions(model="richart2017", short_side=32), segment_frames=8)
COMMAND = [
    "--model",
    "richart2017",
    "--short-side",
    "32",
    "--segment-frames",
    "8",
    "--progress",
    "none",
    "--overwrite",
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    return make_film(folder / "in.mkv", pixel_format="gray", frames=60, sound=["flac"])


@pytest.fixture
def source(film: Path, tmp_path: Path) -> Path:
    """A copy of the film, which a test may change."""
    shutil.copy(film, tmp_path / "in.mkv")
    return tmp_path / "in.mkv"


@pytest.fixture(scope="module")
def whole(film: Path) -> Path:
    """What a run makes that nothing stops."""
    report = color_film(film, film.with_name("whole.mkv"), QUICK)
    assert report.resumed == 0
    return film.with_name("whole.mkv")


@pytest.fixture(scope="module")
def planes_in_one(film: Path) -> list[str]:
    """Of the film in a single segment."""
    color_film(film, film.with_name("one.mkv"), replace(QUICK, segment_frames=1000))
    return planes(film.with_name("one.mkv"))


def planes(film: Path) -> list[str]:
    """A digest of the visible samples of each frame."""
    with Reader(film) as reader:
        return [digest_of(frame.native) for frame in reader]


def digest_of(native: av.VideoFrame) -> str:
    found = hashlib.sha256()
    for plane in native.planes:
        rows = np.frombuffer(bytes(plane), np.uint8).reshape(-1, plane.line_size)
        found.update(rows[: plane.height, : plane.width].tobytes())  # 8 bits a sample
    return found.hexdigest()


def stop_after(monkeypatch: pytest.MonkeyPatch, frames: int) -> None:
    """Let the run fail at some frame."""
    render = planes_of_a_frame.render_picture
    left = [frames]

    def failing(*args: Any, **kwargs: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        render(*args, **kwargs)

    monkeypatch.setattr("pycolor.video.render.chroma_planes.render_picture", failing)


def test_an_interrupted_run_goes_on(source, whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_after(patch, 30)
        with pytest.raises(KeyboardInterrupt):
            color_film(source, tmp_path / "out.mkv", QUICK)
    assert not (tmp_path / "out.mkv").exists()
    assert job_folder(tmp_path / "out.mkv", None).exists()
    report = color_film(source, tmp_path / "out.mkv", QUICK)
    assert 0 < report.resumed < 60
    assert (tmp_path / "out.mkv").read_bytes() == whole.read_bytes()
    assert not job_folder(tmp_path / "out.mkv", None).exists()


def test_a_run_interrupted_before_its_first_segment_keeps_the_analysis(
    source, whole, tmp_path, monkeypatch
):
    said: list[str] = []
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            color_film(source, tmp_path / "out.mkv", QUICK, say=said.append)
    assert "kept in" in said[-1]
    report = color_film(source, tmp_path / "out.mkv", QUICK)
    assert report.resumed == 0
    assert "analyze" not in report.stage_seconds
    assert (tmp_path / "out.mkv").read_bytes() == whole.read_bytes()


def test_a_run_interrupted_at_its_analysis_keeps_nothing_and_says_nothing(
    source, tmp_path, monkeypatch
):
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    said: list[str] = []
    monkeypatch.setattr("pycolor.video.job.stages.preparation.analyze_film", interrupted)
    with pytest.raises(KeyboardInterrupt):
        color_film(source, tmp_path / "out.mkv", QUICK, say=said.append)
    assert not any("kept" in text for text in said)
    assert not job_folder(tmp_path / "out.mkv", None).exists()


@pytest.mark.parametrize("size", [4, 20, 60])
def test_segments_of_any_size_give_the_same_frames(size, source, planes_in_one, tmp_path):
    options = replace(QUICK, segment_frames=size)
    color_film(source, tmp_path / "out.mkv", options)
    assert planes(tmp_path / "out.mkv") == planes_in_one
    assert verify(source, tmp_path / "out.mkv").ok


def test_any_number_of_threads_gives_the_same_frames(source, tmp_path):
    before, found = torch.get_num_threads(), []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        options = replace(QUICK, predict=PredictOptions(short_side=96), frames=":20")
        color_film(source, tmp_path / f"{threads}.mkv", options)
        found.append(planes(tmp_path / f"{threads}.mkv"))
    torch.set_num_threads(before)
    assert found[0] == found[1]


@pytest.mark.parametrize("model", ["zhang2016", "iizuka2016"])  # the latter knows its shot
def test_segments_that_are_missing_in_the_middle_are_made(model, source, tmp_path):
    predict = PredictOptions(model=model, short_side=32)
    options = replace(QUICK, keep_work=True, predict=predict)
    color_film(source, tmp_path / "out.mkv", options)
    before = planes(tmp_path / "out.mkv")
    made = sorted(job_folder(tmp_path / "out.mkv", None).glob("segment-*.mkv"))
    for path in (made[1], made[4], made[5]):
        path.unlink()
    report = color_film(source, tmp_path / "out.mkv", replace(options, overwrite=True))
    assert report.resumed == 60 - 24
    assert planes(tmp_path / "out.mkv") == before


@pytest.mark.parametrize("change", ["source", "options", "weights of the color"])
def test_other_work_is_not_mixed_in(change, source, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        stop_after(patch, 30)
        with pytest.raises(KeyboardInterrupt):
            color_film(source, tmp_path / "out.mkv", QUICK)
    said: list[str] = []
    options = QUICK
    if change == "source":
        make_film(source, pixel_format="gray", frames=60, width=96)
    elif change == "options":
        options = replace(QUICK, propagation=PropagationOptions(mode="best"))
    else:
        options = replace(
            QUICK, predict=PredictOptions(model="richart2017", short_side=32, saturation=0.5)
        )
    report = color_film(source, tmp_path / "out.mkv", options, say=said.append)
    assert report.resumed == 0
    assert any("begins anew" in text for text in said)
    color_film(source, tmp_path / "fresh.mkv", options)
    assert planes(tmp_path / "out.mkv") == planes(tmp_path / "fresh.mkv")


def test_a_folder_that_is_not_ours_is_refused(source, tmp_path):
    folder = job_folder(tmp_path / "out.mkv", None)
    folder.mkdir()
    (folder / "thesis.txt").write_text("the only copy")
    with pytest.raises(UsageError, match="not a work folder"):
        color_film(source, tmp_path / "out.mkv", QUICK)
    assert (folder / "thesis.txt").read_text() == "the only copy"


def test_two_runs_on_one_output(source, tmp_path):
    folder = job_folder(tmp_path / "out.mkv", None)
    folder.mkdir()
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(FilmError, match="another run"):
            color_film(source, tmp_path / "out.mkv", QUICK)
    color_film(source, tmp_path / "out.mkv", QUICK)


def test_an_output_that_appears_meanwhile_is_not_replaced(source, tmp_path, monkeypatch):
    """The name was free when this run looked, and the other run's lock is gone by now."""
    refuse = work_folders.JobFolder._refuse_foreign

    def other_run_ends(self: work_folders.JobFolder) -> None:
        (tmp_path / "out.mkv").write_bytes(b"the other run's")
        refuse(self)

    monkeypatch.setattr(work_folders.JobFolder, "_refuse_foreign", other_run_ends)
    with pytest.raises(UsageError, match="finished by another run"):
        color_film(source, tmp_path / "out.mkv", QUICK)
    assert (tmp_path / "out.mkv").read_bytes() == b"the other run's"
    assert not job_folder(tmp_path / "out.mkv", None).exists()


def test_the_work_may_lie_elsewhere(source, tmp_path):
    (tmp_path / "work").mkdir()
    options = replace(QUICK, work_dir=tmp_path / "work", keep_work=True)
    color_film(source, tmp_path / "out.mkv", options)
    assert any((tmp_path / "work").iterdir())
    assert not job_folder(tmp_path / "out.mkv", None).exists()


def test_the_sidecar_tells_how_it_was_made(source, tmp_path):
    color_film(source, tmp_path / "out.mkv", replace(QUICK, framemd5=True))
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["source"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert told["frames"] == len(told["luma_sha256"]) == 60
    assert told["model"]["weights_sha256"]
    assert told["shots"][0]["start"] == 0
    with Reader(tmp_path / "out.mkv") as reader:
        kept = {k.upper(): v for k, v in reader.info.metadata.items()}
        assert json.loads(kept["COLORIZATION"])["made"] == "chroma"
        first = hashlib.sha256(np.ascontiguousarray(next(iter(reader)).luma).data).hexdigest()
    assert first == told["luma_sha256"][0]
    lines = (tmp_path / "out.mkv.framemd5").read_text().splitlines()
    assert len([line for line in lines if not line.startswith("#")]) == 60


def test_a_foreign_json_file_is_left_alone(source, tmp_path):
    (tmp_path / "out.json").write_text("{}")
    report = color_film(source, tmp_path / "out.mkv", QUICK)
    assert (tmp_path / "out.json").read_text() == "{}"
    assert report.sidecar == tmp_path / "out.mkv.json"


def test_color_shots_are_kept_or_recolored(tmp_path):
    source = colored_film(tmp_path / "in.mkv")
    kept = color_film(source, tmp_path / "kept.mkv", QUICK)
    assert kept.kept == kept.frames
    assert planes(tmp_path / "kept.mkv") == planes(source)
    made = color_film(source, tmp_path / "made.mkv", replace(QUICK, color_shots="recolor"))
    assert made.kept == 0
    assert planes(tmp_path / "made.mkv") != planes(source)
    assert verify(source, tmp_path / "made.mkv").ok


def run(source: Path, target: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pycolor", "video", str(source), str(target), *COMMAND]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, pytest.param(12, marks=pytest.mark.long)])
def test_killed_at_random_moments(kills, source, tmp_path):
    """Each of the results is, byte for byte, that of a run that nothing stopped."""
    began = time.monotonic()
    run(source, tmp_path / "whole.mkv").communicate(timeout=120)
    lasts = time.monotonic() - began
    whole = (tmp_path / "whole.mkv").read_bytes()
    chance = np.random.default_rng(11)
    killed = 0
    for number in range(kills):
        target = tmp_path / f"out{number}.mkv"
        first = run(source, target)
        try:
            first.communicate(timeout=chance.uniform(0.2, 1.05) * lasts)
        except subprocess.TimeoutExpired:
            os.kill(first.pid, signal.SIGKILL)
            first.communicate()
            killed += 1
        color_film(source, target, replace(QUICK, overwrite=True))
        assert target.read_bytes() == whole
        assert not job_folder(target, None).exists()
        assert {p.suffix for p in tmp_path.iterdir()} == {".mkv", ".json"}
    assert killed >= kills // 3
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]
