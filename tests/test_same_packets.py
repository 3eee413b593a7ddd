"""A film that holds the packets of its segments decodes to what they decode to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycolor.video.io import Reader, Writer, concat_segments, holds_packets
from tests.films import make_film


@pytest.mark.parametrize(
    ("name", "preset"),
    [("whole.mkv", "archive"), ("whole.mp4", "lossless-h264"), ("whole.mov", "v210")],
)
def test_a_film_holds_the_packets_of_its_segments(tmp_path: Path, name: str, preset: str) -> None:
    film = make_film(tmp_path / "film.mkv", frames=7)
    parts = [tmp_path / f"part{n}.mkv" for n in range(2)]
    if preset == "v210":
        parts = [part.with_suffix(".mov") for part in parts]
    for part, frames in zip(parts, ((0, 4), (4, 7)), strict=True):
        with (
            Reader(film, frames=frames) as reader,
            Writer(part, reader, preset=preset, streams=False) as writer,
        ):
            for frame in reader:
                writer.write(writer.picture(frame))
    whole = tmp_path / name
    with Reader(film) as reader:
        timeline = reader.timeline()
    assert timeline is not None
    concat_segments(parts, reader, whole, timeline=timeline, preset=preset)

    assert holds_packets(whole, parts)
    assert not holds_packets(whole, parts[:1])
    assert not holds_packets(whole, parts[::-1])
    assert not holds_packets(parts[0], parts)

    content = bytearray(whole.read_bytes())
    content[len(content) // 2] ^= 1  # the pictures are all of it but its ends
    whole.write_bytes(content)
    assert not holds_packets(whole, parts)
