"""The chroma of a master on a version of its film; the luma of the version is exact."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any

from pycolor.encoding import Encoding
from pycolor.errors import FilmError, UsageError, counted
from pycolor.options import VideoOptions
from pycolor.options.frame_ranges import frame_rate
from pycolor.system.atomic_file import atomic_write
from pycolor.system.progress import Progress, begin_stage
from pycolor.version import __version__
from pycolor.video.io import Frame, Picture, Reader, Writer
from pycolor.video.io.containers.presets import PIPE, ending_of, preset_for
from pycolor.video.io.frame.digest import luma_digest
from pycolor.video.job.masters.make_master import told_of
from pycolor.video.job.masters.master_frames import Chroma, MasterFrames, in_matrix
from pycolor.video.job.record.sidecar import DIGITAL_SOURCE_TYPE, free_sidecar, removed_on_error
from pycolor.video.job.record.source_digest import file_digest
from pycolor.video.job.work.atomic_output import atomic_output
from pycolor.video.job.work.segments.delivery import check_luma, is_checked
from pycolor.video.master.blocks import fold
from pycolor.video.master.framing import Crop, check_aspect, scaled_plane

# Options that say how a film is read and written, or how work is divided.
_OF_THE_OUTPUT = frozenset(("rate", "range", "matrix", "preset", "codec", "codec_options"))
_OF_THE_OUTPUT |= {"overwrite", "batch", "cache_size", "work_dir", "keep_work", "segment_frames"}
_SPOKEN = {"predict": "how color is predicted", "propagation": "how it is propagated"}


@dataclass(frozen=True, kw_only=True)
class AppliedMaster:
    """What was written.

    Attributes:
        target: the colored version; `sidecar` its record, None for a pipe.
        frames: in it.
        pixel_format: of it.
        seconds: it took.
        warnings: what was assumed or dropped.
    """

    target: Path
    sidecar: Path | None
    frames: int
    pixel_format: str
    seconds: float
    warnings: tuple[str, ...]

    def summary(self) -> list[str]:
        """A line for a person."""
        return [
            f"{self.target}: {counted(self.frames, 'frame')}, {self.pixel_format}, "
            f"{self.seconds:.1f} s, {self.frames / self.seconds:.1f} frames/s"
        ]


def apply_master(
    master: Path,
    regrade: Path,
    target: Path,
    options: VideoOptions,
    *,
    offset: int | None = None,
    crop: Crop | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> AppliedMaster:
    """Give a version of a film the chroma of a master, as it is.

    Args:
        master: see `MasterFrames`.
        regrade: the film, or another version of it.
        target: the colored version.
        options: of the output alone.
        offset: the master's frame that is the version's first; None: both have the same frames.
        crop: the part of the master's picture that the version shows; None: all.
        say: called with each warning.
        progress: advanced by each frame.

    Raises:
        UsageError: an option or a name does not fit.
        FilmError: a film cannot be read, or the output not be written.
    """
    _check(options)
    run = _Run(master, regrade, target, options, say, progress)
    return run.run(offset, crop)


def _check(options: VideoOptions) -> None:
    usual = VideoOptions()
    names = [f.name for f in fields(VideoOptions) if f.name not in _OF_THE_OUTPUT]
    given = [name for name in names if getattr(options, name) != getattr(usual, name)]
    if given:
        told = ", ".join(_SPOKEN.get(name, name) for name in given)
        raise UsageError(
            f"a master holds its colors, of whole films: expected options of the output alone "
            f"beside it, got {told} (apply IN.pycolor takes those of color)."
        )


class _Run:
    """One version on its way."""

    def __init__(
        self,
        master: Path,
        regrade: Path,
        target: Path,
        options: VideoOptions,
        say: Callable[[str], None],
        progress: Progress | None,
    ) -> None:
        self.master, self.regrade, self.target = master, regrade, target
        self.options, self.say, self.progress = options, say, progress
        self.warnings: list[str] = []
        self.digests: list[str] = []

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)
            self.say(f"note: {text}")

    def run(self, offset: int | None, crop: Crop | None) -> AppliedMaster:
        began = time.perf_counter()
        options, target = self.options, self.target
        with (
            removed_on_error() as beside,
            atomic_output(
                target,
                preset=options.preset,
                sources=[self.regrade, self.master],
                overwrite=options.overwrite,
            ) as part,
        ):
            sidecar = None if str(target) == PIPE else free_sidecar(target)
            made = self._written(part, offset, crop)
            preset = preset_for(ending_of(target, options.preset), options.preset)
            if is_checked(preset, options.codec):
                title = f"{self.regrade.name}: checking"
                on_frame = begin_stage(self.progress, title, len(self.digests))
                check_luma(part, self.digests, target, on_frame=on_frame)
            if sidecar is not None:
                beside.append(sidecar)
                self._write_sidecar(sidecar, made)
        return AppliedMaster(
            target=target,
            sidecar=sidecar,
            frames=len(self.digests),
            pixel_format=made,
            seconds=time.perf_counter() - began,
            warnings=tuple(self.warnings),
        )

    def _written(self, part: Path, offset: int | None, crop: Crop | None) -> str:
        options = self.options
        with (
            MasterFrames(self.master) as master,
            Reader(
                self.regrade, rate=frame_rate(options.rate), override=options.override
            ) as reader,
            Writer(
                part,
                reader,
                preset=options.preset,
                codec=options.codec,
                options=options.encoder_options,
                metadata=self._tags(master),
                name=self.target,
            ) as writer,
        ):
            for text in (*reader.info.warnings, *writer.warnings):
                self.warn(text)
            self._note_delivery(master, writer)
            if self.progress is not None:
                self.progress.stage(f"{self.regrade.name}: master", reader.info.frames or None)
            for frame, chroma in self._pairs(reader, master, offset):
                picture = writer.picture(frame)
                self._color(picture, chroma, master, writer.encoding, crop)
                self.digests.append(luma_digest(picture.luma).hex())
                writer.write(picture)
                if self.progress is not None:
                    self.progress.advance()
            for damage in reader.damages:
                self.warn(f"{self.regrade} {damage}")
            return writer.pixel_format

    def _pairs(
        self, reader: Reader, master: MasterFrames, offset: int | None
    ) -> Iterator[tuple[Frame, Chroma]]:
        chroma = islice(iter(master), offset or 0, None)
        count = 0
        for frame in reader:
            found = next(chroma, None)
            if found is None:
                raise FilmError(
                    f"{self.master} ends before {self.regrade}, at frame {count} of that; expected "
                    "a frame of color for each."
                )
            count += 1
            yield frame, found
        if offset is None and next(chroma, None) is not None:
            raise FilmError(
                f"{self.regrade} has {counted(count, 'frame')} and {self.master} more; expected "
                "as many, or --offset, the master's frame that is the first."
            )

    def _color(
        self,
        picture: Picture,
        chroma: Chroma,
        master: MasterFrames,
        encoding: Encoding,
        crop: Crop | None,
    ) -> None:
        film, size = chroma[0].shape, picture.luma.shape
        if crop is None and film != size:
            check_aspect(film, size, str(self.regrade))
            crop = Crop(x=0, y=0, width=film[1], height=film[0])
        planes: Any = chroma
        if master.matrix is not None and master.matrix != encoding.matrix:
            self.warn(
                f"{self.master} is {master.matrix} and the output {encoding.matrix}: its chroma is "
                "converted"
            )
            planes = in_matrix(chroma, master.encoding, master.matrix, encoding.matrix)
        for plane, out in zip(planes, picture.chroma, strict=True):
            part = plane
            if crop is not None:
                crop.check(film[1], film[0])
                part = scaled_plane(plane, crop, size)
            fold(part, out, master.made_for, encoding, interlaced=picture.interlaced)

    def _note_delivery(self, master: MasterFrames, writer: Writer) -> None:
        told = told_of(master.metadata)
        delivery = told.get("delivery", writer.pixel_format)
        if delivery != writer.pixel_format:
            self.warn(
                f"the master was made for {delivery}, and the output is {writer.pixel_format}: its "
                "chroma is that of the master, not bit for bit that of pycolor video"
            )

    def _tags(self, master: MasterFrames) -> dict[str, str]:
        tag = "COLORIZATION"
        generic = {
            "software": f"pycolor {__version__}",
            "made": "chroma",
            "kept": "luma",
            "digital_source_type": DIGITAL_SOURCE_TYPE,
        }
        return {tag: master.metadata.get(tag) or json.dumps(generic, sort_keys=True)}

    def _write_sidecar(self, path: Path, pixel_format: str) -> None:
        content = {
            "generator": "pycolor",
            "version": 1,
            "target": self.target.name,
            "source": {"name": self.regrade.name, "sha256": file_digest(self.regrade)},
            "master": {"name": self.master.name, "sha256": _digest(self.master)},
            "digital_source_type": DIGITAL_SOURCE_TYPE,
            "pixel_format": pixel_format,
            "frames": len(self.digests),
            "warnings": self.warnings,
            "luma_sha256": self.digests,
        }
        try:
            with atomic_write(path, overwrite=True) as part:
                part.write_text(json.dumps(content, indent=1), encoding="utf-8")
        except OSError as e:
            raise FilmError(f"the sidecar {path} could not be written: {e.strerror}.") from None


def _digest(path: Path) -> str | None:
    return file_digest(path) if path.is_file() else None
