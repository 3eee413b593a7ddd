"""Equal pictures have equal digests."""

from __future__ import annotations

import hashlib

import numpy as np

from pycolor.video.io.frame.pixel_formats import Plane


def luma_digest(luma: Plane) -> bytes:
    """SHA-256 of the visible samples, row by row, little-endian."""
    return hashlib.sha256(np.ascontiguousarray(luma).data).digest()
