"""Range and matrix, where the film does not say or says wrongly."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pycolor.encoding import TagOverride
from pycolor.errors import UsageError
from pycolor.options import VideoOptions
from pycolor.video.io import Reader, Writer
from pycolor.video.verify import verify
from tests.films import make_film
from tests.test_video_luma import failures

LIMITED = TagOverride.of("limited", None)


def colored(source: Path, result: Path, override: TagOverride) -> None:
    with Reader(source, override=override) as reader, Writer(result, reader) as writer:
        for frame in reader:
            picture = writer.picture(frame)
            for plane in picture.chroma:
                plane[:] = writer.encoding.chroma_code_range[0] + 9
            writer.write(picture)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_gray_without_a_tag(tmp_path: Path, suffix: str) -> None:
    source = make_film(tmp_path / "in.avi", pixel_format="gray", codec="rawvideo", frames=4)
    with Reader(source) as reader:
        assert reader.info.encoding.full_range
        assert any("no range is stored; full" in w for w in reader.info.warnings)
    with Reader(source, override=LIMITED) as reader:
        assert not reader.info.encoding.full_range
        assert not any("range" in w for w in reader.info.warnings)
    result = tmp_path / f"out{suffix}"
    colored(source, result, LIMITED)
    with Reader(result) as reader:
        assert reader.info.tags.range == 1
    assert failures(verify(source, result, override=LIMITED)) == []
    if shutil.which("ffprobe"):
        entries = ["-show_entries", "stream=color_range", "-of", "csv=p=0"]
        said = subprocess.run(
            ["ffprobe", "-v", "error", "-select_streams", "v", *entries, result],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert said.stdout.strip() == "tv"


def test_a_wrong_tag_is_overruled_aloud(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", color_range=2, matrix=1, frames=3)
    override = TagOverride.of("limited", "bt601")
    with Reader(source) as before, Reader(source, override=override) as after:
        assert after.info.encoding.matrix == "bt601"
        assert not after.info.encoding.full_range
        said = " / ".join(after.info.warnings)
        assert "full range is stored; limited is taken, as asked" in said
        assert "BT.709 is stored; SMPTE 170M is taken, as asked" in said
        for one, other in zip(before, after, strict=True):
            assert np.array_equal(one.luma, other.luma)
    colored(source, tmp_path / "out.mkv", override)
    with Reader(tmp_path / "out.mkv") as reader:
        assert (reader.info.tags.range, reader.info.tags.matrix) == (1, 6)
    assert failures(verify(source, tmp_path / "out.mkv", override=override)) == []
    assert failures(verify(source, tmp_path / "out.mkv")) != []


def test_the_matrix_fits_the_lines(tmp_path: Path) -> None:
    film: dict[str, Any] = {"frames": 1, "width": 64}
    for height, stored, code in ((576, 2, 5), (480, 2, 6), (48, 2, 6), (48, 5, 5)):
        source = make_film(tmp_path / "in.mkv", height=height, matrix=stored, **film)
        with Reader(source, override=TagOverride.of(None, "bt601")) as reader:
            assert reader.info.matrix_code == code
            assert not any("is stored" in w for w in reader.info.warnings)


def test_red_green_blue_has_neither(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", pixel_format="bgr0", matrix=0, frames=1)
    with pytest.raises(UsageError, match="stores R'G'B', which has no matrix"):
        Reader(source, override=LIMITED)


def test_options() -> None:
    assert VideoOptions(range="full").override == TagOverride(full_range=True)
    assert VideoOptions(matrix="bt2020").override == TagOverride(matrix="bt2020")
    assert VideoOptions().override == TagOverride()
    for wrong in ({"range": "tv"}, {"matrix": "bt470"}, {"tints": "sepia"}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            VideoOptions(**wrong)  # type: ignore[arg-type]
