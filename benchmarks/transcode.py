"""A plain transcode: a film through pycolor's reader, writer and encoder, with neutral chroma.

    python -m benchmarks.transcode IN OUT [PRESET]

What coloring costs is measured against it (`film_race.py`, `video.py`).
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from pycolor.system.prefetch import BackgroundConsumer, prefetch
from pycolor.video.io import Picture, Reader, Writer

WAITING = 6  # frames between the threads, as in the pipeline


def transcode(film: Path, target: Path, preset: str | None = None) -> None:
    """Decode and encode a film, with neutral chroma."""
    with Reader(film) as reader, Writer(target, reader, preset=preset) as writer:
        neutral = writer.encoding.chroma_code_range[0]

        def write(picture: Picture) -> None:
            writer.write(picture)

        with (
            closing(prefetch(reader, WAITING)) as frames,
            BackgroundConsumer(write, WAITING) as encoder,
        ):
            for frame in frames:
                picture = writer.picture(frame)
                for plane in picture.chroma:
                    plane[:] = neutral
                encoder.put(picture)
                del frame, picture


if __name__ == "__main__":
    transcode(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
