"""A color layer in a file: an .npz of NumPy, compressed without loss.

Chroma is kept in steps of 1/64 ab unit as 16-bit whole numbers.  Each field is told as what is left
of it after a prediction from its neighbors in the row and in the field before it of the same shot
(differences modulo 2^16, so the sums that undo them are exact), folded to be positive, and parted
into its low and its high bytes, which zlib then packs.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from pycolor.video.propagation.layer import STEPS, Layer
from pycolor.video.propagation.propagate import Part, Parts

FORMAT, VERSION = "pycolor-layer", 1
_OWN_COLOR = 255  # in place of a frame's number of parts

Codes = npt.NDArray[np.uint16]  # n×2×h×w, two's complement


def layer_bytes(layer: Layer, key: str) -> bytes:
    """The file of a layer.

    Args:
        layer: of 1 frame or more.
        key: what the layer is of; it is returned when the file is read.
    """
    parts = [part for frame in layer.frames for part in frame or ()]
    sizes = sorted({(p.field.shape[1], p.field.shape[2]) for p in parts})
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "head": np.frombuffer(
            json.dumps(
                {
                    "format": FORMAT,
                    "version": VERSION,
                    "key": key,
                    "first": layer.first,
                    "steps": STEPS,
                    "sizes": sizes,
                }
            ).encode(),
            np.uint8,
        ),
        "counts": np.array(
            [_OWN_COLOR if frame is None else len(frame) for frame in layer.frames], np.uint8
        ),
        "shots": np.array([part.shot for part in parts], np.int64),
        "shares": np.array([part.share for part in parts], np.float64),
        "sizes": np.array(
            [sizes.index((p.field.shape[1], p.field.shape[2])) for p in parts], np.uint8
        ),
    }
    for number in range(len(sizes)):
        own = [part for part, size in zip(parts, arrays["sizes"], strict=True) if size == number]
        fields = torch.stack([part.field for part in own]).cpu() * STEPS
        codes = fields.round().to(torch.int16).numpy().view(np.uint16)
        modes, rest = _differences(codes[_order(own)])
        arrays[f"modes{number}"] = modes
        arrays[f"low{number}"] = (rest & 0xFF).astype(np.uint8)
        arrays[f"high{number}"] = (rest >> 8).astype(np.uint8)
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return out.getvalue()


def read_layer(content: bytes, key: str) -> Layer:
    """The layer that `layer_bytes` was given, on the CPU.

    Raises:
        Exception: of several kinds: the file is damaged, or another layer's.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        head = json.loads(stored["head"].tobytes())
        if (head["format"], head["version"], head["key"]) != (FORMAT, VERSION, key):
            raise ValueError(f"it is {head['format']} {head['version']} of {head['key']}")
        shots, shares = stored["shots"].tolist(), stored["shares"].tolist()
        fields: list[torch.Tensor | None] = [None] * len(shots)
        for number in range(len(head["sizes"])):
            places = np.flatnonzero(stored["sizes"] == number)
            places = places[_order_of([shots[place] for place in places])]
            rest = stored[f"low{number}"] | stored[f"high{number}"].astype(np.uint16) << 8
            codes = _sums(stored[f"modes{number}"], rest)
            for place, code in zip(places.tolist(), codes, strict=True):
                fields[place] = torch.from_numpy(code.view(np.int16).astype(np.float32) / STEPS)
        parts = iter(zip(shots, shares, fields, strict=True))
        frames: list[Parts | None] = []
        for count in stored["counts"].tolist():
            if count == _OWN_COLOR:
                frames.append(None)
                continue
            given = [next(parts) for _ in range(count)]
            frames.append(
                tuple(Part(shot=shot, share=share, field=f) for shot, share, f in given)  # type: ignore[arg-type]
            )
        return Layer(first=int(head["first"]), frames=tuple(frames))


def _order(parts: list[Part]) -> npt.NDArray[np.intp]:
    return _order_of([part.shot for part in parts])


def _order_of(shots: list[int]) -> npt.NDArray[np.intp]:
    """Shot by shot: in a dissolve the fields of two shots come by turns."""
    return np.argsort(np.array(shots), kind="stable")


# -- prediction ----------------------------------------------------------------------------------


def _before(codes: Codes) -> Codes:
    """Differences to the field before."""
    out = codes.copy()
    out[1:] -= codes[:-1]
    return out


def _across(codes: Codes) -> Codes:
    """Differences to the left neighbor."""
    out = codes.copy()
    out[..., 1:] -= codes[..., :-1]
    return out


def _down(codes: Codes) -> Codes:
    """Differences to the upper neighbor."""
    out = codes.copy()
    out[:, :, 1:] -= codes[:, :, :-1]
    return out


# What a field is predicted from: mode → differences in time, along the rows and columns.
_MODES: tuple[Callable[[Codes], Codes], ...] = (
    lambda codes: _across(codes),
    lambda codes: _down(_across(codes)),
    lambda codes: _before(codes),
    lambda codes: _across(_before(codes)),
)
_IN_TIME, _ALONG_ROWS, _ALONG_COLUMNS = (2, 3), (0, 1, 3), (1,)


def _differences(codes: Codes) -> tuple[npt.NDArray[np.uint8], Codes]:
    """For each field the mode that leaves least, and what it leaves, folded: 0 −1 1 −2 2 …"""
    found = [_folded(mode(codes)) for mode in _MODES]
    left = np.stack([f.sum((1, 2, 3), dtype=np.int64) for f in found])
    modes = left.argmin(0).astype(np.uint8)
    return modes, np.stack([found[mode][n] for n, mode in enumerate(modes)])


def _sums(modes: npt.NDArray[np.uint8], rest: Codes) -> Codes:
    """What `_differences` was given."""
    codes = (rest >> 1) ^ (0 - (rest & 1)).astype(np.uint16)
    along = np.isin(modes, _ALONG_COLUMNS)
    codes[along] = np.cumsum(codes[along], axis=2, dtype=np.uint16)
    along = np.isin(modes, _ALONG_ROWS)
    codes[along] = np.cumsum(codes[along], axis=3, dtype=np.uint16)
    for n in np.flatnonzero(np.isin(modes, _IN_TIME)):
        if n:
            codes[n] += codes[n - 1]
    return codes  # type: ignore[return-value]


def _folded(codes: Codes) -> Codes:
    signed = codes.view(np.int16)
    folded: Any = ((signed << 1) ^ (signed >> 15)).astype(np.int16)
    return np.asarray(folded.view(np.uint16), np.uint16)
