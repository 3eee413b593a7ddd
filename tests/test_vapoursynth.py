"""Color in VapourSynth: Y' untouched, the chroma of a colored film, properties, errors at once.

VapourSynth needs Python 3.12.  An older one looks for newer interpreters that have VapourSynth,
torch, PyAV and this checkout's compiled module, and runs this file there: those that
PYCOLOR_VAPOURSYNTH names (with colons between), the environments that `make vapoursynth` makes, and
whatever is installed.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pycolor.encoding import Encoding
from pycolor.errors import UsageError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.job.film import color_film
from tests.films import make_film

ROOT = Path(__file__).resolve().parents[1]
HERE = importlib.util.find_spec("vapoursynth") is not None
there = pytest.mark.skipif(not HERE, reason="this Python has no VapourSynth")
QUICK = VideoOptions(
    predict=PredictOptions(short_side=32, dtype="float32", device="cpu"), color_shots="recolor"
)
FRAMES = 14
RANGES = {"limited": 1, "full": 2}


def interpreter(minor: int) -> tuple[str | None, str]:
    """A Python 3.`minor` that can run this file, or why there is none."""
    named = os.environ.get("PYCOLOR_VAPOURSYNTH", "").split(os.pathsep)
    made = ROOT / f".venv-3.{minor}" / "bin" / "python"
    found = [*filter(None, named), str(made) if made.exists() else None]
    said = f"no Python 3.{minor} is installed"
    for path in filter(None, [*found, shutil.which(f"python3.{minor}")]):
        probe = f"import sys; assert sys.version_info[:2] == (3, {minor}), 'another version'\n"
        probe += "import vapoursynth, torch, av, pytest, hypothesis, pycolor._C"
        done = subprocess.run([path, "-c", probe], cwd=ROOT, capture_output=True, text=True)
        if done.returncode == 0:
            return path, ""
        if "another version" not in done.stderr:
            why = (done.stderr.strip().splitlines() or ["it does not start"])[-1]
            said = f"{path}: {why} (`make vapoursynth` makes an environment)"
    return None, said


@pytest.mark.slow
@pytest.mark.skipif(HERE, reason="this Python has VapourSynth: the tests run here")
@pytest.mark.parametrize("minor", [12, 13, 14])
def test_in_a_newer_python(minor: int) -> None:
    path, said = interpreter(minor)
    if path is None:
        pytest.skip(said)
    command = [path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n0", __file__]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]


def clip_of(film: Path, name: str) -> tuple[Any, list[Any]]:
    """A film as a clip of VapourSynth, without a plugin; and its frames."""
    import vapoursynth as vs

    with Reader(film) as reader:
        full = reader.info.encoding.full_range
        frames = [(f.luma.copy(), chroma_planes(f), f.interlaced) for f in reader]
    height, width = frames[0][0].shape
    blank = vs.core.std.BlankClip(
        format=getattr(vs, name), width=width, height=height, length=len(frames), fpsnum=24
    )

    def filled(n: int, f: Any) -> Any:
        result = f.copy()
        luma, chroma, interlaced = frames[n]
        for number, plane in enumerate((luma, *(chroma or ()))):
            np.asarray(result[number])[:] = plane
        result.props["_Range"] = int(full)
        if interlaced:
            result.props["_FieldBased"] = 2
        return result

    return vs.core.std.ModifyFrame(blank, blank, filled), frames


def planes(frame: Any) -> list[np.ndarray[Any, Any]]:
    return [np.array(frame[k]) for k in range(frame.format.num_planes)]


@there
@pytest.mark.parametrize(
    ("name", "pixel_format", "kind", "subsampling"),
    [
        ("GRAY8", "gray", "full", "444"),
        ("GRAY10", "gray10le", "limited", "422"),
        ("GRAY16", "gray16le", "limited", "444"),
        ("YUV420P8", "yuv420p", "limited", "420"),
        ("YUV420P10", "yuv420p10le", "limited", "420"),
        ("YUV422P10", "yuv422p10le", "limited", "422"),
        ("YUV444P16", "yuv444p16le", "limited", "444"),
    ],
)
def test_the_chroma_of_pycolor_video(
    name: str, pixel_format: str, kind: str, subsampling: Any, tmp_path: Path
) -> None:
    from pycolor.vapoursynth import color

    film = make_film(
        tmp_path / "in.mkv", pixel_format=pixel_format, frames=FRAMES, color_range=RANGES[kind]
    )
    color_film(film, tmp_path / "out.mkv", QUICK)
    with Reader(tmp_path / "out.mkv") as reader:
        made = reader.info.encoding
        wanted = [(f.luma.copy(), *(p.copy() for p in chroma_planes(f) or ())) for f in reader]
    clip, _ = clip_of(film, name)
    result = color(clip, options=QUICK, subsampling=made.subsampling)
    assert (result.num_frames, made.subsampling) == (FRAMES, result_subsampling(result))
    for n in (3, 0, FRAMES - 1, *range(FRAMES)):
        with result.get_frame(n) as frame, clip.get_frame(n) as source:
            got = planes(frame)
            np.testing.assert_array_equal(got[0], np.asarray(source[0]))
            assert frame.props["_Range"] == (kind == "full")
            for one, other in zip(got, wanted[n], strict=True):
                np.testing.assert_array_equal(one, other, f"{name} {n}")
    assert subsampling in (made.subsampling, "444", "422")
    assert np.ptp(got[1]) > 0


def result_subsampling(clip: Any) -> str:
    return {(1, 1): "420", (0, 1): "422", (0, 0): "444"}[
        (clip.format.subsampling_h, clip.format.subsampling_w)
    ]


@there
def test_fields(tmp_path: Path) -> None:
    from pycolor.vapoursynth import color

    film = make_film(tmp_path / "in.mkv", frames=8, color_range=1, fields="tff", field_order=2)
    color_film(film, tmp_path / "out.mkv", QUICK)
    clip, frames = clip_of(film, "YUV420P8")
    assert frames[0][2], "the film is interlaced"
    result = color(clip, options=QUICK)
    with Reader(tmp_path / "out.mkv") as reader:
        for n, frame in enumerate(reader):
            with result.get_frame(n) as got:
                assert got.props["_FieldBased"] == 2
                for k, plane in enumerate(chroma_planes(frame) or (), start=1):
                    np.testing.assert_array_equal(np.asarray(got[k]), plane)


@there
@pytest.mark.parametrize("name", ["GRAYS", "YUV444PS", "GRAYH"])
def test_floats(name: str, tmp_path: Path) -> None:
    """Floats are colored as the codes of 16 bits that stand for them."""
    import vapoursynth as vs

    from pycolor.vapoursynth import color

    film = make_film(tmp_path / "in.mkv", pixel_format="gray16le", frames=6, color_range=2)
    codes, frames = clip_of(film, "GRAY16")
    blank = vs.core.std.BlankClip(codes, format=getattr(vs, name))

    def filled(n: int, f: Any) -> Any:
        result = f.copy()
        plane = np.asarray(result[0])
        plane[:] = (frames[n][0] / 65535).astype(plane.dtype)
        return result

    clip = vs.core.std.ModifyFrame(blank, blank, filled)
    result, wanted = color(clip, options=QUICK), color(codes, options=QUICK)
    assert result.format.color_family == vs.YUV
    with result.get_frame(4) as got, wanted.get_frame(4) as other, clip.get_frame(4) as source:
        np.testing.assert_array_equal(np.asarray(got[0]), np.asarray(source[0]))
        assert "_Range" not in got.props
        for k in (1, 2):
            chroma = np.asarray(got[k]).astype(float)
            expected = (np.asarray(other[k]).astype(float) - 32768) / 65535
            assert np.abs(chroma).max() <= 0.5
            np.testing.assert_allclose(chroma, expected, atol=2e-2 if name == "GRAYH" else 1e-6)


@there
def test_what_frames_say(tmp_path: Path) -> None:
    import vapoursynth as vs

    from pycolor.vapoursynth import color

    core = vs.core
    one, _ = clip_of(make_film(tmp_path / "a.mkv", pixel_format="gray", frames=10), "GRAY8")
    other = core.std.Invert(core.std.FlipVertical(one))
    clip = core.std.SetFrameProps(core.std.Splice([one, other]), _Matrix=6, _Range=1, Scan="A-7")
    clip = core.std.RemoveFrameProps(clip, "_ChromaLocation")
    result = color(clip, options=QUICK, subsampling="420")
    props = [dict(result.get_frame(n).props) for n in range(20)]
    assert {p["_Matrix"] for p in props} == {6}
    assert {int(p["_Range"]) for p in props} == {1}
    assert {p["_ChromaLocation"] for p in props} == {0}
    assert {p["Scan"] for p in props} == {"A-7"}
    assert [n for n, p in enumerate(props) if p["_SceneChangePrev"]] == [10]
    assert [n for n, p in enumerate(props) if p["_SceneChangeNext"]] == [9]
    sited = core.std.SetFrameProps(core.resize.Point(clip, format=vs.YUV420P8), _ChromaLocation=2)
    moved = color(sited, options=QUICK).get_frame(3)
    assert moved.props["_ChromaLocation"] == 2
    assert (np.asarray(moved[1]) != np.asarray(result.get_frame(3)[1])).any()


@there
def test_errors_come_at_once(tmp_path: Path) -> None:
    import vapoursynth as vs

    from pycolor.vapoursynth import color, layer

    core = vs.core
    film = make_film(tmp_path / "in.mkv", pixel_format="gray", frames=4)
    clip, _ = clip_of(film, "GRAY8")
    blank = core.std.BlankClip

    def refused(match: str, *arguments: Any, **options: Any) -> None:
        with pytest.raises(UsageError, match=match):
            color(*arguments, **options)

    refused("must be a clip of VapourSynth, got str", "in.mkv")
    refused("(?i)RGB24; expected GRAY or YUV", blank(format=vs.RGB24, length=2))
    refused("Gray11, a format", blank(format=core.query_video_format(vs.GRAY, vs.INTEGER, 11).id))
    mixed = core.std.Splice([clip, blank(clip, width=32)], mismatch=True)
    refused("format or size varies", mixed)
    refused("the clip says _Matrix 0", core.std.SetFrameProps(clip, _Matrix=0))
    refused("subsampling must be one of", clip, subsampling="421")
    refused("frames is no option for a clip", clip, options=VideoOptions(frames="0:2"))
    with pytest.raises(UsageError, match="is gray; expected a film"):
        layer(clip, film)
    threads, core.num_threads = core.num_threads, 1
    try:
        refused("num_threads = 2 or more", clip)
    finally:
        core.num_threads = threads
    late = core.std.Splice([clip, core.std.SetFrameProps(clip, _Range=0)])
    late = core.std.Splice([core.std.SetFrameProps(clip, _Range=1), late[4:]])
    with pytest.raises(vs.Error, match="says _Range 0, and its first frame 1"):
        color(late, options=QUICK).get_frame(0)


@there
def test_a_layer(tmp_path: Path) -> None:
    import vapoursynth as vs

    from pycolor.vapoursynth import layer

    film = make_film(tmp_path / "in.mkv", pixel_format="gray10le", frames=9, color_range=1)
    color_film(film, tmp_path / "color.mkv", replace(QUICK, codec_options=""))
    clip, _ = clip_of(film, "GRAY10")
    with Reader(tmp_path / "color.mkv") as reader:
        made: Encoding = reader.info.encoding
        wanted = [[p.copy() for p in chroma_planes(f) or ()] for f in reader]
    result = layer(clip, tmp_path / "color.mkv", subsampling=made.subsampling)
    for n in (8, 0, 1, 5):
        with result.get_frame(n) as got, clip.get_frame(n) as source:
            np.testing.assert_array_equal(np.asarray(got[0]), np.asarray(source[0]))
            for k in (1, 2):
                np.testing.assert_array_equal(np.asarray(got[k]), wanted[n][k - 1])
    small = vs.core.std.Crop(clip, left=8)
    with pytest.raises(UsageError, match="expected 56×48"):
        layer(small, tmp_path / "color.mkv")


@there
def test_in_vspipe(tmp_path: Path) -> None:
    places = (str(Path(sys.executable).parent), os.environ["PATH"])
    vspipe = shutil.which("vspipe", path=os.pathsep.join(places))
    if vspipe is None:
        pytest.skip("vspipe is not installed")
    script = tmp_path / "color.vpy"
    script.write_text(
        "import vapoursynth as vs\nfrom pycolor.options import PredictOptions, VideoOptions\n"
        "from pycolor.vapoursynth import color\n"
        "clip = vs.core.std.BlankClip(format=vs.GRAY8, width=64, height=48, length=5, color=99)\n"
        "options = VideoOptions(predict=PredictOptions(short_side=32, device='cpu'))\n"
        "color(clip, options=options, subsampling='420').set_output()\n"
    )
    target = tmp_path / "out.y4m"
    command = [vspipe, "-c", "y4m", str(script), str(target)]
    # vspipe finds VapourSynth by a file in the user's folder: here one of the test's own.
    own = {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(tmp_path), "APPDATA": str(tmp_path)}
    environment = {**os.environ, **own}
    configure = [sys.executable, "-m", "vapoursynth", "config"]
    subprocess.run(configure, env=environment, check=True, capture_output=True)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with Reader(target) as reader:
        lumas = [np.unique(f.luma).tolist() for f in reader]
    assert lumas == [[99]] * 5
