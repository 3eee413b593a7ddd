"""Files of PyTorch (`.pth`), read without torch: nothing in them runs, and nothing is believed.

`torch.save` wrote a zip of a pickle and one raw entry a storage, before version 1.6 the pickle with
the storages behind it.  torch.load(weights_only=True) runs no code either, but it asks for the
memory that the file names before it looks whether the file has so much.  Here a pickle only makes
records of what it names, and a tensor is made once its storage is seen to lie in the file.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import torch
from torch import Tensor

from pycolor.errors import FilmError

MOST_PICKLED = 4 << 20  # bytes; the names and shapes of a network take a fiftieth
_MOST_DIMENSIONS = 8
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C

_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class MoreThanTensorsError(ValueError):
    """The pickle names something that is neither a tensor nor a plain value."""


@dataclass(frozen=True)
class _Kind:
    """Stands for a storage class."""

    dtype: torch.dtype


class _Storage(NamedTuple):
    key: str
    dtype: torch.dtype
    values: int


class _View(NamedTuple):
    """Stands for a tensor."""

    storage: _Storage
    offset: int
    sizes: tuple[int, ...]
    strides: tuple[int, ...]


class _Table(dict[Any, Any]):
    """Stands for an OrderedDict, which may carry attributes."""


def _view(storage: Any, offset: Any, sizes: Any, strides: Any, *_: object) -> _View:
    if not isinstance(storage, _Storage):
        raise ValueError("a tensor has no storage")
    numbers = (offset, *sizes, *strides)
    if not all(type(n) is int and 0 <= n < 1 << 48 for n in numbers):
        raise ValueError("a tensor's sizes are no numbers")
    if len(sizes) != len(strides) or len(sizes) > _MOST_DIMENSIONS:
        raise ValueError(f"a tensor has {len(sizes)} sizes and {len(strides)} strides")
    view = _View(storage, offset, tuple(sizes), tuple(strides))
    last = offset + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
    if prod(sizes) > storage.values or (0 not in sizes and last >= storage.values):
        shape = "×".join(map(str, sizes))
        raise ValueError(f"a tensor of {shape} cannot lie in {storage.values} values")
    return view


def _parameter(data: Any, *_: object) -> Any:
    return data


_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Table,
    ("torch._utils", "_rebuild_tensor"): _view,
    ("torch._utils", "_rebuild_tensor_v2"): _view,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    **{("torch", name): _Kind(dtype) for name, dtype in _DTYPES.items()},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise MoreThanTensorsError(f"it names {module}.{name}")
        return _NAMES[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
            raise MoreThanTensorsError("it refers to something that is no storage")
        _, kind, key, _, count = pid[:5]
        if not isinstance(kind, _Kind) or type(count) is not int or count < 0:
            raise ValueError("a storage is none")
        return _Storage(str(key), kind.dtype, count)


def _unpickled(data: IO[bytes]) -> Any:
    """The next pickle, all of whose opcodes were seen before any is carried out.

    The memo of Python's unpickler is an array as long as the largest number that a file puts there.
    """
    start = data.tell()
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if "PUT" in opcode.name and int(argument or 0) > count:
            raise ValueError("its pickle counts wrong")
    end = data.tell()
    data.seek(start)
    content = data.read(end - start)
    return _Unpickler(io.BytesIO(content), encoding="utf-8").load()


def _read(file: IO[bytes], storage: _Storage) -> Tensor:
    """Values from where a file stands."""
    if storage.values == 0:
        return torch.empty(0, dtype=storage.dtype)
    buffer = bytearray(storage.values * storage.dtype.itemsize)
    if file.readinto(buffer) != len(buffer):  # type: ignore[attr-defined]
        raise ValueError(f"storage {storage.key} is cut short")
    return torch.frombuffer(buffer, dtype=storage.dtype)


def _from_zip(path: Path, size: int) -> Any:
    with zipfile.ZipFile(path) as archive:
        entries = {e.filename.partition("/")[2]: e for e in archive.infolist()}
        if any(e.compress_type != zipfile.ZIP_STORED for e in entries.values()):
            raise ValueError("it is compressed, as torch.save never does")
        if sum(e.file_size for e in entries.values()) > size:
            raise ValueError("its entries are larger than the file")
        if "data.pkl" not in entries or entries["data.pkl"].file_size > MOST_PICKLED:
            raise ValueError("it has no list of tensors, or too long a one")
        if "byteorder" in entries and archive.read(entries["byteorder"]) != b"little":
            raise ValueError("it is big-endian")
        content = _unpickled(io.BytesIO(archive.read(entries["data.pkl"])))

        def read(storage: _Storage) -> Tensor:
            entry = entries[f"data/{storage.key}"]
            if entry.file_size != storage.values * storage.dtype.itemsize:
                raise ValueError(f"storage {storage.key} has another size than it says")
            with archive.open(entry) as file:
                return _read(file, storage)

        return _filled(content, read)


def _from_legacy(path: Path, size: int) -> Any:
    with path.open("rb") as file:
        head = io.BytesIO(file.read(MOST_PICKLED))
        if _unpickled(head) != _LEGACY_MAGIC:
            raise ValueError("it is no file of torch.save")
        _, system = _unpickled(head), _unpickled(head)
        if not system.get("little_endian", True):
            raise ValueError("it is big-endian")
        content, keys = _unpickled(head), _unpickled(head)
        places: dict[str, int] = {}
        wanted = {s.key: s for s in _storages(content)}
        file.seek(head.tell())
        for key in map(str, keys):
            (count,) = struct.unpack("<q", file.read(8))
            places[key] = file.tell()
            if key not in wanted or wanted[key].values != count:
                raise ValueError(f"storage {key} has another size than it says")
            after = places[key] + count * wanted[key].dtype.itemsize
            if after > size:
                raise ValueError(f"storage {key} is cut short")
            file.seek(after)

        def read(storage: _Storage) -> Tensor:
            file.seek(places[storage.key])
            return _read(file, storage)

        return _filled(content, read)


def _storages(content: Any) -> list[_Storage]:
    return [v.storage for v in _tables(content).values() if isinstance(v, _View)]


def _tables(content: Any) -> Mapping[Any, Any]:
    """The dictionary that names the tensors: all there is, or one entry of it."""
    if not isinstance(content, dict):
        raise MoreThanTensorsError(f"it is a {type(content).__name__.lower()}")
    for name in _WRAPPERS:
        if isinstance(content.get(name), dict):
            return content[name]  # type: ignore[no-any-return]
    return content


# Under which training programs put the weights beside what else they keep.
_WRAPPERS = ("state_dict", "params_ema", "params", "model")


def _filled(content: Any, read: Callable[[_Storage], Tensor]) -> dict[str, Tensor]:
    """The tensors by name, each storage read once."""
    known: dict[str, tuple[_Storage, Tensor]] = {}
    state: dict[str, Tensor] = {}
    for name, view in _tables(content).items():
        if not isinstance(view, _View):
            raise MoreThanTensorsError(f"{name} is no tensor")
        storage = view.storage
        if storage.key not in known:
            known[storage.key] = (storage, read(storage))
        if known[storage.key][0] != storage:
            raise ValueError(f"storage {storage.key} has two sizes")
        values = known[storage.key][1]
        state[str(name)] = values.as_strided(view.sizes, view.strides, view.offset)
    return state


def read_pickled(path: Path) -> dict[str, Tensor]:
    """The tensors of a PyTorch file by name: of a state dict, or of one under a usual name.

    Takes the memory of the file and a few megabytes.

    Raises:
        FilmError: it is damaged, or holds more than tensors.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as f:
            is_zip = f.read(2) == b"PK"
        state: dict[str, Tensor] = (_from_zip if is_zip else _from_legacy)(path, size)
    except MoreThanTensorsError as e:
        why = f"it holds more than tensors ({str(e)[:200]})"
    except MemoryError:
        why = "it asks for more memory than there is"
    except Exception as e:  # whatever a damaged file makes of zipfile and pickle
        why = f"it is damaged ({' '.join(str(e).split())[:200] or type(e).__name__})"
    else:
        if state:
            return state
        why = "it holds none"
    raise FilmError(f"weights {path} must be a state dict of tensors: {why}.")
