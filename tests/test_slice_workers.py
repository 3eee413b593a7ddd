"""Workers on slices as processes of their own: killed, on file systems without locks, far away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pycolor.errors import FilmError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.system import process_tag
from pycolor.system.atomic_file import atomic_write
from pycolor.video.job.decisions.start_plan import start_plan
from pycolor.video.job.distribute.claims import Claims
from pycolor.video.job.film import color_film
from pycolor.video.job.record import source_digest
from pycolor.video.job.record.source_digest import SourceDigest
from pycolor.video.job.record.versions import versions
from pycolor.video.job.stages.film_slice import color_slice
from pycolor.video.job.work.folder_lock import OWNER, lock_folder
from tests.films import make_film
from tests.mounts import CannotMount, no_locks_library

ROOT = Path(__file__).resolve().parents[1]
QUICK = (
    "--model",
    "richart2017",
    "--short-side",
    "32",
    "--dtype",
    "float32",
    "--device",
    "cpu",
    "--segment-frames",
    "4",
)
OPTIONS = VideoOptions(
    predict=PredictOptions(model="richart2017", short_side=32, dtype="float32", device="cpu"),
    segment_frames=4,
)


@pytest.fixture(scope="module")
def no_locks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which nothing can be locked."""
    try:
        library = no_locks_library(tmp_path_factory.mktemp("no_locks"))
    except CannotMount as e:
        pytest.skip(str(e))
    return {"LD_PRELOAD": str(library)}


def begin(folder: Path, *told: str, **environment: str) -> subprocess.Popen[str]:
    """`pycolor video` with these options, as a process."""
    words = [sys.executable, "-m", "pycolor", "video", "in.mkv", "out.mkv", *QUICK, *told]
    return subprocess.Popen(
        [*words, "--progress", "none"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def tmpfs() -> Iterator[Path]:
    """A folder in memory."""
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("there is no tmpfs at /dev/shm")
    with tempfile.TemporaryDirectory(prefix="pycolor-", dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.mark.slow
def test_killed_on_a_tmpfs_where_nothing_can_be_locked(
    tmpfs: Path, tmp_path: Path, no_locks: dict[str, str]
) -> None:
    """The first worker is killed at work; the second takes over at once, and joins the film.

    `benchmarks/slices.py` kills some hundred workers, of up to 16 slices.
    """
    film = make_film(tmpfs / "in.mkv", frames=120)
    first = begin(tmpfs, "--slice", "1/2", **no_locks)
    segments = tmpfs / "out.mkv.pycolor" / "segments"
    while first.poll() is None and not list(segments.glob(".*.part-*")):
        time.sleep(0.001)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert list(segments.glob("*.claim")), "killed too late: it was to be at work"
    second = begin(tmpfs, "--slice", "2/2", **no_locks)
    said, _ = second.communicate()
    assert second.returncode == 0, said
    color_film(film, tmp_path / "whole.mkv", OPTIONS)
    assert (tmpfs / "out.mkv").read_bytes() == (tmp_path / "whole.mkv").read_bytes()
    assert not [p for p in segments.iterdir() if p.suffix == ".claim" or "part-" in p.name]


def test_who_is_gone_is_known_at_once(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; "
        "from pycolor.video.job.distribute.claims import Claims; "
        "assert Claims(Path(sys.argv[1]))._take('a'); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment)
    with Claims(tmp_path).claimed("a") as mine:  # not five minutes later
        assert mine


def test_one_stays_and_the_others_go_when_they_have_seen_it_alive(tmp_path: Path) -> None:
    first, second = Claims(tmp_path, 1.0), Claims(tmp_path, 1.0)
    with first.claimed("a"), second.claimed("a", stay=True) as mine:
        assert not mine
    assert first._take("a")  # and never renewed
    with second.claimed("a", stay=True) as mine:
        assert mine


def elsewhere(monkeypatch: pytest.MonkeyPatch, name: str = "0123abcd") -> None:
    monkeypatch.setattr(process_tag, "_machine", lambda: name)


def test_what_another_machine_writes_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process has another number there, or one that runs here and is not it."""
    target = tmp_path / "out.mkv"
    elsewhere(monkeypatch)
    with atomic_write(target) as theirs:
        theirs.write_bytes(b"theirs")
        monkeypatch.undo()
        monkeypatch.setattr(process_tag, "is_running", lambda _: False)
        with atomic_write(tmp_path / "out.mkv", overwrite=True) as ours:
            assert ours != theirs
            ours.write_bytes(b"ours")
        assert theirs.read_bytes() == b"theirs"
        os.utime(theirs, (1, 1))
        with atomic_write(target, overwrite=True) as ours:
            ours.write_bytes(b"ours")
        assert not theirs.exists()  # after a day
        theirs.write_bytes(b"theirs")
        target.unlink()


def test_a_folder_is_held_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", fails)
    folder = tmp_path / "work"
    held = lock_folder(folder)
    with pytest.raises(FilmError, match=r"another run is at work .* remove .*lock\.owner"):
        lock_folder(folder)
    held.close()
    assert not (folder / OWNER).exists()
    elsewhere(monkeypatch)
    held = lock_folder(folder)
    monkeypatch.undo()
    monkeypatch.setattr("fcntl.flock", fails)
    with pytest.raises(FilmError, match="on no machine"):  # only a person can know
        lock_folder(folder)
    (folder / OWNER).write_text("4194305")  # above the largest number of a process
    lock_folder(folder).close()
    held.close()


def test_one_worker_reads_the_source_for_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, note = tmp_path / "in.mkv", tmp_path / "source.json"
    film.write_bytes(b"film")
    read: list[Path] = []
    digest = source_digest.file_digest

    def counted(path: Path, on_block: Callable[[], None]) -> str:
        read.append(path)
        return digest(path, on_block)

    monkeypatch.setattr(source_digest, "file_digest", counted)
    told = {SourceDigest(film, note).sha256 for _ in range(3)}
    assert (len(told), len(read)) == (1, 1)
    film.write_bytes(b"other")
    assert SourceDigest(film, note).sha256 not in told
    content = json.loads(note.read_text().splitlines()[0])
    note.write_text(json.dumps({**content, "sha256": "0" * 64}))  # not as it was written
    assert SourceDigest(film, note).sha256 == digest(film)
    assert len(read) == 3


def test_a_twin_that_comes_late_leaves_output_and_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two join: one had slept.  It ends quietly, and nothing of the other's is touched."""
    film, target = make_film(tmp_path / "in.mkv", frames=6), tmp_path / "out.mkv"
    plan = tmp_path / "in.mkv.pycolor" / "plan.json"
    start_plan(film, plan)
    options = VideoOptions(plan=plan, predict=OPTIONS.predict, slice="1/1")
    from pycolor.video.job.stages.film_run import FilmRun

    join = FilmRun._join

    def overtaken(run: FilmRun, *given: object) -> None:
        join(run, *given)  # type: ignore[arg-type]
        monkeypatch.setattr(FilmRun, "_join", join)
        color_film(film, target, VideoOptions(plan=plan, predict=OPTIONS.predict))

    monkeypatch.setattr(FilmRun, "_join", overtaken)
    assert color_slice(film, target, options) is None
    sidecar = json.loads(target.with_suffix(".json").read_text())
    assert sidecar["frames"] == 6
    assert target.stat().st_nlink == 1


def test_versions_of_builds_for_other_machines_may_be_mixed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda _: "2.13.0+cu130")
    assert versions()["torch"] == "2.13.0+cu130"
    assert versions(mix=True)["torch"] == "2.13.0"
