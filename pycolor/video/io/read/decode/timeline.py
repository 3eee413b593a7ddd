"""The times of a film's frames, read from its packets without decoding."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av.error

from pycolor.video.io.read.opening.source import open_source, picture_stream, refuse_unreadable


def scan(path: str | Path, rate: Fraction | None = None) -> Sequence[int] | None:
    """The pts of a film's frames, in order, read from its packets without decoding.

    None if its packets do not tell (raw streams, field-coded AVI).
    """
    path = Path(path)
    with open_source(path, rate) as container:
        stream = picture_stream(container, path)
        found = array("q")
        try:
            for packet in container.demux(stream):
                if not packet.size or packet.is_discard:
                    continue
                if packet.pts is None:
                    return None
                found.append(packet.pts)
        except av.error.FFmpegError as error:
            refuse_unreadable(path, error)  # of a truncated film, what was found counts
    found = array("q", sorted(found))
    return None if any(b <= a for a, b in pairwise(found)) else found
