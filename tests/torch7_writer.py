"""The reverse of `models.checkpoints.foreign.torch7`, for the tests: writes what it must read."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np

from pycolor.models.checkpoints.foreign.torch7 import Module


class Writer:
    """Values as torch7's File.lua lays them out, little-endian; equal objects are written once."""

    def __init__(self) -> None:
        self.out = io.BytesIO()
        self.index: dict[int, int] = {}
        self.alive: list[Any] = []  # an id stays taken as long as its object lives

    def integer(self, value: int) -> None:
        self.out.write(struct.pack("<i", value))

    def string(self, text: str) -> None:
        self.integer(len(text))
        self.out.write(text.encode("latin-1"))

    def _new(self, value: Any) -> bool:
        """Write the object's index; whether its content must follow."""
        known = id(value) in self.index
        self.alive.append(value)
        self.integer(self.index.setdefault(id(value), len(self.index) + 1))
        return not known

    def value(self, value: Any) -> None:
        if value is None:
            self.integer(0)
        elif isinstance(value, bool):
            self.integer(5)
            self.integer(int(value))
        elif isinstance(value, int | float):
            self.integer(1)
            self.out.write(struct.pack("<d", value))
        elif isinstance(value, str):
            self.integer(2)
            self.string(value)
        elif isinstance(value, dict):
            self.integer(3)
            if self._new(value):
                self.integer(len(value))
                for key, inner in value.items():
                    self.value(key)
                    self.value(inner)
        elif isinstance(value, np.ndarray):
            self._tensor(value)
        elif isinstance(value, Module):
            self.integer(4)
            if self._new(value):
                self.string("V 1")
                self.string(value.kind)
                self.value(value.fields)
        else:
            raise TypeError(type(value))

    def _tensor(self, array: np.ndarray) -> None:
        self.integer(4)
        if not self._new(array):
            return
        self.string("V 1")
        self.string("torch.FloatTensor")
        self.integer(array.ndim)
        strides = [s // array.itemsize for s in array.strides]
        self.out.write(struct.pack(f"<{2 * array.ndim + 1}q", *array.shape, *strides, 1))
        self.integer(4)
        self._new(strides)  # the storage is an object of its own
        self.string("V 1")
        self.string("torch.FloatStorage")
        self.out.write(struct.pack("<q", array.size))
        self.out.write(array.astype("<f4").ravel(order="K").tobytes())


def torch7_bytes(value: Any) -> bytes:
    writer = Writer()
    writer.value(value)
    return writer.out.getvalue()
