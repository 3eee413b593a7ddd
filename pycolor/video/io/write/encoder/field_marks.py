"""Progressive frames in an interlaced film are marked with its order of fields.

An encoder that codes fields takes their order from each frame, and a progressive one has none,
which reads as bottom first.  libx264 puts a change of order into all that waits for it: one such
frame turns the fields of those before it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
import av.filter

from pycolor.video.io.frame.film import FilmInfo

# They code two fields as such, and say so of each picture, if told to.
CODES_FIELDS = ("libx264", "mpeg2video", "mpeg4", "prores", "prores_aw", "prores_ks", "dvvideo")


def mode_of_fields(info: FilmInfo, codec: str) -> str:
    """How frames without fields are marked: tff, bff, or not at all (empty)."""
    if not info.interlaced or codec not in CODES_FIELDS:
        return ""
    return "bff" if info.field_order in ("bb", "bt") else "tff"


def marked(frame: av.VideoFrame, mode: str) -> av.VideoFrame:
    """The same planes as two fields; PyAV does not write these flags, a filter of FFmpeg's does."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
    )
    mark, sink = graph.add("setfield", f"mode={mode}"), graph.add("buffersink")
    source.link_to(mark)
    mark.link_to(sink)
    graph.configure()
    graph.push(frame)
    return cast(av.VideoFrame, graph.pull())
