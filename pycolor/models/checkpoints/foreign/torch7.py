"""Files of Lua Torch (`.t7`), read without Lua.

The binary layout is that of torch7's File.lua: a type tag, then the value; objects carry an index,
so that one written twice is read once.  Functions are stored as bytecode: they are refused, never
run.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pycolor.errors import FilmError
from pycolor.models.checkpoints.size import size_of_weights

_NIL, _NUMBER, _STRING, _TABLE, _OBJECT, _BOOLEAN = range(6)
_FUNCTIONS = (6, 7, 8)
_DEEPEST = 200  # nested objects; a network has some ten

_KINDS = {
    "Double": "<f8",
    "Float": "<f4",
    "Long": "<i8",
    "Int": "<i4",
    "Short": "<i2",
    "Char": "i1",
    "Byte": "u1",
    "Half": "<f2",
}


@dataclass
class Module:
    """A Lua object that is no tensor: its class and its table."""

    kind: str
    fields: dict[Any, Any] = field(default_factory=dict)

    def children(self) -> list[Any]:
        """The modules of a container, in order."""
        inner = self.fields.get("modules", {})
        return in_order(inner) if isinstance(inner, dict) else []


def in_order(table: dict[Any, Any]) -> list[Any]:
    """The values of a Lua array by number.

    Raises:
        ValueError: a key is no number.
    """
    if not all(isinstance(key, int) for key in table):
        raise ValueError("a list has a key that is no number")
    return [table[key] for key in sorted(table)]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.seen: dict[int, Any] = {}
        self.depth = 0

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.data) - self.at:
            raise ValueError(f"{size} bytes are wanted at {self.at}, the file is shorter")
        self.at += size
        return self.data[self.at - size : self.at]

    def integer(self) -> int:
        return int(struct.unpack("<i", self.take(4))[0])

    def longs(self, count: int) -> list[int]:
        return list(struct.unpack(f"<{count}q", self.take(8 * count)))

    def string(self) -> str:
        return self.take(self.integer()).decode("latin-1")

    def value(self) -> Any:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError(f"objects are nested more than {_DEEPEST} deep")
        try:
            return self._value()
        finally:
            self.depth -= 1

    def _value(self) -> Any:
        tag = self.integer()
        if tag == _NIL:
            return None
        if tag == _NUMBER:
            number = struct.unpack("<d", self.take(8))[0]
            return int(number) if math.isfinite(number) and number == int(number) else number
        if tag == _STRING:
            return self.string()
        if tag == _BOOLEAN:
            return self.integer() == 1
        if tag in _FUNCTIONS:
            raise ValueError("it holds a Lua function, which is code and is not read")
        if tag not in (_TABLE, _OBJECT):
            raise ValueError(f"type {tag} at byte {self.at - 4} is not known")
        index = self.integer()
        if index not in self.seen:
            if tag == _TABLE:
                table: dict[Any, Any] = {}
                self.seen[index] = table
                self._entries(table)
            else:
                self._object(index)
        return self.seen[index]

    def _entries(self, table: dict[Any, Any]) -> None:
        for _ in range(self.integer()):
            key, value = self.value(), self.value()
            # Graphs index tables by tables, for the way back; the way forth is there too.
            if isinstance(key, str | int | float | bool):
                table[key] = value

    def _object(self, index: int) -> None:
        kind = self.string()
        if kind.startswith("V "):  # older files have no version
            kind = self.string()
        base = kind.removeprefix("torch.").removeprefix("Cuda")
        storage, tensor = base.removesuffix("Storage"), base.removesuffix("Tensor")
        if kind.startswith("torch.") and base.endswith("Storage"):
            dtype = np.dtype(_KINDS[storage or "Float"])
            (count,) = self.longs(1)
            self.seen[index] = np.frombuffer(self.take(count * dtype.itemsize), dtype)
        elif kind.startswith("torch.") and base.endswith("Tensor"):
            self.seen[index] = self._tensor(np.dtype(_KINDS[tensor or "Float"]))
        else:
            module = Module(kind)
            self.seen[index] = module
            inner = self.value()
            if not isinstance(inner, dict):
                raise ValueError(f"{kind} must be stored as a table, got {type(inner).__name__}")
            module.fields = inner

    def _tensor(self, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        rank = self.integer()
        if not 0 <= rank <= 16:
            raise ValueError(f"a tensor must have 0 to 16 dimensions, got {rank}")
        sizes, strides = self.longs(rank), self.longs(rank)
        (offset,) = self.longs(1)
        storage = self.value()
        if storage is None:
            return np.zeros(0, dtype)
        if not isinstance(storage, np.ndarray) or min([0, *sizes, *strides]) < 0 or offset < 1:
            raise ValueError("a tensor's sizes, strides and storage do not fit")
        last = offset - 1 + sum((n - 1) * s for n, s in zip(sizes, strides, strict=True))
        if rank == 0 or 0 in sizes:
            return np.zeros(0, dtype)
        needed = max(last + 1, math.prod(sizes))  # steps of 0 would make much of little
        if needed > storage.size:
            raise ValueError(f"a tensor of {sizes} needs {needed} values, got {storage.size}")
        steps = [s * storage.itemsize for s in strides]
        return np.lib.stride_tricks.as_strided(storage[offset - 1 :], sizes, steps, writeable=False)


def read_torch7(path: Path) -> Any:
    """The value that `torch.save` of Lua Torch wrote (binary, little-endian, 64-bit long).

    Returns:
        Tables as dictionaries (arrays count from 1), tensors as NumPy arrays, other objects as
        `Module`.

    Raises:
        FilmError: the file cannot be read, is none, or holds a function.
    """
    size_of_weights(path)
    try:
        data = path.read_bytes()
    except OSError as e:
        raise FilmError(f"weights {path} cannot be read: {e.strerror}.") from None
    try:
        return _Reader(data).value()
    except Exception as e:  # whatever damage makes of the values
        why = str(e) if isinstance(e, ValueError | struct.error) else f"{type(e).__name__} {e}"
        raise FilmError(f"weights {path} must be a whole torch7 file: {why[:300]}.") from None
