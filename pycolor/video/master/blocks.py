"""The chroma of a delivery inside chroma of 4:4:4, and out of it again.

A chroma sample of 4:2:0, 4:2:2 or 4:1:1 stands for a block of luma samples (in interlaced frames
of one field's).  `spread` moves the 4:4:4 samples of each block by one amount, so that their mean
is the delivery's sample; `fold` takes the means.  So one 4:4:4 picture shows all the detail and
gives the delivery's codes back, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pycolor.encoding import Encoding
from pycolor.video.io import Plane

Codes = npt.NDArray[np.int32]


def holds(master: Encoding, delivery: Encoding) -> bool:
    """Whether a master's codes are fine enough to give those of a delivery back."""
    return master.chroma_code_range[1] >= delivery.chroma_code_range[1]


def spread(
    full: Plane, chroma: Plane, master: Encoding, delivery: Encoding, *, interlaced: bool
) -> None:
    """Move the samples of 4:4:4 so that the mean of each block is the delivery's chroma.

    Args:
        full: H×W codes of the master; written to.
        chroma: h×w codes of the delivery, whose subsampling decides the blocks.
        master: encoding of `full`.
        delivery: encoding of `chroma`.
        interlaced: the frame holds two fields; blocks lie within one.
    """
    top = (1 << master.bit_depth) - 1
    for lines, own in _fields(full, chroma, delivery, interlaced=interlaced):
        samples = _in_blocks(lines.astype(np.int32), own.shape, delivery.shifts)
        rank, count = _rank(lines.shape, own.shape, delivery.shifts)
        mean = _converted(own, delivery, master).clip(0, top)
        wanted = np.rint(mean * count).astype(np.int32)
        moved = samples + _shares(wanted - samples.sum((1, 3)), rank, count)
        outside = np.asarray((((moved < 0) | (moved > top)) & (rank >= 0)).any((1, 3)))
        if outside.any():  # at the end of the codes: the block is even
            even = _shares(wanted, rank, count)
            moved = np.where(outside[:, None, :, None], even, moved)
        lines[:] = _in_lines(moved)[: lines.shape[0], : lines.shape[1]]


def fold(
    full: Plane, out: Plane, master: Encoding, delivery: Encoding, *, interlaced: bool
) -> None:
    """Write the mean of each block of 4:4:4 as the delivery's chroma; undoes `spread`.

    Args:
        full: H×W codes of the master.
        out: h×w codes of the delivery; written to.
        master: encoding of `full`.
        delivery: encoding of `out`.
        interlaced: see `spread`.
    """
    top = (1 << delivery.bit_depth) - 1
    for lines, own in _fields(full, out, delivery, interlaced=interlaced):
        _, count = _rank(lines.shape, own.shape, delivery.shifts)
        total = _in_blocks(lines.astype(np.int32), own.shape, delivery.shifts).sum((1, 3))
        codes = _converted(total / count, master, delivery)
        own[:] = np.rint(codes).clip(0, top).astype(own.dtype)


def unfolded(chroma: Plane, shape: tuple[int, int], delivery: Encoding, *, interlaced: bool) -> Any:
    """A delivery's chroma as H×W codes of the same depth, each sample over its block."""
    v, h = delivery.shifts
    rows, columns = np.arange(shape[0]) >> v, np.arange(shape[1]) >> h
    full = chroma[rows[:, None], columns]
    if interlaced:
        for lines, own in _fields(full, chroma, delivery, interlaced=True):
            lines[:] = own[(np.arange(lines.shape[0]) >> v)[:, None], columns]
    return full


def converted(codes: Plane, before: Encoding, after: Encoding) -> Any:
    """Chroma codes in another depth or range, rounded to the nearest code."""
    top = (1 << after.bit_depth) - 1
    kind = np.uint8 if after.bit_depth <= 8 else np.uint16
    return np.rint(_converted(codes, before, after)).clip(0, top).astype(kind)


def _converted(codes: Any, before: Encoding, after: Encoding) -> npt.NDArray[np.float64]:
    (neutral, span), (new, new_span) = before.chroma_code_range, after.chroma_code_range
    found: npt.NDArray[np.float64] = (codes.astype(np.float64) - neutral) * new_span / span + new
    return found


def _fields(
    full: Plane, chroma: Plane, delivery: Encoding, *, interlaced: bool
) -> Iterator[tuple[Plane, Plane]]:
    """Lines of 4:4:4 and the chroma that stands for them: of the frame, or field by field."""
    v = delivery.shifts[0]
    if not (interlaced and v and chroma.shape[0] > 1):
        yield full, chroma
        return
    for first in (0, 1):
        own = chroma[first::2]
        lines = full[first::2]
        # Where they do not divide evenly the last of the field's lines may have no chroma.
        yield lines[: own.shape[0] << v], own


def _in_blocks(lines: Codes, shape: tuple[int, ...], shifts: tuple[int, int]) -> Codes:
    """Blocks as hc×rows×wc×columns; what is beyond the picture is 0."""
    (v, h), (hc, wc) = shifts, shape
    beyond = ((0, (hc << v) - lines.shape[0]), (0, (wc << h) - lines.shape[1]))
    if any(after for _, after in beyond):
        lines = np.pad(lines, beyond)
    return lines.reshape(hc, 1 << v, wc, 1 << h)


def _in_lines(blocks: Codes) -> Codes:
    hc, rows, wc, columns = blocks.shape
    return blocks.reshape(hc * rows, wc * columns)


def _shares(total: Codes, rank: Codes, count: Codes) -> Codes:
    """A whole number for each sample of a block; their sum is the block's total."""
    each, rest = np.divmod(total, count)
    shares = each[:, None, :, None] + (rank < rest[:, None, :, None])
    return np.asarray(np.where(rank < 0, 0, shares), np.int32)


@lru_cache(maxsize=8)
def _rank(
    lines: tuple[int, int], shape: tuple[int, int], shifts: tuple[int, int]
) -> tuple[Codes, Codes]:
    """Of each sample its place in its block, −1 beyond the picture; of each block their number."""
    inside = _in_blocks(np.ones(lines, np.int32), shape, shifts)
    hc, rows, wc, columns = inside.shape
    in_turn = inside.transpose(0, 2, 1, 3).reshape(hc, wc, rows * columns)
    rank = (in_turn.cumsum(2) - 1).reshape(hc, wc, rows, columns).transpose(0, 2, 1, 3)
    return np.where(inside == 0, -1, rank).astype(np.int32), inside.sum((1, 3))
