"""A film's color as a master: chroma of 4:4:4 over a constant mid-gray, or OpenEXR pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from pycolor.encoding import Encoding
from pycolor.errors import UsageError
from pycolor.image.predictor_pool import without_grade
from pycolor.options import VideoOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.atomic_file import atomic_write
from pycolor.system.progress import Progress
from pycolor.video.io import Frame, FrameFactory, Picture, Reader, Writer, factory_of
from pycolor.video.io.containers.codecs.chroma_exr import (
    EXACT_SPAN,
    ChromaExrWriter,
    chroma_halves,
)
from pycolor.video.io.containers.presets import find_preset, master_preset
from pycolor.video.io.containers.sequence import picture_name
from pycolor.video.io.frame.tensors import luma_on
from pycolor.video.job.decisions.plan_file import PlanFile
from pycolor.video.job.frames.preview import Preview, open_preview
from pycolor.video.job.record.sidecar import synthetic_media_tag
from pycolor.video.job.work.atomic_output import atomic_pictures
from pycolor.video.master.blocks import holds, spread, unfolded
from pycolor.video.plan.analysis import FilmAnalysis, analyze_film
from pycolor.video.propagation.propagate import Parts
from pycolor.video.render.chroma_planes import graded, render_picture

BITS = (10, 12, 16)
TAG = "CHROMA_MASTER"


@dataclass(frozen=True, kw_only=True)
class MasterReport:
    """What was written.

    Attributes:
        target: the master.
        frames: in it.
        bits: of its chroma.
        delivery: pixel format whose chroma comes back from it bit for bit.
        warnings: what it costs.
    """

    target: Path
    frames: int
    bits: int
    delivery: str
    warnings: tuple[str, ...]


def write_master(
    source: Path,
    target: Path,
    file: PlanFile,
    options: VideoOptions,
    *,
    bits: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> MasterReport:
    """Write the color of a film as a master; the network runs where color is not kept yet.

    The mean of the master's chroma over the luma samples of one chroma sample is the code that
    `pycolor video` writes with the same options, so `apply_master` gives that back.

    Args:
        source: the film.
        target: the master: a film in Matroska; or a pattern or a folder of .exr pictures.
        file: the film's plan.
        options: of the delivery that it is for.
        bits: of chroma, 10, 12 or 16; None: the fewest that hold the delivery's (12 in OpenEXR).
        say: called with each warning.
        progress: advanced by each frame.

    Raises:
        UsageError: a name or an option does not fit.
        FilmError: the film cannot be read, or the master not be written.
    """
    suffix = _suffix(target)
    preview = open_preview(source, file, options, lambda: _analysis(source, options, progress))
    preview.project.folder.mkdir(parents=True, exist_ok=True)
    with (
        preview.project.held(),
        Reader(source, rate=frame_rate(options.rate), override=options.override) as reader,
    ):
        factory = factory_of(
            reader.info,
            ".mkv" if options.preset is None else find_preset(options.preset).suffixes[0],
            preset=options.preset,
            codec=options.codec,
            options=options.encoder_options,
        )
        bits = bits or (12 if suffix == ".exr" else _fewest(factory.encoding))
        own = factory_of(reader.info, ".mkv", preset=master_preset(bits)).encoding
        warnings = _warnings(own, factory.encoding, suffix)
        for text in (*reader.info.warnings, *warnings):
            say(f"note: {text}")
        tags = _tags(preview, file, factory)
        with _sink(target, suffix, reader, bits, tags, source, options) as sink:
            frames = _write(preview, reader, factory, sink, progress)
        return MasterReport(
            target=target,
            frames=frames,
            bits=bits,
            delivery=factory.pixel_format,
            warnings=warnings,
        )


def _suffix(target: Path) -> str:
    if target.suffix.lower() in (".mkv", ".exr"):
        return target.suffix.lower()
    if not target.suffix:
        return ".exr"
    raise UsageError(
        f"a master is .mkv (FFV1), a pattern such as layer_%06d.exr or a folder for pictures; got "
        f"{target}."
    )


def _analysis(source: Path, options: VideoOptions, progress: Progress | None) -> FilmAnalysis:
    return analyze_film(
        source, rate=frame_rate(options.rate), override=options.override, progress=progress
    )


def _fewest(delivery: Encoding) -> int:
    return next(bits for bits in BITS if bits >= delivery.bit_depth)


def _warnings(own: Encoding, delivery: Encoding, suffix: str) -> tuple[str, ...]:
    if not holds(own, delivery):
        return (
            f"a master of {own.bit_depth} bits rounds chroma of {delivery.bit_depth} bits; "
            "--bits 16 holds it",
        )
    if suffix == ".exr" and delivery.chroma_code_range[1] > EXACT_SPAN:
        return (
            f"half floats round chroma of {delivery.bit_depth} bits"
            f"{' in full range' if delivery.full_range else ''}; a .mkv of 16 bits holds it",
        )
    return ()


def _tags(preview: Preview, file: PlanFile, factory: FrameFactory) -> dict[str, str]:
    colors, options = preview.colors, preview.options
    predict = next(iter(colors.models.values()), options.predict)
    loaded = colors.pool.of(without_grade(predict)).loaded
    told = {
        "delivery": factory.pixel_format,
        "full_range": factory.encoding.full_range,
        "source": file.plan.source.name,
        "source_sha256": file.plan.source.sha256,
        "revision": file.plan.revision,
    }
    return {**synthetic_media_tag(loaded, options), TAG: json.dumps(told, sort_keys=True)}


# -- frames --------------------------------------------------------------------------------------


def _write(
    preview: Preview,
    reader: Reader,
    factory: FrameFactory,
    sink: _Sink,
    progress: Progress | None,
) -> int:
    plan, count = preview.colors.plan, 0
    if progress is not None:
        progress.stage(f"{preview.source.path.name}: master", len(plan))
    for frame, n, parts in preview.colored(reader):
        color = None if parts is None else partial(_colored, parts, preview)
        _write_frame(frame, color, factory, sink, under=plan.is_under(n))
        count += 1
        if progress is not None:
            progress.advance()
    return count


def _colored(parts: Parts, preview: Preview, picture: Picture, encoding: Encoding) -> Tensor:
    return graded(parts, preview.grades, luma_on(picture, preview.device), encoding)


def _write_frame(
    frame: Frame,
    color: Callable[[Picture, Encoding], Tensor] | None,
    factory: FrameFactory,
    sink: _Sink,
    *,
    under: bool,
) -> None:
    """The delivery's picture, then 4:4:4 whose means are its chroma."""
    encoding, interlaced = factory.encoding, frame.interlaced
    picture = factory.picture(frame)
    if color is not None:
        field = color(picture, encoding)
        render_picture(field, picture, encoding, interlaced=interlaced, under=under)
    # The next picture may lie in the memory of this one.
    delivered = [plane.copy() for plane in picture.chroma]
    master = sink.picture(frame)
    if color is not None and not under:
        field = color(master, sink.encoding)
        render_picture(field, master, sink.encoding, interlaced=interlaced)
    else:
        for plane, own in zip(master.chroma, delivered, strict=True):
            wide = unfolded(own, plane.shape, encoding, interlaced=interlaced)
            np.copyto(plane, wide.astype(plane.dtype))
    for plane, own in zip(master.chroma, delivered, strict=True):
        spread(plane, own, sink.encoding, encoding, interlaced=interlaced)
    sink.write(master)


@dataclass(frozen=True, kw_only=True)
class _Sink:
    """Where masters' pictures come from and go to."""

    encoding: Encoding
    picture: Callable[[Frame], Picture]
    write: Callable[[Picture], None]


@contextmanager
def _sink(
    target: Path,
    suffix: str,
    reader: Reader,
    bits: int,
    tags: dict[str, str],
    source: Path,
    options: VideoOptions,
) -> Iterator[_Sink]:
    if suffix == ".mkv":
        with (
            atomic_write(target, sources=[source], overwrite=options.overwrite) as part,
            Writer(part, reader, preset=master_preset(bits), metadata=tags, name=target) as writer,
        ):
            black, white = writer.encoding.luma_code_range

            def write(picture: Picture) -> None:
                picture.fill_luma((black + white + 1) // 2)
                writer.write(picture)

            yield _Sink(encoding=writer.encoding, picture=writer.picture, write=write)
        return
    with atomic_pictures(target, suffix, sources=[source], overwrite=options.overwrite) as pattern:
        yield _exr_sink(pattern, reader, bits)


def _exr_sink(pattern: Path, reader: Reader, bits: int) -> _Sink:
    info = reader.info
    factory = factory_of(info, ".mkv", preset=master_preset(bits))
    files = ChromaExrWriter(info.height, info.width, info.rate)

    def write(picture: Picture) -> None:
        cb, cr = (chroma_halves(plane, factory.encoding) for plane in picture.chroma)
        files.write(picture_name(pattern, reader.first_number + picture.index), cb, cr)

    return _Sink(encoding=factory.encoding, picture=factory.picture, write=write)


def told_of(metadata: Any) -> dict[str, Any]:
    """What a master's tags say of it; empty where it is another program's."""
    try:
        told = json.loads(metadata[TAG])
    except (KeyError, ValueError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}
