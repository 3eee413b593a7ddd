"""Tags, flags, chapters, attachments and timecodes: kept, or named before the work starts."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition
from hypothesis import given
from hypothesis import strategies as st

from pycolor.errors import FilmError
from pycolor.video.io import Reader, Writer, concat_segments, scan
from pycolor.video.io.containers.timecode import later_timecode
from pycolor.video.io.write.streams.metadata import fate_of_stream, supported_tags
from pycolor.video.verify import Check, verify
from tests.films import colorize, make_film
from tests.test_video_luma import failures

QUICK = {"preset": "ultrafast"}
FILM_TAGS = {
    "title": "The Kitchen",
    "comment": "Reel 2",
    "date": "1936",
    "creation_time": "2001-02-03T04:05:06.000000Z",
    "reel_name": "R-07",
    "ARCHIVE_ID": "x-12",
    "Aufbewahrung": "Kühlraum 3",
}


def found(source: Path, result: Path, name: str, **options: Any) -> list[Check]:
    return [c for c in verify(source, result, **options).checks if c.name == name]


def remux(source: Path, target: Path, change: Any) -> Path:
    """Copy a film by packet, after `change(container, streams)` has altered what it says."""
    with av.open(str(source)) as a, av.open(str(target), "w") as b:
        out: dict[int, Any] = {}
        for stream in a.streams:
            out[stream.index] = b.add_stream_from_template(stream, opaque=True)
            out[stream.index].metadata.update(stream.metadata)
            out[stream.index].disposition = stream.disposition
        b.metadata.update(a.metadata)
        b.set_chapters(a.chapters())
        change(b, [out[i] for i in sorted(out)])
        for packet in a.demux(*(s for s in a.streams if s.type != "attachment")):
            if packet.size:
                packet.stream = out[packet.stream.index]
                b.mux_one(packet)
    return target


# -- tags --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
def test_every_tag_of_the_film_is_kept(tmp_path: Path, name: str) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2, metadata=FILM_TAGS)
    writer = colorize(source, tmp_path / name, metadata={"description": "colored"})
    assert not any("tag" in warning for warning in writer.warnings)
    checks = found(source, tmp_path / name, "tags")
    assert [(c.state, c.detail) for c in checks] == [("ok", f"{len(FILM_TAGS)} equal")]
    with Reader(tmp_path / name) as reader:
        lowered = {k.lower(): v for k, v in reader.info.metadata.items()}
    assert lowered["description"] == "colored"
    assert lowered["aufbewahrung"] == "Kühlraum 3"


def test_common_tags_stay_where_players_look(tmp_path: Path) -> None:
    """QuickTime's list of free keys replaces the tags that every player shows; only if needed."""
    common = {"title": "The Kitchen", "comment": "Reel 2", "date": "1936"}
    assert not supported_tags(common, "mp4").free_keys
    assert supported_tags(common, "mp4").lost == ()
    free = supported_tags(common | {"reel_name": "R-07"}, "mp4")
    assert (free.lost, free.free_keys) == ((), True)


def test_tags_that_a_container_cannot_hold_are_named(tmp_path: Path) -> None:
    film = make_film(tmp_path / "plain.mkv", frames=2, sound=["pcm_s16le"], rate=25)

    def tag(_: Any, streams: list[Any]) -> None:
        streams[0].metadata.update({"comment": "of the picture", "title": "Print"})
        streams[1].metadata.update({"title": "Commentary", "speaker": "N. N.", "language": "deu"})
        streams[1].disposition = Disposition.comment

    source = remux(film, tmp_path / "in.mkv", tag)
    writer = colorize(source, tmp_path / "out.mkv")
    assert writer.warnings == ()
    assert failures(verify(source, tmp_path / "out.mkv")) == []
    writer = colorize(source, tmp_path / "out.mov", preset="prores")
    assert failures(verify(source, tmp_path / "out.mov")) == []
    told = " ".join(writer.warnings)
    assert "mov does not hold of the picture: tag comment" in told.lower()
    assert "speaker" in told.lower()
    assert "flag comment" in told
    notes = [c for c in verify(source, tmp_path / "out.mov").checks if c.state == "note"]
    assert {(c.stream, c.key.lower(), c.expected) for c in notes} >= {
        (None, "comment", "of the picture"),
        (1, "speaker", "N. N."),
        (1, "comment", "set"),
    }


def test_verify_names_the_stream_the_key_and_both_values(tmp_path: Path) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        frames=6,
        sound=["pcm_s16le", "pcm_s16le"],
        languages=["deu", "fra"],
        titles="subrip",
        chapters=True,
        metadata=FILM_TAGS,
    )
    with av.open(str(source)) as container:
        count = len(container.streams)
    assert count == 4

    def spoil(container: Any, streams: list[Any]) -> None:
        container.metadata["ARCHIVE_ID"] = "x-13"
        container.metadata["added"] = "by another hand"
        streams[2].metadata["language"] = "ita"
        streams[3].disposition = Disposition(0)
        chapters = container.chapters()
        chapters[1]["metadata"]["title"] = "three"
        chapters[0]["end"] = chapters[0]["end"] * 5 // 4
        container.set_chapters(chapters)

    def default(_: Any, streams: list[Any]) -> None:
        streams[3].disposition = Disposition.forced

    first = remux(source, tmp_path / "first.mkv", default)
    spoiled = remux(first, tmp_path / "spoiled.mkv", spoil)
    assert verify(source, first).ok
    wrong = {
        (c.name, c.stream, c.key.lower(), c.expected, c.got)
        for c in verify(first, spoiled).checks
        if c.state == "differs"
    }
    assert wrong == {
        ("tags", None, "archive_id", "x-12", "x-13"),
        ("audio 2 language", 2, "language", "fra", "ita"),
        ("subtitle 3 flag", 3, "forced", "set", "not set"),
        ("chapter 0", None, "end", "1/5", "1/4"),
        ("chapter 1", None, "title", "two", "three"),
    }


def test_the_report_is_strict_json(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2, metadata=FILM_TAGS)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    colorize(source, tmp_path / "out.mkv")
    text = json.dumps(verify(source, tmp_path / "out.mkv").to_json(), allow_nan=False)
    plain = json.loads(text, parse_constant=refuse)
    assert plain["ok"] is True
    assert plain["least_psnr_db"] is None
    assert {"name", "state", "detail", "stream", "key", "expected", "got"} == set(
        plain["checks"][0]
    )


def test_a_missing_track_or_attachment_differs(tmp_path: Path) -> None:
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=24, width=64, height=48)
        container.add_attachment("notes.txt", "text/plain", b"as found in the can")
        container.add_attachment("label.bin", "application/octet-stream", b"\1\2")
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    colorize(source, tmp_path / "out.mkv")
    states = {c.name: c.state for c in verify(source, tmp_path / "out.mkv").checks}
    assert (states["attachment 1"], states["attachment 2"]) == ("ok", "ok")
    bare = make_film(tmp_path / "bare.mkv", frames=3)
    missing = [c for c in verify(source, bare).checks if c.name.startswith("attachment")]
    assert [(c.state, c.stream) for c in missing] == [("differs", 1), ("differs", 2)]
    other = tmp_path / "other.mkv"
    with av.open(str(other), "w") as container:
        stream = container.add_stream("ffv1", rate=24, width=64, height=48)
        container.add_attachment("notes.txt", "text/plain", b"as found in the bin")
        container.add_attachment("label.bin", "application/octet-stream", b"\1\2")
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    [check] = found(source, other, "attachment 1")
    assert (check.state, check.key) == ("differs", "data")


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
@pytest.mark.parametrize("frames", [None, (3, None), (6, 12), (0, 4)])
def test_chapters_of_a_range(tmp_path: Path, name: str, frames: Any) -> None:
    source = make_film(tmp_path / "in.mkv", frames=16, rate=25, chapters=True, sound=["aac"])
    colorize(source, tmp_path / name, frames=frames)
    assert failures(verify(source, tmp_path / name, frames=frames)) == []


@pytest.mark.parametrize("container", ["matroska", "mp4", "mov"])
def test_what_a_stream_can_be_called(container: str) -> None:
    assert fate_of_stream({"title": "Print"}, container).lost == ()


# -- timecode ----------------------------------------------------------------------------------

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("timecode", "frames", "rate", "later"),
    [
        # SMPTE ST 12-1, 5.2.2: drop-frame skips 00 and 01 of every minute but each tenth.
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("00:00:00;00", 17982, NTSC, "00:10:00;00"),
        ("00:00:00;00", 107892, NTSC, "01:00:00;00"),
        ("00:00:59;59", 1, Fraction(60000, 1001), "00:01:00;04"),
        ("00:00:59:29", 1, NTSC, "00:01:00:00"),
        ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),
        ("10:21:03:07", 18, Fraction(25), "10:21:04:00"),
        ("01:00:00:00", 24 * 60, Fraction(24000, 1001), "01:01:00:00"),
        ("01:00:00:25", 1, Fraction(25), None),
        ("01:00:00;00", 1, Fraction(25), None),
        ("an hour in", 1, Fraction(25), None),
    ],
)
def test_later_timecodes(timecode: str, frames: int, rate: Fraction, later: str | None) -> None:
    assert later_timecode(timecode, frames, rate) == later


@given(st.integers(0, 2_589_407), st.integers(-200_000, 200_000))
def test_drop_frame_counts_without_gap_or_repeat(start: int, frames: int) -> None:
    begin = later_timecode("00:00:00;00", start, NTSC)
    assert begin is not None
    there = later_timecode(begin, frames, NTSC)
    assert there is not None
    assert later_timecode(there, -frames, NTSC) == begin
    minutes, seconds, frame = int(there[3:5]), int(there[6:8]), int(there[9:])
    assert frame >= 2 or seconds or minutes % 10 == 0


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.mov"])
@pytest.mark.parametrize(
    ("rate", "timecode", "later"),
    [(25, "10:00:00:20", "10:00:01:01"), (NTSC, "00:00:59;28", "00:01:00;06")],
)
def test_a_range_begins_at_its_timecode(
    tmp_path: Path, name: str, rate: Any, timecode: str, later: str
) -> None:
    source = make_film(tmp_path / "in.mov", codec="libx264", timecode=timecode, rate=rate, frames=9)
    colorize(source, tmp_path / name, frames=(6, 9))
    with Reader(tmp_path / name) as reader:
        assert reader.info.timecode == later
    assert failures(verify(source, tmp_path / name, frames=(6, 9))) == []


def test_a_timecode_that_cannot_be_counted_on_is_named(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", timecode="01:00:00:40", rate=25, frames=5)
    writer = colorize(source, tmp_path / "out.mkv", frames=(2, 5))
    assert any("01:00:00:40 cannot be counted on" in w for w in writer.warnings)


# -- messages ----------------------------------------------------------------------------------


def test_messages_name_the_target_and_not_the_hidden_file(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    source = make_film(tmp_path / "in.mkv", frames=4)
    hidden, target = tmp_path / ".film.part-1.mkv", tmp_path / "film.mkv"
    hidden.symlink_to("/dev/full")
    with pytest.raises(FilmError, match="No space left") as caught:
        colorize(source, hidden, name=target)
    assert str(target) in str(caught.value)
    assert ".part" not in str(caught.value)
    with Reader(source) as reader:
        writer = Writer(hidden, reader, name=target)
        with pytest.raises(FilmError, match=r"/film\.mkv would hold no frame"):
            writer.finish()
    hidden.symlink_to("/dev/full")
    colorize(source, tmp_path / "segment.mkv", streams=False)
    timeline = scan(source)
    assert timeline is not None
    with Reader(source) as reader, pytest.raises(FilmError, match=r"/film\.mkv could not be"):
        concat_segments([tmp_path / "segment.mkv"], reader, hidden, timeline=timeline, name=target)


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    with pytest.raises(FilmError, match=r"out\.mkv could not be written: No such file"):
        colorize(source, tmp_path / "gone" / "out.mkv")
