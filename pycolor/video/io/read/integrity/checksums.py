"""FFmpeg's list of frame checksums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av

from pycolor.video.io.read.opening.address import as_address
from pycolor.video.io.read.opening.source import open_source, picture_stream


def frame_checksums(film: Path, path: Path) -> None:
    """Write the MD5 of each decoded frame of a film's picture, in the framemd5 format.

    Raises:
        FilmError: if the film cannot be read.
    """
    with open_source(film) as source, av.open(as_address(path), "w", format="framemd5") as sums:
        stream = picture_stream(source, film)
        out: Any = sums.add_stream("rawvideo", rate=stream.guessed_rate or 25)
        out.width, out.height, out.pix_fmt = stream.width, stream.height, stream.pix_fmt
        out.time_base = stream.time_base
        out.codec_context.time_base = stream.time_base
        for frame in source.decode(stream):
            frame.pict_type = 0
            for packet in out.encode(frame):
                sums.mux(packet)
