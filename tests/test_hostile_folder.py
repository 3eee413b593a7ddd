"""The work folder and the outputs, after whatever may have happened to them between two runs."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pycolor.errors import FilmError, UsageError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.record import free_sidecar
from pycolor.system import atomic_file
from pycolor.system.atomic_file import atomic_write, check_output
from pycolor.video.job.film import color_film
from pycolor.video.job.record.source_digest import SourceDigest, file_digest
from pycolor.video.job.work import own_files
from pycolor.video.job.work.atomic_output import atomic_output
from pycolor.video.job.work.job_folder import JobFolder, job_folder
from pycolor.video.job.work.placed_files import has_placed, write_placed
from pycolor.video.job.work.stdin import materialize_stdin
from pycolor.video.plan.analysis import FilmAnalysis
from pycolor.video.shots.shot import Shot
from tests.films import make_film

QUICK = VideoOptions(predict=PredictOptions(model="richart2017", short_side=16), segment_frames=4)
Damage = Callable[[Path], object]


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def to_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/hostname")


def to_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "mine.txt").write_text("kept")


DAMAGES: dict[str, Damage] = {
    "a bit flipped": flip,
    "truncated": cut,
    "emptied": lambda path: path.write_bytes(b""),
    "a link": to_link,
    "a folder": to_folder,
}


def folder_at(path: Path, said: list[str] | None = None) -> JobFolder:
    told: list[str] = [] if said is None else said
    return JobFolder(path, {"source": "the same"}, ".mkv", say=told.append)


ANALYSIS = FilmAnalysis(
    timeline=range(8),
    shots=(Shot(0, 8),),
    lightness=np.linspace(0, 1, 8, dtype=np.float32),
    change=np.zeros(8, np.float32),
    colored=(False,),
    starts=(Fraction(0),),
    rate=Fraction(24),
)


def left_behind(path: Path) -> Path:
    """A folder in which a run was killed that had made two segments."""
    work = folder_at(path).__enter__()
    work.save_analysis(ANALYSIS)
    for first in (0, 4):
        segment = work.segment(first, first + 4)
        work.part(segment).write_bytes(b"film of %d" % first)
        work.complete(segment, [bytes(32)] * 4)
    work._release()
    return path


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("suffix", [".mkv", ".luma"])
def test_a_damaged_segment_is_made_again(damage: str, suffix: str, tmp_path: Path) -> None:
    path = left_behind(tmp_path / "work")
    DAMAGES[damage](path / f"segment-00000000-00000004{suffix}")
    said: list[str] = []
    with folder_at(path, said) as work:
        assert not work.is_done(work.segment(0, 4))
        assert work.is_done(work.segment(4, 8))
        assert not os.path.lexists(work.segment(0, 4).path)
    assert said == ["frames 0 to 3 of an earlier run are damaged: they are made again"]
    assert Path("/etc/hostname").exists()
    assert len(list(path.glob("aside-*/mine.txt"))) == (damage == "a folder")


def test_swapped_segments_are_made_again(tmp_path: Path) -> None:
    path = left_behind(tmp_path / "work")
    first, second = sorted(path.glob("segment-*.mkv"))
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    with folder_at(path) as work:
        assert not any(work.is_done(work.segment(n, n + 4)) for n in (0, 4))


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["survey.json", "survey.npz"])
def test_a_damaged_analysis_is_made_again(damage: str, name: str, tmp_path: Path) -> None:
    path = left_behind(tmp_path / "work")
    DAMAGES[damage](path / name)
    said: list[str] = []
    with folder_at(path, said) as work:
        assert work.load_analysis() is None
        assert work.is_done(work.segment(0, 4))
    assert said == ["the analysis of an earlier run is damaged: the film is analyzed again"]


def test_an_edited_analysis_is_made_again(tmp_path: Path) -> None:
    path = left_behind(tmp_path / "work") / "survey.json"
    with folder_at(path.parent) as work:
        known = work.load_analysis()
        assert known is not None
        assert known.colored == (False,)
        assert list(known.timeline) == list(range(8))
    path.write_text(path.read_text().replace("[false]", "[true]"))
    with folder_at(path.parent) as work:
        assert work.load_analysis() is None


@pytest.mark.parametrize("content", ["[1, 2]", "null", '"text"', "{", "", "\udcff"])
def test_an_identity_of_another_kind_begins_anew(content: str, tmp_path: Path) -> None:
    path = left_behind(tmp_path / "work")
    (path / "identity.json").write_text(content, encoding="utf-8", errors="surrogateescape")
    said: list[str] = []
    with folder_at(path, said) as work:
        assert not work.is_done(work.segment(0, 4))
    assert said == ["earlier work on this output cannot be recognized: it begins anew"]


def test_a_stranger_in_the_folder_is_left_with_a_note(tmp_path: Path) -> None:
    path = left_behind(tmp_path / "work")
    (path / "notes").mkdir()
    (path / "notes" / "mine.txt").write_text("kept")
    said: list[str] = []
    work = folder_at(path, said).__enter__()
    work.remove()
    assert said == [f"{path} holds notes, which is not pycolor's: left there"]
    assert [p.name for p in path.iterdir()] == ["notes"]


@pytest.mark.parametrize("name", ["lock", "identity.json.part", "survey.json.part"])
def test_links_are_never_written_through(name: str, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    path = left_behind(tmp_path / "work")
    (path / name).unlink(missing_ok=True)
    (path / name).symlink_to(precious)
    if name == "lock":
        with pytest.raises(UsageError, match="lock is a link"), folder_at(path):
            pass
    else:
        with folder_at(path) as work:
            work.save_analysis(ANALYSIS)
    assert precious.read_text() == "kept"


def test_only_ones_own_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = left_behind(tmp_path / "work")
    assert path.stat().st_mode & 0o777 == 0o700
    path.chmod(0o777)
    with pytest.raises(UsageError, match=r"others may write into it.*--work-dir"), folder_at(path):
        pass
    path.chmod(0o755)
    with folder_at(path) as work:
        assert work.is_done(work.segment(0, 4))
    own = os.geteuid()
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: own + 1)
        with pytest.raises(UsageError, match="another user's"), folder_at(path):
            pass
    elsewhere = tmp_path / "link"
    elsewhere.symlink_to(path)
    with pytest.raises(UsageError, match="not a work folder"), folder_at(elsewhere):
        pass


def test_a_file_system_without_owners_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On FAT every folder has the mount's owner and mode."""
    path = tmp_path / "work"
    path.mkdir()
    same = SimpleNamespace(st_uid=os.geteuid() + 5, st_mode=0o040777)
    monkeypatch.setattr(Path, "lstat", lambda _: same)
    monkeypatch.setattr(own_files, "_fresh_folder", lambda _: same)
    assert own_files.is_own_folder(path)
    monkeypatch.setattr(own_files, "_fresh_folder", lambda _: os.stat(tmp_path))
    assert not own_files.is_own_folder(path)


@pytest.fixture(scope="module")
def colored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film, its colored version and the work on it."""
    folder = tmp_path_factory.mktemp("colored")
    source = make_film(folder / "in.mkv", pixel_format="gray", frames=12)
    color_film(source, folder / "out.mp4", replace(QUICK, keep_work=True))
    return folder


@pytest.fixture
def film(colored: Path, tmp_path: Path) -> Path:
    """A copy of it, times and identity of the files as they are."""
    shutil.copytree(colored, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_a_lossy_output_from_a_damaged_folder_is_the_same(film: Path) -> None:
    whole = (film / "out.mp4").read_bytes()
    work = job_folder(film / "out.mp4", None)
    flip(work / "segment-00000004-00000008.mp4")
    flip(work / "survey.npz")
    said: list[str] = []
    report = color_film(
        film / "in.mkv", film / "out.mp4", replace(QUICK, overwrite=True), say=said.append
    )
    assert (film / "out.mp4").read_bytes() == whole
    assert report.resumed == 8
    assert any("frames 4 to 7 of an earlier run are damaged" in text for text in said)
    assert any("analyzed again" in text for text in said)


KILLED = """
import os, sys
from pathlib import Path
from pycolor.video.job.film import color_film
from tests.test_hostile_folder import QUICK

link, (moment, source, target) = os.link, sys.argv[1:]

def killed(*arguments, **options):
    if moment == "after it":
        link(*arguments, **options)
    os._exit(9)

os.link = killed
color_film(Path(source), Path(target), QUICK)
"""


@pytest.mark.parametrize("moment", ["before it has its name", "after it"])
def test_a_run_that_was_killed_at_its_end_is_no_obstacle(moment: str, film: Path) -> None:
    (film / "out.mp4").unlink()
    (film / "out.json").unlink()
    command = [sys.executable, "-c", KILLED, moment, str(film / "in.mkv"), str(film / "out.mp4")]
    assert subprocess.run(command, check=False).returncode == 9
    assert (film / "out.json").exists()
    assert (film / "out.mp4").exists() == (moment == "after it")
    report = color_film(film / "in.mkv", film / "out.mp4", QUICK)
    assert report.resumed == 12
    assert not job_folder(film / "out.mp4", None).exists()
    with pytest.raises(UsageError, match="exists; --overwrite"):
        color_film(film / "in.mkv", film / "out.mp4", QUICK)


def test_only_the_run_s_own_result_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    target = tmp_path / "out.mkv"
    target.write_text("film")
    write_placed(tmp_path / "work", [("out.mkv", target)])
    assert has_placed(tmp_path / "work", target)
    target.write_text("another")
    assert not has_placed(tmp_path / "work", target)
    target.unlink()
    assert not has_placed(tmp_path / "work", target)


@pytest.mark.parametrize("change", ["grown", "replaced", "touched"])
def test_a_source_that_changes_meanwhile_is_told(
    change: str, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = film / "in.mkv", film / "other.mkv"
    joined = "pycolor.video.job.stages.film_run.concat_segments"
    from pycolor.video.io import concat_segments

    def changing(*arguments: Any, **options: Any) -> None:
        concat_segments(*arguments, **options)
        if change == "grown":
            with source.open("ab") as f:
                f.write(b"more")
        elif change == "replaced":
            flip(source)
            os.utime(source, ns=(0, 0))
        else:
            os.utime(source)

    monkeypatch.setattr(joined, changing)
    if change == "touched":
        assert color_film(source, target, QUICK).frames == 12
        return
    with pytest.raises(FilmError, match="changed while it was colored"):
        color_film(source, target, QUICK)
    assert not target.exists()
    assert not target.with_suffix(".json").exists()


def written_while_taken(path: Path) -> None:
    with atomic_write(path) as part:
        part.write_text("new")
        path.write_text("another's")


def test_a_name_that_is_taken_meanwhile_is_left_alone(tmp_path: Path) -> None:
    for name in ("out.mkv", "out.mkv.framemd5"):
        with pytest.raises(FilmError, match="appeared while it was being made"):
            written_while_taken(tmp_path / name)
        assert (tmp_path / name).read_text() == "another's"
        with atomic_write(tmp_path / name, overwrite=True) as part:
            part.write_text("new")
        assert (tmp_path / name).read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.mkv", "out.mkv.framemd5"]


def test_a_file_system_without_links_keeps_the_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    with atomic_write(tmp_path / "a") as part:
        part.write_text("new")
    assert (tmp_path / "a").read_text() == "new"
    with pytest.raises(FilmError, match="appeared"):
        written_while_taken(tmp_path / "b")
    assert (tmp_path / "b").read_text() == "another's"


def test_pictures_that_appear_meanwhile_are_left_and_none_is_added(tmp_path: Path) -> None:
    pattern = tmp_path / "r_%03d.png"

    def taken_meanwhile() -> None:
        with atomic_output(pattern) as part:
            for number in (1, 2, 3):
                part.with_name(f"r_{number:03d}.png").write_text("new")
            (tmp_path / "r_002.png").write_text("another's")

    with pytest.raises(FilmError, match="appeared"):
        taken_meanwhile()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"r_002.png": "another's"}
    with atomic_output(pattern, overwrite=True) as part:
        part.with_name("r_001.png").write_text("new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"r_001.png": "new"}


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mkv")
    with pytest.raises(UsageError, match=r"is a named pipe; expected .* a regular file"):
        check_output(tmp_path / "pipe.mkv", overwrite=True)
    with pytest.raises(UsageError, match="is a device"):
        check_output(Path("/dev/null"), overwrite=True)
    (tmp_path / "dangling.mkv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="link to a file that does not exist; --overwrite"):
        check_output(tmp_path / "dangling.mkv")


def test_a_part_that_is_a_link_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    atomic_file.part_path(tmp_path / "out.mkv").symlink_to(tmp_path / "precious")
    with atomic_write(tmp_path / "out.mkv") as part:
        part.write_text("new")
    assert (tmp_path / "precious").read_text() == "kept"


def test_a_sequence_is_its_own_pictures_by_content(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"scan_{number:03d}.png").write_bytes(bytes([number]) * 9)
    pattern = tmp_path / "scan_%03d.png"
    before = file_digest(pattern), file_digest(tmp_path)
    (tmp_path / "out.mkv").write_text("an output beside the pictures")
    (tmp_path / ".out.mkv.pycolor").mkdir()
    for number in range(3):
        os.utime(tmp_path / f"scan_{number:03d}.png", (1, 1))
    assert (file_digest(pattern), file_digest(tmp_path)) == before
    source = SourceDigest(pattern)
    assert source.sha256 == before[0]
    (tmp_path / "scan_001.png").write_bytes(b"\xff" * 9)  # of the same size
    with pytest.raises(FilmError, match="changed"):
        source.check()


def test_a_full_disk_is_told_while_the_sidecar_is_written(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, opened = film / "other.mkv", Path.open

    def full(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.suffix == ".json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return opened(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(
            FilmError, match=r"sidecar .*other\.json could not be written: No space"
        ):
            color_film(film / "in.mkv", target, QUICK)
    assert not target.exists()
    assert color_film(film / "in.mkv", target, QUICK).resumed == 12


def test_a_full_temporary_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(b"film")))
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with (
        pytest.raises(FilmError, match=r"standard input .* No space left on device; TMPDIR"),
        materialize_stdin(Path("-")),
    ):
        pass


def test_framemd5_is_replaced_by_request_alone(film: Path) -> None:
    (film / "other.mkv.framemd5").write_text("precious")
    with pytest.raises(UsageError, match="framemd5 exists; --overwrite"):
        color_film(film / "in.mkv", film / "other.mkv", replace(QUICK, framemd5=True))
    assert (film / "other.mkv.framemd5").read_text() == "precious"


def test_the_sidecar_of_pictures_has_a_name_of_its_own(tmp_path: Path) -> None:
    assert free_sidecar(tmp_path / "r1_%07d.dpx") == tmp_path / "r1.json"
    assert free_sidecar(tmp_path / "%07d.dpx") == tmp_path / f"{tmp_path.name}.json"
    (tmp_path / "r1.json").write_text(json.dumps({"mine": 1}))
    assert free_sidecar(tmp_path / "r1_%07d.dpx") == tmp_path / "r1.pycolor.json"
