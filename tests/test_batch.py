"""Many films in one run: one model, no film stops the others, and what became of each is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycolor.cli import main
from pycolor.errors import UsageError
from pycolor.models.predictor import Predictor
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.job.batch import color_films, films_of
from tests.films import make_film

SMALL = ["--short-side", "32", "--progress", "none"]


@pytest.fixture
def reels(tmp_path: Path) -> Path:
    folder = tmp_path / "reels"
    folder.mkdir()
    for name in ("b.mkv", "a.mov"):
        make_film(folder / name, frames=3, codec="ffv1" if name == "b.mkv" else "prores_ks",
                  pixel_format="yuv420p" if name == "b.mkv" else "yuv422p10le")  # fmt: skip
    (folder / "c.mp4").write_bytes(b"no film")
    (folder / "notes.txt").write_text("reel 3 is lost")
    return folder


def test_a_failed_film_does_not_stop_the_rest(
    reels: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, load = [], Predictor.__init__

    def counted(predictor: Predictor, options: PredictOptions) -> None:
        loaded.append(options)
        load(predictor, options)

    monkeypatch.setattr(Predictor, "__init__", counted)
    out = tmp_path / "colored"
    assert main(["video", str(reels), "--out", str(out), *SMALL]) == 1
    said = capfd.readouterr().err
    assert "failed: " in said
    assert "3 films, 1 failed" in said
    assert len(loaded) == 1
    assert sorted(p.name for p in out.iterdir() if p.suffix != ".json") == ["a.mov", "b.mkv"]
    (reels / "c.mp4").unlink()
    assert main(["video", str(reels / "*.m*"), "--out", str(out), *SMALL]) == 0
    assert "done before" in capfd.readouterr().err


def test_names_that_clash_or_stand_for_nothing(reels: Path, tmp_path: Path) -> None:
    assert [film.name for film in films_of([reels, reels / "b.mkv"])] == ["a.mov", "b.mkv", "c.mp4"]
    with pytest.raises(UsageError, match="not there"):
        films_of([reels / "*.webm"])
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="a folder without films"):
        films_of([tmp_path / "none"])
    both = [reels / "a.mov", make_film(tmp_path / "a.mkv")]
    with pytest.raises(UsageError, match="would both become"):
        color_films(both, tmp_path, VideoOptions(preset="archive"))
    assert main(["video", str(reels / "b.mkv")]) == 2
    with pytest.raises(UsageError, match="of one film"):
        color_films([reels], tmp_path, VideoOptions(plan=tmp_path / "plan.json"))
