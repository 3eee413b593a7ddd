"""WebM holds VP9 and Opus: what goes in, and what is said of what does not."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from pycolor.errors import FilmError, UsageError
from pycolor.options import PredictOptions, VideoOptions
from pycolor.video.io import Reader
from pycolor.video.io.containers.presets import preset_for
from pycolor.video.job.film import color_film
from pycolor.video.verify import verify
from tests.films import colorize, make_film
from tests.test_video_luma import failures

QUICK = VideoOptions(predict=PredictOptions(model="richart2017", short_side=16), segment_frames=8)
FAST = {"cpu-used": "8", "deadline": "realtime"}
RATE_HZ = 48_000


def heard(path: Path, track: int = 0, *, seconds: float = 1.0) -> npt.NDArray[np.float64]:
    """The first channel's samples at 48 kHz from time 0 on."""
    found = np.zeros(round(seconds * RATE_HZ))
    end: int | None = None
    with av.open(str(path)) as container:
        to_float = av.AudioResampler(format="fltp", rate=RATE_HZ)
        for decoded in container.decode(container.streams.audio[track]):
            for frame in to_float.resample(decoded):
                assert frame.time is not None
                start = round(frame.time * RATE_HZ)
                if end is not None and abs(start - end) <= RATE_HZ // 1000:
                    start = end  # Matroska rounds to a millisecond what follows without a gap
                samples = frame.to_ndarray()[0]
                end = start + len(samples)
                skip = max(0, -start)
                room = found[start + skip : end]
                room[:] = samples[skip : skip + len(room)]
    return found


def noise_db(expected: npt.NDArray[np.float64], got: npt.NDArray[np.float64]) -> float:
    """Of the difference against the sound, moved by a tick of Matroska's clock at most."""
    tick, inner = RATE_HZ // 1000, slice(4800, -4800)
    power = np.square(expected[inner]).mean()
    moved = (np.roll(got, shift) - expected for shift in range(-tick, tick + 1))
    return float(10 * np.log10(min(np.square(d[inner]).mean() for d in moved) / power))


def test_webm_is_vp9_by_any_way_to_ask(tmp_path: Path) -> None:
    assert preset_for(".webm").codec == preset_for(".webm", "access").codec == "libvpx-vp9"
    assert preset_for(".mp4", "access").codec == "libx264"
    for name in ("archive", "prores", "h264"):
        with pytest.raises(UsageError, match=f"preset {name} is not for .webm"):
            preset_for(".webm", name)


@pytest.mark.parametrize("sound", [["aac", "libmp3lame"], ["flac"], ["pcm_s16le"]])
def test_sound_that_webm_does_not_hold_is_coded_again(tmp_path: Path, sound: list[str]) -> None:
    source = make_film(
        tmp_path / "in.mkv", frames=30, sound=sound, languages=["fra", "deu"], chapters=True
    )
    said: list[str] = []
    color_film(source, tmp_path / "out.webm", QUICK, say=said.append)
    report = verify(source, tmp_path / "out.webm")
    assert failures(report) == []
    with Reader(source) as before, Reader(tmp_path / "out.webm") as after:
        assert after.info.codec == "vp9"
        assert [s.codec for s in after.info.streams] == ["opus"] * len(sound)
        assert [s.language for s in after.info.streams] == ["fra", "deu"][: len(sound)]
        for stream in before.info.streams:
            assert (
                f"note: webm does not hold {stream}: it is coded again (opus, 128 kbit/s)" in said
            )
            (check,) = (c for c in report.checks if c.name == f"audio {stream.index}")
            assert check.state == "note"
            assert "coded again as opus" in check.detail
    for track in range(len(sound)):
        # The same samples at the same times, and the noise of two coders.
        expected, got = (heard(p, track) for p in (source, tmp_path / "out.webm"))
        assert noise_db(expected, got) < -20


def test_sound_of_a_range(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", codec="libx264", frames=48, sound=["aac"])
    options = VideoOptions(frames="12:36", predict=QUICK.predict)
    color_film(source, tmp_path / "out.webm", options)
    assert failures(verify(source, tmp_path / "out.webm", frames=(12, 36))) == []
    expected, got = heard(source, seconds=1.5), heard(tmp_path / "out.webm", seconds=0.9)
    assert noise_db(expected[RATE_HZ // 2 :][: len(got)], got) < -20


def test_opus_is_copied(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.webm", codec="libvpx-vp9", frames=10, sound=["libopus"])
    writer = colorize(source, tmp_path / "out.webm", options=FAST)
    assert not any("coded again" in warning for warning in writer.warnings)
    report = verify(source, tmp_path / "out.webm")
    (check,) = (c for c in report.checks if c.name == "audio 1")
    assert (check.state, "identical" in check.detail) == ("ok", True)


def film_with_channels(path: Path, layout: str) -> Path:
    """Ten frames, and PCM of many channels."""
    with av.open(str(path), "w") as container:
        picture: Any = container.add_stream("ffv1", rate=24, width=64, height=48, pix_fmt="yuv420p")
        sound: Any = container.add_stream("pcm_s16le", rate=RATE_HZ)
        sound.codec_context.layout = layout
        channels = sound.codec_context.layout.nb_channels
        for index in range(10):
            container.mux(picture.encode(av.VideoFrame(64, 48, "yuv420p")))
            tone = np.full((1, 2000 * channels), 1000, np.int16)
            frame = av.AudioFrame.from_ndarray(tone, format="s16", layout=layout)
            frame.sample_rate, frame.pts = RATE_HZ, 2000 * index
            container.mux(sound.encode(frame))
        container.mux(picture.encode(None))
        container.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("layout", ["mono", "3.0", "5.1", "5.1(side)", "7.1"])
def test_channels(tmp_path: Path, layout: str) -> None:
    source = film_with_channels(tmp_path / "in.mkv", layout)
    colorize(source, tmp_path / "out.webm", options=FAST)
    assert failures(verify(source, tmp_path / "out.webm")) == []
    with av.open(str(source)) as before, av.open(str(tmp_path / "out.webm")) as after:
        counts = [c.streams.audio[0].codec_context.layout.nb_channels for c in (before, after)]
    assert counts[0] == counts[1]


def test_more_channels_than_opus_has(tmp_path: Path) -> None:
    source = film_with_channels(tmp_path / "in.mkv", "hexadecagonal")
    with pytest.raises(FilmError, match=r"Opus takes 1 to 8 channels, and it has 16\).*\.mkv"):
        colorize(source, tmp_path / "out.webm", options=FAST)
    assert not (tmp_path / "out.webm").exists()


def test_sound_that_cannot_be_decoded_is_told(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=48, sound=["flac"])
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        packets = [bytes(p) for p in container.demux(audio=0) if p.size]
    hurt = data.find(packets[3])
    data[hurt : hurt + len(packets[3])] = bytes(len(packets[3]))
    source.write_bytes(data)
    said: list[str] = []
    color_film(source, tmp_path / "out.webm", QUICK, say=said.append)
    assert any("1 packet of stream 1 cannot be decoded" in text for text in said)


def test_the_picture_keeps_its_marks(tmp_path: Path) -> None:
    source = make_film(
        tmp_path / "in.mkv",
        codec="libx264",
        frames=6,
        width=360,
        height=288,
        pixel_aspect=Fraction(16, 15),
        titles="subrip",
        metadata={"title": "A film"},
        matrix=5,
        primaries=5,
        transfer=6,
    )
    writer = colorize(source, tmp_path / "out.webm", options=FAST)
    report = verify(source, tmp_path / "out.webm")
    assert failures(report) == []
    assert any("subtitle stream 1" in w and "is left out" in w for w in writer.warnings)
    with Reader(tmp_path / "out.webm") as reader:
        assert reader.info.pixel_aspect == Fraction(16, 15)
        assert reader.info.tags.matrix == 5


def test_fields_are_announced(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=4, fields="tff", field_order=2)
    writer = colorize(source, tmp_path / "out.webm", options=FAST)
    assert any("does not say of the picture: field order" in w for w in writer.warnings)
    assert failures(verify(source, tmp_path / "out.webm")) == []
