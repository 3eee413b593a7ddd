"""Weights that Caffe wrote, read without Caffe: a `.caffemodel`, or a folder of single blobs.

A `.caffemodel` is a serialized protocol buffer.  Only its wire format is read here (varints,
fixed words and length-prefixed fields; protobuf.dev, "Encoding") with the field numbers of
caffe.proto, so nothing in the file can run.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pycolor.errors import FilmError
from pycolor.models.checkpoints.size import size_of_weights

Blob = npt.NDArray[np.float32]

# Field numbers of caffe.proto.
_NET_LAYER, _NET_LAYER_V1 = 100, 2
_LAYER = {_NET_LAYER: (1, 7), _NET_LAYER_V1: (4, 6)}  # name, blobs
_BLOB_LEGACY_SHAPE = (1, 2, 3, 4)  # num, channels, height, width
_BLOB_DATA, _BLOB_SHAPE, _BLOB_DOUBLE_DATA = 5, 7, 8

_MOST_DIMENSIONS = 8
_MOST_FIELDS = 1 << 18  # of a file; Caffe packs the numbers of a blob into one

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class _Malformed(ValueError):  # noqa: N818 - never leaves this file
    """The bytes are no protocol buffer."""


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """An unsigned integer of 7 bits a byte, least significant first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise _Malformed("a number runs past the end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _Malformed("a number is longer than 64 bits")


class _Message:
    """Reads messages, whose fields it counts."""

    def __init__(self) -> None:
        self.left = _MOST_FIELDS

    def fields(self, data: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
        """The fields of one message: number, wire type, value (an integer, or the bytes)."""
        at = 0
        while at < len(data):
            self.left -= 1
            if self.left < 0:
                raise _Malformed(f"there are more than {_MOST_FIELDS} fields")
            key, at = _varint(data, at)
            number, wire = key >> 3, key & 7
            if wire == _VARINT:
                value, at = _varint(data, at)
                yield number, wire, value
                continue
            if wire == _BYTES:
                size, at = _varint(data, at)
            elif wire in (_FIXED32, _FIXED64):
                size = 4 if wire == _FIXED32 else 8
            else:
                raise _Malformed(f"field {number} has the unknown wire type {wire}")
            if number == 0 or size > len(data) - at:
                raise _Malformed(f"field {number} runs past the end")
            yield number, wire, data[at : at + size]
            at += size

    def dims(self, shape: memoryview) -> list[int]:
        """The repeated int64 of a BlobShape, packed or one by one."""
        dims: list[int] = []
        for number, _, value in self.fields(shape):
            if number != 1:
                continue
            if isinstance(value, int):
                dims.append(value)
            at = 0
            while not isinstance(value, int) and at < len(value) and len(dims) <= _MOST_DIMENSIONS:
                dim, at = _varint(value, at)
                dims.append(dim)
            if len(dims) > _MOST_DIMENSIONS:
                raise _Malformed(f"a blob has more than {_MOST_DIMENSIONS} dimensions")
        return dims

    def blob(self, message: memoryview) -> Blob:
        """One BlobProto as an array."""
        values = {_BLOB_DATA: bytearray(), _BLOB_DOUBLE_DATA: bytearray()}
        whole: npt.NDArray[np.float32 | np.float64] | None = None
        shape: list[int] | None = None
        legacy: dict[int, int] = {}
        for number, _, value in self.fields(message):
            if isinstance(value, int):
                if number in _BLOB_LEGACY_SHAPE:
                    legacy[number] = value
            elif number == _BLOB_SHAPE:
                shape = self.dims(value)
            elif number in values:
                kind = np.dtype("<f4" if number == _BLOB_DATA else "<f8")
                if len(value) % kind.itemsize:
                    raise _Malformed(
                        f"a blob of {len(value)} bytes is no whole number of {kind.name}"
                    )
                if len(value) > _FLOATS_AT_ONCE and whole is None:
                    whole = np.frombuffer(value, kind)  # as Caffe writes it: not copied
                else:
                    values[number] += value
        if shape is None:
            shape = [legacy.get(number, 1) for number in _BLOB_LEGACY_SHAPE]
        parts = [np.frombuffer(values[_BLOB_DATA], "<f4")]
        parts += [np.frombuffer(values[_BLOB_DOUBLE_DATA], "<f8")]
        found = [p for p in ([] if whole is None else [whole]) + parts if p.size]
        joined = np.concatenate(found) if len(found) > 1 else (found or parts)[0]
        if math.prod(shape) != joined.size:
            raise _Malformed(f"a blob of shape {shape} has {joined.size} values")
        return joined.astype(np.float32, copy=False).reshape(shape)


_FLOATS_AT_ONCE = 64  # bytes; more are not one number


def read_caffemodel(path: Path) -> dict[str, list[Blob]]:
    """The blobs of each layer that has any, by the layer's name.

    Both layouts are read: LayerParameter (field 100) and the older V1LayerParameter (field 2).

    Args:
        path: of a binary NetParameter.

    Raises:
        FilmError: the file cannot be read, or is none.
    """
    size_of_weights(path)
    try:
        data = memoryview(path.read_bytes())
    except OSError as e:
        raise FilmError(f"weights {path} cannot be read: {e.strerror}.") from None
    layers: dict[str, list[Blob]] = {}
    message = _Message()
    try:
        for number, _, layer in message.fields(data):
            if number not in _LAYER or isinstance(layer, int):
                continue
            name_field, blob_field = _LAYER[number]
            name, blobs = "", []
            for inner, _, value in message.fields(layer):
                if inner == name_field and not isinstance(value, int):
                    name = bytes(value).decode()
                elif inner == blob_field and not isinstance(value, int):
                    blobs.append(message.blob(value))
            if blobs:
                layers[name] = blobs
    except ValueError as e:
        raise FilmError(f"weights {path} must be a whole Caffe model: {e}.") from None
    if not layers:
        raise FilmError(f"weights {path} must be a Caffe model with weights, they have none.")
    return layers


_BLOB_NAME = re.compile(r"(?P<layer>.+)_(?P<index>\d)(\.(npy|bin|raw|f32))?")


def read_blobs(folder: Path) -> dict[str, list[Blob]]:
    """The blobs of a folder with one file each, named `<layer>_<index>`.

    A file is a NumPy array (`.npy`) or plain little-endian float32 (`.bin`, `.raw`, `.f32`, or no
    ending), which comes flat.

    Raises:
        FilmError: a file cannot be read, an index is missing, or there is no such file.
    """
    found: dict[str, dict[int, Blob]] = {}
    for path in sorted(folder.iterdir()):
        match = _BLOB_NAME.fullmatch(path.name)
        if match is None or not path.is_file():
            continue
        try:
            size = size_of_weights(path)
            if path.suffix == ".npy":
                blob = _npy(path)
            else:
                blob = np.fromfile(path, "<f4")
                if blob.nbytes != size:
                    raise ValueError("its size is no whole number of float32")
        except FilmError:
            raise
        except Exception as e:  # whatever a damaged header makes of NumPy
            why = " ".join(str(e).split())[:200] or type(e).__name__
            raise FilmError(f"blob {path} must be an array of float32: {why}.") from None
        found.setdefault(match["layer"], {})[int(match["index"])] = blob
    if not found:
        raise FilmError(f"{folder} must hold blobs named <layer>_0, it holds none.")
    for layer, blobs in found.items():
        if sorted(blobs) != list(range(len(blobs))):
            raise FilmError(
                f"{folder} must hold all blobs of {layer}, it has only {sorted(blobs)}."
            )
    return {layer: [blobs[i] for i in range(len(blobs))] for layer, blobs in found.items()}


def _npy(path: Path) -> Blob:
    """The array of a NumPy file, whose header may say any size: mapped, so that nothing is made."""
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(mapped, np.memmap) or mapped.dtype.kind != "f":
        raise ValueError("its values are no floating-point numbers")
    return np.array(mapped, np.float32)
