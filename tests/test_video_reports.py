"""What users of other film tools report as wrong, each made into a small film of our own."""

from __future__ import annotations

import struct
import subprocess
from fractions import Fraction
from pathlib import Path
from shutil import which
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.io.containers.matroska.extras import matroska_extras
from pycolor.video.io.read.opening.truncation import missing_bytes
from pycolor.video.job.film import color_film
from pycolor.video.verify import verify
from tests.films import by_segments, colorize, make_film, picture

QUICK = VideoOptions(predict=PredictOptions(model="richart2017", short_side=16), segment_frames=8)
Planes = npt.NDArray[np.int64]  # N×H×W


def broadcast(path: Path, *, layout: str, rate: int, frames: int = 12, start: str = "0") -> Path:
    """MPEG-2 and MPEG audio in a transport stream, as a transmitter sends them."""
    with av.open(str(path), "w", options={"output_ts_offset": start}) as container:
        film: Any = container.add_stream("mpeg2video", rate=25, width=64, height=48)
        film.pix_fmt = "yuv420p"
        sound: Any = container.add_stream("mp2", rate=rate)
        sound.codec_context.layout = layout
        channels = sound.codec_context.layout.nb_channels
        for index in range(frames):
            container.mux(film.encode(picture("yuv420p", 64, 48, index)))
        for start_sample in range(0, rate * frames // 25, 1152):
            wave = np.sin(2 * np.pi * 440 * np.arange(start_sample, start_sample + 1152) / rate)
            tone = np.repeat((wave * 9000).astype(np.int16), channels)[None]
            frame = av.AudioFrame.from_ndarray(tone, format="s16", layout=layout)
            frame.sample_rate, frame.pts = rate, start_sample
            container.mux(sound.encode(frame))
        container.mux([*film.encode(None), *sound.encode(None)])
    return path


@pytest.mark.parametrize(("layout", "rate"), [("stereo", 48000), ("mono", 32000)])
def test_sound_that_changes_from_one_program_to_the_next(
    tmp_path: Path, layout: str, rate: int
) -> None:
    """The encoder was set up for the first: it takes no other form."""
    parts = [
        broadcast(tmp_path / "a.ts", layout="mono", rate=48000),
        broadcast(tmp_path / "b.ts", layout=layout, rate=rate, start="0.48"),
    ]
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(p.read_bytes() for p in parts))
    said: list[str] = []
    color_film(source, tmp_path / "out.webm", QUICK, say=said.append)
    assert any(f"to {layout} s16p at {rate} Hz: it is converted back" in note for note in said)
    with av.open(str(tmp_path / "out.webm")) as result:
        samples = [f.to_ndarray()[0] for f in result.decode(audio=0)]
    heard = np.concatenate(samples)
    assert len(heard) / 48000 == pytest.approx(0.96, abs=0.1)
    loud = [np.abs(part).max() for part in np.array_split(heard, 8)]
    assert min(loud[1:-1]) > 0.1  # both programs, to the end


@pytest.mark.parametrize("before", [0.6, 2.0])
def test_times_that_wrap(tmp_path: Path, before: float) -> None:
    """An MPEG stream counts to 2^33 ticks of 1/90000 s, 26.5 hours, and begins again."""
    source = make_film(
        tmp_path / "in.ts",
        codec="libx264",
        options={"preset": "ultrafast", "bf": "2", "g": "6"},
        frames=30,
        rate=25,
        sound=["mp2"],
        muxer_options={"output_ts_offset": str(2**33 / 90000 - before)},
    )
    with av.open(str(source)) as container:
        raw = [p.pts for p in container.demux(video=0) if p.pts is not None]
    assert min(raw) < 0  # FFmpeg takes 2^33 off what comes before the wrap
    assert (max(raw) < 0) == (before == 2.0)
    by_segments(source, tmp_path / "out.mkv")
    with Reader(tmp_path / "out.mkv") as reader:
        times = [frame.pts for frame in reader]
    assert np.diff(times).tolist() == [40] * 29
    assert verify(source, tmp_path / "out.mkv").ok


def test_a_size_beyond_the_file_ends_nothing(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=3)
    data = source.read_bytes()
    cluster = data.index(b"\x1f\x43\xb6\x75")
    hurt = data[:cluster] + b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xf0" + data[cluster:]
    (tmp_path / "cluster.mkv").write_bytes(hurt)
    (tmp_path / "head.mkv").write_bytes(data[:4] + b"\x01\xff\xff\xff\xff\xff\xff\xf0" + data[5:])
    for name in ("cluster.mkv", "head.mkv"):
        assert matroska_extras(tmp_path / name).lost == []
        assert missing_bytes(tmp_path / name) == ""


# -- marks that change or stand in one place only --------------------------------------------------


def test_a_pixel_aspect_that_changes_is_told_with_its_time(tmp_path: Path) -> None:
    parts = [
        make_film(
            tmp_path / f"{n}.ts",
            codec="mpeg2video",
            rate=25,
            frames=10,
            pixel_aspect=aspect,
            muxer_options={"output_ts_offset": str(0.4 * n)},
        )
        for n, aspect in enumerate((Fraction(1), Fraction(4, 3)))
    ]
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(p.read_bytes() for p in parts))
    said: list[str] = []
    color_film(source, tmp_path / "out.mkv", QUICK, say=said.append)
    (note,) = (n for n in said if "pixel aspect changes" in n)
    assert "changes from 1:1 to 4:3" in note
    assert " at 0.400 s: " in note


def test_color_that_only_the_container_tells(tmp_path: Path) -> None:
    """ProRes whose picture headers say nothing, in a MOV that says BT.709 (colr)."""
    source = make_film(
        tmp_path / "in.mov",
        codec="prores_ks",
        pixel_format="yuv422p10le",
        frames=3,
        matrix=1,
        primaries=1,
        transfer=1,
        muxer_options={"movflags": "+write_colr"},
    )
    data = bytearray(source.read_bytes())
    at = data.find(b"icpf")
    while at >= 0:
        data[at + 18 : at + 21] = bytes([2, 2, 2])  # primaries, transfer, matrix: unspecified
        at = data.find(b"icpf", at + 1)
    source.write_bytes(data)
    with av.open(str(source)) as container:
        frame = next(container.decode(video=0))
        assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (2, 2, 2)
    for target, preset in ((".mkv", None), (".mp4", None), (".mov", "prores")):
        result = tmp_path / f"out{target}"
        by_segments(source, result, preset=preset)
        with Reader(result) as reader:
            tags = reader.info.tags
            assert (tags.primaries, tags.transfer, tags.matrix) == (1, 1, 1), target
        assert verify(source, result).ok


def telecined(path: Path) -> Path:
    """Film at 24000/1001 in the fields of 30000/1001, by repeat_first_field as on NTSC DVDs."""
    raw = make_film(
        path.with_suffix(".m2v"),
        codec="mpeg2video",
        rate=Fraction(24000, 1001),
        frames=24,
        width=160,
        height=128,
        options={"bf": "0", "g": "12"},
    )
    data = bytearray(raw.read_bytes())
    at, pictures = data.find(b"\0\0\1"), 0
    while at >= 0:
        code = data[at + 3]
        if code == 0xB3:
            data[at + 7] = (data[at + 7] & 0xF0) | 4  # 30000/1001 a second
        elif code == 0xB5 and data[at + 4] >> 4 == 1:
            data[at + 5] &= ~0x08  # not a progressive sequence
        elif code == 0xB5 and data[at + 4] >> 4 == 8:
            top, repeated = (1, 1, 0, 0)[pictures % 4], (1, 0, 1, 0)[pictures % 4]
            pictures += 1
            data[at + 7] = (data[at + 7] & 0x7D) | top << 7 | repeated << 1
            data[at + 8] |= 0x80  # a progressive frame
        at = data.find(b"\0\0\1", at + 3)
    raw.write_bytes(data)
    command = ["ffmpeg", "-v", "error", "-fflags", "+genpts", "-i", str(raw), "-c", "copy"]
    subprocess.run([*command, "-f", "vob", str(path)], check=True)
    return path


@pytest.mark.skipif(which("ffmpeg") is None, reason="ffmpeg is not installed")
def test_film_shown_by_repeated_fields(tmp_path: Path) -> None:
    source = telecined(tmp_path / "in.vob")
    notes = by_segments(source, tmp_path / "out.mkv")
    assert any(
        "film at 23.976 frames a second shown at 29.97 by repeated fields" in n for n in notes
    )
    assert verify(source, tmp_path / "out.mkv").ok
    with Reader(tmp_path / "out.mkv") as reader:
        times = [float(frame.pts * reader.info.time_base) for frame in reader]
    # Three fields, then two: 50 and 33 ms.
    assert np.diff(times[:-1]) == pytest.approx([0.050, 0.0333] * 11, abs=2e-3)


# -- DPX as scanners write it ----------------------------------------------------------------------


def dpx_files(folder: Path, count: int = 4) -> list[Path]:
    """Scans of 10 bits, R'G'B' in one word of 32 bits each."""
    folder.mkdir()
    paths = [folder / f"scan_{n:04d}.dpx" for n in range(count)]
    for number, path in enumerate(paths):
        encoder: Any = av.CodecContext.create("dpx", "w")
        encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "gbrp10le"
        encoder.time_base = Fraction(1, 24)
        made = picture("gbrp10le", 64, 48, number, full_range=True)
        path.write_bytes(b"".join(map(bytes, (*encoder.encode(made), *encoder.encode(None)))))
    return paths


def words_of(path: Path) -> tuple[bytes, npt.NDArray[np.uint32]]:
    """Header and samples of a little-endian DPX."""
    data = path.read_bytes()
    offset = int.from_bytes(data[4:8], "little")
    return data[:offset], np.frombuffer(data[offset : offset + 4 * 64 * 48], "<u4")


def luma_of(path: Path) -> Planes:
    with Reader(path) as reader:
        return np.stack([frame.luma.astype(np.int64) for frame in reader])


def test_a_user_header_and_bits_that_pad(tmp_path: Path) -> None:
    """An image that begins behind 432 bytes of a user's, and words padded with ones."""
    plain = dpx_files(tmp_path / "plain")
    expected = luma_of(tmp_path / "plain")
    for kind in ("user", "padded"):
        (tmp_path / kind).mkdir()
        for path in plain:
            head, words = words_of(path)
            if kind == "user":
                changed = bytearray(head.ljust(2048, b"\0"))
                changed[8:16] = b"V1.0".ljust(8, b"\0")
                struct.pack_into("<I", changed, 4, 2480)
                struct.pack_into("<I", changed, 32, 432)
                head = bytes(changed) + b"a user's".ljust(432, b"\xaa")
            else:
                words = (words | 3).astype("<u4")
            (tmp_path / kind / path.name).write_bytes(head + words.tobytes())
        assert (luma_of(tmp_path / kind) == expected).all(), kind


def test_three_samples_of_gray_in_a_word(tmp_path: Path) -> None:
    """SMPTE ST 268-1: the first sample of luma stands lowest in a word, R' of R'G'B' highest."""
    (first, *_) = dpx_files(tmp_path / "color", 1)
    header = bytearray(words_of(first)[0])
    struct.pack_into("<II", header, 772, 66, 48)
    header[800] = 6  # luma
    values = np.arange(48 * 66).reshape(48, 66) % 877 + 64
    words = values[:, 0::3] << 2 | values[:, 1::3] << 12 | values[:, 2::3] << 22
    (tmp_path / "gray").mkdir()
    for n in range(2):
        path = tmp_path / "gray" / f"scan_{n:04d}.dpx"
        path.write_bytes(bytes(header) + words.astype("<u4").tobytes())
    assert (luma_of(tmp_path / "gray") == values).all()


@pytest.mark.parametrize("hurt", ["empty", "zeros", "magic"])
def test_a_scan_that_is_none_keeps_its_place_and_is_named(tmp_path: Path, hurt: str) -> None:
    paths = dpx_files(tmp_path / "in", 5)
    data = paths[2].read_bytes()
    paths[2].write_bytes(
        {"empty": b"", "zeros": bytes(len(data)), "magic": b"JUNK" + data[4:]}[hurt]
    )
    with Reader(tmp_path / "in") as reader:
        times = [frame.pts for frame in reader]
        assert times == [0, 1, 3, 4]
        assert any("scan_0002.dpx" in str(damage) for damage in reader.damages)


# -- packets that are no frames, frames that are no packets ----------------------------------------


def test_hidden_frames_of_vp9_are_not_counted(tmp_path: Path) -> None:
    source = make_film(
        tmp_path / "in.webm",
        codec="libvpx-vp9",
        options={"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8", "deadline": "good"},
        frames=40,
    )
    by_segments(source, tmp_path / "out.webm", length=17)
    with Reader(tmp_path / "out.webm") as reader:
        assert sum(1 for _ in reader) == 40
    assert verify(source, tmp_path / "out.webm").ok


def test_b_frames_that_need_the_next_key_frame(tmp_path: Path) -> None:
    """A range that begins where a decoder is not told to begin (open groups of pictures)."""
    source = make_film(
        tmp_path / "in.mp4",
        codec="libx264",
        options={"qp": "0", "bf": "3", "x264-params": "open-gop=1:keyint=12:min-keyint=12"},
        frames=48,
    )
    whole = luma_of(source)
    for first in (11, 12, 13, 25):
        colorize(source, tmp_path / "out.mkv", frames=(first, first + 9))
        assert (luma_of(tmp_path / "out.mkv") == whole[first : first + 9]).all()
