"""Two films beside each other, and the contact sheet of shots."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pycolor.cli import main
from pycolor.errors import FilmError, UsageError
from pycolor.evaluate.comparison.burn_in import BurnIn
from pycolor.evaluate.comparison.compare import compare
from pycolor.options import CompareOptions
from pycolor.video.io import Reader
from tests.films import colored_film, make_film


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return make_film(tmp_path / "a.mkv", frames=12), colored_film(tmp_path / "b.mkv")


@pytest.mark.parametrize(("view", "width"), [("side", 128), ("wipe", 64), ("ab", 128)])
def test_each_view_is_a_film(view, width, pair, tmp_path):
    first, second = pair
    curves = compare(first, second, tmp_path / "out.mp4", CompareOptions(view=view))
    with Reader(tmp_path / "out.mp4") as reader:
        assert (reader.info.width, reader.info.height) == (width, 48)
        frames = [frame.luma.copy() for frame in reader]
    assert len(frames) == len(curves.chroma[0]) == 12
    assert np.mean(curves.chroma[1]) > 4 * np.mean(curves.chroma[0])
    if view == "ab":  # one lightness: nothing of the picture shows on the gray side
        assert frames[0][8:-8, 8:50].std() < 8


def test_the_plot_is_drawn(pair, tmp_path):
    pytest.importorskip("matplotlib")
    out, plot = tmp_path / "out.mkv", tmp_path / "plot.png"
    assert main(["compare", *map(str, pair), str(out), "--plot", str(plot), "--quiet"]) == 0
    with Image.open(plot) as picture:
        assert picture.size == (1100, 550)


def test_pictures_without_a_rate_are_shown_at_the_one_given(pair, tmp_path, capsys):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        for index in range(4):
            gray = np.full((48, 64), 40 * index, np.uint8)
            Image.fromarray(gray).save(tmp_path / name / f"{index}.png")
    out = tmp_path / "out.mkv"
    folders = [str(tmp_path / name) for name in ("x", "y")]
    assert main(["compare", *folders, str(out), "--rate", "16", "--quiet"]) == 0
    with Reader(out) as reader:
        assert reader.info.rate == 16
    again = [*map(str, pair), str(tmp_path / "again.mkv")]
    assert main(["compare", *again, "--rate", "16", "--quiet"]) == 2
    assert "a rate is for numbered pictures" in capsys.readouterr().err


def test_films_that_do_not_fit(pair, tmp_path):
    other = make_film(tmp_path / "c.mkv", frames=12, width=80)
    with pytest.raises(FilmError, match=r"expected 64×48"):
        compare(pair[0], other, tmp_path / "out.mp4", CompareOptions())
    short = make_film(tmp_path / "d.mkv", frames=5)
    with pytest.raises(FilmError, match="same number of frames"):
        compare(pair[0], short, tmp_path / "out.mp4", CompareOptions())
    with pytest.raises(UsageError, match="source itself"):
        compare(pair[0], pair[1], pair[0], CompareOptions())
    assert not (tmp_path / "out.mp4").exists()


def test_a_contact_sheet_of_shots(tmp_path):
    film = make_film(tmp_path / "in.mkv", frames=20)
    sheet = tmp_path / "sheet.png"
    assert main(["shots", str(film), "--thumbnails", str(sheet), "--quiet"]) == 0
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
        assert np.asarray(picture).std() > 20


def test_a_turned_film_is_shown_upright(tmp_path):
    """The stored rows rise from black to white; turned left, the columns do."""
    turned = make_film(tmp_path / "a.mp4", frames=6, rotation=90, codec="libx264")
    compare(turned, turned, tmp_path / "out.mp4", CompareOptions())
    with Reader(turned) as stored, Reader(tmp_path / "out.mp4") as shown:
        assert stored.info.turns == 1
        assert stored.info.upright_size == (64, 48)
        assert (shown.info.width, shown.info.height) == (96, 64)
        upright = np.rot90(next(iter(stored)).luma)
        left = next(iter(shown)).luma[:, :48]
        assert np.corrcoef(upright.ravel(), left.ravel())[0, 1] > 0.98
    assert main(["shots", str(turned), "--thumbnails", str(tmp_path / "s.png"), "--quiet"]) == 0
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.height > sheet.width


def test_films_of_other_rates_are_not_compared(tmp_path):
    films = [make_film(tmp_path / f"{r}.mkv", frames=6, rate=r) for r in (24, 25)]
    with pytest.raises(FilmError, match=r"has 25 frames per second, .* 24; expected"):
        compare(films[0], films[1], tmp_path / "out.mp4", CompareOptions())


def test_a_reference_clip_has_timecode_and_number_in_it(tmp_path: Path) -> None:
    first = make_film(tmp_path / "a.mkv", frames=3, width=320, height=240, timecode="10:00:00:00")
    second = tmp_path / "b.mkv"
    second.write_bytes(first.read_bytes())
    label = BurnIn(240, Fraction(24), "10:00:00:00")
    assert label.text(25) == "10:00:01:01  000025"
    assert BurnIn(240, Fraction(30000, 1001), "00:00:00;00").text(1800).startswith("00:01:00;02")
    films = [str(first), str(second), str(tmp_path / "out.mkv")]
    assert main(["compare", *films, "--view", "second", "--burn-in", "--quiet"]) == 0
    with Reader(tmp_path / "out.mkv") as reader:
        for frame in reader:
            empty = np.full((240, 320, 3), 128, np.uint8)
            drawn = label.draw(empty, frame.index)[..., 0]
            changed = drawn != 128
            assert changed[:200].sum() == 0
            # Codes of limited range: white 235, black 16.
            expected = 16 + drawn[changed] / 255 * 219
            assert np.abs(frame.luma[changed] - expected).mean() < 6
