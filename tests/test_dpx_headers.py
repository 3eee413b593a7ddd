"""What a scan's header says goes into the header of the colored scan, by other readers too."""

from __future__ import annotations

import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pycolor.video.io import Reader
from pycolor.video.verify import verify
from tests.films import by_segments, make_film
from tests.test_sequences import dpx

UNDEFINED = 0xFFFFFFFF


def fields(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    order = ">" if data[:4] == b"SDPX" else "<"

    def number(kind: str, at: int) -> Any:
        return struct.unpack_from(order + kind, data, at)[0]

    begin = number("I", 4)
    return {
        "begin": begin,
        "size": number("I", 16) == len(data) and number("I", 808) == begin,
        "project": data[260:460].rstrip(b"\0"),
        "source": data[1432:1532].rstrip(b"\0"),
        "device": data[1556:1588].rstrip(b"\0"),
        "transfer": data[801],
        "frame": number("I", 1712),
        "rate": number("f", 1724),
        "shutter": number("f", 1728),
        "television rate": number("f", 1940),
        "timecode": f"{number('I', 1920):08x}",
        "gamma": number("I", 1948),
        "aspect": number("I", 1628) / number("I", 1632),
        "user": data[2048:begin],
    }


def scans(folder: Path, numbers: tuple[int, ...]) -> Path:
    """A scan of a reel: 16 frames a second, log, a user's section behind the header."""
    folder.mkdir()
    for n in numbers:
        codes = np.full((48, 64), 60 + n, np.uint8)
        data = bytearray(
            dpx(
                codes,
                rate=16.0,
                timecode=f"01:02:59:{12 + n if n < 4 else n - 4:02}",
                number=400 + n,
                transfer=3,
                project="Reel 2",
            )
        )
        if n >= 4:
            data[1920:1924] = bytes([1, 3, 0, n - 4])
        data[1556:1563] = b"Scanner"
        struct.pack_into(">I", data, 4, 2048 + 9)
        struct.pack_into(">I", data, 32, 9)
        struct.pack_into(">I", data, 808, 2048 + 9)
        (folder / f"s_{n:06}.dpx").write_bytes(bytes(data[:2048]) + b"by a user" + data[2048:])
    return folder


def test_a_scan_keeps_its_header(tmp_path: Path) -> None:
    source = scans(tmp_path / "in", (0, 1, 2, 3, 5))
    (tmp_path / "out").mkdir()
    notes = by_segments(source, tmp_path / "out" / "c_%06d.dpx", length=2)
    assert not any("timecode" in n or "PROJECT" in n for n in notes)
    written = sorted((tmp_path / "out").glob("*.dpx"))
    assert [p.name for p in written] == [f"c_{n:06}.dpx" for n in (0, 1, 2, 3, 5)]
    for path, n in zip(written, (0, 1, 2, 3, 5), strict=True):
        expected = {
            "begin": 2048 + 9,
            "size": True,
            "project": b"Reel 2",
            "source": f"s_{n:06}.dpx".encode(),
            "device": b"Scanner",
            "transfer": 3,
            "frame": 400 + n,
            "rate": 16.0,
            "shutter": 180.0,
            "television rate": 16.0,
            "timecode": f"010259{12 + n:02}" if n < 4 else "01030001",
            "gamma": UNDEFINED,
            "aspect": 1.0,
            "user": b"by a user",
        }
        assert fields(path) == expected
    report = verify(source, tmp_path / "out" / "c_%06d.dpx")
    assert report.ok
    (check,) = (c for c in report.checks if c.name == "timecode")
    assert check.state == "ok"


def test_a_film_gives_its_rate_and_timecode(tmp_path: Path) -> None:
    source = make_film(
        tmp_path / "in.mov",
        codec="prores_ks",
        pixel_format="yuv422p10le",
        frames=3,
        rate=Fraction(24000, 1001),
        timecode="10:00:59:23",
    )
    by_segments(source, tmp_path / "c_%d.dpx")
    found = [fields(tmp_path / f"c_{n}.dpx") for n in range(3)]
    assert [f["timecode"] for f in found] == ["10005923", "10010000", "10010001"]
    assert [f["frame"] for f in found] == [0, 1, 2]
    assert found[0]["rate"] == pytest.approx(24000 / 1001)
    assert (found[0]["begin"], found[0]["user"], found[0]["project"]) == (2048, b"", b"")
    with Reader(tmp_path / "c_%d.dpx") as reader:
        assert reader.info.rate == Fraction(24000, 1001)
        assert reader.info.timecode == "10:00:59:23"
    assert verify(source, tmp_path / "c_%d.dpx").ok


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
def test_ffmpeg_reads_rate_and_pixels_behind_the_header(tmp_path: Path) -> None:
    source = scans(tmp_path / "in", (0,))
    by_segments(source, tmp_path / "c_%d.dpx")
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=width,height:frame_tags=timecode"]
    command += ["-show_frames", "-of", "default=noprint_wrappers=1:nokey=1"]
    told = subprocess.run(
        [*command, str(tmp_path / "c_0.dpx")], capture_output=True, check=True, text=True
    )
    assert "01:02:59:12" in told.stdout
