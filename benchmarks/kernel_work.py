"""How much an op has to do: bytes that must move, floating-point operations, the memory's speed.

Bytes are what is read and written once: inputs and outputs, no caches' misses.  Operations are
counted from the formulas: a fused multiply-add is two, an exponential 12, a power or a root 30.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from benchmarks.kernel_cases import HD, Size

BINS = 313
LOW: Size = (64, 64)
_DECODE = 20  # a logit: scale, exponential, two weighted sums and their weight, maximum
_TAP = 22  # of a range filter with two channels: difference, square, exponential, three sums
_LIGHTNESS = 70  # a mean of luma, a power and a root
_COLOR = 215  # 21 terms of a polynomial, light, three powers and their slopes, one Newton step
_LAB = 124  # an Lab → R'G'B' pixel: cubes, a matrix, three powers
_DISK = 49  # taps of a disk of radius 4


@dataclass(frozen=True, kw_only=True)
class Work:
    """Of one call."""

    bytes: int
    flops: int


def decode(size: Size) -> Work:
    pixels = size[0] * size[1]
    return Work(bytes=4 * pixels * (BINS + 2), flops=pixels * BINS * _DECODE)


def render(size: Size, *, sample_bytes: int = 1) -> Work:
    """8-bit or 16-bit 4:2:0 from a field of `LOW`."""
    luma, field = size[0] * size[1], LOW[0] * LOW[1]
    samples = luma // 4
    return Work(
        bytes=sample_bytes * (luma + 2 * samples) + 4 * 2 * field,
        flops=samples * (9 * _TAP + _LIGHTNESS + _COLOR),
    )


def frame(size: Size) -> Work:
    parts = decode(LOW), render(size)
    return Work(bytes=sum(p.bytes for p in parts), flops=sum(p.flops for p in parts))


def bilateral(size: Size) -> Work:
    pixels = size[0] * size[1]
    return Work(bytes=4 * pixels * 5, flops=pixels * _DISK * _TAP)


def lab(size: Size) -> Work:
    pixels = size[0] * size[1]
    return Work(bytes=pixels * (3 * 4 + 3), flops=pixels * _LAB)


# Group and case of what is ours → its work.
OURS: dict[tuple[str, str], Work] = {
    **{(f"frame {h}p", "ours"): frame((h, w)) for h, w in ((576, 720), HD, (2160, 3840))},
    ("render", "ours"): render(HD),
    ("render", "ours, 10 bits"): render(HD, sample_bytes=2),
    ("render", "ours, 2160p"): render((2160, 3840)),
    ("render", "ours, strong colors"): render(HD),
    ("bilateral", "ours"): bilateral(HD),
    ("decode 64×64", "ours"): decode((64, 64)),
    ("decode 480×270", "ours"): decode((270, 480)),
    ("decode 480×270", "ours, channels last"): decode((270, 480)),
    ("lab", "ours"): lab(HD),
}


def bandwidth(bytes_copied: int = 1 << 28) -> float:
    """Bytes a second, read and written, of copying what no cache holds; torch's threads."""
    source, target = torch.zeros(2, bytes_copied, dtype=torch.uint8)
    target.copy_(source)
    best = float("inf")
    for _ in range(7):
        start = time.perf_counter()
        target.copy_(source)
        best = min(best, time.perf_counter() - start)
    return 2 * bytes_copied / best
