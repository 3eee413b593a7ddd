"""Weight files that lie: one sentence, and nothing is made that the file has no bytes for."""

from __future__ import annotations

import io
import os
import struct
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from pycolor.cli import main
from pycolor.errors import FilmError, UsageError
from pycolor.models import zoo
from pycolor.models.checkpoints import cache, weight_files
from pycolor.models.checkpoints.foreign.caffe import read_blobs, read_caffemodel
from pycolor.models.checkpoints.foreign.detect import read_foreign
from pycolor.models.checkpoints.foreign.iizuka_graph import layers_of
from pycolor.models.checkpoints.foreign.pickled import read_pickled
from pycolor.models.checkpoints.foreign.torch7 import Module, read_torch7
from pycolor.models.checkpoints.published import ReleaseFile
from tests.caffe_writer import field, varint
from tests.torch7_writer import torch7_bytes


def refused(path: Path) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises((FilmError, UsageError)) as error:
        weight_files.load(weights=path)
    text = str(error.value)
    assert str(path) in text
    assert "\n" not in text
    assert len(text) < 600
    return text


# ---- our own -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return {k: v.contiguous() for k, v in zoo.create("richart2017").state_dict().items()}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("options", "{", "options must be a JSON object"),
        ("options", "[" * 100_000, "options must be a JSON object"),
        ("options", "[" * 10_000 + "]" * 10_000, "options must be a JSON object"),
        ("options", "[1]", "options must be a JSON object"),
        ("options", '{"width": 1e300}', "option width must lie in 0 to 4096"),
        ("options", '{"width": NaN}', "option width must be a number"),
        ("options", '{"width": [1]}', "option width must be a number"),
        ("options", '{"width": 3.5}', "its weights have width 1.0, its options say 3.5"),
        ("options", '{"rows": 4000}', "its weights have rows 3, its options say 4000"),
        ("options", '{"unheard": 1}', "unheard"),
        ("provenance", "no JSON", "provenance must be a JSON object"),
        ("temperature", "nan", "temperature must lie in 0 to 10"),
        ("temperature", "-1", "temperature must lie in 0 to 10"),
        ("temperature", "inf", "temperature must lie in 0 to 10"),
        ("temperature", "warm", "temperature must lie in 0 to 10"),
        ("short_side", "-8", "short_side must be a multiple of 8 from 16 to 2304"),
        ("short_side", "7", "short_side must be a multiple of 8"),
        ("short_side", "1000000", "short_side must be a multiple of 8"),
        ("short_side", "9" * 5000, "short_side must be a multiple of 8"),
        ("model", "nobody1999", "nobody1999"),
    ],
)
def test_metadata_that_cannot_be(
    key: str, value: str, words: str, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    path = tmp_path / "w.safetensors"
    metadata = {"model": "richart2017", "options": "{}", "provenance": "{}", key: value}
    save_file(state, path, metadata=metadata)
    if key == "model":
        with pytest.raises(UsageError, match="nobody1999"):
            weight_files.load(weights=path)
    else:
        assert words in refused(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers(
    value: float, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    name = next(k for k, v in state.items() if v.is_floating_point())
    damaged = {k: v.clone() for k, v in state.items()}
    damaged[name].view(-1)[0] = value
    save_file(damaged, tmp_path / "w.safetensors", metadata={"model": "richart2017"})
    assert f"those of {name} are not" in refused(tmp_path / "w.safetensors")


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    assert "a pipe or a device" in refused(tmp_path / "pipe.safetensors")
    assert "a pipe or a device" in refused(Path("/dev/zero"))
    with (tmp_path / "large.pth").open("wb") as f:
        f.truncate(3 << 30)  # of no blocks
    assert "must have 2048 MiB or less" in refused(tmp_path / "large.pth")


def test_names_of_weights_are_not_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "open").mkdir()
    assert weight_files.load(weights=Path("open")).sha256 == zoo.OPEN_SHA256


def test_writing_weights_touches_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "w.part").write_text("precious")
    weight_files.write(tmp_path / "w.safetensors", "toy", {"x": torch.zeros(1)}, {}, {})
    assert (tmp_path / "w.part").read_text() == "precious"
    with pytest.raises(UsageError, match="exists"):
        weight_files.write(
            tmp_path / "w.safetensors", "toy", {"x": torch.zeros(1)}, {}, {}, overwrite=False
        )


# ---- PyTorch -----------------------------------------------------------------------------------


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("wrapper", ["", "state_dict", "params", "params_ema", "model"])
def test_pytorch_files_come_back(new: bool, wrapper: str, tmp_path: Path) -> None:
    shared = torch.arange(24, dtype=torch.float32)
    tensors = OrderedDict(
        whole=shared,
        part=shared[4:16].view(3, 4).T,
        half=torch.ones(2, 3).half(),
        brain=torch.ones(5).bfloat16(),
        count=torch.tensor(7),
        empty=torch.zeros(0, 3),
        parameter=torch.nn.Parameter(torch.randn(2, 2)),
        flags=torch.tensor([True, False]),
    )
    content = {wrapper: tensors, "epoch": 3, "lr": 0.1} if wrapper else tensors
    path = tmp_path / "w.pth"
    torch.save(content, path, _use_new_zipfile_serialization=new)
    found = read_pickled(path)
    assert found.keys() == tensors.keys()
    for name, value in tensors.items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value.detach())
    assert found["whole"].data_ptr() == found["part"].data_ptr() - 16  # one storage still


@pytest.mark.parametrize("new", [True, False])
def test_a_network_that_was_saved_whole_is_refused(new: bool, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save(torch.nn.Linear(2, 2), path, _use_new_zipfile_serialization=new)
    assert "it holds more than tensors" in refused(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "it holds none"),
        ([torch.zeros(2)], "it is a list"),
        ({"x": 3}, "x is no tensor"),
        ({"params": {"layer.weight": torch.zeros(3)}}, "1 tensors beginning with layer.weight"),
        ({"x": torch.full((3,), float("nan"))}, "1 tensors beginning with x"),
    ],
)
def test_what_a_file_holds_instead_is_told(content: Any, words: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.pth")
    assert words in refused(tmp_path / "w.pth")


def stretched(path: Path, sizes: tuple[int, ...]) -> None:
    """A file whose one value is to become a huge tensor."""
    torch.save({"x": torch.zeros(1).expand(sizes)}, path)


def test_steps_of_zero_make_nothing_large(tmp_path: Path) -> None:
    stretched(tmp_path / "w.pth", (1 << 20, 1 << 20))
    assert "a tensor of 1048576×1048576 cannot lie in 1 values" in refused(tmp_path / "w.pth")


def test_a_compressed_file_is_not_unpacked(tmp_path: Path) -> None:
    torch.save({"x": torch.zeros(1 << 20)}, tmp_path / "w.pth")
    with (
        zipfile.ZipFile(tmp_path / "w.pth") as plain,
        zipfile.ZipFile(tmp_path / "z.pth", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert (tmp_path / "z.pth").stat().st_size < 10_000
    assert "it is compressed" in refused(tmp_path / "z.pth")


def test_a_storage_that_says_it_is_larger(tmp_path: Path) -> None:
    file = io.BytesIO()
    torch.save({"x": torch.ones(3)}, file, _use_new_zipfile_serialization=False)
    content = file.getvalue()
    head, _, rest = content.rpartition(struct.pack("<q", 3))
    for count in (1 << 40, -1, 4):
        (tmp_path / "w.pth").write_bytes(head + struct.pack("<q", count) + rest)
        assert "another size than it says" in refused(tmp_path / "w.pth")


def test_a_memo_of_billions_is_not_made(tmp_path: Path) -> None:
    """Python's own unpickler makes an array as long as the number that a file puts."""
    body = b"\x80\x02}r\xff\xff\xff\x7f."
    path = tmp_path / "w.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", body)
    assert "its pickle counts wrong" in refused(path)


def sentence_of(path: Path) -> str:
    try:
        read_foreign(path)
    except (FilmError, UsageError) as error:
        return str(error)
    return ""  # the damage is in a number


@pytest.mark.parametrize("new", [True, False])
def test_every_kind_of_damage_is_one_sentence(new: bool, tmp_path: Path) -> None:
    file = io.BytesIO()
    tensors = {f"layer{i}.weight": torch.randn(4, 3) for i in range(4)}
    torch.save(tensors, file, _use_new_zipfile_serialization=new)
    whole = file.getvalue()
    chance = np.random.default_rng(1)
    path = tmp_path / "w.pth"
    for number in range(300):
        content = bytearray(whole)
        if number < 100:
            del content[int(chance.integers(len(content))) :]
        for _ in range(0 if number < 100 else int(chance.integers(1, 8))):
            content[int(chance.integers(len(content)))] = int(chance.integers(256))
        path.write_bytes(content)
        said = sentence_of(path)
        assert len(said) < 700
        assert "\n" not in said


def test_nothing_in_a_pickle_is_looked_up(tmp_path: Path) -> None:
    for module, name in (("os", "system"), ("torch", "load"), ("builtins", "getattr")):
        path = tmp_path / "w.pth"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", f"c{module}\n{name}\n.".encode())
        assert f"it names {module}.{name}" in refused(path)


def test_junk_by_the_name_of_pytorch_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"junk" * 9)
    assert "must be a file of PyTorch, Torch or Caffe" in refused(tmp_path / "w.pth")


# ---- torch7 ------------------------------------------------------------------------------------


def graph(module: Any) -> bytes:
    return torch7_bytes({"mean": 0.44505388568813, "model": module})


def conv(cout: int = 2, cin: int = 2, **fields: Any) -> Module:
    weight = np.ones((cout, cin, 3, 3), np.float32)
    return Module("nn.SpatialConvolution", {"weight": weight, "dW": 1, **fields})


def test_torch7_steps_of_zero_make_nothing_large(tmp_path: Path) -> None:
    path = tmp_path / "w.t7"
    stretched_array = np.lib.stride_tricks.as_strided(np.ones(1, np.float32), (2, 2), (0, 0))
    content = torch7_bytes({"x": stretched_array})
    sizes = struct.pack("<4q", 2, 2, 0, 0)
    assert content.count(sizes) == 1
    path.write_bytes(content.replace(sizes, struct.pack("<4q", 1 << 15, 1 << 15, 0, 0)))
    with pytest.raises(FilmError, match=r"needs 1073741824 values"):
        read_torch7(path)


def shared_deep(depth: int) -> Module:
    module = conv()
    for _ in range(depth):
        module = Module("nn.Sequential", {"modules": {1: module, 2: module}})
    return module


def test_modules_that_are_shared_or_in_a_circle_end(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without end"):
        layers_of(shared_deep(18))
    circle = Module("nn.Sequential")
    circle.fields["modules"] = {1: circle}
    with pytest.raises(ValueError, match="without end"):
        layers_of(circle)
    path = tmp_path / "w.t7"
    path.write_bytes(graph(shared_deep(18)))
    with pytest.raises(FilmError, match="Iizuka's colornet: its modules are in one another"):
        read_foreign(path)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (Module("nn.Sequential", {"modules": {1: conv(), "a": conv()}}), "no number"),
        (conv(weight=np.ones(9, np.float32)), "a weight has 1 dimensions"),
        (conv(weight="text"), "a weight is str, no tensor"),
        (conv(weight=np.ones((4, 4), np.float32)), "it lacks something"),
        (conv(bias=3), "a bias is int, no tensor"),
        (Module("nn.gModule", {"forwardnodes": {1: 2}}), "it lacks something"),
        (Module("nn.gModule"), "no order of nodes"),
        (None, "it must have the low layers"),
    ],
)
def test_graphs_that_are_none(module: Any, words: str, tmp_path: Path) -> None:
    path = tmp_path / "w.t7"
    path.write_bytes(graph(module))
    with pytest.raises(FilmError, match="must be Iizuka's colornet") as error:
        read_foreign(path)
    assert words in str(error.value)


# ---- Caffe -------------------------------------------------------------------------------------


def net(blob: bytes) -> bytes:
    return field(100, field(1, b"conv") + field(7, blob))


@pytest.mark.parametrize("packed", [True, False])
def test_a_blob_of_half_a_million_dimensions(packed: bool, tmp_path: Path) -> None:
    dims = varint(1) * 500_000
    one_by_one = (varint(1 << 3) + varint(1)) * 500_000
    path = tmp_path / "net.caffemodel"
    path.write_bytes(net(field(7, field(1, dims) if packed else one_by_one)))
    with pytest.raises(FilmError, match="more than 8 dimensions"):
        read_caffemodel(path)


def test_millions_of_fields_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "net.caffemodel"
    path.write_bytes((varint(99 << 3) + b"\1") * ((1 << 18) + 1))
    with pytest.raises(FilmError, match="more than 262144 fields"):
        read_caffemodel(path)


def test_numpy_headers_that_lie(tmp_path: Path) -> None:
    path = tmp_path / "conv_0.npy"
    for shape in ("(1000000000000,)", "(10**30,)", "(99999999999999999999,)", "(-1,)", "(2,)"):
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
        content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
        path.write_bytes(content + bytes(4))
        with pytest.raises(FilmError, match=r"conv_0\.npy must be an array of float32") as error:
            read_blobs(tmp_path)
        assert "\n" not in str(error.value)
    np.save(path, np.array([{}], object))
    with pytest.raises(FilmError, match="must be an array of float32"):
        read_blobs(tmp_path)
    np.save(path, np.ones(3))
    assert read_blobs(tmp_path)["conv"][0].dtype == np.float32


# ---- pull --------------------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("PYCOLOR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                while self.path == "/endless":
                    self.wfile.write(bytes(1 << 16))
                self.wfile.write(CONTENT)
            except OSError:
                pass  # the other side has seen enough

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{http.server_address[1]}"
    http.shutdown()
    http.server_close()
    thread.join()


def item(url: str, size: int | None) -> ReleaseFile:
    import hashlib

    digest = hashlib.sha256(CONTENT).hexdigest()
    return ReleaseFile(
        name="toy", model="toy", urls=(url,), bytes=size, digest=f"sha256:{digest}", license="CC0"
    )


@pytest.mark.parametrize("size", [1000, None])
def test_an_endless_answer_ends(
    size: int | None, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "LARGEST", 3 << 20)
    with pytest.raises(FilmError, match="the answer is longer than"):
        cache.fetch(item(f"{server}/endless", size))
    assert list((cache.cache_folder() / "downloads").iterdir()) == []


def test_a_part_that_is_a_link_is_not_written_through(server: str, tmp_path: Path) -> None:
    toy = item(f"{server}/w.bin", len(CONTENT))
    (tmp_path / "precious").write_text("kept")
    part = cache.downloaded(toy).with_name("w.bin.part")
    part.parent.mkdir(parents=True)
    part.symlink_to(tmp_path / "precious")
    assert cache.fetch(toy).read_bytes() == CONTENT
    assert (tmp_path / "precious").read_text() == "kept"


def test_two_pulls_at_once_are_one_after_the_other(server: str) -> None:
    toy = item(f"{server}/w.bin", None)
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(cache.fetch(toy).read_bytes()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 4
    assert [p.name for p in cache.downloaded(toy).parent.iterdir()] == ["w.bin"]


def test_import_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"params": {"layer.weight": torch.zeros(3)}}, tmp_path / "w.pth")
    out = str(tmp_path / "out.safetensors")
    assert main(["weights", "import", str(tmp_path / "w.pth"), "--out", out]) == 1
    assert "got 1 tensors beginning with layer.weight" in capsys.readouterr().err
