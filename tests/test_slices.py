"""One film by several workers: the bytes of one run, whatever happens to them."""

from __future__ import annotations

import errno
import os
import platform
import random
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pycolor.cli import main
from pycolor.errors import FilmError, UsageError
from pycolor.options import PredictOptions, VideoOptions, slice_of
from pycolor.video.film_plan import edit
from pycolor.video.job.decisions.plan_file import read_plan_file, save_plan_file
from pycolor.video.job.decisions.start_plan import start_plan
from pycolor.video.job.distribute import claims as claims_made
from pycolor.video.job.distribute import segment as segments_made
from pycolor.video.job.distribute.claims import Claims
from pycolor.video.job.distribute.slices import in_order, slices_plan
from pycolor.video.job.film import color_film
from pycolor.video.job.record.processor import processor
from pycolor.video.job.stages.film_slice import color_slice
from pycolor.video.job.work.segment_files import Segment
from pycolor.video.job.work.segments.segment_store import SegmentStore
from tests.films import make_film

QUICK = PredictOptions(model="richart2017", short_side=32, dtype="float32", device="cpu")


class Killed(BaseException):
    """A worker that is gone from one moment to the next."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A film with a plan of five shots, and the bytes of one run."""
    folder = tmp_path_factory.mktemp("slices")
    film = make_film(folder / "reel.mkv", frames=30)
    plan = start_plan(film, folder / "reel.mkv.pycolor" / "plan.json")
    for frame in (6, 11, 17, 26):
        plan = edit.split_shot(plan, frame)
    save_plan_file(folder / "reel.mkv.pycolor" / "plan.json", plan)
    color_film(film, folder / "out.mkv", options(folder))
    content = (folder / "out.mkv").read_bytes()
    shutil.rmtree(folder / "reel.mkv.pycolor" / "segments")
    (folder / "out.mkv").unlink()
    (folder / "out.json").unlink()
    return folder, content


@pytest.fixture
def folder(whole: tuple[Path, bytes], tmp_path: Path) -> Path:
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    return tmp_path


def options(folder: Path, part: str | None = None) -> VideoOptions:
    plan = folder / "reel.mkv.pycolor" / "plan.json"
    return VideoOptions(plan=plan, predict=QUICK, slice=part)


def work(folder: Path, part: str, said: list[str] | None = None) -> bool:
    """Whether this worker joined the film."""
    say = (said if said is not None else []).append
    chosen = options(folder, part)
    return color_slice(folder / "reel.mkv", folder / "out.mkv", chosen, say=say) is not None


def test_workers_one_after_the_other(folder: Path, whole: tuple[Path, bytes]) -> None:
    """The first does all that nobody else claims, and joins; the second finds it finished."""
    said: list[str] = []
    parts = [f"{k}/3" for k in (1, 2, 3)]
    random.Random(1).shuffle(parts)
    for part in parts:
        work(folder, part, said)
    assert (folder / "out.mkv").read_bytes() == whole[1]
    assert sum("is finished" in text for text in said) == 2
    assert not list(folder.rglob("*.claim"))


def test_workers_side_by_side(folder: Path, whole: tuple[Path, bytes]) -> None:
    errors: list[BaseException] = []

    def worker(part: str) -> None:
        try:
            work(folder, part)
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=worker, args=(part,)) for part in ("1/2", "2/2", "2/2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    if not (folder / "out.mkv").exists():  # each saw another at work: the same command joins
        color_film(folder / "reel.mkv", folder / "out.mkv", options(folder))
    assert (folder / "out.mkv").read_bytes() == whole[1]


def test_dead_workers_segments_are_taken_over(
    folder: Path, whole: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at every frame in turn, its claims left behind; the next one takes over at once."""
    monkeypatch.setattr(Claims, "_give_up", lambda *_: None)
    monkeypatch.setattr(claims_made, "SECONDS_UNTIL_DEAD", -1.0)  # every claim is a dead worker's
    monkeypatch.setattr(Claims, "_renew", lambda *_: None)
    write = segments_made._SegmentEncoder.write
    chance = random.Random(7)
    for part in ("2/2", "1/2", "2/2"):
        left = [chance.randrange(2, 9)]

        def dying(encoder: Any, picture: Any, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            write(encoder, picture)

        with monkeypatch.context() as patch:
            patch.setattr(segments_made._SegmentEncoder, "write", dying)
            with pytest.raises(Killed):
                work(folder, part)
    assert not (folder / "out.mkv").exists()
    work(folder, "1/2")
    assert (folder / "out.mkv").read_bytes() == whole[1]


def test_a_segment_of_a_dead_machine_is_waited_for(
    folder: Path, whole: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim is left alone until it was not renewed for a while; meanwhile all else is made."""
    monkeypatch.setattr(claims_made, "SECONDS_UNTIL_DEAD", 1.0)
    store = folder / "reel.mkv.pycolor" / "segments"
    said: list[str] = []
    lost: list[str] = []
    take = Claims._take
    other = Claims(store)
    with pytest.MonkeyPatch.context() as patch:

        def losing(claims: Claims, name: str) -> bool:
            if not lost:
                lost.append(name)
                assert take(other, name)  # another worker was faster with the first of them
            return take(claims, name)

        patch.setattr(Claims, "_take", losing)
        assert work(folder, "1/2", said)
    assert "waiting for other workers' last 1 segments" in said
    assert (folder / "out.mkv").read_bytes() == whole[1]
    assert not list(store.glob("*.claim"))


def test_without_a_plan_the_workers_meet_beside_the_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film, out = make_film(tmp_path / "reel.mkv", frames=6), tmp_path / "out.mkv"
    told = ["--model", "richart2017", "--short-side", "32", "--progress", "none"]
    assert main(["video", str(film), str(out), "--slice", "2/2", *told]) == 0
    assert out.exists()
    assert slices_plan(out).exists()
    out.unlink()
    assert main(["video", str(film), str(out), *told]) == 0
    out.unlink()
    assert main(["video", str(film), str(out), "--frames", "0:3", *told]) == 2
    assert f"was begun in slices, of the whole film and unguided, as {out}.pycolor tells" in (
        capsys.readouterr().err
    )
    led = PredictOptions(reference=(film,))
    with pytest.raises(UsageError, match="workers on slices share a plan"):
        VideoOptions(slice="1/2", predict=led)
    for text in ("0/2", "3/2", "x", "1"):
        with pytest.raises(UsageError, match="slice must be K/N"):
            replace(VideoOptions(), slice=text)


def test_claims(tmp_path: Path) -> None:
    first, second = Claims(tmp_path, 60.0), Claims(tmp_path, 60.0)
    with first.claimed("a") as mine:
        assert mine
        with second.claimed("a") as also, second.claimed("b") as other:
            assert not also
            assert other
        old = time.time() - 61
        os.utime(tmp_path / "a.claim", (old, old))
        with second.claimed("a") as taken:  # the first has slept for too long
            assert taken
            assert (tmp_path / "a.claim").read_text() == second.worker
    assert not list(tmp_path.iterdir())


def test_what_dead_workers_left_is_removed_in_the_end(
    folder: Path, whole: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims on segments that were made, and files of a look or a takeover that was cut short."""
    store = folder / "reel.mkv.pycolor" / "segments"
    give_up = Claims._give_up
    left: list[str] = []

    def dying(claims: Claims, name: str) -> None:
        if left:
            give_up(claims, name)
            return
        left.append(name)
        (store / ".clock-0123").write_text("4194305 of a process that is gone")
        (store / f".{name}.claim-0123").write_text("01234567-1 of another machine")
        (store / f"{name}.claim").write_text("01234567-1 of another machine")

    monkeypatch.setattr(Claims, "_give_up", dying)
    assert work(folder, "1/1")
    assert left
    assert not [p.name for p in store.iterdir() if "claim" in p.name or "clock" in p.name]
    assert (folder / "out.mkv").read_bytes() == whole[1]


def test_a_claim_where_a_taken_name_is_not_permitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a mount by SFTP says it; where the name is free, it is an error."""
    first, second = Claims(tmp_path), Claims(tmp_path)
    with first.claimed("a") as mine:
        assert mine

        def refused(*_: object) -> int:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

        with monkeypatch.context() as patch:
            patch.setattr(os, "open", refused)
            with second.claimed("a") as also:
                assert not also
            with pytest.raises(FilmError, match="not permitted"), second.claimed("b"):
                pass


def test_a_late_twin_loses_quietly(tmp_path: Path) -> None:
    store, twin = SegmentStore(tmp_path, ".mkv"), SegmentStore(tmp_path, ".mkv")
    segment = store.segment(0, 1, "k")
    store.part(segment).write_bytes(b"film")
    store.complete(segment, [bytes(32)])
    inode = segment.path.stat().st_ino
    twin.part(segment).write_bytes(b"film")
    twin.complete(segment, [bytes(32)])
    assert segment.path.stat().st_ino == inode
    assert sorted(p.name for p in tmp_path.iterdir()) == ["k.luma", "k.mkv"]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16])
def test_every_worker_looks_at_every_segment(count: int) -> None:
    segments = [Segment(first=n, stop=n + 1, path=Path(str(n))) for n in range(10)]
    first = set()
    for k in range(1, count + 1):
        order = list(in_order(segments, slice_of(f"{k}/{count}")))
        assert sorted(s.first for s in order) == list(range(10))
        first.add(order[0].first)
    assert len(first) == min(count, 10) or count > 10


def test_unlike_machines_are_kept_apart(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another processor makes is its own, and each is told of the other."""
    plan = read_plan_file(folder / "reel.mkv.pycolor" / "plan.json").plan
    assert len(plan.shots) == 5
    layer = folder / "reel.mkv.pycolor" / "layer"
    before = {p.name for p in layer.iterdir()}
    said: list[str] = []
    work(folder, "1/2", said)
    assert not any("of another kind" in text for text in said)
    assert {p.name for p in layer.iterdir()} == before
    (folder / "out.mkv").unlink()
    monkeypatch.setattr("pycolor.video.job.record.arithmetic.processor", lambda: "another")
    work(folder, "2/2", said)
    (text,) = (text for text in said if "of another kind" in text)
    assert "another here" in text
    assert "--mix shares it" in text
    assert len({p.name for p in layer.iterdir()} - before) == len(before)


def test_a_processor_is_told_by_what_its_sums_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    own = processor()
    assert platform.machine() in own
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    assert processor() == f"{own} ONEDNN_MAX_CPU_ISA=SSE41"
