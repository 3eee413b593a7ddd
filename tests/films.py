"""Films made for the tests: small, grainy, of any format, with sound and titles."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.filter
import numpy as np
import pytest
from av.codec.context import Flags

from pycolor.video.io import Reader, Writer, concat_segments
from pycolor.video.io.containers.presets import ending_of, preset_for, segment_suffix


def data_folder() -> Path | None:
    """The shared films and photographs, if they are there."""
    named = os.environ.get("PYCOLOR_DATA")
    root = Path(__file__).resolve().parents[1]
    places = [Path(named)] if named else [root.parent / "shared" / "data"]
    places += [parent / "shared" / "data" for parent in root.parents]
    return next((p for p in places if (p / "video").is_dir()), None)


def data_film(name: str) -> Path:
    """A shared film; the test is skipped where there is none."""
    folder = data_folder()
    if folder is None:
        pytest.skip("the shared films are not here (PYCOLOR_DATA names their folder)")
    return folder / "video" / name


def picture(
    pixel_format: str, width: int, height: int, index: int, *, full_range: bool = False
) -> av.VideoFrame:
    """A moving gradient with grain over the whole range of codes, and some chroma."""
    frame = av.VideoFrame(width, height, pixel_format)
    random = np.random.default_rng(index)
    for number, plane in enumerate(frame.planes):
        bits = frame.format.components[number].bits
        dtype = np.dtype("<u2" if bits > 8 else "u1")
        rows = np.frombuffer(cast(Any, plane), dtype).reshape(-1, plane.line_size // dtype.itemsize)
        view = rows[: plane.height, : plane.width]
        top = (1 << bits) - 1
        low, high = (0, top) if full_range else (16 << bits - 8, 235 << bits - 8)
        if number:
            view[:] = (1 << bits - 1) + random.integers(-3, 4, view.shape)
            continue
        y, x = np.mgrid[: plane.height, : plane.width]
        slope = ((x + 2 * y) / (plane.width + 2 * plane.height) + 0.03 * index) % 1
        grain = random.normal(0, 0.02, view.shape)
        view[:] = np.clip(low + (high - low) * (slope + grain), low, high).astype(dtype)
    return frame


def make_film(
    path: Path,
    *,
    pixel_format: str = "yuv420p",
    width: int = 64,
    height: int = 48,
    frames: int = 10,
    rate: Fraction | int = 24,
    codec: str = "ffv1",
    options: Mapping[str, str] | None = None,
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    color_range: int = 0,
    matrix: int = 2,
    primaries: int = 2,
    transfer: int = 2,
    pixel_aspect: Fraction | None = None,
    field_order: int = 0,
    fields: str = "",
    coded_fields: bool = False,
    rotation: int = 0,
    timecode: str = "",
    sound: Sequence[str] = (),
    languages: Sequence[str] = (),
    titles: str = "",
    chapters: bool = False,
    metadata: Mapping[str, str] | None = None,
    muxer_options: dict[str, str] | None = None,
    siting: str = "",
) -> Path:
    """Write a film; `times` are its pts in `time_base` (1/rate if not given).

    `fields` (tff or bff) marks every frame as two fields, as well as `field_order` the stream.
    `coded_fields` has the encoder code them as such.
    `sound` names encoders, one track each; `titles` names a subtitle encoder.
    """
    base = time_base or 1 / Fraction(rate)
    times = range(frames) if times is None else times
    with av.open(str(path), "w", options=muxer_options or {}) as container:
        container.metadata.update(metadata or {})
        stream: Any = container.add_stream(
            codec,
            rate=Fraction(rate),
            width=width,
            height=height,
            pix_fmt=pixel_format,
            options=dict(options or {}) | ({"chroma_sample_location": siting} if siting else {}),
            time_base=base,
        )
        context = stream.codec_context
        context.time_base = stream.time_base = base
        context.color_range, context.colorspace = color_range, matrix
        context.color_primaries, context.color_trc = primaries, transfer
        context.flags |= Flags.frame_duration
        if coded_fields:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        if field_order:
            context.field_order = field_order
            if codec == "libx264" and field_order > 1:
                context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        if pixel_aspect:
            context.sample_aspect_ratio = pixel_aspect
        if rotation:
            stream.set_display_rotation(rotation)
        if timecode:
            stream.metadata["timecode"] = timecode
        tracks = []
        for number, name in enumerate(sound):
            track: Any = container.add_stream(name, rate=48000)
            if number < len(languages):
                track.metadata["language"] = languages[number]
            tracks.append(track)
        text: Any = None
        if titles:
            text = container.add_mux_stream(titles)
            text.time_base = Fraction(1, 1000)
            text.metadata["language"] = "eng"
        if chapters:
            container.set_chapters([_chapter(0, 0, 200, "one"), _chapter(1, 200, 400, "two")])
        container.start_encoding()
        last = times[-1] * base if len(times) else Fraction(0)
        for number, track in enumerate(tracks):
            write_sound(container, track, seconds=float(last) + 0.3, hertz=220 * (number + 1))
        if text is not None:
            _write_titles(container, text)
        for index, pts in enumerate(times):
            frame = picture(pixel_format, width, height, index, full_range=color_range == 2)
            if fields:
                frame = marked(frame, fields)
            frame.pts, frame.time_base = pts, base
            later = times[index + 1] if index + 1 < len(times) else 2 * pts - times[index - 1]
            frame.duration = max(1, later - pts)
            frame.color_range, frame.colorspace = color_range, matrix
            frame.color_primaries, frame.color_trc = primaries, transfer
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def planes_of(path: Path) -> list[tuple[Any, Any]]:
    """Luma and chroma codes of each frame, planar, as numbers."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            codes, h = frame.to_ndarray().astype(np.int32), frame.height
            if codes.ndim == 3:  # 4:4:4
                found.append((codes[0], codes[1:]))
            else:
                found.append((codes[:h], codes[h:]))
    return found


def marked(frame: av.VideoFrame, fields: str) -> av.VideoFrame:
    """The frame as two fields, the top one (tff) or the bottom one (bff) first."""
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width,
        height=frame.height,
        format=frame.format,
        time_base=Fraction(1, 25),
    )
    mark, sink = graph.add("setfield", f"mode={fields}"), graph.add("buffersink")
    source.link_to(mark)
    mark.link_to(sink)
    graph.configure()
    graph.push(frame)
    return cast(av.VideoFrame, graph.pull())


def _chapter(number: int, start: int, end: int, title: str) -> Any:
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": title},
    }


def write_sound(container: Any, track: Any, *, seconds: float, hertz: float) -> None:
    context = track.codec_context
    samples = int(seconds * 48000)
    planar = context.format.is_planar
    kind = {"fltp": "<f4", "flt": "<f4", "s16": "<i2", "s32": "<i4", "s16p": "<i2", "s32p": "<i4"}[
        context.format.name
    ]
    wave = np.sin(2 * np.pi * hertz * np.arange(samples) / 48000) * 0.5
    scale = 1 if kind == "<f4" else np.iinfo(np.dtype(kind)).max
    size = context.frame_size or 1024
    for start in range(0, samples, size):
        chunk = (wave[start : start + size] * scale).astype(kind)
        both = np.stack([chunk, chunk]) if planar else np.repeat(chunk, 2)[None]
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(both), format=context.format.name, layout="stereo"
        )
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


def _write_titles(container: Any, text: Any) -> None:
    for number, words in enumerate(("Silence.", "A door opens.")):
        data = words.encode()
        if text.codec_context is None and container.format.name in ("mp4", "mov"):
            data = len(data).to_bytes(2, "big") + data
        packet: Any = av.Packet(data)
        packet.stream = text
        packet.pts = packet.dts = 100 + 150 * number
        packet.duration = 100
        packet.time_base = Fraction(1, 1000)
        container.mux(packet)


def colorize(source: Path, result: Path, *, frames: Any = None, **options: Any) -> Writer:
    """Every frame one constant color: the least colorizer that touches all the I/O."""
    with Reader(source, frames=frames) as reader, Writer(result, reader, **options) as writer:
        neutral = writer.encoding.chroma_code_range[0]
        step = 1 << (writer.encoding.bit_depth - 8)
        for frame in reader:
            made = writer.picture(frame)
            for plane, offset in zip(made.chroma, (-20, 30), strict=True):
                plane[:] = neutral + offset * step
            writer.write(made)
    return writer


def by_segments(
    source: Path,
    result: Path,
    *,
    preset: str | None = None,
    rate: Fraction | None = None,
    length: int = 7,
    frames: tuple[int, int | None] | None = None,
) -> list[str]:
    """What `pycolor video` makes of a film, in segments of so many frames; its notes."""
    with Reader(source, frames=frames, rate=rate) as reader:
        probe = Writer(result, reader, preset=preset)
        probe.abort()
        suffix = segment_suffix(result, preset)
        chosen = preset_for(ending_of(result, preset), preset)
        timeline: list[int] = []
        parts: list[Path] = []
        writer: Writer | None = None
        for frame in reader:
            if writer is None or writer.written == length:
                if writer is not None:
                    writer.finish()
                parts.append(result.with_name(f"{result.stem}-part{len(parts)}{suffix}"))
                writer = Writer(parts[-1], reader, preset=chosen, streams=False)
            timeline.append(frame.pts)
            writer.write(writer.picture(frame))
        assert writer is not None
        writer.finish()
        concat_segments(parts, reader, result, timeline=timeline, preset=preset)
        return [*reader.info.warnings, *probe.warnings]


def colored_film(path: Path, frames: int = 12) -> Path:
    """A film with colors of its own: gray source, chroma in stripes."""
    gray = make_film(path.with_name(f"gray-{path.name}"), pixel_format="gray", frames=frames)
    with Reader(gray) as reader, Writer(path, reader) as writer:
        for frame in reader:
            made = writer.picture(frame)
            for number, plane in enumerate(made.chroma):
                stripes = np.arange(plane.shape[1 - number]) // 4 % 2 * 60 + 98
                plane[:] = stripes if number == 0 else stripes[:, None]
            writer.write(made)
    return path
