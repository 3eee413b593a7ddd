"""The reverse of `models.checkpoints.foreign.caffe`, for the tests: a protocol buffer by hand."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Blobs = Mapping[str, Sequence[npt.NDArray[np.float32]]]


def varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    """A length-prefixed field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(array: npt.NDArray[np.float32], old_shape: bool = False, packed: bool = True) -> bytes:
    if old_shape:
        four = (1,) * (4 - array.ndim) + array.shape
        shape = b"".join(varint(i << 3) + varint(n) for i, n in enumerate(four, start=1))
    else:
        shape = field(7, field(1, b"".join(varint(n) for n in array.shape)))
    data = array.astype("<f4").tobytes()
    if packed:
        return shape + field(5, data)
    one = varint(5 << 3 | 5)
    return shape + b"".join(one + data[i : i + 4] for i in range(0, len(data), 4))


def caffemodel(layers: Blobs, v1: bool = False, **style: bool) -> bytes:
    """A NetParameter with these layers; one without blobs and foreign fields among them."""
    number, name_field, blob_field = (2, 4, 6) if v1 else (100, 1, 7)
    out = [field(1, b"net"), varint(99 << 3) + b"\x05", varint(98 << 3 | 1) + struct.pack("<d", 1)]
    out.append(field(number, field(name_field, b"data")))
    for name, blobs in layers.items():
        content = field(name_field, name.encode())
        content += b"".join(field(blob_field, blob(b, **style)) for b in blobs)
        out.append(field(number, content))
    return b"".join(out)
