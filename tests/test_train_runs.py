"""Training: runs that are over stay over, photographs stand upright, labels go by path ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pycolor.cli import main
from pycolor.errors import UsageError
from pycolor.models.checkpoints import weight_files
from pycolor.train import loop
from pycolor.train.data.labels import label_source
from pycolor.train.data.photos import Photo, find_photos
from pycolor.train.learning.distributed import Processes
from pycolor.train.recipes.option_groups import CropOptions
from pycolor.train.recipes.options import TrainOptions

TINY = TrainOptions(
    model="richart2017",
    width=1.0,
    steps=8,
    batch=2,
    validate_every=1,
    validation=1,
    patience=1,
    lr=1e-9,  # nothing is learned: the second validation brings nothing
    dtype="float32",
    crop=CropOptions(size_pixels=16),
)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    rng = np.random.default_rng(0)
    for place in ("beach", "town"):
        (folder / place).mkdir(parents=True)
        for i in range(3):
            low = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
            Image.fromarray(low).resize((40, 32)).save(folder / place / f"{i}.png")
    return folder


def test_a_run_that_ended_early_stays_ended(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = weight_files.read(loop.train(TINY, [photos], out))
    steps = int(first.provenance["steps"])
    assert steps < 8
    log = (out / "log.csv").read_text()
    again = weight_files.read(loop.train(TINY, [photos], out))
    assert int(again.provenance["steps"]) == steps
    assert (out / "log.csv").read_text() == log
    assert again.sha256 == first.sha256
    longer = weight_files.read(loop.train(replace(TINY, patience=0), [photos], out))
    assert int(longer.provenance["steps"]) == 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_stand_upright(orientation: int, tmp_path: Path) -> None:
    codes = np.arange(6 * 4, dtype=np.uint8).reshape(6, 4).repeat(3).reshape(6, 4, 3)
    stored = {
        1: codes, 2: codes[:, ::-1], 3: codes[::-1, ::-1], 4: codes[::-1],
        5: codes.transpose(1, 0, 2), 6: np.rot90(codes), 7: codes[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(codes, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "p.png"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    photo = Photo(path, 0, path.stat().st_size, "p.png")
    np.testing.assert_array_equal(np.asarray(photo.decode()), codes)


def test_labels_go_by_the_end_of_the_path(photos: Path, tmp_path: Path) -> None:
    listed = tmp_path / "labels.csv"
    listed.write_text(
        f"file,label\nbeach/0.png,sea\n{photos / 'town'}/0.png,street\n1.png,both\nach/2.png,no\n"
    )
    found = find_photos([photos])
    source = label_source(str(listed), found)
    named = {p.name: source.names[k] if k >= 0 else "" for p, k in
             zip(found, source.labels(found, 0), strict=True)}  # fmt: skip
    assert named == {
        "beach/0.png": "sea", "town/0.png": "street", "beach/1.png": "both",
        "town/1.png": "both", "beach/2.png": "", "town/2.png": "",
    }  # fmt: skip


def test_what_is_wrong_is_one_sentence(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for data, words in (
        (tmp_path / "nowhere", "does not exist"),
        (tmp_path, "no"),
    ):
        if data == tmp_path:
            data = tmp_path / "empty"
            data.mkdir()
            words = "found none in"
        assert main(["train", "--data", str(data), "--out", str(tmp_path / "o")]) == 2
        said = capsys.readouterr().err
        assert words in said
        assert "unexpected" not in said
    with pytest.raises(UsageError, match="shared evenly"):
        loop._train(
            replace(TINY, batch=3), [photos], tmp_path, lambda _: None, torch.device("cpu"),
            Processes(0, 2),
        )  # fmt: skip
