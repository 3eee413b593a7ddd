"""What containers carry beside picture and sound: kept, or named before the work."""

from __future__ import annotations

import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from pycolor.errors import FilmError
from pycolor.video.io import Reader
from pycolor.video.io.containers.matroska.ebml import SEGMENT, children, element
from pycolor.video.io.containers.matroska.extras import matroska_extras
from pycolor.video.verify import verify
from tests.films import by_segments, make_film

ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
mkvinfo = pytest.mark.skipif(shutil.which("mkvinfo") is None, reason="mkvinfo is not installed")


def run(*command: str | Path) -> str:
    return subprocess.run(
        [str(word) for word in command], capture_output=True, check=True, text=True
    ).stdout


def samples(path: Path, *more: str) -> bytes:
    """The sound as FFmpeg's own command decodes it."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), *more, "-map", "a:0", "-f", "s16le", "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


# -- alpha -------------------------------------------------------------------------------------


def alpha_of(path: Path) -> tuple[bool, str | None]:
    """Whether the pictures have alpha, and what Matroska says of alpha beside them."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        said = {key.lower(): value for key, value in stream.metadata.items()}
        return any(c.is_alpha for c in frame.format.components), said.get("alpha_mode")


@pytest.mark.parametrize("target", ["out.mkv", "out.mp4"])
def test_alpha_beside_rgb_is_left_out_and_named_once(tmp_path: Path, target: str) -> None:
    source = make_film(tmp_path / "in.mkv", pixel_format="bgra", frames=3)
    notes = by_segments(source, tmp_path / target)
    assert sum("alpha" in note for note in notes) == 1
    assert alpha_of(tmp_path / target) == (False, None)


def test_alpha_that_vp9_has_beside_the_picture_is_named(tmp_path: Path) -> None:
    options = {"cpu-used": "8", "deadline": "realtime"}
    film = tmp_path / "in.webm"
    make_film(film, codec="libvpx-vp9", pixel_format="yuva420p", frames=3, options=options)
    assert alpha_of(film) == (False, "1")  # FFmpeg's decoder leaves it out
    notes = by_segments(film, tmp_path / "out.mkv")
    assert "the alpha channel is left out" in notes
    assert alpha_of(tmp_path / "out.mkv") == (False, None)
    assert verify(film, tmp_path / "out.mkv").ok


def test_alpha_of_ffv1_is_kept(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", pixel_format="yuva420p", frames=3)
    assert not any("alpha" in note for note in by_segments(source, tmp_path / "out.mkv"))
    assert alpha_of(tmp_path / "out.mkv")[0]


# -- sound -------------------------------------------------------------------------------------


@ffmpeg
@pytest.mark.parametrize("target", ["out.mkv", "out.mp4", "out.mov"])
def test_the_sound_of_a_disc_becomes_plain_pcm(tmp_path: Path, target: str) -> None:
    source = tmp_path / "disc.vob"
    picture = "testsrc2=s=352x240:r=30000/1001"
    run(
        *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=440"),
        *("-t", "0.5", "-pix_fmt", "yuv420p", "-c:v", "mpeg2video", "-c:a", "pcm_dvd"),
        *("-ar", "48000", "-f", "dvd", source),
    )
    notes = by_segments(source, tmp_path / target)
    assert any("the same samples are written as pcm_s16le" in note for note in notes)
    assert samples(tmp_path / target) == samples(source)
    report = verify(source, tmp_path / target)
    assert report.ok
    assert any("the same samples as pcm_s16le" in check.detail for check in report.checks)


def test_sound_that_an_edit_list_hides_is_kept_where_a_decoder_needs_it(tmp_path: Path) -> None:
    # No noise substitution: its decoder draws random numbers, so no two runs into it are equal.
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    run_in = make_film(whole, codec="libx264", options={"g": "48", "bf": "0"}, frames=48)
    with av.open(str(run_in)) as film, av.open(str(cut), "w") as out:
        picture = out.add_stream_from_template(film.streams.video[0])
        track: Any = out.add_stream("aac", rate=48000, options={"aac_pns": "0"})
        for packet in film.demux(film.streams.video[0]):
            if packet.size:  # the first half before 0, which an edit list hides
                assert packet.pts is not None
                assert packet.dts is not None
                packet.pts, packet.dts = packet.pts - 12288, packet.dts - 12288
                packet.stream = picture
                out.mux(packet)
        random = np.random.default_rng(5)
        for start in range(-48000, 48000, 1024):
            wave = random.normal(0, 0.2, (1, 1024)).astype("<f4")
            frame = av.AudioFrame.from_ndarray(
                np.repeat(wave, 2, axis=0), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts = 48000, start
            frame.time_base = Fraction(1, 48000)
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
    by_segments(cut, tmp_path / "out.mkv", length=40)
    with av.open(str(tmp_path / "out.mkv")) as result:
        early = [p for p in result.demux(result.streams.audio[0]) if p.size and (p.pts or 0) < 0]
    assert early
    one, other = (decoded(path) for path in (cut, tmp_path / "out.mkv"))
    shown = one[-40000:]
    assert np.array_equal(shown, other[-len(shown) :])


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as film:
        return np.concatenate([f.to_ndarray()[0] for f in film.decode(film.streams.audio[0])])


# -- captions, reels, apertures ----------------------------------------------------------------


def captioned(path: Path) -> Path:
    """MPEG-2 whose pictures carry captions (ATSC A/53 part 4, 6.2.3) as user data."""
    bare = make_film(path.with_name("bare.m2v"), codec="mpeg2video", options={"bf": "0"}, rate=25)
    data, out, at = bare.read_bytes(), b"", 0
    user = b"\0\0\1\xb2GA94\x03\x41\xff" + b"\xfc\x94\x2c" + b"\xff"
    while (slice_ := data.find(b"\0\0\1\x01", at)) >= 0:  # the first slice of a picture
        out += data[at:slice_] + user + data[slice_ : slice_ + 4]
        at = slice_ + 4
    path.write_bytes(out + data[at:])
    return path


@ffmpeg
def test_captions_are_kept_or_named(tmp_path: Path) -> None:
    source = captioned(tmp_path / "in.m2v")
    for target, kept in (("out.mp4", True), ("out.mkv", False), ("out.mov", True)):
        notes = by_segments(source, tmp_path / target)
        assert any("captions" in note for note in notes) != kept
        told = run(
            *("ffprobe", "-v", "error", "-select_streams", "v", "-show_frames"),
            tmp_path / target,
        )
        assert told.count("A53 Part 4") == (10 if kept else 0)
        report = verify(source, tmp_path / target)
        assert report.ok
        check = next(c for c in report.checks if c.name == "captions")
        assert check.state == ("ok" if kept else "note")


def with_reel(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(
            "prores_ks", rate=24, width=64, height=48, pix_fmt="yuv422p10le"
        )
        stream.metadata.update({"timecode": "01:00:00:00", "reel_name": "A001C002"})
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv422p10le")))
        container.mux(stream.encode(None))
    return path


@ffmpeg
def test_a_reel_is_kept_or_named(tmp_path: Path) -> None:
    source = with_reel(tmp_path / "in.mov")
    for target, kept in (("out.mov", True), ("out.mkv", True), ("out.mp4", False)):
        notes = by_segments(source, tmp_path / target)
        assert any("reel name" in note for note in notes) != kept
        told = run("ffprobe", "-v", "error", "-show_streams", tmp_path / target)
        assert ("A001C002" in told) == kept
        assert verify(source, tmp_path / target).ok


@ffmpeg
@pytest.mark.parametrize("target", ["out.mov", "out.mkv"])
def test_a_second_picture_keeps_its_timecode(tmp_path: Path, target: str) -> None:
    source = tmp_path / "two.mov"
    with av.open(str(source), "w") as container:
        for code in ("01:00:00:00", "10:00:00:00"):
            stream: Any = container.add_stream(
                "prores_ks", rate=25, width=64, height=48, pix_fmt="yuv422p10le"
            )
            stream.metadata["timecode"] = code
        for stream in container.streams:
            for _ in range(3):
                container.mux(stream.encode(av.VideoFrame(64, 48, "yuv422p10le")))
            container.mux(stream.encode(None))
    by_segments(source, tmp_path / target)
    told = run("ffprobe", "-v", "error", "-show_streams", tmp_path / target).lower()
    assert "timecode=01:00:00:00" in told
    assert "timecode=10:00:00:00" in told


def test_a_clean_aperture_is_named(tmp_path: Path) -> None:
    plain = make_film(
        tmp_path / "plain.mov", codec="prores_ks", pixel_format="yuv422p10le", frames=2
    )
    source = tmp_path / "clap.mov"
    source.write_bytes(with_clap(plain.read_bytes()))
    with Reader(source) as reader:
        assert reader.info.clean_aperture == (Fraction(60), Fraction(40))
    with Reader(plain) as reader:
        assert reader.info.clean_aperture is None
    notes = by_segments(source, tmp_path / "out.mov")
    assert any("clean aperture" in note for note in notes)


def with_clap(film: bytes) -> bytes:
    """A film of FFmpeg's, its index last, with 60×40 of its picture marked as clean."""
    clap = struct.pack(">I4s8I", 40, b"clap", 60, 1, 40, 1, 0, 1, 0, 1)
    data, begin, parents = bytearray(film), 0, []
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        begin = data.index(name, begin) - 4
        parents.append(begin)
        begin += 8
    entry = begin + 8
    parents.append(entry)
    end = entry + int.from_bytes(data[entry : entry + 4], "big")
    data[end:end] = clap
    for at in parents:
        size = int.from_bytes(data[at : at + 4], "big") + len(clap)
        data[at : at + 4] = size.to_bytes(4, "big")
    return bytes(data)


# -- Matroska ----------------------------------------------------------------------------------


def number(identifier: int, value: int) -> bytes:
    return element(identifier, value.to_bytes(8, "big"))


def title(text: str, language: str) -> bytes:
    return element(0x80, element(0x85, text.encode()) + element(0x437C, language.encode()))


def atom(uid: int, start: int, stop: int, *inner: bytes) -> bytes:
    times = number(0x91, start * 10**6) + number(0x92, stop * 10**6)
    return element(0xB6, number(0x73C4, uid) + times + b"".join(inner))


def tag(level: int, name: str, value: str) -> bytes:
    simple = element(0x67C8, element(0x45A3, name.encode()) + element(0x4487, value.encode()))
    return element(0x7373, element(0x63C0, number(0x68CA, level)) + simple)


def rich_matroska(path: Path) -> Path:
    """Nested chapters, a second language, an ordered edition, a title at two levels."""
    plain = make_film(path.with_name("plain.mkv"), pixel_format="gray", frames=24).read_bytes()
    segment = plain.index(SEGMENT.to_bytes(4, "big"))
    kept = b"".join(
        whole(c)
        for c in children(plain[segment + 12 :])
        if c.identifier in (0x1549A966, 0x1654AE6B, 0x1F43B675)
    )
    first = atom(1, 0, 500, title("Reel 1", "eng"), title("Rolle 1", "ger"), atom(2, 200, 500))
    ordered = number(0x45DD, 1) + atom(4, 0, 500, title("Again", "eng"))
    editions = element(0x45B9, first + atom(3, 500, 1000)) + element(0x45B9, ordered)
    tags = tag(50, "TITLE", "The film") + tag(70, "TITLE", "The collection")
    more = element(0x1043A770, editions) + element(0x1254C367, tags)
    path.write_bytes(plain[:segment] + element(SEGMENT, more + kept))
    return path


def whole(found: Any) -> bytes:
    return element(found.identifier, found.content)


@mkvinfo
def test_what_ffmpeg_does_not_tell_of_matroska_is_named(tmp_path: Path) -> None:
    source = rich_matroska(tmp_path / "in.mkv")
    told = run("mkvinfo", source)
    assert told.count("Edition entry") == 2
    extras = matroska_extras(source)
    assert extras.lost == [
        "1 chapters inside chapters",
        "1 titles of chapters in other languages",
        "ordered edition 2 of 2 of its chapters",
        "the tag TITLE of level 70 ('The collection')",
    ]
    for target in ("out.mkv", "out.mp4"):
        notes = by_segments(source, tmp_path / target)
        assert any("ordered edition 2" in note for note in notes)
        with Reader(tmp_path / target) as reader:
            tags = {key.lower(): value for key, value in reader.info.metadata.items()}
            assert tags["title"] == "The film"
        report = verify(source, tmp_path / target)
        assert report.ok
        assert any(c.name == "container" and c.state == "note" for c in report.checks)
    assert "The film" in run("mkvinfo", tmp_path / "out.mkv")


def test_damaged_elements_tell_nothing(tmp_path: Path) -> None:
    source = rich_matroska(tmp_path / "in.mkv")
    data = bytearray(source.read_bytes())
    data[data.index(b"\x45\xb9") + 2 : data.index(b"\x45\xb9") + 12] = bytes(10)
    (tmp_path / "damaged.mkv").write_bytes(data)
    matroska_extras(tmp_path / "damaged.mkv")
    (tmp_path / "short.mkv").write_bytes(data[:70])
    assert matroska_extras(tmp_path / "short.mkv").lost == []


# -- names and rates ---------------------------------------------------------------------------


def test_a_name_with_a_colon_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path / "plain.mkv", frames=3).rename("reel1:a.mkv")
    by_segments(Path("reel1:a.mkv"), Path("data:b.mp4"))
    assert (tmp_path / "data:b.mp4").is_file()
    assert verify(Path("reel1:a.mkv"), Path("data:b.mp4")).ok
    by_segments(Path("reel1:a.mkv"), Path("crypto:c_%03d.png"), preset="png")
    assert len(list(tmp_path.glob("crypto:c_*.png"))) == 3
    with Reader("crypto:c_%03d.png") as reader:
        assert sum(1 for _ in reader) == 3
    with pytest.raises(FilmError, match="does not exist"):
        Reader("http://localhost/film.mkv")


@ffmpeg
def test_a_y4m_without_a_rate_takes_one(tmp_path: Path) -> None:
    told = make_film(tmp_path / "in.mkv", frames=5)
    by_segments(told, tmp_path / "told.y4m")
    source = tmp_path / "untold.y4m"
    source.write_bytes((tmp_path / "told.y4m").read_bytes().replace(b" F24:1", b" F0:0", 1))
    with Reader(source) as reader:
        assert reader.info.rate == 25
        assert any("tells no rate" in warning for warning in reader.info.warnings)
    ntsc = Fraction(24000, 1001)
    notes = by_segments(source, tmp_path / "out.mp4", rate=ntsc)
    assert not any("tells no rate" in note for note in notes)
    rate = run(
        *("ffprobe", "-v", "error", "-select_streams", "v", "-of", "csv=p=0"),
        *("-show_entries", "stream=avg_frame_rate,nb_frames", tmp_path / "out.mp4"),
    )
    assert rate.split() == ["24000/1001,5"]
    with Reader(source, rate=ntsc) as one, Reader(tmp_path / "told.y4m") as other:
        for a, b in zip(one, other, strict=True):
            assert (a.luma == b.luma).all()
        assert one.damages == []
