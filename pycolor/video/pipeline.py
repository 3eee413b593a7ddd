"""A film from file to file: read, predict, render, write."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pycolor import ops
from pycolor.colorize import Predictor
from pycolor.encoding import Encoding
from pycolor.models import zoo
from pycolor.options import VideoOptions, frame_range
from pycolor.outfile import complete_file
from pycolor.progress import Progress
from pycolor.video.io import FilmInfo, Frame, Picture, Plane, Reader, Writer
from pycolor.video.shots import Shot, ShotDetector, ShotOptions
from pycolor.video.threads import Behind, ahead

# Decoded frames that wait for the network, and colored ones that wait for the encoder.
FRAMES_WAITING = 6


@dataclass(frozen=True, kw_only=True)
class FilmReport:
    """What was done to a film.

    Attributes:
        source: the film.
        target: the colored film.
        info: of the source.
        frames: colored.
        seconds: from opening the source to the finished file.
        stage_seconds: time spent in each stage; stages overlap, so they do not add up.
        shots: found in the frames that were colored.
        model: name and the first digits of its weights' digest.
        device: and arithmetic.
        pixel_format: of the output.
        warnings: what was assumed, dropped or damaged.
    """

    source: Path
    target: Path
    info: FilmInfo
    frames: int
    seconds: float
    stage_seconds: dict[str, float]
    shots: tuple[Shot, ...]
    model: str
    device: str
    pixel_format: str
    warnings: tuple[str, ...]

    def summary(self) -> list[str]:
        """A few lines for a person."""
        stages = ", ".join(f"{k} {v:.1f} s" for k, v in self.stage_seconds.items())
        shots = f"{len(self.shots)} shot" + ("" if len(self.shots) == 1 else "s")
        return [
            f"{self.target}: {self.frames} frames in {shots}, "
            f"{self.info.width}x{self.info.height}, {self.pixel_format}, "
            f"{self.model} on {self.device}",
            f"{self.seconds:.1f} s, {self.frames / self.seconds:.1f} frames/s ({stages})",
        ]


@dataclass
class _Stopwatch:
    """Seconds by stage."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - began

    def timed(self, stage: str, items: Iterable[Frame]) -> Iterator[Frame]:
        """The items, with the time it takes to make each counted."""
        iterator = iter(items)
        while True:
            with self(stage):
                item = next(iterator, None)
            if item is None:
                return
            yield item
            del item


def color_film(
    source: Path,
    target: Path,
    options: VideoOptions,
    *,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> FilmReport:
    """Color a film.

    The target appears when it is complete, under its name and at once; until then a hidden
    `.part` file stands beside it, which an error or an interrupt removes.

    Args:
        source: the film.
        target: the colored film; its ending chooses the container.
        options: see `VideoOptions`.
        say: called with each warning, as soon as it is known.
        progress: advanced by each written frame.

    Raises:
        UsageError: an option or a name does not fit.
        FilmError: the film cannot be read, or the output not be written.
    """
    began = time.perf_counter()
    frames = frame_range(options.frames)
    zoo.card(options.predict.model)  # a name that is not known is refused before any work
    watch = _Stopwatch()
    warnings: list[str] = []

    def warn(text: str) -> None:
        warnings.append(text)
        say(f"note: {text}")

    with (
        complete_file(target, sources=[source], overwrite=options.overwrite) as part,
        Reader(source, frames=frames) as reader,
        Writer(
            part,
            reader,
            preset=options.preset,
            codec=options.codec,
            options=options.encoder_options,
        ) as writer,
    ):
        # The header stands: what the container refuses or drops is known before the model loads.
        for text in (*reader.info.warnings, *writer.warnings):
            warn(text)
        predictor = Predictor(options.predict)
        if progress is not None:
            progress.total = _promised(reader.info, *(frames or (0, None)))
        batch = options.batch or (8 if predictor.device.type == "cuda" else 1)
        shots = _color(reader, writer, predictor, batch, watch, progress)
        for damage in reader.damages:
            warn(f"{source} {damage}")
        written = writer.written

    loaded = predictor.loaded
    return FilmReport(
        source=source,
        target=target,
        info=reader.info,
        frames=written,
        seconds=time.perf_counter() - began,
        stage_seconds=dict(watch.seconds),
        shots=tuple(shots),
        model=f"{loaded.card.name} ({loaded.sha256[:8]})",
        device=f"{predictor.device} in {str(predictor.dtype).removeprefix('torch.')}",
        pixel_format=writer.pixel_format,
        warnings=tuple(warnings),
    )


def _color(
    reader: Reader,
    writer: Writer,
    predictor: Predictor,
    batch: int,
    watch: _Stopwatch,
    progress: Progress | None,
) -> list[Shot]:
    """Everything between the reader and the writer; returns the shots."""
    info = reader.info
    aspect = float(info.pixel_aspect or 1)
    turns = round(info.rotation / 90) % 4
    detector = ShotDetector(
        ShotOptions(bit_depth=info.encoding.bit_depth, full_range=info.encoding.full_range)
    )
    shots: list[Shot] = []

    def write(picture: Picture) -> None:
        with watch("encode"):
            writer.write(picture)
        if progress is not None:
            progress.advance()

    with (
        closing(ahead(watch.timed("decode", reader), FRAMES_WAITING)) as frames,
        Behind(write, FRAMES_WAITING) as encoder,
    ):
        while group := list(islice(frames, batch)):
            with watch("shots"):
                for frame in group:
                    shots += detector.push(frame.luma)
            with watch("predict"):
                lightness = [
                    predictor.lightness(as_tensor(f.luma)[None], info.encoding, aspect, turns)
                    for f in group
                ]
                fields = predictor.field(torch.cat(lightness), turns)
            for frame, chroma in zip(group, fields, strict=True):
                with watch("render"):
                    picture = writer.picture(frame)
                    render(chroma, picture, writer.encoding, interlaced=frame.interlaced)
                encoder.put(picture)
            del group, frame, picture
    shots += detector.finish()
    return shots


def render(field: Tensor, picture: Picture, encoding: Encoding, *, interlaced: bool) -> None:
    """Write a chroma field into a picture's chroma planes.

    Args:
        field: 2×h×w ab, over the whole frame.
        picture: its luma guides, its chroma is overwritten.
        encoding: of the picture.
        interlaced: the picture holds two fields, each with chroma lines of its own.
    """
    luma, u, v = (as_tensor(p)[None] for p in (picture.luma, *picture.chroma))
    fields = field[None].cpu()
    vertical = encoding.shifts[0]
    # Chroma lines alternate between the fields like luma lines do, where both divide evenly.
    if interlaced and vertical and luma.shape[1] % (2 << vertical) == 0:
        for parity in (0, 1):
            planes = u[:, parity::2], v[:, parity::2]
            ops.render_chroma(fields, luma[:, parity::2], encoding=encoding, out=planes)
    else:
        ops.render_chroma(fields, luma, encoding=encoding, out=(u, v))


def as_tensor(plane: Plane) -> Tensor:
    """A plane as a tensor that shares its memory; read-only planes stay the caller's promise."""
    if plane.flags.writeable:
        return torch.from_numpy(plane)
    # torch knows no read-only memory and warns of it; nothing here writes to luma.
    interface = dict(plane.__array_interface__)
    interface["data"] = (interface["data"][0], False)
    holder = _Memory(interface, plane)
    return torch.from_numpy(np.asarray(holder))


class _Memory:
    """Memory by address, which keeps its owner alive."""

    def __init__(self, interface: dict[str, object], owner: object) -> None:
        self.__array_interface__ = interface
        self.owner = owner


def _promised(info: FilmInfo, first: int, stop: int | None) -> int | None:
    """Frames to expect, if the container says."""
    if not info.frames:
        return None if stop is None else stop - first
    return max(0, min(info.frames, stop or info.frames) - first)
