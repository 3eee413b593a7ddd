"""The work folder belongs to one run at a time, even at the moment when a run ends."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pycolor.errors import FilmError, UsageError
from pycolor.video.job.work import folder_lock
from pycolor.video.job.work.job_folder import JobFolder
from pycolor.video.job.work.own_files import open_lock
from pycolor.video.plan.analysis import FilmAnalysis

FILES = ("identity.json", "survey.npz", "survey.json", "segment-0-8.mkv", "segment-0-8.luma")


def folder_at(path: Path) -> JobFolder:
    return JobFolder(path, {"source": "the same"}, ".mkv")


def filled(path: Path) -> JobFolder:
    """A run at work, which has finished something."""
    work = folder_at(path).__enter__()
    for name in FILES[1:]:
        (path / name).write_bytes(b"work")
    return work


def write_all(path: Path) -> None:
    """A run that writes each kind of file."""
    with folder_at(path) as work:
        seen = FilmAnalysis(
            timeline=range(8),
            shots=(),
            lightness=np.zeros(8, np.float32),
            change=np.zeros(8, np.float32),
            colored=(),
            starts=(),
            rate=Fraction(24),
        )
        work.save_analysis(seen)
        segment = work.segment(0, 8)
        work.part(segment).write_bytes(b"film")
        work.complete(segment, [bytes(32)] * 8)


def is_held(path: Path) -> bool:
    """Whether a run that comes now is turned away."""
    try:
        with folder_at(path):
            return False
    except FilmError:
        return True


def once(function: Callable[..., Any], first: Callable[[], None]) -> Callable[..., Any]:
    """The function, before whose first call something else happens."""
    pending = [first]

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if pending:
            pending.pop()()
        return function(*args, **kwargs)

    return wrapped


@pytest.mark.parametrize("moment", ["before it is locked", "before its lock is opened"])
def test_a_folder_that_is_removed_is_not_entered(moment, tmp_path, monkeypatch):
    ending = filled(tmp_path / "work")
    with monkeypatch.context() as patch:
        if moment == "before it is locked":
            patch.setattr(fcntl, "flock", once(fcntl.flock, ending.remove))
        else:
            patch.setattr(folder_lock, "open_lock", once(open_lock, ending.remove))
        coming = folder_at(tmp_path / "work").__enter__()
    assert {p.name for p in (tmp_path / "work").iterdir()} == {"identity.json", "lock"}
    assert is_held(tmp_path / "work")
    coming.remove()
    assert not (tmp_path / "work").exists()


def test_a_folder_that_another_run_took_over_is_left_to_it(tmp_path, monkeypatch):
    ending, coming = filled(tmp_path / "work"), folder_at(tmp_path / "work")

    def come() -> None:
        coming.__enter__()
        (tmp_path / "work" / "segment-0-8.mkv").write_bytes(b"new")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rmdir", once(Path.rmdir, come))
        ending.remove()
    ending.__exit__(None, None, None)
    assert (tmp_path / "work" / "segment-0-8.mkv").read_bytes() == b"new"
    assert is_held(tmp_path / "work")
    coming.remove()


@pytest.mark.parametrize("left", range(len(FILES) + 1))
def test_a_removal_that_was_killed_is_no_foreign_folder(left, tmp_path, monkeypatch):
    ending = filled(tmp_path / "work")
    calls, unlink = 0, Path.unlink

    def killed(path: Path, **options: bool) -> None:
        nonlocal calls
        calls += 1
        if calls > left:
            raise KeyboardInterrupt
        unlink(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            ending.remove()
    with folder_at(tmp_path / "work"):
        pass


@pytest.mark.parametrize("file", ["identity.json", "survey.json", "segment-00000000-00000008.luma"])
def test_a_disk_that_is_full_is_told_in_a_sentence(file, tmp_path, monkeypatch):
    def full(path: Path, *arguments: Any, **options: Any) -> int:
        if Path(path).name == f"{file}.part":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, *arguments, **options)

    opened = os.open
    monkeypatch.setattr(os, "open", full)
    sentence = r"the work folder .*work could not be written: No space left on device\."
    with pytest.raises(FilmError, match=sentence):
        write_all(tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_runs_that_come_and_go_are_never_two_at_once(tmp_path):
    inside, most, refusals = [0], [0], set()
    counting = threading.Lock()

    def come_and_go() -> None:
        entered = 0
        while entered < 10:
            try:
                with folder_at(tmp_path / "work") as work:
                    with counting:
                        inside[0] += 1
                        most[0] = max(most[0], inside[0])
                    entered += 1
                    (tmp_path / "work" / "segment-0-8.mkv").write_bytes(b"work")
                    time.sleep(0.0005)
                    with counting:
                        inside[0] -= 1
                    work.remove()
            except FilmError as error:
                refusals.add(str(error).partition(",")[0])
                time.sleep(0.0002)

    threads = [threading.Thread(target=come_and_go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1
    assert refusals <= {"another run is at work on this output"}
    assert not (tmp_path / "work").exists()


def test_a_file_in_the_place_of_the_folder_is_refused_and_kept(tmp_path):
    (tmp_path / "work").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="is not a work folder"), folder_at(tmp_path / "work"):
        pass
    assert (tmp_path / "work").read_text(encoding="utf-8") == "mine"
