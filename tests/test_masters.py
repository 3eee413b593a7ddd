"""A film's color as a master, and back: bit for bit what `pycolor video` writes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pycolor.cli import main
from pycolor.encoding import Encoding
from pycolor.video.film_plan import edit
from pycolor.video.io import Reader, Writer
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.job.decisions.plan_file import read_plan_file, save_plan_file
from pycolor.video.job.decisions.project import project_of
from pycolor.video.job.masters.master_frames import in_matrix
from pycolor.video.master.blocks import fold, holds, spread, unfolded
from tests.films import make_film

QUICK = [
    "--model",
    "richart2017",
    "--short-side",
    "32",
    "--dtype",
    "float32",
    "--device",
    "cpu",
    "--progress",
    "none",
]


@pytest.mark.parametrize("subsampling", ["420", "422", "444", "411", "440", "410"])
@pytest.mark.parametrize("bits", [(8, 10), (10, 10), (10, 12), (12, 12), (16, 16), (8, 16)])
@pytest.mark.parametrize("full_range", [False, True])
def test_means_of_blocks_give_the_chroma_back(
    subsampling: Any, bits: tuple[int, int], full_range: bool
) -> None:
    delivery = Encoding(bit_depth=bits[0], full_range=full_range, subsampling=subsampling)
    master = Encoding(bit_depth=bits[1], full_range=full_range, subsampling="444")
    random = np.random.default_rng(0)
    assert holds(master, delivery)
    for shape in ((48, 64), (13, 17), (50, 5), (3, 2), (1, 1)):
        for interlaced in (False, True):
            own = random.integers(0, 1 << bits[0], delivery.chroma_shape(*shape))
            chroma: Any = own.astype(np.uint8 if bits[0] == 8 else np.uint16)
            full = random.integers(0, 1 << bits[1], shape).astype(np.uint16)
            before = full.copy()
            spread(full, chroma, master, delivery, interlaced=interlaced)
            found = np.zeros_like(chroma)
            fold(full, found, master, delivery, interlaced=interlaced)
            assert np.array_equal(found, chroma)
            # What has the means already is left alone.
            again = full.copy()
            spread(again, chroma, master, delivery, interlaced=interlaced)
            assert np.array_equal(again, full)
            assert subsampling == "444" or shape == (1, 1) or not np.array_equal(full, before)
            wide = unfolded(chroma, shape, delivery, interlaced=interlaced)
            fold(wide, found, delivery, delivery, interlaced=interlaced)
            assert np.array_equal(found, chroma)


def test_the_detail_of_a_block_stays() -> None:
    delivery = Encoding(bit_depth=8, subsampling="420")
    master = Encoding(bit_depth=10, subsampling="444")
    full = np.array([[500, 520], [540, 560]], np.uint16)
    spread(full, np.array([[130]], np.uint8), master, delivery, interlaced=False)
    assert full.tolist() == [[490, 510], [530, 550]]  # their mean is 520 = 4 · 130


KINDS = [
    ({"pixel_format": "yuv420p"}, []),
    ({"pixel_format": "gray"}, []),
    ({"pixel_format": "yuv422p10le"}, []),
    ({"pixel_format": "yuv444p16le"}, []),
    ({"pixel_format": "yuv420p16le"}, []),
    ({"pixel_format": "yuv420p", "field_order": 2, "fields": "tff", "height": 50}, []),
    ({"pixel_format": "yuv420p10le", "color_range": 2, "width": 63}, []),
    ({"pixel_format": "yuv420p12le", "siting": "topleft"}, []),
    ({"pixel_format": "gray"}, ["--preset", "prores"]),
]


@pytest.mark.parametrize(("kind", "preset"), KINDS, ids=str)
def test_a_master_gives_the_chroma_of_the_film(
    tmp_path: Path, kind: dict[str, Any], preset: list[str]
) -> None:
    film = make_film(tmp_path / "reel.mkv", frames=8, **kind)
    told = [*QUICK, *preset]
    assert main(["plan", str(film), "--quiet"]) == 0
    plan = project_of(film) / "plan.json"
    parted = edit.set_transition(edit.split_shot(read_plan_file(plan).plan, 4), 1, "dissolve", 3, 6)
    parted = edit.set_shot(parted, 0, treatment="color", saturation=2.0)
    save_plan_file(plan, edit.set_shot(parted, 1, treatment="color", warmth=0.5))
    out = ".mov" if preset else ".mkv"
    assert main(["video", str(film), str(tmp_path / f"out{out}"), "--plan", str(plan), *told]) == 0
    assert main(["layer", str(film), str(tmp_path / "color.mkv"), *told]) == 0
    check_master(tmp_path / "color.mkv", film)
    back = [*preset, "--progress", "none"]
    again = tmp_path / f"again{out}"
    assert main(["apply", str(tmp_path / "color.mkv"), str(film), str(again), *back]) == 0
    assert pictures(again) == pictures(tmp_path / f"out{out}")
    copy = shutil.copy(film, tmp_path / "copy.mkv")  # the kept layer, on another file
    again = tmp_path / f"kept{out}"
    assert main(["apply", str(plan.parent), str(copy), str(again), *told]) == 0
    assert pictures(again) == pictures(tmp_path / f"out{out}")
    if "16" in kind["pixel_format"]:
        return
    exr = tmp_path / "exr" / "color_%04d.exr"
    exr.parent.mkdir()
    assert main(["layer", str(film), str(exr), *told]) == 0
    assert len(list(exr.parent.iterdir())) == 8
    again = tmp_path / f"once{out}"
    assert main(["apply", str(exr), str(film), str(again), *back]) == 0
    assert pictures(again) == pictures(tmp_path / f"out{out}")


def pictures(film: Path) -> list[bytes]:
    """Luma and chroma of each frame."""
    found = []
    with Reader(film) as reader:
        for frame in reader:
            chroma = chroma_planes(frame)
            assert chroma is not None
            found.append(b"".join(plane.tobytes() for plane in (frame.luma, *chroma)))
    return found


def check_master(master: Path, film: Path) -> None:
    """FFV1 4:4:4, one code of luma, as many frames, some color."""
    with Reader(film) as source, Reader(master) as reader:
        info = reader.info
        assert (info.codec, info.container) == ("ffv1", "matroska,webm")
        assert info.description.subsampling == "444"
        assert info.encoding.bit_depth >= source.info.encoding.bit_depth
        black, white = info.encoding.luma_code_range
        count = 0
        for frame in reader:
            assert np.unique(frame.luma).tolist() == [(black + white + 1) // 2]
            chroma = chroma_planes(frame)
            assert chroma is not None
            assert len(np.unique(chroma[0])) > 1
            count += 1
        assert count == 8


def test_versions_of_other_frames_and_framing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A film of 60 frames, a version that lacks 10 in front and 6 at the end, one cropped."""
    film = moving_film(tmp_path / "reel.mkv", range(60))
    plan = project_of(film) / "plan.json"
    assert main(["plan", str(film), "--quiet"]) == 0
    save_plan_file(plan, edit.split_shot(read_plan_file(plan).plan, 30))
    whole = tmp_path / "out.mkv"
    assert main(["video", str(film), str(whole), "--plan", str(plan), *QUICK]) == 0
    assert main(["layer", str(film), str(tmp_path / "color.mkv"), *QUICK]) == 0
    expected = pictures(whole)[10:54]
    part = moving_film(tmp_path / "part.mkv", range(10, 54))
    for name, layer, told in (
        ("found", plan.parent, QUICK),
        ("given", plan.parent, [*QUICK, "--offset", "10"]),
        ("master", tmp_path / "color.mkv", ["--offset", "10"]),
    ):
        out = tmp_path / f"{name}.mkv"
        assert main(["apply", str(layer), str(part), str(out), *told]) == 0
        assert pictures(out) == expected
    assert "begins with frame 10 of reel.mkv" in capfd.readouterr().err

    narrow = moving_film(tmp_path / "narrow.mkv", range(60), crop=(16, 8, 32, 24))
    for layer, told in ((plan.parent, QUICK), (tmp_path / "color.mkv", [])):
        made = tmp_path / f"narrow-{layer.suffix[1:]}.mkv"
        words = [str(layer), str(narrow), str(made), *told]
        assert main(["apply", *words, "--crop", "40:8:32:24"]) == 2
        assert main(["apply", *words, "--crop", "16:8:32:24"]) == 0
        close(colors(made), colors(whole)[:, :, 4:16, 8:24])
    wide = moving_film(tmp_path / "wide.mkv", range(60), crop=(0, 0, 64, 24))
    assert main(["apply", str(plan.parent), str(wide), str(tmp_path / "no.mkv"), *QUICK]) == 2
    assert "--crop X:Y:W:H says which part" in capfd.readouterr().err
    assert main(["apply", str(tmp_path / "color.mkv"), str(part), str(tmp_path / "no.mkv")]) == 1
    assert "has 44 frames" in capfd.readouterr().err
    assert not (tmp_path / "no.mkv").exists()


def test_what_a_master_is_not_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    film, master = make_film(tmp_path / "reel.mkv", frames=4), tmp_path / "color.mkv"
    assert main(["layer", str(film), str(master)]) == 2
    assert "`pycolor plan" in capfd.readouterr().err
    assert main(["plan", str(film), "--quiet"]) == 0
    for wrong in (["--frames", "0:2"], ["--bits", "11"], ["--slice", "1/2"]):
        assert main(["layer", str(film), str(master), *QUICK, *wrong]) == 2
    assert main(["layer", str(film), str(tmp_path / "color.mov"), *QUICK]) == 2
    assert "a master is .mkv (FFV1)" in capfd.readouterr().err
    assert main(["layer", str(film), str(master), *QUICK]) == 0
    assert main(["layer", str(film), str(master), *QUICK]) == 2  # it exists
    assert "chroma of 10 bits; apply gives the chroma of yuv420p exactly" in capfd.readouterr().err
    out = tmp_path / "out.mov"
    apply = ["apply", str(master), str(film), str(out), "--progress", "none"]
    assert main([*apply, "--saturation", "2"]) == 2
    assert "got how color is predicted" in capfd.readouterr().err
    assert main([*apply, "--preset", "prores"]) == 0
    assert "was made for yuv420p, and the output is yuv422p10le" in capfd.readouterr().err
    gray = make_film(tmp_path / "gray.mkv", frames=4, pixel_format="gray")
    assert main(["apply", str(gray), str(film), str(tmp_path / "no.mkv")]) == 1
    assert "is gray; expected a film with Cb and Cr" in capfd.readouterr().err
    assert main(["apply", str(tmp_path / "none.mkv"), str(film), str(tmp_path / "no.mkv")]) == 1
    assert not (tmp_path / "no.mkv").exists()


def test_the_folder_of_a_pattern_is_made(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    film = make_film(tmp_path / "reel.mkv", frames=4)
    assert main(["plan", str(film), "--quiet"]) == 0
    folder = tmp_path / "nuke"
    layer = ["layer", str(film), str(folder / "color_%06d.exr"), *QUICK]
    assert main(["video", str(film), str(folder / "film_%04d.png"), "--model", "none"]) == 2
    assert main([*layer, "--preset", "none"]) == 2
    assert not folder.exists()
    assert main(layer) == 0
    assert len(list(folder.iterdir())) == 4
    assert main(["video", str(film), str(tmp_path / "new" / "film_%04d.png"), *QUICK]) == 0
    assert len(list((tmp_path / "new").glob("film_*.png"))) == 4
    assert not list((tmp_path / "new").glob(".*"))
    capfd.readouterr()
    assert main(["layer", str(film), str(tmp_path / "a" / "b" / "color_%06d.exr"), *QUICK]) == 2
    assert "a does not exist; b cannot be written into it" in capfd.readouterr().err


def test_another_matrix_keeps_the_differences_to_the_luma() -> None:
    random = np.random.default_rng(0)
    encoding = Encoding(bit_depth=16, full_range=True, subsampling="444")
    codes: Any = tuple(random.integers(30000, 36000, (8, 8)).astype(np.uint16) for _ in range(2))
    there: Any = in_matrix(codes, encoding, "bt601", "bt709")
    again = in_matrix(there, encoding, "bt709", "bt601")
    assert all(np.abs(a.astype(int) - b).max() <= 1 for a, b in zip(again, codes, strict=True))

    def differences(chroma: Any, matrix: Any) -> Any:
        kr, kb = Encoding(matrix=matrix).luma_coefficients
        blue, red = (
            (c.astype(float) - 32768) * 2 * (1 - k) for c, k in zip(chroma, (kb, kr), strict=True)
        )
        return red - blue  # R' − B', whatever the luma

    there_and_here = differences(there, "bt709"), differences(codes, "bt601")
    assert np.abs(there_and_here[0] - there_and_here[1]).max() < 2


def moving_film(path: Path, frames: range, crop: tuple[int, int, int, int] | None = None) -> Path:
    """A textured square on a bright ground that moves by another distance in each frame."""
    ground = np.random.default_rng(0).integers(60, 200, (12, 120)).repeat(4, 0).repeat(4, 1)
    steps = np.random.default_rng(1).integers(0, 6, 100).cumsum()
    shape = (48, 64) if crop is None else (crop[3], crop[2])

    def luma(frame: int) -> Any:
        shown = ground[:, steps[frame] : steps[frame] + 64].astype(np.uint8)
        if crop is None:
            return shown
        x, y, width, height = crop
        return shown[y : y + height, x : x + width]

    source = make_film(path.with_name(f"of-{path.name}"), width=shape[1], height=shape[0],
                       frames=len(frames), pixel_format="yuv420p")  # fmt: skip
    with Reader(source) as reader, Writer(path, reader) as writer:
        for frame, number in zip(reader, frames, strict=True):
            made = writer.picture(frame)
            made.fill_luma(luma(number))
            for plane in made.chroma:
                plane.fill(128)
            writer.write(made)
    return path


def colors(film: Path) -> Any:
    """Cb and Cr of all frames, n×2×h×w."""
    with Reader(film) as reader:
        return np.stack([np.stack(chroma_planes(frame) or ()) for frame in reader]).astype(float)


def close(found: Any, expected: Any) -> None:
    """Nearly the same chroma: the guide of the refinement ends at other borders."""
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 0.1 * np.abs(expected - 128).mean() + 0.5
