"""`pycolor.color`: the same kind comes back in color, its luma as it was."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import pycolor
from pycolor import PredictOptions, UsageError
from pycolor.image.guidance.guides import load_picture_predictor, load_predictor

SMALL = PredictOptions(short_side=32, device="cpu")
BT601 = np.array([0.299, 0.587, 0.114])


def gray(kind: Any, *, shape: tuple[int, ...] = (40, 56)) -> np.ndarray:
    """A ramp with grain over all codes."""
    rng = np.random.default_rng(0)
    unit = (np.linspace(0, 1, shape[-1]) + rng.normal(0, 0.03, shape)).clip(0, 1)
    top = np.iinfo(kind).max if np.issubdtype(kind, np.integer) else 1
    return (unit * top).astype(kind)


# Half a code of rounding in each of R', G' and B'; a floating type adds that of 16-bit luma.
@pytest.mark.parametrize(
    ("kind", "bound"),
    [
        (np.uint8, 0.5),
        (np.uint16, 0.5),
        (np.float64, 1.001 / 65535),
        (np.float32, 1.1 / 65535),
        (np.float16, 2**-11),
    ],
)
def test_an_array(kind: Any, bound: float) -> None:
    luma = gray(kind)
    colored = pycolor.color(luma, SMALL)
    assert colored.shape == (40, 56, 3)
    assert colored.dtype == kind
    assert np.abs(colored.astype(np.float64) @ BT601 - luma).max() <= bound
    assert np.ptp(colored.astype(np.float64), axis=-1).max() > 0


def test_a_tensor_has_its_channels_first() -> None:
    luma = torch.from_numpy(gray(np.float32))
    colored = pycolor.color(luma[None], SMALL)
    assert colored.shape == (3, 40, 56)
    assert colored.dtype == torch.float32
    batch = pycolor.color(luma.expand(2, 1, -1, -1), SMALL)
    assert batch.shape == (2, 3, 40, 56)
    assert torch.equal(batch[0], colored)
    assert torch.equal(pycolor.color(luma, SMALL), colored)
    array = pycolor.color(luma.numpy(), SMALL)
    assert np.array_equal(array, colored.permute(1, 2, 0).numpy())
    assert pycolor.color(luma.bfloat16(), SMALL).dtype == torch.bfloat16


def test_alpha_is_kept() -> None:
    alpha = gray(np.uint16)[::-1]
    two = np.stack([gray(np.uint16), alpha], axis=-1)
    four = np.stack([*[gray(np.uint16)] * 3, alpha], axis=-1)
    for picture in (two, four):
        colored = pycolor.color(picture, SMALL)
        assert colored.shape == (40, 56, 4)
        assert np.array_equal(colored[..., 3], alpha)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("1", "RGB"), ("L", "RGB"), ("LA", "RGBA"), ("P", "RGB"), ("RGB", "RGB"), ("RGBA", "RGBA")],
)
def test_a_pil_picture(mode: str, expected: str) -> None:
    picture = Image.fromarray(gray(np.uint8)).convert(mode)
    colored = pycolor.color(picture, SMALL)
    assert (colored.mode, colored.size) == (expected, picture.size)


def test_a_pil_picture_is_colored_like_its_array() -> None:
    luma = gray(np.uint8)
    colored = np.asarray(pycolor.color(Image.fromarray(luma), SMALL))
    assert np.array_equal(colored, pycolor.color(luma, SMALL))


def test_the_luma_of_a_color_picture_is_taken_by_its_matrix() -> None:
    picture = np.stack([gray(np.uint8), gray(np.uint8)[::-1], gray(np.uint8)], axis=-1)
    luma = (picture @ BT601.astype(np.float32)).round().astype(np.uint8)
    assert np.array_equal(pycolor.color(picture, SMALL), pycolor.color(luma, SMALL))


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((8, 8), np.int32), "int32"),
        (np.full((8, 8), 1.5), "0 to 1"),
        (np.full((8, 8), np.nan), "0 to 1"),
        (np.zeros((8, 8, 5), np.uint8), "shape"),
        (np.zeros((0, 8), np.uint8), "shape"),
        (np.zeros(8, np.uint8), "shape"),
        (Image.new("I;16", (8, 8)), "16-bit"),
        (Image.new("CMYK", (8, 8)), "CMYK"),
        ([[1, 2]], "list"),
        (torch.zeros(8), "H×W"),
        (torch.tensor(0.5), "H×W"),
        (torch.zeros(8, 8).to_sparse(), "sparse"),
        (torch.zeros(8, 8, device="meta"), "meta"),
    ],
    ids=[
        *("int32", "above-1", "nan", "5-channels", "empty", "1-axis", "I;16", "CMYK", "list"),
        *("tensor of 1 axis", "tensor of none", "sparse", "meta"),
    ],
)
def test_what_is_no_picture_is_refused(picture: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        pycolor.color(picture, SMALL)


@pytest.mark.parametrize("options", ["zhang2016", {"short_side": 32}])
def test_options_of_another_kind_are_refused(options: Any) -> None:
    with pytest.raises(UsageError, match="options must be a PredictOptions"):
        pycolor.color(gray(np.uint8), options)


@pytest.mark.parametrize("kind", ["u2", "f4"])
def test_an_array_in_the_other_byte_order(kind: str) -> None:
    luma = gray(np.dtype(kind))
    other = luma.astype(luma.dtype.newbyteorder())
    colored = pycolor.color(other, SMALL)
    assert colored.dtype == other.dtype
    assert np.array_equal(colored, pycolor.color(luma, SMALL))


@pytest.mark.parametrize(("mode", "code"), [("L", 0), ("RGB", (0, 0, 0)), ("P", 0)])
def test_a_code_that_stands_for_transparent_becomes_alpha(mode: str, code: Any) -> None:
    picture = Image.fromarray(np.array(8 * [[0, 200]], np.uint8)).convert(mode)
    picture.info["transparency"] = code
    colored = pycolor.color(picture, SMALL)
    assert colored.mode == "RGBA"
    assert colored.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert colored.getpixel((1, 0))[3] == 255  # type: ignore[index]


def test_a_forked_child_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pycolor.color(gray(np.uint8), SMALL)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr("os.getpid", lambda: -1)  # as if in a child that has the loaded model
    with pytest.raises(UsageError, match="forked"):
        pycolor.color(gray(np.uint8), SMALL)


def test_a_picture_that_may_not_be_written_is_colored() -> None:
    luma = gray(np.uint8)
    luma.setflags(write=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pycolor.color(luma, SMALL).shape == (40, 56, 3)


@pytest.mark.parametrize(
    ("options", "frame", "picture"),
    [
        (PredictOptions(device="cpu"), 192, 256),
        (PredictOptions(device="cpu", short_side=64), 64, 64),
        (PredictOptions(device="cpu", model="richart2017"), 160, 160),
        (PredictOptions(device="cpu", reference=(Path("a.png"),)), 192, 192),
        (PredictOptions(device="cpu", guidance=Path("marks.json")), 192, 192),
    ],
)
def test_a_picture_may_be_seen_larger_than_a_frame(
    options: PredictOptions, frame: int, picture: int
) -> None:
    assert load_predictor(options).short_side == frame
    assert load_picture_predictor(options).short_side == picture
