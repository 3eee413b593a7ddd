"""From luma to a chroma field: sizes, orientation, equivariance."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pycolor.encoding import Encoding
from pycolor.errors import UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.inference.device import choose_device, choose_dtype
from pycolor.models.inference.uncertain import CHROMA_PIVOT, suppress_uncertain_chroma
from pycolor.models.networks.zhang2016 import Zhang2016
from pycolor.models.predictor import Predictor
from pycolor.models.predictor.pictures import network_size
from pycolor.options import PredictOptions

GRAY = Encoding(full_range=True, subsampling="444")


@given(st.integers(16, 2304), st.integers(16, 4096), st.floats(0.5, 2.0))
def test_network_size_keeps_the_aspect(height: int, width: int, aspect: float) -> None:
    h, w = network_size(height, width, aspect, 256, 8)
    assert h % 8 == 0
    assert w % 8 == 0
    assert min(h, w) == 256
    # Each side is off by at most half a multiple.
    wanted = width * aspect / height
    assert (w - 4) / (h + 4) <= wanted <= (w + 4) / (h - 4)


def test_a_strip_is_not_squashed() -> None:
    assert network_size(100, 800, 1.0, 256, 8) == (256, 2048)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    torch.manual_seed(0)
    path: Path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    network = Zhang2016(width=0.1)
    # Fresh logits are all but equal: spread them, so that the field has structure to compare.
    last = network.model8[6]
    assert isinstance(last, torch.nn.Conv2d)
    torch.nn.init.normal_(last.weight, std=1.0)
    weight_files.write(path, "zhang2016", network.state_dict(), {"width": 0.1}, {})
    return Predictor(PredictOptions(weights=path, dtype="float32", short_side=64, device="cpu"))


def test_field_has_the_networks_resolution(predictor: Predictor) -> None:
    luma = torch.randint(0, 256, (2, 50, 100), dtype=torch.uint8)
    assert predictor.predict(luma, GRAY).shape == (2, 2, 16, 32)


def test_small_frames_are_enlarged(predictor: Predictor) -> None:
    luma = torch.randint(0, 256, (1, 7, 9), dtype=torch.uint8)
    field = predictor.predict(luma, GRAY)
    assert field.shape[2] == 16
    assert torch.isfinite(field).all()


def test_lightness_is_that_of_the_codes(predictor: Predictor) -> None:
    for code, lightness in ((16, 0.0), (235, 100.0)):
        luma = torch.full((1, 64, 64), code, dtype=torch.uint8)
        shown = predictor.lightness(luma, Encoding())
        torch.testing.assert_close(shown, torch.full_like(shown, lightness), atol=1e-3, rtol=0)


def test_turned_film_gets_the_turned_field(predictor: Predictor) -> None:
    """A picture stored sideways, with its rotation tag, is colored like the upright one."""
    upright = torch.randint(0, 256, (1, 64, 96), dtype=torch.uint8)
    stored = torch.rot90(upright, -1, (1, 2))
    expected = torch.rot90(predictor.predict(upright, GRAY), -1, (2, 3))
    got = predictor.predict(stored, GRAY, quarter_turns=1)
    torch.testing.assert_close(got, expected, atol=1e-3, rtol=1e-4)


def test_wide_pixels_are_widened(predictor: Predictor) -> None:
    luma = torch.randint(0, 256, (1, 64, 64), dtype=torch.uint8)
    assert predictor.predict(luma, GRAY, pixel_aspect=1.5).shape == (1, 2, 16, 24)


def test_saturation_scales_the_field(predictor: Predictor) -> None:
    luma = torch.randint(0, 256, (1, 64, 64), dtype=torch.uint8)
    path = predictor.options.weights
    gray = Predictor(
        PredictOptions(weights=path, dtype="float32", short_side=64, device="cpu", saturation=0)
    )
    assert predictor.predict(luma, GRAY).abs().max() > 0
    assert gray.predict(luma, GRAY).abs().max() == 0


def test_devices_that_are_not_there() -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        choose_device("nonsense")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="cannot be used"):
            choose_device("cuda")
        assert choose_device("auto").type == "cpu"


def test_bfloat16_that_avx512_imitates_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert choose_dtype("auto", torch.device("cpu")) == torch.float32


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, of torch.jit
def test_compiled_code_colors_the_same(tmp_path: Path) -> None:
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        pytest.skip("no C++ compiler is here")
    path = tmp_path / "w.safetensors"
    network = zoo.create("richart2017", width=0.1)  # two layers: little to compile
    torch.nn.init.normal_(network.get_buffer("colors"), std=20)
    weight_files.write(path, "richart2017", network.state_dict(), network.options, {})
    luma = torch.randint(0, 256, (1, 16, 24), dtype=torch.uint8)
    plain, compiled = (
        Predictor(PredictOptions(weights=path, device="cpu", short_side=16, compile=on))
        for on in (False, True)
    )
    expected = plain.predict(luma, GRAY)
    torch.testing.assert_close(compiled.predict(luma, GRAY), expected, atol=0.5, rtol=0)


def test_compiling_takes_a_compiler(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UsageError, match="expected no-such-compiler"):
        Predictor(replace(predictor.options, compile=True))


def test_reserve_draws_pale_colors_to_gray_and_keeps_hues_and_strong_ones() -> None:
    chroma = torch.tensor([0.0, 2.0, 10.0, CHROMA_PIVOT, 60.0])
    field = torch.stack((chroma * 0.6, chroma * -0.8))[None, :, None]
    drawn = suppress_uncertain_chroma(field, 10.0)
    ratio = drawn[0, 0, 0, 1:] / field[0, 0, 0, 1:]
    expected = chroma[1:3] / (chroma[1:3] + 10) * (CHROMA_PIVOT + 10) / CHROMA_PIVOT
    assert torch.allclose(ratio, torch.cat([expected, torch.ones(2)]))
    assert ratio[0] < ratio[1] < 1
    assert torch.allclose(drawn[0, 1, 0] * 0.6, drawn[0, 0, 0] * -0.8)
    assert torch.equal(suppress_uncertain_chroma(field, 0.0), field)
