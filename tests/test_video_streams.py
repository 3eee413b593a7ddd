"""Promise 2, the rest: sound, titles, chapters, tags, rotation, pixel aspect, fields."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from pycolor.errors import FilmError
from pycolor.video.io import Reader, Writer
from pycolor.video.verify import verify
from tests.films import colorize, make_film
from tests.test_video_luma import failures

QUICK = {"preset": "ultrafast"}


@pytest.mark.parametrize("result", [".mkv", ".mp4", ".mov"])
@pytest.mark.parametrize("source", [".mkv", ".mp4", ".mov"])
@pytest.mark.parametrize("sound", ["aac", "ac3", "pcm_s16le", "libmp3lame", "alac"])
def test_sound_is_copied_packet_by_packet(
    tmp_path: Path, source: str, result: str, sound: str
) -> None:
    film = make_film(
        tmp_path / f"in{source}",
        codec="libx264",
        options=QUICK,
        sound=[sound, sound],
        languages=["ger" if source == ".mov" else "deu", "fra"],
    )
    colorize(film, tmp_path / f"out{result}", preset="lossless-h264", options=QUICK)
    report = verify(film, tmp_path / f"out{result}")
    assert failures(report) == []
    tracks = [c for c in report.checks if c.name in ("audio 1", "audio 2")]
    assert len(tracks) == 2
    assert all("identical" in c.detail for c in tracks)
    with Reader(tmp_path / f"out{result}") as reader:
        german, french = [s.language for s in reader.info.streams]
    assert german == ("ger" if ".mov" in (source, result) else "deu")
    assert french == "fra"


def test_an_edit_list_does_not_shift_a_matroska(tmp_path: Path) -> None:
    """AAC in MP4 begins before time 0; PyAV's defaults would move the whole film by that."""
    film = make_film(tmp_path / "in.mp4", codec="libx264", options=QUICK, sound=["aac"])
    colorize(film, tmp_path / "out.mkv")
    with Reader(tmp_path / "out.mkv") as reader:
        assert next(iter(reader)).time == 0


def test_sound_that_outlasts_the_picture_is_kept_to_its_end(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", frames=2, sound=["pcm_s16le"])
    colorize(film, tmp_path / "out.mkv")
    check = next(c for c in verify(film, tmp_path / "out.mkv").checks if "audio" in c.name)
    assert check.state == "ok"
    with av.open(str(tmp_path / "out.mkv")) as container:
        last = list(container.demux(audio=0))[-2]
        assert last.pts is not None
        assert float(last.pts * last.time_base) > 0.3


def test_sound_that_the_container_cannot_hold_is_refused_at_once(tmp_path: Path) -> None:
    film = make_film(tmp_path / "in.mkv", sound=["flac"])
    with Reader(film) as reader, pytest.raises(FilmError, match=r"cannot hold audio.*\.mkv"):
        Writer(tmp_path / "out.mov", reader)
    assert list(tmp_path.iterdir()) == [film]


@pytest.mark.parametrize(
    ("source", "result"), [(".mp4", ".mkv"), (".mkv", ".mp4"), (".mkv", ".mkv"), (".mp4", ".mov")]
)
def test_titles_are_carried_as_the_container_writes_them(
    tmp_path: Path, source: str, result: str
) -> None:
    kind = "subrip" if source == ".mkv" else "mov_text"
    film = make_film(tmp_path / f"in{source}", codec="libx264", options=QUICK, titles=kind)
    colorize(film, tmp_path / f"out{result}", options={})
    report = verify(film, tmp_path / f"out{result}")
    assert failures(report) == []
    with av.open(str(tmp_path / f"out{result}")) as container:
        stream = container.streams.subtitles[0]
        assert stream.language == "eng"
        texts = [bytes(p) for p in container.demux(stream) if p.size > 2]
    assert b"Silence." in texts[0]
    assert b"A door opens." in b"".join(texts[1:])


def test_chapters_and_metadata(tmp_path: Path) -> None:
    film = make_film(
        tmp_path / "in.mkv",
        chapters=True,
        frames=12,
        metadata={"title": "The Kitchen", "comment": "Reel 2"},
    )
    for name in ("out.mkv", "out.mp4"):
        colorize(film, tmp_path / name, metadata={"description": "colorized"})
        assert failures(verify(film, tmp_path / name)) == []
        with av.open(str(tmp_path / name)) as container:
            lowered = {k.lower(): v for k, v in container.metadata.items()}
            assert lowered["title"] == "The Kitchen"
            assert lowered["comment"] == "Reel 2"
            assert lowered["description"] == "colorized"
            assert [c["metadata"]["title"] for c in container.chapters()] == ["one", "two"]
    colorize(film, tmp_path / "part.mkv", frames=(6, 12))
    with av.open(str(tmp_path / "part.mkv")) as container:
        assert [c["metadata"]["title"] for c in container.chapters()] == ["two"]


def test_attachments_are_kept_or_named(tmp_path: Path) -> None:
    film = tmp_path / "in.mkv"
    with av.open(str(film), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=24, width=64, height=48)
        container.add_attachment("notes.txt", "text/plain", b"as found in the can")
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    writer = colorize(film, tmp_path / "out.mkv")
    assert writer.dropped == ()
    with av.open(str(tmp_path / "out.mkv")) as container:
        attachment = container.streams.attachments[0]
        assert (attachment.name, attachment.data) == ("notes.txt", b"as found in the can")
    writer = colorize(film, tmp_path / "out.mp4")
    assert "notes.txt" in str(writer.dropped[0])
    assert any("notes.txt" in w for w in writer.warnings)


TAGS = [
    {"matrix": 1, "primaries": 1, "transfer": 1, "color_range": 1},
    {"matrix": 5, "primaries": 5, "transfer": 5, "color_range": 1},
    {"matrix": 6, "primaries": 6, "transfer": 6, "color_range": 2},
    {"matrix": 9, "primaries": 9, "transfer": 16, "color_range": 1},
]


@pytest.mark.parametrize("tags", TAGS, ids=lambda t: str(t["matrix"]))
@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
def test_color_tags(tmp_path: Path, name: str, tags: dict[str, int]) -> None:
    film = make_film(tmp_path / "in.mkv", **tags)  # type: ignore[arg-type]
    colorize(film, tmp_path / name)
    assert failures(verify(film, tmp_path / name)) == []
    with Reader(tmp_path / name) as reader:
        stored = reader.info.tags
    assert (stored.matrix, stored.primaries, stored.transfer) == (
        tags["matrix"],
        tags["primaries"],
        tags["transfer"],
    )
    assert stored.range == tags["color_range"]


@pytest.mark.parametrize("siting", ["left", "center", "topleft", "top"])
@pytest.mark.parametrize(
    ("name", "preset"), [("out.mkv", None), ("out.mkv", "h264"), ("out.mp4", None)]
)
@pytest.mark.parametrize("source", ["in.mkv", "in.mp4"])
def test_chroma_location(
    tmp_path: Path, source: str, name: str, preset: str | None, siting: str
) -> None:
    film = make_film(tmp_path / source, codec="libx264", siting=siting, frames=2, matrix=1)
    colorize(film, tmp_path / name, preset=preset)
    with Reader(film) as before, Reader(tmp_path / name) as after:
        assert before.info.encoding.chroma_location == siting
        assert after.info.tags.chroma_location == before.info.tags.chroma_location
    assert failures(verify(film, tmp_path / name)) == []


@pytest.mark.parametrize(
    ("height", "code", "matrix"),
    [(576, 5, "bt601"), (480, 6, "bt601"), (486, 6, "bt601"), (720, 1, "bt709"), (48, 1, "bt709")],
)
def test_a_matrix_is_chosen_and_written_where_none_is_stored(
    tmp_path: Path, height: int, code: int, matrix: str
) -> None:
    film = make_film(tmp_path / "in.mkv", height=height, frames=1)
    with Reader(film) as reader:
        assert reader.info.tags.matrix == 2
        assert (reader.info.matrix_code, reader.info.encoding.matrix) == (code, matrix)
        assert any("no matrix is stored" in w for w in reader.info.warnings)
    for name in ("out.mkv", "out.mp4", "out.mov"):
        preset = "v210" if name.endswith("mov") else None
        colorize(film, tmp_path / name, preset=preset)
        with Reader(tmp_path / name) as reader:
            assert reader.info.encoding.matrix == matrix
            assert reader.info.tags.matrix in ((5, 6) if code in (5, 6) else (1,))


@pytest.mark.parametrize("aspect", [Fraction(16, 15), Fraction(64, 45), Fraction(8, 9)])
@pytest.mark.parametrize("source", ["in.mp4", "in.mov"])
@pytest.mark.parametrize(
    ("name", "preset"), [("out.mkv", None), ("out.mp4", None), ("out.mov", "prores")]
)
def test_pixel_aspect(
    tmp_path: Path, name: str, preset: str | None, source: str, aspect: Fraction
) -> None:
    film = make_film(tmp_path / source, codec="libx264", pixel_aspect=aspect, frames=3)
    colorize(film, tmp_path / name, preset=preset)
    with Reader(tmp_path / name) as reader:
        assert reader.info.pixel_aspect == aspect
        assert reader.info.picture_metadata.get("title", "") == ""
    assert failures(verify(film, tmp_path / name)) == []


def test_a_title_of_the_picture_survives_the_pixel_aspect(tmp_path: Path) -> None:
    film = make_film(
        tmp_path / "in.mkv",
        codec="libx264",
        pixel_aspect=Fraction(16, 11),
        sound=["aac"],
        muxer_options={},
    )
    colorize(film, tmp_path / "one.mkv")
    with av.open(str(film)) as a, av.open(str(tmp_path / "titled.mkv"), "w") as b:
        out = {s.index: b.add_stream_from_template(s, opaque=True) for s in a.streams}
        out[0].metadata["title"] = "Fünfte Rolle"
        for packet in a.demux():
            if packet.size:
                packet.stream = out[packet.stream_index]
                b.mux_one(packet)
    colorize(tmp_path / "titled.mkv", tmp_path / "out.mkv")
    with Reader(tmp_path / "out.mkv") as reader:
        assert reader.info.picture_metadata["title"] == "Fünfte Rolle"
        assert reader.info.pixel_aspect == Fraction(16, 11)


@pytest.mark.parametrize("rotation", [90, 180, -90])
@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
def test_rotation(tmp_path: Path, name: str, rotation: int) -> None:
    film = make_film(tmp_path / "in.mp4", codec="libx264", rotation=rotation, frames=3)
    colorize(film, tmp_path / name)
    with Reader(film) as before, Reader(tmp_path / name) as after:
        assert abs(before.info.rotation) == abs(rotation)
        assert after.info.rotation == before.info.rotation
    assert failures(verify(film, tmp_path / name)) == []


FIELD_PRESETS = [("out.mkv", None), ("out.mkv", "h264"), ("out.mov", "prores"), ("out.mov", "v210")]


@pytest.mark.parametrize(
    ("name", "preset", "order"),
    [
        # FFmpeg reads H.264 in MP4 and MOV as top field first, whatever its frames say.
        ("out.mp4", None, 2),
        ("out.mov", None, 2),
        *((name, preset, order) for order in (2, 3) for name, preset in FIELD_PRESETS),
    ],
)
def test_fields(tmp_path: Path, name: str, preset: str | None, order: int) -> None:
    film = make_film(tmp_path / "in.mkv", codec="libx264", field_order=order, frames=4, height=64)
    colorize(film, tmp_path / name, preset=preset)
    with Reader(film) as before, Reader(tmp_path / name) as after:
        assert before.info.interlaced
        assert after.info.interlaced
        assert after.info.field_order == before.info.field_order
    assert failures(verify(film, tmp_path / name)) == []


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
@pytest.mark.parametrize("source", ["in.mov", "in.mkv"])
def test_timecode(tmp_path: Path, source: str, name: str) -> None:
    film = make_film(tmp_path / source, codec="libx264", timecode="10:21:03:07", rate=25, frames=4)
    writer = colorize(film, tmp_path / name)
    assert writer.dropped == ()
    with Reader(tmp_path / name) as reader:
        assert reader.info.timecode == "10:21:03:07"
    assert failures(verify(film, tmp_path / name)) == []


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
def test_an_independent_reader_agrees(tmp_path: Path, name: str) -> None:
    film = make_film(
        tmp_path / "in.mp4",
        codec="libx264",
        pixel_aspect=Fraction(16, 11),
        rate=25,
        frames=25,
        rotation=90,
        sound=["aac"],
        **TAGS[1],  # type: ignore[arg-type]
    )
    colorize(film, tmp_path / name)
    told = []
    for path in (film, tmp_path / name):
        command = ["ffprobe", "-v", "error", "-of", "json", "-show_streams", str(path)]
        streams = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        stream = next(s for s in streams["streams"] if s["codec_type"] == "video")
        keys = ["width", "height", "sample_aspect_ratio", "color_range", "color_space"]
        keys += ["color_primaries", "color_transfer", "r_frame_rate"]
        told.append({k: stream.get(k) for k in keys})
    assert told[0] == told[1]


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_cover_art_is_named(tmp_path: Path, name: str) -> None:
    film = make_film(tmp_path / "plain.mp4", codec="libx264", options=QUICK, sound=["aac"])
    source = tmp_path / "in.mp4"
    with av.open(str(film)) as a, av.open(str(source), "w") as b:
        out = {s.index: b.add_stream_from_template(s, opaque=True) for s in a.streams}
        cover: Any = b.add_stream("png", width=32, height=32, pix_fmt="rgb24", rate=1)
        cover.disposition = av.stream.Disposition.attached_pic
        b.mux(cover.encode(av.VideoFrame(32, 32, "rgb24")))
        b.mux(cover.encode(None))
        for packet in a.demux():
            if packet.size:
                packet.stream = out[packet.stream_index]
                b.mux_one(packet)
    marked = {"COLORIZATION": "as the commands write it"}  # FFmpeg's MP4 then drops cover art
    writer = colorize(source, tmp_path / name, options={}, metadata=marked)
    assert failures(verify(source, tmp_path / name)) == []
    with Reader(tmp_path / name) as reader:
        assert [s.kind for s in reader.info.streams] == ["audio"]
        assert reader.info.width == 64
    assert "cover art" in str(writer.dropped[0])


def test_a_second_picture_is_copied(tmp_path: Path) -> None:
    one = make_film(tmp_path / "one.mkv", codec="libx264", options=QUICK, frames=6)
    two = make_film(tmp_path / "two.mkv", codec="libx264", options=QUICK, frames=6, width=32)
    source = tmp_path / "in.mkv"
    with (
        av.open(str(one)) as a,
        av.open(str(two)) as b,
        av.open(str(source), "w") as both,
    ):
        parts = [(c, both.add_stream_from_template(c.streams[0], opaque=True)) for c in (a, b)]
        for container, stream in parts:
            for packet in container.demux():
                if packet.size:
                    packet.stream = stream
                    both.mux_one(packet)
    for name in ("out.mkv", "out.mp4"):
        colorize(source, tmp_path / name, options={})
        report = verify(source, tmp_path / name)
        assert failures(report) == []
        assert any(c.name == "video 1" and "6 packets identical" in c.detail for c in report.checks)


def test_a_transport_stream_with_two_tracks(tmp_path: Path) -> None:
    """MPEG-TS wraps AAC in headers that MP4 and Matroska leave out."""
    film = make_film(
        tmp_path / "in.ts", codec="libx264", options=QUICK, frames=12, sound=["aac", "mp2"]
    )
    for name in ("out.mkv", "out.mp4"):
        colorize(film, tmp_path / name, options={})
        assert failures(verify(film, tmp_path / name)) == []
