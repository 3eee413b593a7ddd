"""Promise 1: the luma is sacred."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from pycolor.encoding import Encoding
from pycolor.video.io import Plane, Reader, Writer, change_codes
from pycolor.video.io.frame.pixel_formats import luma_view, pixel_format, plane_view
from pycolor.video.verify import VerifyReport, verify
from tests.films import colorize, data_film, make_film, picture

DEPTHS_AND_SUBSAMPLINGS = [
    "gray", "gray9le", "gray10le", "gray12le", "gray14le", "gray16le",
    "yuv420p", "yuv420p9le", "yuv420p10le", "yuv420p12le", "yuv420p14le", "yuv420p16le",
    "yuv422p", "yuv422p9le", "yuv422p10le", "yuv422p12le", "yuv422p14le", "yuv422p16le",
    "yuv444p", "yuv444p9le", "yuv444p10le", "yuv444p12le", "yuv444p14le", "yuv444p16le",
    "yuv440p", "yuv440p10le", "yuv440p12le", "yuv411p", "yuv410p", "yuva444p", "yuva422p10le",
]  # fmt: skip


def failures(report: VerifyReport) -> list[str]:
    return [f"{c.name}: {c.detail}" for c in report.checks if c.state == "differs"]


@pytest.mark.parametrize("color_range", [1, 2], ids=["limited", "full"])
@pytest.mark.parametrize("name", DEPTHS_AND_SUBSAMPLINGS)
def test_ffv1_keeps_every_luma_bit(tmp_path: Path, name: str, color_range: int) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        pixel_format=name,
        frames=3,
        width=50,
        height=36,
        color_range=color_range,
    )
    writer = colorize(source, tmp_path / "out.mkv")
    report = verify(source, tmp_path / "out.mkv")
    assert failures(report) == []
    assert report.identical_frames == report.frames == 3
    before, after = pixel_format(name), pixel_format(writer.pixel_format)
    assert before is not None
    assert after is not None
    assert after.bit_depth == before.bit_depth
    assert after.subsampling == (before.subsampling or "422")
    assert writer.encoding.full_range == (color_range == 2)


@pytest.mark.parametrize("color_range", [0, 1, 2])
@pytest.mark.parametrize("name", ["gray", "yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
def test_lossless_h264_keeps_every_luma_bit(tmp_path: Path, name: str, color_range: int) -> None:
    source = make_film(tmp_path / "in.mkv", pixel_format=name, frames=3, color_range=color_range)
    colorize(source, tmp_path / "out.mp4", preset="lossless-h264")
    report = verify(source, tmp_path / "out.mp4", lossless=True)
    assert failures(report) == []


@pytest.mark.parametrize("name", ["nv12", "yuyv422", "uyvy422"])
def test_packed_and_semi_planar_sources(tmp_path: Path, name: str) -> None:
    source = tmp_path / "in.nut"
    planar = "yuv420p" if name == "nv12" else "yuv422p"
    make_raw(source, name, planar)
    writer = colorize(source, tmp_path / "out.mkv")
    assert writer.pixel_format == planar
    report = verify(source, tmp_path / "out.mkv")
    assert failures(report) == []
    with Reader(tmp_path / "out.mkv") as reader:
        assert np.array_equal(
            next(iter(reader)).luma, plane_view(picture(planar, 64, 48, 0), 0, np.dtype(np.uint8))
        )


@pytest.mark.parametrize(
    ("name", "planar"),
    [
        ("p010le", "yuv420p10le"),
        ("p210le", "yuv422p10le"),
        ("p016le", "yuv420p16le"),
        ("nv16", "yuv422p"),
        ("nv24", "yuv444p"),
        ("yuv422p10be", "yuv422p10le"),
        ("gray16be", "gray16le"),
    ],
)
def test_luma_of_other_layouts(name: str, planar: str) -> None:
    """Hardware decoders and image files deliver these."""
    frame = picture(planar, 50, 36, 0)
    description = pixel_format(name)
    assert description is not None
    packed = frame.reformat(format=name, src_color_range=2, dst_color_range=2)
    luma = luma_view(packed, description)
    assert luma.dtype == (np.uint8 if description.bit_depth == 8 else np.uint16)
    assert np.array_equal(luma, plane_view(frame, 0, luma.dtype))


def make_raw(path: Path, name: str, planar: str) -> None:
    """A rawvideo film whose frames are those of `planar`, repacked by libswscale."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("rawvideo", rate=24, width=64, height=48, pix_fmt=name)
        for index in range(3):
            frame = picture(planar, 64, 48, index).reformat(format=name)
            frame.pts, frame.time_base = index, Fraction(1, 24)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_chroma_is_what_was_written(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", pixel_format="gray10le", frames=2)
    colorize(source, tmp_path / "out.mkv")
    with Reader(tmp_path / "out.mkv") as reader, Writer(tmp_path / "again.mkv", reader) as writer:
        for frame in reader:
            made = writer.picture(frame)
            u, v = made.chroma
            assert (u == 512 - 80).all()
            assert (v == 512 + 120).all()
            writer.write(made)


def test_a_gray_source_gets_neutral_chroma(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", pixel_format="gray16le", frames=1, color_range=2)
    with Reader(source) as reader, Writer(tmp_path / "out.mkv", reader) as writer:
        made = writer.picture(next(iter(reader)))
        assert [p.shape for p in made.chroma] == [(48, 32), (48, 32)]
        assert all((p == 1 << 15).all() for p in made.chroma)
        writer.write(made)


def test_reference_frames_survive_the_writing_of_chroma(tmp_path: Path) -> None:
    """A decoder keeps frames to predict others from; writing into them would spoil those."""
    source = make_film(
        tmp_path / "in.mp4", codec="libx264", frames=40, options={"bf": "3", "crf": "20"}
    )
    colorize(source, tmp_path / "out.mkv")
    assert failures(verify(source, tmp_path / "out.mkv")) == []


def test_views_of_luma_outlive_frame_and_picture(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", codec="libx264", frames=12)
    with Reader(source) as reader, Writer(tmp_path / "out.mkv", reader) as writer:
        kept = []
        for frame in reader:
            kept.append((frame.luma, frame.luma.copy()))
            made = writer.picture(frame)
            for plane in made.chroma:
                plane.fill(7)
            writer.write(made)
            del frame, made
    assert all(np.array_equal(view, copy) for view, copy in kept)
    with pytest.raises(ValueError, match="read-only"):
        kept[0][0][0, 0] = 1


def test_a_frame_is_a_tensor_without_a_copy(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    source = make_film(tmp_path / "in.mkv", pixel_format="yuv420p10le", frames=1)
    with Reader(source) as reader:
        frame = next(iter(reader))
        tensor = torch.from_dlpack(frame)
        assert tensor.dtype == torch.uint16
        assert tensor.data_ptr() == frame.luma.ctypes.data
        assert np.array_equal(tensor.numpy(), frame.luma)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("few", "many"), [(8, 10), (8, 16), (9, 10), (10, 12)])
def test_more_bits_can_be_undone(few: int, many: int, full: bool) -> None:
    narrow = Encoding(bit_depth=few, full_range=full)
    wide = Encoding(bit_depth=many, full_range=full)
    every = np.arange(1 << few)
    codes: Plane = every.astype(np.uint8) if few == 8 else every.astype(np.uint16)
    there = change_codes(codes, narrow, wide)
    assert np.array_equal(change_codes(there, wide, narrow), codes)
    if not full:
        assert np.array_equal(there, codes.astype(np.uint16) << (many - few))


def test_full_range_into_limited_keeps_black_and_white() -> None:
    full, limited = Encoding(full_range=True), Encoding(bit_depth=10)
    codes = np.array([0, 255], np.uint8)
    assert change_codes(codes, full, limited).tolist() == [64, 940]
    every = np.arange(256, dtype=np.uint8)
    back = change_codes(change_codes(every, full, limited), limited, full)
    assert np.array_equal(back, every)


@pytest.mark.needs_data
@pytest.mark.parametrize(
    "name",
    [
        "archival/market_street_1906.mp4",
        "archival/chaplin_audio.mp4",
        "edge/vfr.mkv",
        "edge/prores422_10.mov",
        "edge/gray16_ffv1.mkv",
        "edge/odd_size_ffv1.mkv",
        "edge/interlaced_h264.mp4",
        "edge/rotated90.mp4",
        "edge/sar_anamorphic.mp4",
        "edge/fullrange_bt601.mp4",
        "edge/one_frame.mp4",
        "colour/sav_dog_audio.mp4",
    ],
)
def test_shared_films_round_trip(tmp_path: Path, name: str) -> None:
    source = data_film(name)
    colorize(source, tmp_path / "out.mkv")
    report = verify(source, tmp_path / "out.mkv")
    assert failures(report) == []
    assert report.identical_frames == report.frames > 0
