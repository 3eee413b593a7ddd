"""Outputs that are no ordinary film: numbered pictures, y4m in and out of pipes, MXF."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from pycolor.encoding import LUMA_COEFFICIENTS, Encoding, Matrix
from pycolor.errors import FilmError, UsageError
from pycolor.video.io import Reader, Writer, concat_segments, scan
from pycolor.video.io.containers.presets import ending_of, preset_for, segment_suffix
from pycolor.video.io.frame.rgb import rgb_of
from pycolor.video.job.work.atomic_output import atomic_output
from pycolor.video.verify import VerifyReport, verify
from tests.films import colorize, make_film
from tests.test_video_luma import failures

QUICK = {"preset": "ultrafast"}


def state(report: VerifyReport, name: str) -> str:
    return next(check.state for check in report.checks if check.name == name)


# -- numbered pictures -------------------------------------------------------------------------

SOURCES = [
    ("yuv420p", 1, 8, 10, 8),
    ("yuv420p", 2, 8, 10, 8),
    ("yuv422p10le", 1, 16, 10, 10),
    ("yuv444p12le", 1, 16, 12, 12),
    ("yuv444p12le", 2, 16, 12, 12),
    ("gray", 2, 8, 8, 8),
    ("gray16le", 2, 16, 16, 16),
]


@pytest.mark.parametrize(("name", "color_range", "png_bits", "_", "dpx_bits"), SOURCES)
@pytest.mark.parametrize("suffix", ["png", "tif", "dpx"])
def test_pictures_hold_every_luma_code(
    tmp_path: Path, suffix: str, name: str, color_range: int, png_bits: int, _: int, dpx_bits: int
) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        pixel_format=name,
        color_range=color_range,
        frames=3,
        width=51,
        height=36,
        matrix=5,
        pixel_aspect=Fraction(16, 15),
        codec="ffv1",
    )
    folder = tmp_path / "reel 50%"
    folder.mkdir()
    writer = colorize(source, folder / f"x_%05d.{suffix}")
    assert writer.encoding.full_range
    assert writer.encoding.bit_depth == (dpx_bits if suffix == "dpx" else png_bits)
    assert any("holds R'G'B'" in warning for warning in writer.warnings)
    assert sorted(p.name for p in folder.iterdir()) == [f"x_{n:05}.{suffix}" for n in range(3)]
    report = verify(source, folder / f"x_%05d.{suffix}")
    assert failures(report) == []
    assert report.identical_frames == report.frames == 3


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("matrix", get_args(Matrix))
def test_any_luma_and_chroma_become_rgb_of_that_luma(matrix: Matrix, bits: int) -> None:
    """Out of gamut or in: the nearest code of the luma of what is stored is the luma given."""
    random = np.random.default_rng(bits)
    kind = np.uint8 if bits == 8 else np.uint16
    luma, cb, cr = random.integers(0, 1 << bits, (3, 100, 400)).astype(kind)
    encoding = Encoding(bit_depth=bits, full_range=True, matrix=matrix, subsampling="444")
    red, green, blue = np.moveaxis(rgb_of(luma, cb, cr, encoding).astype(np.float64), -1, 0)
    kr, kb = LUMA_COEFFICIENTS[matrix]
    assert np.array_equal(np.rint(kr * red + (1 - kr - kb) * green + kb * blue), luma)


def test_rgb_of_known_colors() -> None:
    """BT.709-6, item 3.2, at 8 bits: red is Y' = 54.2, C'b = 99, C'r = 255 of full range."""
    encoding = Encoding(full_range=True, matrix="bt709", subsampling="444")
    gray = np.full((1, 1), 128, np.uint8)
    assert rgb_of(np.full((1, 1), 77, np.uint8), gray, gray, encoding).tolist() == [[[77, 77, 77]]]
    y, cb, cr = (np.full((1, 1), v, np.uint8) for v in (54, 99, 255))
    (red, green, blue) = rgb_of(y, cb, cr, encoding)[0, 0].astype(int)
    assert red >= 252
    assert max(green, blue) <= 3


def test_a_sequence_keeps_its_numbers(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", pixel_format="gray", color_range=2, frames=5)
    (tmp_path / "scan").mkdir()
    with Reader(film) as reader, Writer(tmp_path / "a_%04d.dpx", reader) as writer:
        for frame in reader:
            writer.write(writer.picture(frame))
    for number in range(5):
        (tmp_path / f"a_{number:04}.dpx").rename(tmp_path / "scan" / f"s_{number + 86399:07}.dpx")
    colorize(tmp_path / "scan", tmp_path / "one", preset="png")
    assert [p.name for p in sorted((tmp_path / "one").iterdir())] == [
        f"{n + 86399:08}.png" for n in range(5)
    ]
    colorize(tmp_path / "scan" / "s_%07d.dpx", tmp_path / "t_%d.tif", frames=(2, 4))
    assert sorted(p.name for p in tmp_path.glob("t_*")) == ["t_86401.tif", "t_86402.tif"]
    assert failures(verify(tmp_path / "scan", tmp_path / "t_%d.tif", frames=(2, 4))) == []
    assert failures(verify(tmp_path / "scan", tmp_path / "one")) == []


def test_color_survives_the_way_through_rgb(tmp_path: Path) -> None:
    """Cb and Cr of the pictures, computed back from R'G'B', are those that were written."""
    film = make_film(tmp_path / "in.mkv", pixel_format="gray16le", color_range=2, frames=1)
    with Reader(film) as reader, Writer(tmp_path / "o_%02d.png", reader) as writer:
        frame = next(iter(reader))
        made = writer.picture(frame)
        for plane, offset in zip(made.chroma, (-900, 1200), strict=True):
            plane[:] = 32768 + offset
        writer.write(made)
        luma = made.luma.astype(np.float64)
    with Reader(tmp_path / "o_%02d.png") as reader:
        stored = next(iter(reader)).native.reformat(format="rgb48le")
    rows = np.frombuffer(memoryview(stored.planes[0]), "<u2")
    rgb = rows.reshape(48, -1)[:, : 64 * 3].reshape(48, 64, 3).astype(np.float64)
    inside = (luma > 4000) & (luma < 61000)
    blue = (rgb[..., 2] - luma) / (2 * (1 - 0.0722))
    red = (rgb[..., 0] - luma) / (2 * (1 - 0.2126))
    assert np.abs(blue[inside] + 900).max() <= 1
    assert np.abs(red[inside] - 1200).max() <= 1


def test_a_sequence_appears_when_it_is_complete(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=4)
    target = tmp_path / "out"
    with pytest.raises(RuntimeError), atomic_output(target, preset="png") as part:  # noqa: PT012
        colorize(film, part)
        assert not target.exists()
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["in.mkv"]
    with atomic_output(target, preset="png", sources=[film]) as part:
        colorize(film, part)
    assert len(list(target.iterdir())) == 4
    with (
        pytest.raises(UsageError, match="4 pictures already"),
        atomic_output(target / "%08d.png"),
    ):
        pass
    with atomic_output(target / "%08d.png", overwrite=True) as part:
        colorize(film, part, frames=(1, 3))
    assert sorted(p.name for p in target.iterdir()) == ["00000001.png", "00000002.png"]
    with pytest.raises(UsageError, match="is the source itself"):  # noqa: SIM117
        with atomic_output(target / "%08d.png", sources=[target], overwrite=True):
            pass


def test_an_unfinished_sequence_leaves_no_picture(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=4)
    with (  # noqa: PT012
        pytest.raises(RuntimeError),
        Reader(film) as reader,
        Writer(tmp_path / "o_%03d.tif", reader) as writer,
    ):
        for frame in reader:
            writer.write(writer.picture(frame))
            if frame.index == 2:
                raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["in.mkv"]


def test_a_folder_that_is_not_empty_does_not_hide_the_first_error(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=4)
    folder = tmp_path / "out"
    with (  # noqa: PT012
        pytest.raises(RuntimeError, match="the first"),
        Reader(film) as reader,
        Writer(folder / "%03d.tif", reader) as writer,
    ):
        for frame in reader:
            writer.write(writer.picture(frame))
            (folder / "mine.txt").write_text("kept")
            if frame.index == 2:
                raise RuntimeError("the first")
    assert [p.name for p in folder.iterdir()] == ["mine.txt"]


def test_one_picture_is_no_sequence(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=2)
    with Reader(film) as reader, pytest.raises(UsageError, match=r"o_%06d\.png"):
        Writer(tmp_path / "o.png", reader)


# -- y4m ---------------------------------------------------------------------------------------

Y4M = ["yuv420p", "yuv422p", "yuv444p", "yuv411p", "yuv420p10le", "yuv422p12le", "yuv444p16le"]


@pytest.mark.parametrize("color_range", [1, 2])
@pytest.mark.parametrize("name", [*Y4M, "gray", "gray10le", "gray16le"])
def test_y4m_there_and_back(tmp_path: Path, name: str, color_range: int) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        pixel_format=name,
        color_range=color_range,
        frames=3,
        rate=Fraction(24000, 1001),
        sound=["pcm_s16le"],
    )
    writer = colorize(source, tmp_path / "out.y4m")
    report = verify(source, tmp_path / "out.y4m")
    assert failures(report) == []
    assert report.identical_frames == 3
    assert state(report, "audio 1") == "note"
    assert any("audio stream 1" in w and "is left out" in w for w in writer.warnings)
    colorize(tmp_path / "out.y4m", tmp_path / "again.mkv")
    assert verify(source, tmp_path / "again.mkv").identical_frames == 3


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("siting", ["left", "center", "topleft"])
def test_the_header_of_a_y4m(tmp_path: Path, siting: str, order: int) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        codec="libx264",
        options=QUICK,
        siting=siting,
        field_order=order,
        pixel_aspect=Fraction(64, 45),
        rate=25,
        frames=2,
        height=64,
    )
    colorize(source, tmp_path / "out.y4m")
    report = verify(source, tmp_path / "out.y4m")
    assert failures(report) == []
    for mark in ("pixel aspect", "chroma location", "range"):
        assert state(report, mark) == "ok"
    words = (tmp_path / "out.y4m").read_bytes().split(b"\n")[0].split()
    assert b"A64:45" in words
    assert {1: b"Ip", 2: b"It", 3: b"Ib"}[order] in words


PIPE = """
from pycolor.video.io import Reader, Writer, concat_segments, scan
with Reader("-") as reader, Writer("-", reader) as writer:
    for frame in reader:
        writer.write(writer.picture(frame))
"""


def piped(data: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", PIPE]
    return subprocess.run(command, input=data, capture_output=True, timeout=120)


def test_y4m_through_a_pipe(tmp_path: Path) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        pixel_format="yuv422p10le",
        frames=20,
        width=128,
        height=96,
        pixel_aspect=Fraction(16, 15),
        codec="libx264",
        options=QUICK,
    )
    colorize(source, tmp_path / "a.y4m")
    done = piped((tmp_path / "a.y4m").read_bytes())
    assert done.stderr == b""
    assert done.stdout == (tmp_path / "a.y4m").read_bytes()


def test_a_pipe_of_something_else() -> None:
    done = piped(b"no film at all")
    assert b"FilmError: the standard input is no y4m" in done.stderr


# -- MXF ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", ["archive", "prores", None])
@pytest.mark.parametrize("seconds", [0.3, 0.48, 0.8])
def test_mxf(
    tmp_path: Path, preset: str | None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests import films

    write = films.write_sound

    def lasting(container: Any, track: Any, *, seconds_: float = seconds, **rest: Any) -> None:
        write(container, track, hertz=rest["hertz"], seconds=seconds_)

    monkeypatch.setattr(films, "write_sound", lasting)
    source = make_film(
        tmp_path / "in.mov",
        codec="libx264",
        options=QUICK,
        pixel_format="yuv422p10le",
        width=256,
        height=128,
        frames=12,
        rate=25,
        matrix=1,
        primaries=1,
        transfer=1,
        color_range=1,
        timecode="10:00:00:00",
        sound=["pcm_s24le", "pcm_s24le"],
    )
    writer = colorize(source, tmp_path / "out.mxf", preset=preset)
    report = verify(source, tmp_path / "out.mxf")
    assert failures(report) == []
    assert state(report, "timecode") == "ok"
    longer = seconds > 12 / 25
    assert {state(report, f"audio {n}") for n in (1, 2)} == {"note" if longer else "ok"}
    assert any("ends sound with the picture" in warning for warning in writer.warnings)


def test_what_mxf_cannot_hold(tmp_path: Path) -> None:
    odd = make_film(tmp_path / "odd.mkv", rate=17, frames=3)
    with (
        Reader(odd) as reader,
        pytest.raises(UsageError, match=r"MXF holds 23\.976.* has 17"),
    ):
        Writer(tmp_path / "out.mxf", reader, preset="archive")
    packed = make_film(tmp_path / "packed.mkv", rate=25, sound=["aac"], frames=3)
    with Reader(packed) as reader, pytest.raises(FilmError, match=r"mxf cannot hold audio"):
        Writer(tmp_path / "out.mxf", reader, preset="archive")
    assert not (tmp_path / "out.mxf").exists()


# -- segments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "preset"), [("o_%05d.png", None), ("folder", "dpx"), ("out.y4m", None)]
)
def test_segments_of_pictures(tmp_path: Path, target: str, preset: str | None) -> None:
    """Cut into segments and joined, pictures are those that one run writes."""
    source = make_film(tmp_path / "in.mkv", pixel_format="yuv422p10le", frames=9, matrix=6)
    goal = tmp_path / "one" / target
    goal.parent.mkdir()
    colorize(source, goal, preset=preset)
    chosen = preset_for(ending_of(goal, preset), preset)
    suffix = segment_suffix(goal, preset)
    made = []
    for number, cut in enumerate([(0, 2), (2, 7), (7, 9)]):
        path = tmp_path / f"segment{number}{suffix}"
        colorize(source, path, frames=cut, preset=chosen, streams=False)
        made.append(path)
    timeline = scan(source)
    assert timeline is not None
    (tmp_path / "two").mkdir()
    with Reader(source) as reader:
        again = tmp_path / "two" / target
        assert concat_segments(made, reader, again, timeline=timeline, preset=chosen) == 9
    ones = sorted(p for p in (tmp_path / "one").rglob("*") if p.is_file())
    others = sorted(p for p in (tmp_path / "two").rglob("*") if p.is_file())
    assert [p.name for p in ones] == [p.name for p in others]
    assert [p.read_bytes() for p in ones] == [p.read_bytes() for p in others]
    with Reader(source) as reader, pytest.raises(FilmError, match=r"hold 4 frames; expected 9"):
        concat_segments(made[::2], reader, again, timeline=timeline, preset=chosen)
    with Reader(source) as reader, pytest.raises(FilmError, match=r"hold more frames"):
        concat_segments(made, reader, again, timeline=timeline[:4], preset=chosen)
