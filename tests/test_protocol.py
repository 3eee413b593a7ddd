"""What makes models interchangeable: a seventh one is its file and a card."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError
from pycolor.image.guidance.guides import load_predictor
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.colorizer import Colorizer, Guidance, decode, gray_of, scaled, width_of
from pycolor.models.inference.device import bfloat16_in_hardware
from pycolor.models.predictor import Predictor
from pycolor.models.predictor.pictures import most_similar
from pycolor.ops.reference import lab_to_rgb
from pycolor.options import Dtype, PredictOptions
from pycolor.train import loop
from pycolor.train.recipes.option_groups import CropOptions
from pycolor.train.recipes.options import TrainOptions

GRAY = Encoding(full_range=True, subsampling="444")


class Toy(Colorizer):
    """A seventh model: chroma is linear in lightness."""

    input_multiple = 4
    output_stride = 4

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        self.options = {"width": width}
        self.toy = nn.Conv2d(1, 2, 4, stride=4)

    def forward(
        self,
        lightness: Tensor,
        context: Tensor | None = None,
        guidance: Guidance | None = None,
    ) -> Tensor:
        with torch.autocast(lightness.device.type, enabled=False):
            chroma: Tensor = self.toy(lightness.float() / 100)
            return chroma


def recognize_toy(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    return {} if "toy.weight" in state else None


TOY = zoo.Card(
    name="toy2026",
    paper="Nobody: A Toy",
    year=2026,
    build=Toy,
    recognize=recognize_toy,
    parameters=34,
    gflops=0.0,
    temperature=1.0,
    short_side=32,
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "CARDS", [*zoo.CARDS, TOY])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(6):
        low = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(low).resize((60, 48)).save(folder / f"{i}.png")
    return folder


@pytest.mark.usefixtures("toy")
def test_a_seventh_model_trains_loads_and_predicts(photos: Path, tmp_path: Path) -> None:
    options = TrainOptions(
        model="toy2026",
        steps=2,
        batch=2,
        validate_every=2,
        validation=1,
        dtype="float32",
        crop=CropOptions(size_pixels=16),
    )
    weights = loop.train(options, [photos], tmp_path / "run")
    predictor = Predictor(PredictOptions(weights=weights, device="cpu"))
    assert predictor.loaded.card.name == "toy2026"
    luma = torch.randint(0, 256, (3, 40, 64), dtype=torch.uint8)
    field = predictor.predict(luma, GRAY)
    assert field.shape == (3, 2, 8, 13)
    assert field.abs().max() > 0
    assert predictor.context(predictor.lightness(luma[:1], GRAY)) is None


@pytest.mark.usefixtures("toy")
def test_a_seventh_model_is_recognized_without_metadata(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "plain.safetensors"
    save_file(Toy().state_dict(), path)
    assert weight_files.load(weights=path).card.name == "toy2026"
    with pytest.raises(UsageError, match="belong to toy2026"):
        weight_files.load("zhang2016", path)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(FilmError, match="no known model"):
        weight_files.load(weights=path)


def test_a_file_can_bring_its_decode_and_size(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    state = zoo.create("zhang2016", width=0.05).state_dict()
    options = {"width": 0.05}
    weight_files.write(path, "zhang2016", state, options, {}, temperature=1, short_side=64)
    predictor = Predictor(PredictOptions(weights=path, device="cpu"))
    assert (predictor.temperature, predictor.short_side) == (1.0, 64)
    assert predictor.loaded.picture_side == 64
    mode = Predictor(PredictOptions(weights=path, device="cpu", decode="mode"))
    assert mode.temperature == 0


def gflops(network: Colorizer) -> float:
    """Of one input of 256×256; a multiply-add counts two."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network.eval()(torch.full((1, 1, 256, 256), 50.0))
    return float(counter.get_total_flops()) / 1e9


@pytest.mark.parametrize("card", zoo.CARDS, ids=lambda c: c.name)
def test_cards_tell_the_truth(card: zoo.Card) -> None:
    network = card.build()
    assert sum(p.numel() for p in network.parameters()) == card.parameters
    assert gflops(network) == pytest.approx(card.gflops, abs=0.05)
    assert card.build(**card.options).options.items() >= dict(card.options).items()
    assert str(card.year) in card.name


@pytest.mark.parametrize("card", zoo.CARDS, ids=lambda c: c.name)
def test_every_model_is_recognized_by_its_state(card: zoo.Card) -> None:
    for options in ({"width": 0.25}, {"width": 0.375}, dict(card.options)):
        network = card.build(**options)
        found = zoo.recognize(network.state_dict())
        assert found is not None
        name, seen = found
        assert name == card.name
        again = card.build(**seen)
        shapes = {k: v.shape for k, v in network.state_dict().items()}
        assert {k: v.shape for k, v in again.state_dict().items()} == shapes


@pytest.mark.parametrize("width", [0.05, 0.1, 0.2, 0.25, 0.3, 0.375, 0.5, 1, 2])
def test_width_comes_back_from_channels(width: float) -> None:
    channels = {c: scaled(c, width) for c in (64, 128, 256, 512)}
    found = width_of(channels)
    assert found is not None
    assert {c: scaled(c, found) for c in channels} == channels
    assert width_of({64: 8, 512: 512}) is None


def test_decodes_meet_their_definitions() -> None:
    logits = torch.randn(2, 7, 3, 4)
    palette = torch.randn(7, 2) * 50
    mean = torch.einsum("nqhw,qc->nchw", logits.softmax(1), palette)
    torch.testing.assert_close(decode(logits, palette, 1.0), mean, atol=1e-3, rtol=1e-4)
    mode = palette[logits.argmax(1)].permute(0, 3, 1, 2)
    assert torch.equal(decode(logits, palette, 0), mode)
    torch.testing.assert_close(decode(logits, palette, 1e-3), mode, atol=1e-3, rtol=1e-4)


def test_gray_is_the_neutral_of_that_lightness() -> None:
    lightness = torch.linspace(0, 100, 101, dtype=torch.float64).reshape(1, 1, 1, 101)
    lab = torch.cat([lightness, torch.zeros(1, 2, 1, 101)], 1)
    torch.testing.assert_close(gray_of(lightness), lab_to_rgb(lab)[:, 1:2], atol=1e-4, rtol=0)


def test_a_shot_takes_the_most_similar_still() -> None:
    picture = torch.rand(1, 3, 24, 32) * 100
    others = [torch.rand(1, 3, 40, 20) * 100, picture, torch.zeros(1, 3, 8, 8)]
    frame = picture[:, :1] * 0.5 + 20 + torch.rand(1, 1, 24, 32)
    assert most_similar(frame, others) is picture


def test_options_that_are_not_for_the_model() -> None:
    with pytest.raises(UsageError, match="pycolor2026 takes no style picture"):
        load_predictor(PredictOptions(style=Path("s.png"), device="cpu"))
    plain = PredictOptions(model="zhang2016", reference=(Path("r.png"),), device="cpu")
    with pytest.raises(UsageError, match="zhang2016"):
        load_predictor(plain)


def test_regression_has_nothing_to_decode(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    network = zoo.create("zhang2016", width=0.05, task="regression")
    weight_files.write(path, "zhang2016", network.state_dict(), network.options, {})
    with pytest.raises(UsageError, match="predicts chroma itself"):
        Predictor(PredictOptions(weights=path, device="cpu", decode="mode"))
    luma = torch.randint(0, 256, (1, 40, 64), dtype=torch.uint8)
    assert Predictor(PredictOptions(weights=path, device="cpu")).predict(luma, GRAY).shape[1] == 2


def test_the_field_of_a_frame_does_not_depend_on_its_batch() -> None:
    predictor = Predictor(PredictOptions(device="cpu", short_side=64))
    luma = torch.randint(0, 256, (5, 64, 96), dtype=torch.uint8)
    together = predictor.predict(luma, GRAY)
    for i in range(5):
        assert torch.equal(predictor.predict(luma[i : i + 1], GRAY), together[i : i + 1])


@pytest.fixture(scope="module", params=zoo.CARDS, ids=lambda c: c.name)
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small network of each model."""
    torch.manual_seed(0)
    network = request.param.build(width=0.05)
    path: Path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    weight_files.write(path, request.param.name, network.state_dict(), network.options, {})
    return path


@pytest.mark.parametrize("size", [(16, 16), (16, 128), (128, 16), (33, 47), (2304, 4096)])
def test_any_size_of_picture(small: Path, size: tuple[int, int]) -> None:
    """The field covers the picture at its own aspect: a 1:8 strip is not squashed."""
    side = max(32, 4 * weight_files.load(None, small).network.input_multiple)
    predictor = Predictor(PredictOptions(weights=small, device="cpu", short_side=side))
    luma = torch.randint(0, 256, (1, *size), dtype=torch.uint8)
    field = predictor.predict(luma, GRAY)
    assert torch.isfinite(field).all()
    h, w = (s * predictor.network.output_stride for s in field.shape[2:])
    assert min(h, w) == side
    assert w / h == pytest.approx(size[1] / size[0], rel=0.13)


def test_sizes_that_do_not_fit_in_memory_are_refused() -> None:
    predictor = Predictor(PredictOptions(device="cpu", short_side=4096))
    luma = torch.zeros(1, 16, 32, dtype=torch.uint8)
    with pytest.raises(UsageError, match="a smaller short_side helps"):
        predictor.lightness(luma, GRAY)


def test_the_field_of_a_shot_is_that_of_its_frames(small: Path) -> None:
    """A frame colored with the context of itself is the frame colored alone, in any batch."""
    predictor = Predictor(PredictOptions(weights=small, device="cpu", short_side=32))
    luma = torch.randint(0, 256, (3, 32, 48), dtype=torch.uint8)
    lightness = predictor.lightness(luma, GRAY)
    shot = predictor.context(lightness[1:2])
    together = predictor.field(lightness, context=shot)
    assert torch.equal(predictor.field(lightness[1:2]), together[1:2])
    assert torch.equal(predictor.field(lightness[2:], context=shot), together[2:])


def test_the_last_layer_is_float32_under_autocast(small: Path) -> None:
    network = weight_files.load(weights=small).network
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert network(torch.rand(1, 1, 32, 32) * 100).dtype == torch.float32
        assert network.chroma(torch.rand(1, 1, 32, 32) * 100).dtype == torch.float32


@pytest.mark.parametrize("card", zoo.CARDS, ids=lambda c: c.name)
def test_folding_changes_nothing(card: zoo.Card) -> None:
    """Neither the colors nor the names: a folded network's weights are the same network."""
    network = card.build(width=0.1).eval()
    for name, buffer in network.named_buffers():
        if name.endswith("running_mean"):
            buffer.uniform_(-0.2, 0.2)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 2)
    lightness = torch.rand(1, 1, 32, 48) * 100
    with torch.no_grad():
        expected = network(lightness)
        network.fold()
        torch.testing.assert_close(network(lightness), expected, rtol=1e-4, atol=1e-3)
        again = card.build(width=0.1).eval()
        again.load_state_dict(network.state_dict())
        torch.testing.assert_close(again(lightness), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("card", [c for c in zoo.CARDS if c.weights], ids=lambda c: c.name)
def test_bfloat16_moves_colors_little(card: zoo.Card) -> None:
    """Less than one unit of ab on average; lightness is the film's own."""
    from skimage.data import astronaut

    if not bfloat16_in_hardware():
        pytest.skip("this processor does not multiply bfloat16")
    luma = torch.from_numpy(astronaut()[::2, ::2].mean(2).astype(np.uint8))[None]
    dtypes: tuple[Dtype, Dtype] = ("float32", "bfloat16")
    fields = [
        Predictor(PredictOptions(model=card.name, dtype=dtype, device="cpu")).predict(luma, GRAY)
        for dtype in dtypes
    ]
    assert (fields[0] - fields[1]).norm(dim=1).mean() < 1


@pytest.mark.parametrize("way", [pickle.dumps, copy.deepcopy])
def test_a_predictor_is_neither_pickled_nor_copied(way: Callable[[object], object]) -> None:
    predictor = Predictor(PredictOptions(device="cpu"))
    with pytest.raises(TypeError, match=r"expected a new one of the same options"):
        way(predictor)
