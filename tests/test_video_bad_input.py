"""Bad input: one sentence, the right exit code, no partial file, the source untouched."""

from __future__ import annotations

import hashlib
import os
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from pycolor.errors import FilmError, PycolorError, UsageError
from pycolor.system.atomic_file import atomic_write, check_output
from pycolor.video.io import Reader, Writer
from pycolor.video.io.frame.pixel_formats import plane_view
from pycolor.video.verify import verify
from tests.films import colorize, make_film, write_sound
from tests.test_video_luma import failures


def run(source: Path, result: Path, *, overwrite: bool = False, **options: Any) -> Writer:
    """As the command line will: a temporary name, renamed when complete."""
    with atomic_write(result, sources=[source], overwrite=overwrite) as part:
        return colorize(source, part, **options)


def refused(
    source: Path, result: Path, kind: type[PycolorError], words: str, **options: Any
) -> None:
    """The run fails in one sentence and leaves the folder as it was."""
    before = sorted(result.parent.iterdir()) if result.parent.is_dir() else []
    digest = hashlib.sha256(source.read_bytes()).digest() if source.is_file() else b""
    with pytest.raises(kind, match=words) as caught:
        run(source, result, **options)
    assert caught.value.exit_code == (2 if kind is UsageError else 1)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    if result.parent.is_dir():
        assert sorted(result.parent.iterdir()) == before
    if digest:
        assert hashlib.sha256(source.read_bytes()).digest() == digest


def test_a_missing_file(tmp_path: Path) -> None:
    refused(tmp_path / "no.mp4", tmp_path / "out.mkv", FilmError, r"no\.mp4 does not exist")


def test_a_folder(tmp_path: Path) -> None:
    refused(tmp_path, tmp_path / "out.mkv", FilmError, "is a folder; expected a film")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "in.mp4").touch()
    refused(tmp_path / "in.mp4", tmp_path / "out.mkv", FilmError, r"is empty \(0 bytes\)")


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov", ".avi"])
def test_a_text_file(tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"in{ending}"
    source.write_text("Scene one. A kitchen.\n" * 200)
    refused(source, tmp_path / "out.mkv", FilmError, "is not a film that FFmpeg can read")


def test_random_bytes(tmp_path: Path) -> None:
    source = tmp_path / "in.mkv"
    source.write_bytes(hashlib.sha512(b"x").digest() * 500)
    refused(source, tmp_path / "out.mkv", FilmError, "in.mkv")


def test_an_mp4_without_its_index(tmp_path: Path) -> None:
    film = make_film(tmp_path / "whole.mp4", codec="libx264", frames=20)
    source = tmp_path / "in.mp4"
    data = film.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    refused(source, tmp_path / "out.mkv", FilmError, "is truncated")


@pytest.mark.parametrize("ending", [".mkv", ".mp4"])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_truncated_film_gives_what_it_has(tmp_path: Path, ending: str, share: float) -> None:
    options = {"movflags": "faststart"} if ending == ".mp4" else {}
    film = make_film(
        tmp_path / f"whole{ending}",
        codec="libx264",
        frames=60,
        options={"g": "6"},
        muxer_options=options,
    )
    source = tmp_path / f"in{ending}"
    data = film.read_bytes()
    source.write_bytes(data[: int(share * len(data))])
    writer = run(source, tmp_path / "out.mkv")
    assert 5 < writer.written < 60
    with Reader(source) as reader:
        assert any(
            "truncated" in w and f"of the {len(data)} bytes" in w for w in reader.info.warnings
        )
    report = verify(source, tmp_path / "out.mkv")
    assert failures(report) == []
    assert report.frames == writer.written
    assert any("truncated" in c.detail for c in report.checks)


def test_a_whole_film_is_not_called_truncated(tmp_path: Path) -> None:
    for ending in (".mkv", ".mp4", ".mov", ".avi", ".ts", ".nut"):
        film = make_film(tmp_path / f"in{ending}", codec="libx264", frames=30)
        with Reader(film) as reader:
            assert not any("truncated" in w for w in reader.info.warnings)


def test_sound_only(tmp_path: Path) -> None:
    source = tmp_path / "in.mka"
    with av.open(str(source), "w", format="matroska") as container:
        track: Any = container.add_stream("pcm_s16le", rate=48000, layout="stereo")
        frame = av.AudioFrame(format="s16", layout="stereo", samples=1024)
        frame.sample_rate = 48000
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    refused(source, tmp_path / "out.mkv", FilmError, "holds no moving picture: it has only audio")


def test_cover_art_only(tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    with av.open(str(source), "w") as container:
        track: Any = container.add_stream("aac", rate=48000)
        cover: Any = container.add_stream("png", width=64, height=48, pix_fmt="rgb24", rate=1)
        cover.disposition = av.stream.Disposition.attached_pic
        container.start_encoding()
        write_sound(container, track, seconds=0.2, hertz=440)
        container.mux(cover.encode(av.VideoFrame(64, 48, "rgb24")))
        container.mux(cover.encode(None))
    refused(source, tmp_path / "out.mkv", FilmError, "holds no moving picture.*cover art")


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_no_frames(tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"in{ending}"
    with av.open(str(source), "w") as container:
        container.add_stream("libx264", rate=24, width=64, height=48)
        container.start_encoding()
    refused(source, tmp_path / "out.mkv", FilmError, r"no moving picture|ends inside|no picture")


@pytest.mark.parametrize("link", ["same", "symlink", "hardlink", "dots"])
def test_output_is_the_source(tmp_path: Path, link: str) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    result = tmp_path / "out.mkv"
    if link == "same":
        result = source
    elif link == "symlink":
        result.symlink_to(source)
    elif link == "hardlink":
        os.link(source, result)
    else:
        (tmp_path / "sub").mkdir()
        result = tmp_path / "sub" / ".." / "in.mkv"
    refused(source, result, UsageError, "is the source itself", overwrite=True)


def test_an_output_that_exists(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    result = tmp_path / "out.mkv"
    result.write_bytes(b"precious")
    refused(source, result, UsageError, "exists; --overwrite")
    assert result.read_bytes() == b"precious"
    run(source, result, overwrite=True)
    assert failures(verify(source, result)) == []


def test_a_failure_keeps_the_old_output(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    result = tmp_path / "out.mkv"
    result.write_bytes(b"precious")
    refused(source, result, UsageError, "no encoder", codec="libx999", overwrite=True)
    assert result.read_bytes() == b"precious"


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    refused(source, tmp_path / "no" / "out.mkv", UsageError, "does not exist")


def test_the_output_is_a_folder(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    (tmp_path / "out.mkv").mkdir()
    refused(source, tmp_path / "out.mkv", UsageError, "is a folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into any folder")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    (tmp_path / "sealed").mkdir()
    (tmp_path / "sealed").chmod(0o500)
    refused(source, tmp_path / "sealed" / "out.mkv", UsageError, "may not be written")


def test_a_sealed_folder_is_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="may not be written to"):
        check_output(tmp_path / "out.mkv")


@pytest.mark.parametrize("name", ["out.xyz", "out", "out.mp3", "out.flv"])
def test_an_unknown_ending(tmp_path: Path, name: str) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    refused(source, tmp_path / name, UsageError, r"expected one of \.mkv")


def test_an_unknown_preset(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    refused(
        source, tmp_path / "out.mkv", UsageError, "no preset 'betacam'.*archive", preset="betacam"
    )


def test_a_preset_in_the_wrong_container(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    refused(source, tmp_path / "out.mp4", UsageError, r"not for \.mp4.*\.mov", preset="prores")


@pytest.mark.parametrize("options", [{"crrf": "3"}, {"crf": "3", "fnord": "1"}])
def test_an_unknown_encoder_option(tmp_path: Path, options: dict[str, str]) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    unknown = next(k for k in options if k != "crf")
    refused(source, tmp_path / "out.mp4", UsageError, f"no option {unknown}", options=options)


def test_a_bad_option_value(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    refused(source, tmp_path / "out.mp4", UsageError, "preset=warp", options={"preset": "warp"})


def test_an_encoder_of_sound(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    refused(source, tmp_path / "out.mkv", UsageError, "encodes audio", codec="flac")


def test_an_encoder_that_the_container_does_not_hold(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=2)
    refused(source, tmp_path / "out.mov", UsageError, "does not hold ffv1", codec="ffv1")


@pytest.mark.parametrize(("width", "height"), [(61, 48), (64, 45), (61, 45)])
@pytest.mark.parametrize("pixel_format", ["gray", "yuv420p", "yuv422p"])
def test_odd_sizes_with_h264(tmp_path: Path, pixel_format: str, width: int, height: int) -> None:
    """It works, with chroma that x264 takes, and says so."""
    source = make_film(
        tmp_path / "in.mkv", pixel_format=pixel_format, width=width, height=height, frames=3
    )
    writer = run(source, tmp_path / "out.mp4", preset="lossless-h264")
    assert failures(verify(source, tmp_path / "out.mp4", lossless=True)) == []
    if pixel_format != "yuv422p" or width % 2:
        assert any("is odd" in w for w in writer.warnings)
    run(source, tmp_path / "out.mkv")
    assert failures(verify(source, tmp_path / "out.mkv")) == []


def test_odd_sizes_that_do_not_work(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", width=61, height=45, frames=2)
    for preset, name in (("access", "out.mp4"), ("v210", "out.mov")):
        refused(source, tmp_path / name, UsageError, r"61×45.*\.mkv", preset=preset)


def test_a_film_that_changes_size(tmp_path: Path) -> None:
    parts = [
        make_film(tmp_path / f"{w}.ts", codec="libx264", width=w, frames=5).read_bytes()
        for w in (64, 96)
    ]
    source = tmp_path / "in.ts"
    source.write_bytes(b"".join(parts))
    refused(source, tmp_path / "out.mkv", FilmError, r"changes at .* s from 64×48")


def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_film(tmp_path / "in.mkv", frames=4)
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    (tmp_path / "full.mkv").symlink_to("/dev/full")
    with pytest.raises(FilmError, match="No space left"):
        colorize(source, tmp_path / "full.mkv")
    assert not (tmp_path / "full.mkv").is_symlink()


def test_an_exception_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", codec="libx264", frames=9)
    for error in (RuntimeError, KeyboardInterrupt):
        with (  # noqa: PT012
            pytest.raises(error),
            atomic_write(tmp_path / "out.mp4", sources=[source]) as part,
            Reader(source) as reader,
            Writer(part, reader) as writer,
        ):
            for frame in reader:
                writer.write(writer.picture(frame))
                if frame.index == 4:
                    raise error
        assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4"]


def test_a_run_without_frames_leaves_no_file(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mp4", codec="libx264", frames=2)
    with Reader(source) as reader:
        writer = Writer(tmp_path / "out.mp4", reader)
        with pytest.raises(FilmError, match="would hold no frame"):
            writer.finish()
    assert not (tmp_path / "out.mp4").exists()


def test_a_picture_of_another_film_is_not_scaled_in(tmp_path: Path) -> None:
    small = make_film(tmp_path / "small.mkv", frames=2)
    large = make_film(tmp_path / "large.mkv", frames=2, width=128)
    with Reader(small) as a, Reader(large) as b:
        writer, other = Writer(tmp_path / "a.mkv", a), Writer(tmp_path / "b.mkv", b)
        picture = other.picture(next(iter(b)))
        with pytest.raises(AssertionError, match="does not fit"):
            writer.write(picture)
        writer.abort()
        other.abort()


def test_damaged_packets_are_told_by_time(tmp_path: Path) -> None:
    film = make_film(
        tmp_path / "whole.mkv", codec="libx264", frames=40, options={"g": "10", "bf": "0"}
    )
    with av.open(str(film)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(film.read_bytes())
    for position, size in places[15:17]:
        assert position is not None
        data[position + size // 3 : position + size // 2] = b"\xff" * (size // 2 - size // 3)
    source = tmp_path / "in.mkv"
    source.write_bytes(data)
    with Reader(source) as reader:
        delivered = [f.index for f in reader]
        assert len(delivered) >= 30
        assert reader.damage_count >= 1
        assert any(
            d.time is not None and Fraction(1, 2) <= d.time <= Fraction(3, 4)
            for d in reader.damages
        )
    run(source, tmp_path / "out.mkv")
    assert failures(verify(source, tmp_path / "out.mkv")) == []


def test_verify_sees_what_is_wrong(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", frames=6, sound=["pcm_s16le"])
    other = make_film(
        tmp_path / "other.mkv",
        frames=5,
        pixel_aspect=Fraction(4, 3),
        color_range=2,
        rate=25,
        sound=["ac3"],
        codec="libx264",
    )
    names = {f.split(":")[0] for f in failures(verify(source, other))}
    assert names >= {"frames", "timestamps", "pixel aspect", "range", "audio 1"}
    shutil.copy(source, tmp_path / "copy.mkv")  # nothing is lost, and nothing was colored
    assert failures(verify(source, tmp_path / "copy.mkv")) == [
        "color: the result is the source itself"
    ]


def test_verify_finds_one_changed_sample(tmp_path: Path) -> None:
    source = make_film(tmp_path / "in.mkv", pixel_format="gray16le", frames=3)
    result = tmp_path / "out.mkv"
    with Reader(source) as reader, Writer(result, reader) as writer:
        for frame in reader:
            made = writer.picture(frame)
            if frame.index == 1:
                plane_view(made.native, 0, made.luma.dtype)[7, 9] ^= 1
            writer.write(made)
    report = verify(source, result)
    assert not report.ok
    assert report.identical_frames == 2
    assert "frame 1" in failures(report)[0]
    plain = report.to_json()
    assert plain["ok"] is False
    assert plain["frames"] == 3
