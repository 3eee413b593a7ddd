"""Published weight formats: files of the same layout come back, damaged and foreign ones do not."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pycolor.cli import main
from pycolor.errors import FilmError, UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import weight_files
from pycolor.models.checkpoints.foreign.caffe import read_blobs, read_caffemodel
from pycolor.models.checkpoints.foreign.detect import caffe_layers, read_foreign
from pycolor.models.checkpoints.foreign.torch7 import Module, read_torch7
from pycolor.models.networks import zhang2016
from tests.caffe_writer import Blobs, caffemodel
from tests.torch7_writer import torch7_bytes

SMALL: Blobs = {
    "conv": [np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2), np.ones(2, np.float32)],
    "norm": [np.array([3], np.float32)],
}


@pytest.fixture(scope="module")
def published_state() -> dict[str, torch.Tensor]:
    """A full-size zhang2016 as published: no batch counters, statistics unlike the defaults."""
    torch.manual_seed(5)
    network = zhang2016.Zhang2016(width=1.0)
    for name, value in network.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_()
        elif name.endswith("running_var"):
            value.uniform_(0.5, 2)
        elif name.endswith("bias"):
            value.normal_(std=0.1)
    state = network.state_dict()
    return {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}


def as_caffe(state: dict[str, torch.Tensor]) -> dict[str, list[np.ndarray]]:
    """The blobs whose PyTorch release is `state` (with gamma 1 and beta 0)."""
    layers: dict[str, list[np.ndarray]] = {}
    for layer, module in caffe_layers().items():
        if layer.endswith("norm"):
            sums = [state[f"{module}.{n}"].numpy() * 999.5 for n in ("running_mean", "running_var")]
            layers[layer] = [*sums, np.array([999.5], np.float32)]
        else:
            layers[layer] = [state[f"{module}.{n}"].numpy() for n in ("weight", "bias")]
    layers["bw_conv1_1"] = [layers["bw_conv1_1"][0] / 100, layers["bw_conv1_1"][1]]
    layers["conv8_313"] = [blob / 2.606 for blob in layers["conv8_313"]]
    return layers


def check_equal(got: dict[str, torch.Tensor], want: dict[str, torch.Tensor]) -> None:
    network = zhang2016.Zhang2016(width=1.0)
    network.load_state_dict(got)
    for key, value in want.items():
        torch.testing.assert_close(got[key], value, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_pytorch_release_of_full_size(
    published_state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "colorization.pth"
    torch.save(published_state, path)
    assert path.stat().st_size > 128e6
    foreign = read_foreign(path)
    assert (foreign.name, foreign.model) == ("zhang2016-published", "zhang2016")
    check_equal(foreign.state, published_state)
    loaded = weight_files.load(weights=path)
    assert (loaded.card.name, loaded.temperature) == ("zhang2016", 1.0)
    assert torch.equal(
        loaded.network.state_dict()["model3.4.bias"], published_state["model3.4.bias"]
    )


@pytest.mark.slow
def test_caffe_release_of_full_size(
    published_state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "colorization.caffemodel"
    path.write_bytes(caffemodel(as_caffe(published_state)))
    assert path.stat().st_size > 128e6
    foreign = read_foreign(path)
    assert (foreign.name, foreign.temperature) == ("zhang2016-caffe", 1.0)
    want = dict(published_state)
    for key in want:
        if key.endswith(".bias") and key.replace(".bias", ".running_mean") in want:
            want[key] = torch.zeros_like(want[key])
    check_equal(foreign.state, want)


@pytest.mark.slow
def test_caffe_release_as_single_blobs(
    published_state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    for i, (layer, blobs) in enumerate(as_caffe(published_state).items()):
        for k, blob in enumerate(blobs):
            if i % 2:
                np.save(tmp_path / f"{layer}_{k}.npy", blob)
            else:
                blob.astype("<f4").tofile(tmp_path / f"{layer}_{k}.bin")
    got = read_foreign(tmp_path).state
    for key in ("model1.0.weight", "model8.6.bias", "model8.0.weight", "model5.6.running_var"):
        torch.testing.assert_close(got[key], published_state[key], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("v1", [False, True])
@pytest.mark.parametrize("old_shape", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_caffemodel_layouts(tmp_path: Path, v1: bool, old_shape: bool, packed: bool) -> None:
    path = tmp_path / "net.caffemodel"
    path.write_bytes(caffemodel(SMALL, v1=v1, old_shape=old_shape, packed=packed))
    got = read_caffemodel(path)
    assert got.keys() == SMALL.keys()
    for name, blobs in SMALL.items():
        for a, b in zip(got[name], blobs, strict=True):
            np.testing.assert_array_equal(a.reshape(b.shape), b)


def test_every_cut_of_a_caffemodel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.caffemodel"
    whole = caffemodel({"conv": SMALL["conv"]})
    for size in range(len(whole) - 1, len(whole) - 140, -1):
        path.write_bytes(whole[:size])
        with pytest.raises(FilmError, match="Caffe model") as e:
            read_caffemodel(path)
        assert "\n" not in str(e.value)


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"hello, this is text", bytes(64)])
def test_what_is_no_weight_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(FilmError, match="must be"):
        read_foreign(path)


def test_another_caffe_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.caffemodel"
    path.write_bytes(caffemodel(SMALL))
    with pytest.raises(FilmError, match="bw_conv1_1 has 2 blobs, got 0"):
        read_foreign(path)


def test_blob_folders_are_checked(tmp_path: Path) -> None:
    with pytest.raises(FilmError, match="holds none"):
        read_blobs(tmp_path)
    (tmp_path / "conv1_1.bin").write_bytes(bytes(8))
    with pytest.raises(FilmError, match="all blobs of conv1"):
        read_blobs(tmp_path)
    (tmp_path / "conv1_0.bin").write_bytes(bytes(7))
    with pytest.raises(FilmError, match="whole number"):
        read_blobs(tmp_path)


class _Runs:
    """A pickle of this would create a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_code_in_a_pickle_does_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for path, protocol in ((tmp_path / "zip.pth", None), (tmp_path / "old.pth", 2)):
        content = {"model1.0.weight": _Runs(mark)}
        if protocol is None:
            torch.save(content, path)
        else:
            path.write_bytes(pickle.dumps(content, protocol))
        with pytest.raises(FilmError, match="state dict of tensors"):
            read_foreign(path)
    assert not mark.exists()


@pytest.mark.slow
def test_siggraph17_of_full_size(tmp_path: Path) -> None:
    network = zoo.create("zhang2017")
    state = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
    path = tmp_path / "siggraph17.pth"
    torch.save(state, path)
    # The authors' file has 136,787,426 bytes; what is around the tensors is some kilobytes.
    assert abs(path.stat().st_size - 136_787_426) < 30_000
    assert read_foreign(path).name == "siggraph17"
    loaded = weight_files.load(weights=path)
    assert loaded.card.name == "zhang2017"
    assert torch.equal(loaded.network.state_dict()["model9.1.bias"], state["model9.1.bias"])


def test_vgg16_and_nothing_else_is_recognized(tmp_path: Path) -> None:
    path = tmp_path / "s.pth"
    layers = {"features.0.weight": torch.zeros(64, 3, 3, 3), "classifier.6.bias": torch.zeros(1000)}
    torch.save(layers | {"features.28.weight": torch.zeros(512, 512, 3, 3)}, path)
    assert read_foreign(path).state.keys() == {"features.0.weight", "features.28.weight"}
    with pytest.raises(FilmError, match="no model of pycolor"):
        weight_files.load(weights=path)
    torch.save({"layer.weight": torch.zeros(3)}, path)
    with pytest.raises(FilmError, match=r"1 tensors beginning with layer\.weight"):
        read_foreign(path)


def test_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="do not exist"):
        read_foreign(tmp_path / "nowhere.pth")


def test_torch7_values_come_back(tmp_path: Path) -> None:
    shared = np.arange(12, dtype=np.float32).reshape(3, 4)
    conv = Module("nn.SpatialConvolution", {"weight": shared, "bias": shared.T, "stride": 2})
    net = Module("nn.Sequential", {"modules": {1: conv, 2: conv}, "train": False})
    value = {"mean": 0.445, "model": net, "note": "text", "none": None, "list": {1: 1.5, 2: True}}
    path = tmp_path / "net.t7"
    path.write_bytes(torch7_bytes(value))
    got = read_torch7(path)
    assert got["mean"] == 0.445
    assert got["list"] == {1: 1.5, 2: True}
    assert got["none"] is None
    first, second = got["model"].children()
    assert first is second
    assert first.kind == "nn.SpatialConvolution"
    np.testing.assert_array_equal(first.fields["weight"], shared)
    np.testing.assert_array_equal(first.fields["bias"], shared.T)


def test_torch7_damage_and_code_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.t7"
    whole = torch7_bytes({"a": np.ones((2, 2), np.float32), "b": "text"})
    for size in range(4, len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(FilmError, match="torch7"):
            read_torch7(path)
    path.write_bytes(torch7_bytes({"f": 1}).replace(b"\x01\0\0\0f\x01", b"\x01\0\0\0f\x08"))
    with pytest.raises(FilmError, match="function"):
        read_torch7(path)


VGG16 = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]


def vgg16() -> dict[str, torch.Tensor]:
    """A state dict of the layout and size of torchvision's (0 stands for a pooling)."""
    state: dict[str, torch.Tensor] = {}
    cin, index = 3, 0
    for cout in VGG16:
        if cout:
            state[f"features.{index}.weight"] = torch.randn(cout, cin, 3, 3) * 0.02
            state[f"features.{index}.bias"] = torch.randn(cout)
            cin = cout
        index += 2 if cout else 1
    for i, (fan_in, fan_out) in {0: (25088, 4096), 3: (4096, 4096), 6: (4096, 1000)}.items():
        state[f"classifier.{i}.weight"] = torch.zeros(fan_out, fan_in)
        state[f"classifier.{i}.bias"] = torch.zeros(fan_out)
    return state


@pytest.mark.slow
def test_torchvision_vgg16_begins_a_training_of_hwang2016(tmp_path: Path) -> None:
    state = vgg16()
    assert sum(v.numel() for v in state.values()) == 138_357_544
    torch.save(state, tmp_path / "vgg16.pth")
    out = tmp_path / "trunk.safetensors"
    assert main(["weights", "import", str(tmp_path / "vgg16.pth"), "--out", str(out)]) == 0
    network = zoo.create("hwang2016", width=1.0)
    weight_files.start_from(network, "hwang2016", out)
    found = network.state_dict()
    assert torch.equal(found["trunk.conv1_1.0.weight"], state["features.0.weight"])
    assert torch.equal(found["trunk.conv4_3.0.bias"], state["features.21.bias"])
