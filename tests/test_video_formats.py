"""Film in, film out: one film of every codec, container, depth and oddity, into lossless films.

What is compared here is read by PyAV alone, without the Reader and without `verify`, which must
come to the same opinion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from pycolor.errors import UsageError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.io.frame.pixel_formats import luma_view, pixel_format
from pycolor.video.job.film import color_film
from pycolor.video.verify import verify
from tests.films import colorize, data_folder, make_film
from tests.test_video_luma import failures

NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)
QUICK = {"preset": "ultrafast"}
LOSSLESS = {"preset": "ultrafast", "qp": "0"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A film to be made, and lossless outputs for it besides FFV1 in Matroska."""

    name: str
    ending: str
    film: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()


def case(name: str, ending: str, *also: str, **film: Any) -> Case:
    return Case(name=name, ending=ending, film={"frames": 6, **film}, also=also)


BARS = {"matrix": 5, "primaries": 5, "transfer": 6}
HD = {"matrix": 1, "primaries": 1, "transfer": 1, "color_range": 1}
UNEVEN = [0, 1001, 2002, 5005, 6006, 9999]

CASES = [
    # H.264
    case("h264-420-8", ".mp4", ".mp4", codec="libx264", sound=["aac"], titles="mov_text"),
    case("h264-422-10", ".mov", ".mov", codec="libx264", pixel_format="yuv422p10le", **HD),
    case("h264-444-8", ".mkv", ".mp4", codec="libx264", pixel_format="yuv444p"),
    case("h264-gray", ".mp4", ".mp4", codec="libx264", pixel_format="gray"),
    case("h264-gray10", ".mkv", ".mp4", codec="libx264", pixel_format="gray10le"),
    case("h264-full", ".mp4", ".mp4", codec="libx264", color_range=2, **BARS),
    case("h264-b-frames-vfr", ".mp4", ".mp4", codec="libx264", times=UNEVEN,
         time_base=Fraction(1, 30000), options={"bf": "3"}),
    case("h264-ts", ".ts", ".mp4", codec="libx264", sound=["mp2", "ac3"], rate=25),
    case("h264-interlaced", ".mkv", codec="libx264", height=64, rate=25, field_order=2, **BARS),
    case("h264-interlaced-bff", ".mkv", codec="libx264", height=64, rate=NTSC, field_order=3),
    case("h264-rotated", ".mp4", ".mov", codec="libx264", rotation=90, sound=["aac"]),
    case("h264-anamorphic", ".mp4", ".mp4", codec="libx264", pixel_aspect=Fraction(64, 45)),
    case("h264-avi", ".avi", ".mp4", codec="libx264", options={"bf": "0"}, sound=["mp3"]),
    case("h264-drop-frame", ".mov", ".mov", codec="libx264", rate=NTSC, timecode="00:59:59;28"),
    case("h264-mxf", ".mxf", codec="libx264", pixel_format="yuv422p10le", rate=25,
         sound=["pcm_s16le"], timecode="10:00:00:00", options={"qp": "0", "g": "1"}, **HD),
    # HEVC
    case("hevc-8", ".mp4", ".mp4", codec="libx265"),
    case("hevc-10", ".mkv", ".mp4", codec="libx265", pixel_format="yuv420p10le", **HD),
    case("hevc-12", ".mkv", codec="libx265", pixel_format="yuv422p12le"),
    case("hevc-gray12", ".mov", codec="libx265", pixel_format="gray12le"),
    # MPEG-1, -2 and -4
    case("mpeg2-ps", ".mpg", ".mp4", codec="mpeg2video", rate=25, sound=["mp2"]),
    case("mpeg2-vob", ".vob", ".mp4", codec="mpeg2video", rate=NTSC, sound=["ac3"]),
    case("mpeg2-ts", ".ts", codec="mpeg2video", rate=25, sound=["mp2", "mp2"], height=64,
         field_order=2),
    case("mpeg2-422-mxf", ".mxf", codec="mpeg2video", pixel_format="yuv422p", rate=25,
         sound=["pcm_s24le"], **HD),
    case("mpeg1-ps", ".mpg", ".mp4", codec="mpeg1video", rate=25, sound=["mp2"]),
    case("mpeg4-avi", ".avi", ".mp4", codec="mpeg4", sound=["ac3"], rate=25),
    # VP9 and AV1
    case("vp8-webm", ".webm", ".mp4", codec="libvpx", sound=["libopus"]),
    case("vp9-webm", ".webm", ".mp4", codec="libvpx-vp9", sound=["libopus", "libopus"],
         languages=["deu", "fra"], **BARS),
    case("vp9-mp4", ".mp4", ".mp4", codec="libvpx-vp9", rate=FILM),
    case("av1-webm", ".webm", ".mp4", codec="libsvtav1", options={"preset": "12"}, width=128,
         height=96),
    case("av1-10-mp4", ".mp4", ".mp4", codec="libsvtav1", options={"preset": "12"}, width=128,
         height=96, pixel_format="yuv420p10le", **HD),
    # For editing
    case("prores-hq", ".mov", ".mov", codec="prores_ks", pixel_format="yuv422p10le", rate=25,
         options={"profile": "hq"}, sound=["pcm_s16le", "pcm_s24le"], timecode="01:00:00:00", **HD),
    case("prores-4444", ".mov", codec="prores_ks", pixel_format="yuv444p10le",
         options={"profile": "4444"}, **HD),
    case("prores-interlaced", ".mov", ".mov", codec="prores_ks", pixel_format="yuv422p10le",
         rate=25, height=64, field_order=2, **BARS),
    case("prores-mxf", ".mxf", codec="prores_ks", pixel_format="yuv422p10le", rate=25, **HD),
    case("dnxhr-hqx", ".mov", ".mov", codec="dnxhd", pixel_format="yuv422p10le", width=256,
         height=128, options={"profile": "dnxhr_hqx"}, **HD),
    case("dnxhr-hq-mxf", ".mxf", ".mp4", codec="dnxhd", pixel_format="yuv422p", width=256,
         height=128, rate=25, options={"profile": "dnxhr_hq"}, timecode="09:59:50:00", **HD),
    case("v210", ".mov", ".mov", codec="v210", pixel_format="yuv422p10le", rate=25, **HD),
    case("v210-avi", ".avi", codec="v210", pixel_format="yuv422p10le", rate=25),
    case("mjpeg-avi", ".avi", ".mp4", codec="mjpeg", pixel_format="yuvj420p", color_range=2,
         sound=["pcm_s16le"]),
    case("mjpeg-422-mov", ".mov", ".mp4", codec="mjpeg", pixel_format="yuvj422p", color_range=2),
    case("dv", ".avi", codec="dvvideo", width=720, height=576, rate=25, frames=2,
         sound=["pcm_s16le"]),
    # For keeping
    case("ffv1-gray", ".mkv", ".mp4", pixel_format="gray", color_range=2),
    case("ffv1-gray16", ".mkv", pixel_format="gray16le", sound=["flac"]),
    case("ffv1-420-16", ".mkv", pixel_format="yuv420p16le", color_range=2, **BARS),
    case("ffv1-422-12", ".mkv", pixel_format="yuv422p12le", rate=18),
    case("ffv1-444-16", ".mkv", pixel_format="yuv444p16le", rate=16),
    case("ffv1-odd", ".mkv", pixel_format="yuv420p10le", width=61, height=45),
    case("ffv1-411", ".mkv", ".mp4", pixel_format="yuv411p"),
    case("ffv1-avi", ".avi", ".mp4", pixel_format="yuv422p", rate=25, sound=["pcm_s16le"]),
    case("ffv1-all", ".mkv", sound=["flac", "aac", "pcm_s16le"], languages=["deu", "fra", "eng"],
         titles="subrip", chapters=True, metadata={"title": "Film", "ARCHIVE_ID": "x-12"},
         pixel_aspect=Fraction(16, 15), frames=14, rate=25, timecode="10:00:00:00", **BARS),
    case("ffv1-start", ".mkv", ".mp4", times=[5250 + 40 * n for n in range(6)],
         time_base=Fraction(1, 1000), rate=25, sound=["pcm_s16le"]),
    case("ffv1-vfr", ".mkv", ".mp4", times=[0, 40, 80, 200, 240, 900], time_base=Fraction(1, 1000)),
    case("ffvhuff", ".avi", codec="ffvhuff", pixel_format="yuv422p10le"),
    case("utvideo", ".avi", ".mp4", codec="utvideo", pixel_format="yuv422p"),
    case("raw-y4m", ".y4m", ".mp4", codec="rawvideo", pixel_format="yuv420p", rate=FILM),
    case("nut", ".nut", ".mp4", pixel_format="yuv422p", sound=["pcm_s16le"]),
]  # fmt: skip


def test_there_are_enough() -> None:
    assert len(CASES) >= 40
    assert len({c.name for c in CASES}) == len(CASES)
    assert {c.ending for c in CASES} >= {
        ".mp4", ".mov", ".mkv", ".avi", ".mpg", ".ts", ".mxf", ".webm",
    }  # fmt: skip


# -- an opinion of its own ---------------------------------------------------------------------


def moving(container: Any) -> Any:
    return next(s for s in container.streams.video if not s.disposition & Disposition.attached_pic)


def luma_and_times(path: Path) -> tuple[list[str], list[Fraction]]:
    """SHA-256 of each Y' plane, by rows, and the times as rationals."""
    digests, times = [], []
    with av.open(str(path)) as container:
        stream = moving(container)
        for frame in container.decode(stream):
            description = pixel_format(frame.format.name)
            assert description is not None
            plane = np.ascontiguousarray(luma_view(frame, description))
            digests.append(hashlib.sha256(plane.data).hexdigest())
            times.append(frame.pts * Fraction(stream.time_base))
    return digests, times


def packets(path: Path) -> list[tuple[str, str, list[bytes]]]:
    """Kind, language and packets of every stream but the picture."""
    with av.open(str(path)) as container:
        picture = moving(container)
        others = [s for s in container.streams if s is not picture and s.type != "data"]
        kept: dict[int, list[bytes]] = {s.index: [] for s in others}
        for packet in container.demux():
            if packet.size and bytes(packet) != b"\0\0" and packet.stream.index in kept:
                kept[packet.stream.index].append(words(packet))
        language = [s.metadata.get("language", "und") for s in others]
        return [(s.type, n, kept[s.index]) for s, n in zip(others, language, strict=True)]


def words(packet: Any) -> bytes:
    """What of a packet must survive: of QuickTime's text the words, of others all of it."""
    data = bytes(packet)
    boxed = packet.stream.type == "subtitle" and packet.stream.name == "mov_text"
    return data[2 : 2 + int.from_bytes(data[:2], "big")] if boxed else data


def result_of(source: Path, folder: Path, ending: str, kind: str | None) -> Path:
    result = folder / f"out{ending}"
    if ending == ".mkv":
        colorize(source, result)
    elif ending == ".mov" and kind in ("prores_ks", "v210", "dnxhd"):
        colorize(source, result, preset="v210")
    else:
        colorize(source, result, preset="lossless-h264", options=QUICK)
    return result


@pytest.mark.parametrize("made", CASES, ids=lambda c: c.name)
def test_nothing_is_lost(tmp_path: Path, made: Case) -> None:
    options: dict[str, Any] = dict(made.film)
    if options.get("codec") == "libx264":
        options["options"] = {**QUICK, **options.get("options", {})}
    if options.get("codec") == "libx265":
        options["options"] = {**QUICK, "x265-params": "log-level=none"}
    source = make_film(tmp_path / f"in{made.ending}", **options)
    before = hashlib.sha256(source.read_bytes()).digest()
    digests, times = luma_and_times(source)
    with Reader(source) as reader:
        origin = reader.origin
    assert len(digests) == options["frames"]
    for ending in (".mkv", *made.also):
        result = result_of(source, tmp_path, ending, options.get("codec"))
        report = verify(source, result, lossless=True)
        assert failures(report) == []
        assert report.identical_frames == len(digests)
        got, got_times = luma_and_times(result)
        assert got == digests
        milliseconds = {".mkv", ".webm"} & {ending, made.ending}
        coarse = Fraction(1, 2000) if milliseconds else Fraction(0)
        # MPEG's clocks run before the film does.
        early = origin if made.ending in (".ts", ".mpg", ".vob") else 0
        assert all(abs(a - b - early) <= coarse for a, b in zip(times, got_times, strict=True))
        assert packets(result) == packets(source)
    assert hashlib.sha256(source.read_bytes()).digest() == before


@pytest.mark.parametrize(
    "name",
    ["h264-420-8", "hevc-10", "mpeg2-ps", "prores-hq", "ffv1-gray16", "mjpeg-avi", "ffv1-all"],
)
def test_nothing_is_lost_in_color(tmp_path: Path, name: str) -> None:
    """The same with a network in the middle."""
    made = next(c for c in CASES if c.name == name)
    options: dict[str, Any] = dict(made.film)
    if options.get("codec") == "libx265":
        options["options"] = {**QUICK, "x265-params": "log-level=none"}
    source = make_film(tmp_path / f"in{made.ending}", **options)
    result = tmp_path / "out.mkv"
    color_film(
        source, result, VideoOptions(predict=PredictOptions(model="richart2017", short_side=32))
    )
    assert failures(verify(source, result)) == []
    assert luma_and_times(source)[0] == luma_and_times(result)[0]
    assert packets(source) == packets(result)


FOLDER = data_folder()
CLIPS = sorted((FOLDER / "video").glob("*/*.m*")) if FOLDER else []


@pytest.mark.slow
@pytest.mark.needs_data
@pytest.mark.skipif(not CLIPS, reason="the shared films are not here")
@pytest.mark.parametrize("clip", CLIPS, ids=lambda p: p.name)
def test_nothing_is_lost_of_the_shared_films(tmp_path: Path, clip: Path) -> None:
    with Reader(clip) as reader:
        last = min(24, reader.info.frames)
    frames = (0, last) if last > 1 else None
    result = tmp_path / "out.mkv"
    colorize(clip, result, frames=frames)
    report = verify(clip, result, frames=frames)
    assert failures(report) == []
    digests, times = luma_and_times(clip)
    got, got_times = luma_and_times(result)
    assert got == digests[: len(got)]
    assert len(got) == (last if frames else 1)
    assert all(abs(a - b) <= Fraction(1, 2000) for a, b in zip(times, got_times, strict=False))


@pytest.mark.parametrize("size", [(96, 1), (38400, 2), (2, 1), (12, 4), (1, 20), (3, 21)])
@pytest.mark.parametrize("pixels", ["gray", "yuv420p"])
def test_a_film_of_few_lines(tmp_path: Path, size: tuple[int, int], pixels: str) -> None:
    width, height = size
    source = tmp_path / "in.mkv"
    more = {"slices": "1"} if width < 4 else {}
    make_film(source, width=width, height=height, frames=2, pixel_format=pixels, options=more)
    colorize(source, tmp_path / "out.mkv")
    assert failures(verify(source, tmp_path / "out.mkv")) == []


def test_a_picture_too_small_for_dnxhr(tmp_path: Path) -> None:
    make_film(tmp_path / "in.mkv", width=97, height=53, frames=2)
    with pytest.raises(UsageError, match=r"expected 256×120 or more\.$"):
        colorize(tmp_path / "in.mkv", tmp_path / "out.mov", preset="dnxhr")
