"""Clips of other programs: the same chroma as a colored film has, whatever the order of frames."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pycolor.cli import main
from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.io.read.frames.plane_source import (
    PlaneSource,
    RawFrame,
    planes_format,
    planes_info,
)
from pycolor.video.job.decisions.project import project_of
from pycolor.video.job.decisions.start_plan import start_plan
from pycolor.video.job.film import color_film
from pycolor.video.job.frames.clip_color import ClipColor
from pycolor.video.job.frames.clip_layer import ClipLayer

QUICK = VideoOptions(predict=PredictOptions(short_side=32, dtype="float32", device="cpu"))
FRAMES, CUT = 40, 22
LIMITED = Encoding(bit_depth=10, subsampling="422")


def luma_of(n: int) -> np.ndarray[Any, Any]:
    """A frame of 10 bits in limited range; another picture from CUT on."""
    y, x = np.mgrid[:48, :64] / 64
    shade = np.sin(9 * x + 0.1 * n) * np.cos(7 * y) if n < CUT else (x - 0.02 * n) % 0.5 * 2 - y
    grain = np.random.default_rng(n).normal(0, 0.02, shade.shape)
    codes: np.ndarray[Any, Any] = np.clip(500 + 400 * (shade + grain), 64, 940).astype(np.uint16)
    return codes


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The frames as a gray film of 10 bits."""
    path = tmp_path_factory.mktemp("clip") / "in.mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray10le"
        stream.codec_context.color_range = 1
        for n in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(luma_of(n), format="gray10le")
            frame.color_range = 1
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def colored(film: Path) -> Path:
    target = film.with_name("out.mkv")
    color_film(film, target, QUICK)
    return target


def clip(broken: int | None = None) -> PlaneSource:
    info = planes_info(
        "gray10le",
        size=(48, 64),
        encoding=LIMITED,
        frames=FRAMES,
        path=Path("clip"),
        rate=Fraction(24),
    )

    def frames(first: int, stop: int) -> Iterator[RawFrame]:
        for n in range(first, stop):
            if n == broken:
                raise FilmError(f"frame {n} of the clip cannot be had: test.")
            yield RawFrame(index=n, planes=[luma_of(n)])

    return PlaneSource(info=info, frames=frames, path=Path("clip"))


def rendered(colors: Any, n: int, encoding: Encoding = LIMITED) -> np.ndarray[Any, Any]:
    luma, shape = luma_of(n), encoding.chroma_shape(48, 64)
    luma.flags.writeable = False
    planes = np.full(shape, 512, np.uint16), np.full(shape, 512, np.uint16)
    colors.render(n, luma, planes, encoding)
    return np.stack(planes)


def chroma(film: Path) -> tuple[Encoding, list[np.ndarray[Any, Any]]]:
    with Reader(film) as reader:
        planes = [chroma_planes(frame) for frame in reader]
        return reader.info.encoding, [np.stack(p) for p in planes if p is not None]


def test_the_chroma_of_a_colored_film_in_any_order(colored: Path) -> None:
    encoding, wanted = chroma(colored)
    assert len(wanted) == FRAMES
    assert max(np.ptp(c) for c in wanted) > 40  # there is color
    colors = ClipColor(clip(), QUICK)
    random = np.random.default_rng(3)
    order = [*range(12), 39, CUT, CUT - 1, *random.permutation(FRAMES)[:10].tolist(), 0]
    for n in order:
        np.testing.assert_array_equal(rendered(colors, n, encoding), wanted[n], f"frame {n}")
    assert [n for n in range(FRAMES) if colors.starts_shot(n)] == [CUT]
    colors.close()
    np.testing.assert_array_equal(rendered(colors, 5, encoding), wanted[5])
    colors.close()


def test_a_plan_and_its_grade(film: Path, tmp_path: Path) -> None:
    project = project_of(tmp_path / "in.mkv")
    start_plan(film, project / "plan.json")
    gray = ClipColor(clip(), replace(QUICK, predict=replace(QUICK.predict, saturation=0.0)))
    by_plan = ClipColor(clip(), QUICK, project / "plan.json")
    plain = ClipColor(clip(), QUICK)
    try:
        assert (rendered(gray, 3) == 512).all()
        np.testing.assert_array_equal(rendered(by_plan, 3), rendered(plain, 3))
    finally:
        for colors in (gray, by_plan, plain):
            colors.close()
    short = clip()
    info = planes_info(
        "gray10le", size=(48, 64), encoding=LIMITED, frames=9, path=short.path, rate=Fraction(24)
    )
    with pytest.raises(UsageError, match=r"of a film of 40 frames; the clip has 9"):
        ClipColor(
            PlaneSource(info=info, frames=short.frames, path=short.path),
            QUICK,
            project / "plan.json",
        )


def test_options_without_effect_are_refused() -> None:
    for options in (VideoOptions(frames="0:9"), VideoOptions(preset="prores")):
        with pytest.raises(UsageError, match="is no option for a clip"):
            ClipColor(clip(), options)


def test_a_clip_that_fails_says_so_each_time() -> None:
    colors = ClipColor(clip(broken=7), QUICK)
    for _ in range(2):
        with pytest.raises(FilmError, match="frame 7 of the clip cannot be had"):
            rendered(colors, 3)
    colors.close()


def test_a_layer_is_taken_as_it_is(colored: Path) -> None:
    encoding, wanted = chroma(colored)
    layer = ClipLayer(colored)
    layer.check(frames=FRAMES, size=(48, 64), encoding=encoding)
    for n in (0, 1, 30, 2, 39, 38):
        np.testing.assert_array_equal(rendered(layer, n, encoding), wanted[n])
    layer.close()
    later = ClipLayer(colored, offset=10)
    np.testing.assert_array_equal(rendered(later, 3, encoding), wanted[13])
    later.close()
    with pytest.raises(UsageError, match=r"has 40 frames; expected 50 or more"):
        later.check(frames=40, size=(48, 64), encoding=encoding)
    with pytest.raises(UsageError, match="expected 32×48"):
        layer.check(frames=1, size=(48, 32), encoding=encoding)
    with pytest.raises(UsageError, match="and the clip in bt2020"):
        layer.check(frames=1, size=(48, 64), encoding=Encoding(matrix="bt2020"))


def test_a_layer_that_does_not_fit(film: Path) -> None:
    with pytest.raises(UsageError, match=r"is gray; expected a film with Cb and Cr"):
        ClipLayer(film)
    with pytest.raises(UsageError, match="offset must be 0 or more"):
        ClipLayer(film, offset=-1)


def test_a_master_gives_the_delivery_s_chroma(film: Path, tmp_path: Path) -> None:
    """A master of 4:4:4 holds the chroma of a film in 4:2:2, and gives it back bit for bit."""
    source = Path(shutil.copy(film, tmp_path))
    plan = project_of(source) / "plan.json"
    start_plan(source, plan)
    target, master = tmp_path / "out.mkv", tmp_path / "color.mkv"
    color_film(source, target, replace(QUICK, plan=plan))
    small = ["--short-side", "32", "--dtype", "float32", "--device", "cpu", "--quiet"]
    assert main(["layer", str(source), str(master), *small]) == 0
    encoding, wanted = chroma(target)
    assert encoding.subsampling == "422"
    layer = ClipLayer(master)
    layer.check(frames=FRAMES, size=(48, 64), encoding=encoding)
    for n in (0, 25, 7):
        np.testing.assert_array_equal(rendered(layer, n, encoding), wanted[n])
    layer.close()


def test_formats() -> None:
    assert planes_format(8, None) == "gray"
    assert planes_format(10, "420") == "yuv420p10le"
    assert planes_format(16, None) == "gray16le"
    assert planes_format(11, None) is None
    assert planes_format(16, "411") is None
