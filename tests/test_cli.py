"""The commands as a person calls them: results, sentences, exit codes, nothing left behind."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from pycolor.cli import COMMANDS, main
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_names
from tests.films import make_film
from tests.signals import take_interrupts

SMALL = ["--model", "richart2017", "--short-side", "32", "--progress", "none"]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return make_film(tmp_path / "in.mkv", frames=6)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def planes(path: Path) -> np.ndarray:
    """All samples of an 8-bit film."""
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray() for frame in film.decode(video=0)]
    return np.stack(frames).astype(int)


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """What was printed on stderr: one line from pycolor, no traceback."""
    text = capsys.readouterr().err.strip()
    lines = [line for line in text.splitlines() if line.startswith("pycolor:")]
    assert len(lines) == 1, text
    assert "Traceback" not in text
    assert "unexpected" not in text
    return lines[0]


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)
    assert main([]) == 2
    assert main(["--version"]) == 0


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"usage: pycolor {name}" in capsys.readouterr().out


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paint"]) == 2
    assert "expected one of: video" in sentence(capsys)


def test_video_then_verify(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, target = digest(film), tmp_path / "out.mkv"
    assert main(["video", str(film), str(target), *SMALL]) == 0
    assert "6 frames in 1 shot" in capsys.readouterr().err
    assert main(["verify", str(film), str(target)]) == 0
    assert "6/6 planes identical" in capsys.readouterr().out
    assert digest(film) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mkv", "out.json", "out.mkv"]


def test_verify_exits_1_where_luma_differs(film: Path, tmp_path: Path) -> None:
    other = make_film(tmp_path / "other.mkv", frames=6, width=48)
    assert main(["verify", str(film), str(other)]) == 1
    shorter = make_film(tmp_path / "short.mkv", frames=5)
    assert main(["verify", str(film), str(shorter)]) == 1


def test_verify_prints_json(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(film), str(film), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False  # the film itself is no result
    assert [check["name"] for check in report["checks"] if check["state"] == "differs"]


def test_a_range_of_frames(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "part.mkv"
    assert main(["video", str(film), str(target), "--frames", "2:5", *SMALL]) == 0
    assert main(["verify", str(film), str(target), "--frames", "2:5"]) == 0
    assert "3/3 planes identical" in capsys.readouterr().out


def test_the_same_result_for_any_batch(film: Path, tmp_path: Path) -> None:
    results = []
    for batch in ("1", "4", "5"):
        target = tmp_path / f"{batch}.mkv"
        arguments = ["--batch", batch, "--dtype", "float32", *SMALL]
        assert main(["video", str(film), str(target), *arguments]) == 0
        results.append(planes(target))
    # Convolutions may sum in another order for another batch: at most a code of chroma.
    for other in results[1:]:
        assert np.abs(other - results[0]).max() <= 1


def test_json_progress(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.mkv"
    arguments = ["--short-side", "32", "--progress", "json"]
    assert main(["video", str(film), str(target), *arguments]) == 0
    lines = capsys.readouterr().err.strip().splitlines()
    assert json.loads(lines[-1])["done"] == 6


def test_quiet_says_nothing(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.mkv"
    assert main(["video", str(film), str(target), "--short-side", "32", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def bad_sources(folder: Path) -> dict[str, Path]:
    (folder / "folder.mp4").mkdir()
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("a film it is not\n" * 100)
    whole = make_film(folder / "whole.mp4", codec="libx264", frames=12).read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    names = ("missing", "folder", "empty", "text", "cut")
    return {name: folder / f"{name}.mp4" for name in names}


@pytest.mark.parametrize("name", ["missing", "folder", "empty", "text", "cut"])
def test_bad_source_is_one_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = bad_sources(tmp_path)[name]
    target = tmp_path / "out.mkv"
    before = sorted(tmp_path.iterdir())
    assert main(["video", str(source), str(target), *SMALL]) == 1
    assert source.name in sentence(capsys)
    assert sorted(tmp_path.iterdir()) == before
    assert main(["verify", str(source), str(source)]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "nobody1999"], "expected one of: pycolor2026, zhang2016"),
        (["--frames", "5:2"], "A:B"),
        (["--frames", "one"], "A:B"),
        (["--batch", "-1"], "batch"),
        (["--short-side", "33"], "multiple of 8"),
        (["--saturation", "-1"], "saturation"),
        (["--codec-options", "crf"], "key=value"),
        (["--codec-options", "nonsense=1"], "nonsense"),
        (["--codec", "nonsense"], "nonsense"),
        (["--preset", "nonsense"], "archive"),
        (["--device", "nonsense"], "nonsense"),
        (["--frames", "100:"], "frame"),
    ],
)
def test_bad_option_is_one_sentence(
    arguments: list[str],
    words: str,
    film: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = tmp_path / "out.mkv"
    options = [*SMALL, *arguments]
    assert main(["video", str(film), str(target), *options]) == 2
    assert words in sentence(capsys)
    assert not target.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["in.mkv"]


def test_output_names_that_cannot_be(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digest(film)
    (tmp_path / "old.mkv").write_text("precious")
    link = tmp_path / "link.mkv"
    link.symlink_to(film)
    for target, words in (
        (film, "source itself"),
        (link, "source itself"),
        (tmp_path / "old.mkv", "--overwrite"),
        (tmp_path / "nowhere" / "out.mkv", "does not exist"),
        (tmp_path / "out.docx", ".docx"),
        (tmp_path / "out", "names no film container"),
        (tmp_path, "folder"),
    ):
        assert main(["video", str(film), str(target), *SMALL]) == 2, target
        assert words in sentence(capsys)
    assert digest(film) == before
    assert (tmp_path / "old.mkv").read_text() == "precious"
    assert main(["video", str(film), str(film), "--overwrite", *SMALL]) == 2
    assert digest(film) == before


def test_overwrite_replaces_only_when_complete(film: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    target.write_text("old")
    assert main(["video", str(film), str(target), "--overwrite", *SMALL, "--model", "x"]) == 2
    assert target.read_text() == "old"
    assert main(["video", str(film), str(target), "--overwrite", *SMALL]) == 0
    assert target.stat().st_size > 1000


def test_corrupt_weights(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tmp_path / "w.safetensors"
    weights.write_bytes((weight_names.PACKAGED / zoo.card(zoo.DEFAULT).weights).read_bytes()[:5000])
    target = tmp_path / "out.mkv"
    assert main(["video", str(film), str(target), "--weights", str(weights), *SMALL]) == 1
    assert "whole safetensors file" in sentence(capsys)
    assert not target.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    assert main(["video", str(film), str(closed / "out.mkv"), *SMALL]) == 2
    assert "may not be written" in sentence(capsys)


def test_a_missing_argument_is_the_commands_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["video", "only-one.mp4"]) == 2
    assert "OUT" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=400, width=160, height=120)
    before = digest(film)
    process = subprocess.Popen(
        [sys.executable, "-m", "pycolor", "video", str(film), str(tmp_path / "out.mkv")],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=take_interrupts,
    )
    give_up = time.monotonic() + 200
    while not any(p.name.endswith(".pycolor") for p in tmp_path.iterdir()):
        assert time.monotonic() < give_up
        time.sleep(0.02)
    time.sleep(0.5)
    process.send_signal(number)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert "Traceback" not in errors
    # The work may stay, for the next run to go on from.
    assert {p.name for p in tmp_path.iterdir()} <= {"in.mkv", ".out.mkv.pycolor"}
    assert digest(film) == before


@pytest.mark.slow
@pytest.mark.long  # in short: test_resume.py's kills at random moments
def test_killed_and_run_again_gives_the_same_file(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=120, width=160, height=120)
    target = tmp_path / "out.mkv"
    words = ["video", str(film), str(target), *SMALL]
    assert main(words) == 0
    expected = digest(target)
    target.unlink()
    process = subprocess.Popen([sys.executable, "-m", "pycolor", *words])
    give_up = time.monotonic() + 200
    while not any(p.name.endswith(".pycolor") for p in tmp_path.iterdir()):
        assert time.monotonic() < give_up
        time.sleep(0.02)
    process.kill()
    process.wait(200)
    assert not target.exists()
    assert main(words) == 0
    assert digest(target) == expected
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mkv", "out.json", "out.mkv"]


def picture(path: Path, *, gray: bool = False, deep: bool = False) -> Path:
    ramp = np.linspace(0, 65535 if deep else 255, 40 * 56).reshape(40, 56)
    array = ramp.astype(np.uint16 if deep else np.uint8)
    Image.fromarray(array if gray or deep else np.stack([array] * 3, -1)).save(path)
    return path


def test_image_and_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    picture(folder / "a.png")
    picture(folder / "b.jpg", gray=True)
    picture(folder / "c.tif", gray=True, deep=True)
    arguments = ["--short-side", "32", "--progress", "none"]
    assert main(["image", str(folder / "a.png"), str(tmp_path / "a.png"), *arguments]) == 0
    with Image.open(tmp_path / "a.png") as result:
        assert result.mode == "RGB"
        assert result.size == (56, 40)
    assert main(["image", str(folder), str(tmp_path / "out"), *arguments]) == 0
    names = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert names == ["a.png", "b.jpg", "c.tif"]


def test_image_refusals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = picture(tmp_path / "a.png")
    text = tmp_path / "b.png"
    text.write_text("no picture")
    for arguments, code, words in (
        ([str(tmp_path / "no.png"), str(tmp_path / "o.png")], 1, "no.png"),
        ([str(text), str(tmp_path / "o.png")], 1, "b.png"),
        ([str(source), str(source)], 2, "source itself"),
        ([str(source), str(tmp_path / "o.xyz")], 2, ".xyz"),
    ):
        assert main(["image", *arguments, *SMALL]) == code
        assert words in sentence(capsys)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.png", "b.png"]


def test_shots_as_table_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = make_film(tmp_path / "in.mkv", frames=30)
    assert main(["shots", str(film), "--quiet"]) == 0
    assert "0:30" in capsys.readouterr().out
    names = {kind: tmp_path / f"shots.{kind}" for kind in ("csv", "edl", "json")}
    arguments = [word for kind, path in names.items() for word in (f"--{kind}", str(path))]
    assert main(["shots", str(film), "--quiet", *arguments]) == 0
    assert all(path.stat().st_size for path in names.values())
    assert json.loads(names["json"].read_text())
    assert main(["shots", str(film), "--quiet", "--csv", str(names["csv"])]) == 2
    assert "--overwrite" in sentence(capsys)
    assert main(["shots", str(film), "--sensitivity", "0"]) == 2
    assert main(["shots", str(tmp_path / "no.mkv")]) == 1


def test_models_and_card(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "zhang2016" in capsys.readouterr().out
    assert main(["models", "zhang2016"]) == 0
    assert "Colorful Image Colorization" in capsys.readouterr().out
    assert main(["models", "nobody"]) == 2


def test_options_may_stand_between_the_films(tmp_path: Path, film: Path) -> None:
    part = str(tmp_path / "part.mkv")
    assert main(["video", str(film), "--frames", "1:3", *SMALL, "--framemd5", part]) == 0
    assert main(["verify", str(film), "--json", "--frames=1:3", part]) == 0
    made = ["--warmth", "-0.5", "--out", str(tmp_path / "out")]
    assert main(["video", *made, part, *SMALL, str(film)]) == 0
    assert {p.name for p in (tmp_path / "out").glob("*.mkv")} == {"in.mkv", "part.mkv"}


def test_info_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {"pycolor", "torch", "av", "threads", "CUDA module"} <= facts.keys()


def test_train_then_use(tmp_path: Path, film: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(6):
        small = Image.fromarray(rng.integers(0, 255, (4, 4, 3), dtype=np.uint8))
        small.resize((64, 64)).save(folder / f"{i}.jpg")
    arguments = ["--width", "0.05", "--steps", "2", "--batch", "2", "--dtype", "float32"]
    arguments += ["--validate-every", "2", "--size-pixels", "32", "--progress", "none"]
    out = tmp_path / "run"
    assert main(["train", "--data", str(folder), "--out", str(out), *arguments]) == 0
    weights = str(out / "zhang2016.safetensors")
    target = str(tmp_path / "out.mkv")
    assert main(["video", str(film), target, "--weights", weights, *SMALL[2:]]) == 0


def test_train_without_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ["--data", str(tmp_path / "empty"), "--out", str(tmp_path / "run")]
    assert main(["train", *arguments, "--progress", "none"]) == 2
    assert "found none" in sentence(capsys)


@pytest.mark.parametrize(
    ("words", "status"), [(["models"], 0), (["vide"], 2), (["video", "-x"], 2)]
)
def test_a_process_says_all_and_cleans_up_before_it_ends(words: list[str], status: int) -> None:
    code = f"""
import atexit, sys
from pycolor import __main__ as process
main = process.main
def registering():
    atexit.register(print, "cleaned up")
    return main()
process.main = registering
sys.argv = ["pycolor", *{words!r}]
process.run()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert done.stdout.endswith("cleaned up\n")
    assert ("richart2017" in done.stdout) if status == 0 else done.stderr
