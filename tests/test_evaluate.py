"""`pycolor evaluate`: pairs, stills, films, reports, sheets, and the command."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from av.video.reformatter import VideoReformatter
from PIL import Image

from pycolor.cli import main
from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError
from pycolor.evaluate import metrics
from pycolor.evaluate.films import judged_frames
from pycolor.evaluate.frames import picture_of
from pycolor.evaluate.metrics.measures import MEASURES, judge
from pycolor.evaluate.pairs import pair_up
from pycolor.evaluate.reports import plots
from pycolor.evaluate.reports.report import Report, Row, curve, distribution
from pycolor.evaluate.reports.sheets import chosen
from pycolor.evaluate.stills import gray_of, judged_size
from pycolor.ops import reference
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Frame, Reader
from pycolor.video.io.frame.film import known_format
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.job.film import color_film
from pycolor.video.render.shown import on_luma
from tests.films import colorize, make_film
from tests.films import picture as make_picture

pytest.importorskip("skimage", reason="the extra `evaluate` is not installed")
pytest.importorskip("cv2", reason="the extra `evaluate` is not installed")


def photo(path: Path, seed: int = 0, size: tuple[int, int] = (48, 40)) -> Path:
    """A colorful picture without noise."""
    y, x = np.mgrid[: size[1], : size[0]] / max(size)
    waves = [np.sin((3 + c + seed) * x + (c + 1) * 2 * y + c) for c in range(3)]
    codes = (127.5 + 100 * np.stack(waves, 2)).round().astype(np.uint8)
    Image.fromarray(codes).save(path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "true"
    folder.mkdir()
    for i in range(4):
        photo(folder / f"{i}.png", i)
    return folder


def run_json(*arguments: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["evaluate", *arguments, "--json", "--quiet"]) == 0
    out = capsys.readouterr().out

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    parsed: dict[str, Any] = json.loads(out, parse_constant=refuse)
    return parsed


# ---- what is compared --------------------------------------------------------------------------


def test_folders_pair_by_name_whatever_the_ending(photos: Path, tmp_path: Path) -> None:
    found = tmp_path / "found"
    found.mkdir()
    for path in photos.iterdir():
        Image.open(path).save(found / f"{path.stem}.jpg")
    (found / "extra.jpg").write_bytes((found / "0.jpg").read_bytes())
    pairs = pair_up(photos, found)
    assert [(p.true.name, p.found.name if p.found else "") for p in pairs] == [
        (f"{i}.png", f"{i}.jpg") for i in range(4)
    ]
    (found / "2.jpg").unlink()
    with pytest.raises(FilmError, match=r"lacks 1 of the 4 files .* first: 2\.png"):
        pair_up(photos, found)


def test_what_does_not_pair_is_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="of which one is a folder"):
        pair_up(photos, photos / "0.png")
    with pytest.raises(UsageError, match=r"nothing does not exist"):
        pair_up(tmp_path / "nothing", None)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FilmError, match="neither pictures nor films"):
        pair_up(tmp_path / "empty", None)
    photo(photos / "0.jpg")
    with pytest.raises(UsageError, match=r"0\.jpg and 0\.png"):
        pair_up(photos, photos)


def test_judged_size_never_enlarges() -> None:
    assert judged_size(1080, 1920, 256) == (256, 455)
    assert judged_size(100, 80, 256) == (100, 80)
    assert judged_size(1080, 1920, 0) == (1080, 1920)


# ---- measures ----------------------------------------------------------------------------------


def test_an_equal_picture_is_perfect() -> None:
    rgb = torch.rand(3, 32, 32, dtype=torch.float64)
    judged = judge(rgb, rgb)
    assert judged.values.keys() == {m.name for m in MEASURES}
    best = {"psnr": math.inf, "ssim": 1, "qssim": 1, "ciede2000": 0, "ab_auc": 1, "acc_u": 1}
    for name, value in best.items():
        assert judged.values[name] == pytest.approx(value)
    assert judged.errors[0] == judged.pixels == 32 * 32


def test_gray_keeps_the_luma() -> None:
    rgb = torch.rand(3, 4, 4, dtype=torch.float64)
    gray = gray_of(rgb)
    expected = reference.rgb_to_ycbcr(rgb, matrix="bt601")[0]
    assert torch.allclose(gray, expected.expand(3, -1, -1))


# ---- reports -----------------------------------------------------------------------------------


def test_distribution_of_numbers_and_others() -> None:
    found = distribution([3.0, 1.0, math.inf, 2.0, math.nan])
    assert (found.count, found.beyond, found.undefined) == (3, 1, 1)
    assert (found.mean, found.median) == (2, 2)
    assert (found.least, found.most, found.quantiles["25"]) == (1, 3, 1.5)
    assert distribution([math.inf]).median is None


def test_curve_is_cumulative() -> None:
    assert curve([1, 0, 2], 4) == [0.25, 0.25, 0.75]


def test_reports_are_strict_json() -> None:
    values = {"found": {"psnr": math.inf}, "true": {}, "gray": {"psnr": math.nan}}
    report = Report(
        rows=[Row("a", values)], films={}, curves={}, balanced={"found": 1.0}, settings={}
    )
    parsed = json.loads(report.dumps(), parse_constant=pytest.fail)
    assert parsed["rows"][0]["found"]["psnr"] is None
    assert parsed["summary"]["psnr"]["found"]["beyond"] == 1


@pytest.mark.parametrize("count", [1, 2, 3, 4, 11, 30])
def test_best_median_and_worst_are_three_groups(count: int) -> None:
    scores = np.random.default_rng(count).permutation(count).astype(float).tolist()
    groups = chosen(scores)
    every = [i for found in groups.values() for i in found]
    assert len(every) == len(set(every))
    assert scores[groups["best"][0]] == max(scores)
    if count > 1:
        assert scores[groups["worst"][-1]] == min(scores)
    if count > 12:
        middle = np.mean([scores[i] for i in groups["median"]])
        assert middle == pytest.approx(np.median(scores), abs=1)


def test_a_score_that_is_no_number_is_worst() -> None:
    assert chosen([math.nan, 1.0, 2.0]) == {"best": [2], "median": [1], "worst": [0]}


# ---- frames ------------------------------------------------------------------------------------


def test_chroma_goes_to_where_its_siting_says() -> None:
    # A ramp in chroma is the same ramp on luma's samples, away from the border.
    encoding = Encoding(subsampling="420", chroma_location="left")
    ramp = torch.arange(8, dtype=torch.float64)
    across = on_luma(ramp.expand(4, 8), torch.Size((8, 16)), encoding)
    assert torch.allclose(across[0, :15], torch.arange(15, dtype=torch.float64) / 2)
    down = on_luma(ramp[:, None].expand(8, 4), torch.Size((16, 8)), encoding)
    assert torch.allclose(down[1:15, 0], torch.arange(1, 15, dtype=torch.float64) / 2 - 0.25)


@pytest.mark.parametrize(
    ("pixel_format", "codec"),
    [("yuv420p", "ffv1"), ("yuv422p10le", "ffv1"), ("yuv444p16le", "ffv1"), ("gray", "ffv1"),
     ("gbrp12le", "ffv1"), ("bgr0", "ffv1")],
)  # fmt: skip
def test_frames_of_every_kind_have_their_colors(
    tmp_path: Path, pixel_format: str, codec: str
) -> None:
    matrix = 0 if "rgb" in pixel_format or "gbr" in pixel_format else 5
    path = make_film(
        tmp_path / "a.mkv", pixel_format=pixel_format, codec=codec, frames=1, matrix=matrix
    )
    with Reader(path) as reader:
        info = reader.info
        frame = next(iter(reader))
        picture = picture_of(frame, info, (frame.luma.shape[0], frame.luma.shape[1]))
        shown = frame.native.to_ndarray(format="rgb24").transpose(2, 0, 1)
    assert picture.rgb.shape == (3, 48, 64)
    # FFmpeg's own conversion is coarse: nearest chroma samples, 8 bits.
    gap = (picture.shown * 255 - torch.from_numpy(shown.astype(np.float64))).abs()
    assert gap.mean() < (1 if frame.description.rgb else 6)
    if info.gray:
        assert torch.equal(picture.rgb[0], picture.rgb[2])


@pytest.mark.parametrize(
    ("plain", "other"), [("yuv420p", "nv12"), ("yuv422p", "yuyv422"), ("yuv420p10le", "p010le")]
)
def test_chroma_comes_out_of_any_layout(plain: str, other: str) -> None:
    native = make_picture(plain, 64, 48, 0)
    known = VideoReformatter()
    frames = [
        Frame(
            known.reformat(native, format=name),
            index=0,
            pts=0,
            time_base=Fraction(1, 24),
            description=known_format(name),
            reformatter=known,
        )
        for name in (plain, other)
    ]
    expected, found = (chroma_planes(frame) for frame in frames)
    assert expected is not None
    assert found is not None
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))


def test_judged_frames_are_spread_over_the_film() -> None:
    assert judged_frames(3) == {0, 1, 2}
    many = sorted(judged_frames(1000))
    assert (len(many), many[0], many[-1]) == (24, 0, 999)
    assert max(np.diff(many)) - min(np.diff(many)) <= 1


# ---- the command -------------------------------------------------------------------------------


def test_the_same_pictures_are_perfect(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run_json("--truth", str(photos), "--result", str(photos), capsys=capsys)
    summary = found["summary"]
    assert summary["ssim"]["found"]["mean"] == pytest.approx(1)
    assert summary["psnr"]["found"]["mean"] is None
    assert summary["psnr"]["found"]["beyond"] == 4
    assert summary["saturation_difference"]["gray"]["mean"] == pytest.approx(1)
    assert summary["colorfulness"]["found"] == summary["colorfulness"]["true"]
    assert found["balanced_ab_auc"]["found"] == pytest.approx(1)
    assert found["ab_error_curve"]["found"][0] == pytest.approx(1)
    assert found["record"]["facts"]["pycolor"]


def test_a_model_gives_the_same_numbers_twice_and_writes_its_files(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="the extra `evaluate` is not installed")
    arguments = [str(photos), "--short-side", "32", "--out", str(tmp_path / "out")]
    first = run_json(*arguments, capsys=capsys)
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text(encoding="utf-8"))
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "evaluation.json", "distributions.png", "sheet.jpg"
    }  # fmt: skip
    second = run_json(*arguments, "--overwrite", capsys=capsys)
    for report in (first, second, written):
        assert report.pop("record")
    assert first == second == written
    assert len(first["settings"]["weights_sha256"]) == 64
    assert main(["evaluate", *arguments, "--quiet"]) == 2
    assert "--overwrite replaces it" in capsys.readouterr().err


def test_a_film_beside_its_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    true = make_film(tmp_path / "true.mkv", frames=8)
    colorize(true, tmp_path / "even.mkv")
    found = run_json("--truth", str(true), "--result", str(tmp_path / "even.mkv"), capsys=capsys)
    film = found["films"]["true.mkv"]
    assert len(found["rows"]) == 8
    assert {len(film["chroma_flicker"][w]) for w in ("found", "true")} == {7}
    # Even color stands still; the true film's chroma is noise.
    flicker = found["summary"]["chroma_flicker"]
    assert flicker["found"]["mean"] < flicker["true"]["mean"]
    assert len(film["cdc"]["gray"]) == len(film["chroma_cdc"]["found"]) == 1
    same = run_json("--truth", str(true), "--result", str(true), capsys=capsys)
    assert (
        same["films"]["true.mkv"]["warp_error"]["found"]
        == (same["films"]["true.mkv"]["warp_error"]["true"])
    )


@pytest.mark.parametrize("last", [1.0, 1.0 + 2**-52, 1.0 + 1e-14, 1.5])
def test_values_that_are_as_good_as_alike_are_drawn(last: float) -> None:
    least, most = plots._span([1.0, last])
    edges = np.histogram_bin_edges([1.0, last], bins=plots.BINS, range=(least, most))
    assert np.all(np.diff(edges) > 0)
    assert least <= 1.0
    assert last <= most


def test_a_model_colors_a_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    true = make_film(tmp_path / "true.mkv", frames=6)
    out = tmp_path / "out"
    arguments = [str(true), "--short-side", "32", "--out", str(out)]
    found = run_json(*arguments, capsys=capsys)
    assert (out / "over-time.png").stat().st_size > 1000
    assert found["settings"]["model"] == "pycolor2026"
    assert [row["name"] for row in found["rows"]] == [f"true.mkv {i}" for i in range(6)]


def test_frames_as_pictures_are_a_film(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--truth", str(photos), "--result", str(photos)]
    found = run_json(*arguments, "--as-film", capsys=capsys)
    assert len(found["films"]["true"]["chroma_flicker"]["found"]) == 3


def test_frames_as_pictures_take_the_rate_of_what_they_are_compared_with(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    colored = tmp_path / "colored.mkv"
    color_film(photos, colored, VideoOptions(rate="16", predict=PredictOptions(short_side=16)))
    arguments = ["--truth", str(photos), "--result", str(colored), "--as-film"]
    found = run_json(*arguments, "--rate", "16", capsys=capsys)
    assert len(found["rows"]) == 4
    assert main(["evaluate", *arguments, "--rate", "12", "--quiet"]) == 2
    assert "a rate is for numbered pictures" in capsys.readouterr().err
    assert run_json(str(photos), "--as-film", "--rate", "16", "--short-side", "16", capsys=capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "either PATH, or both --truth and --result"),
        (["a.png", "--truth", "b.png"], "either PATH, or both"),
        (["nothing.png"], "nothing.png does not exist"),
        (["a.png", "--size", "5"], "size must be 0, or 32 pixels or more, got 5"),
    ],
)
def test_wrong_commands_are_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *arguments, "--quiet"]) == 2
    assert message in capsys.readouterr().err


def test_what_cannot_be_compared_is_said(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = photo(tmp_path / "small.png", size=(40, 40))
    one = str(photos / "0.png")
    assert main(["evaluate", "--truth", one, "--result", str(small), "--quiet"]) == 1
    assert "small.png is 40×40, expected 48×40" in capsys.readouterr().err
    Image.new("L", (40, 40), 99).save(tmp_path / "gray.png")
    assert main(["evaluate", str(tmp_path / "gray.png"), "--quiet"]) == 1
    assert "holds no color" in capsys.readouterr().err
    long, short = (make_film(tmp_path / f"{n}.mkv", frames=n) for n in (4, 3))
    assert main(["evaluate", "--truth", str(long), "--result", str(short), "--quiet"]) == 1
    assert "3.mkv ends after 3 frames" in capsys.readouterr().err


def test_without_its_libraries_it_says_what_to_install(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    assert main(["evaluate", str(photos), "--quiet"]) == 2
    assert "pip install 'pycolor-film[evaluate]'" in capsys.readouterr().err


def test_a_share_of_no_color_is_no_number() -> None:
    gray = torch.rand(1, 1, 16, 16, dtype=torch.float64).expand(-1, 3, -1, -1)
    tinted = gray * torch.tensor([1.0, 1 - 1e-9, 1.0], dtype=torch.float64).reshape(1, 3, 1, 1)
    color = torch.rand(1, 3, 16, 16, dtype=torch.float64)
    for truth in (gray, tinted):
        assert metrics.saturation_difference(color, truth).isnan().all()
    assert float(metrics.saturation_difference(gray, color)) == pytest.approx(1)
    found = distribution([math.nan, math.inf, 3.0])
    assert (found.count, found.beyond, found.undefined) == (1, 1, 1)
