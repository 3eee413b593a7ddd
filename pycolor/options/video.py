"""How a film is read, colored and written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from pycolor.encoding import Matrix, TagOverride
from pycolor.errors import UsageError
from pycolor.options.checks import check_choice, check_sensitivity, check_whole, take_paths
from pycolor.options.frame_ranges import check_frames, frame_rate
from pycolor.options.predict import PredictOptions
from pycolor.options.propagation import PropagationOptions

ColorShots = Literal["keep", "recolor"]
Tints = Literal["remove", "keep", "leave"]
Range = Literal["limited", "full"]


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The `number`-th, from 1, of `count` workers."""

    number: int
    count: int


def slice_of(text: str) -> Slice:
    """A slice from K/N.

    Raises:
        UsageError: it is none.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    number, count = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= number <= count:
        raise UsageError(f"slice must be K/N with 1 <= K <= N, got {text!r}.")
    return Slice(number=number, count=count)


def key_values(name: str, text: str) -> dict[str, str]:
    """The dictionary of key=value,...

    Args:
        name: of the option, for the message.
        text: its value.

    Raises:
        UsageError: it is none.
    """
    found: dict[str, str] = {}
    for item in filter(None, text.split(",")):
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{name} must be key=value,..., got {item!r}.")
        found[key.strip()] = value.strip()
    return found


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """How a film is read, colored and written.

    Attributes:
        frames: write only the frames from A up to, not including, B; either may be left out.
            Timecodes, HH:MM:SS:FF-HH:MM:SS:FF, count from the film's first frame.
        rate: frames per second of numbered pictures and of films that do not state it, N, N/D or
            a decimal; 23.976 is 24000/1001 (default: 24).
        range: range of the source's codes, where it does not state it or states a wrong one (gray
            from a pipe without a tag is taken as full).
        matrix: Y'CbCr matrix of the source, where it does not state it or states a wrong one.
        preset: codec settings: archive (FFV1), h264, access (small), lossless-h264, prores,
            prores4444, dnxhr, v210, png, tiff, dpx, y4m (default: by OUT's extension: .mkv
            archive, .mp4 and .mov h264, .mxf dnxhr, .webm access, .avi archive).
        codec: video encoder by FFmpeg's name, in place of the preset's.
        codec_options: options of the encoder.
        overwrite: replace OUT if it exists.
        batch: key frames that go through the network together; 0: one on a CPU, eight on a GPU.
        color_shots: what is done with shots that are in true color already.
        tints: what is done with shots that are tinted or toned as a whole: remove (the model's
            color replaces the tint), keep (the tint stays under the model's color) or leave (the
            shot is not colored).
        shots: take the cuts from this .csv, .edl or .json list of `pycolor shots`; it counts from
            the film's first frame.
        plan: color by this document, which `pycolor plan` writes; the color is cached in the
            project's folder, and computed again only where the plan changes.
        cache_size: limit of that cache once the film is done, such as 20G or 500M.
        slice: K/N: be the K-th of N workers on one film in a shared folder, each started with the
            same command but for K; the last one to end joins the film.
        ray: color the film on the Ray cluster at this address, one worker a device; auto: the
            cluster that runs on this machine. All machines need IN and OUT under the same names.
        mix: let machines of different kinds share a film, whose chroma may differ in the last bits.
        sensitivity: of shot detection; above 1 finds more transitions, and more false ones.
        work_dir: folder for the unfinished work (default: beside OUT).
        keep_work: keep that folder when OUT is finished.
        segment_frames: frames per segment; an interrupted run resumes at the last whole segment.
        framemd5: also write OUT.framemd5, the checksums of the decoded frames.
        trace: write what each thread did when, in Chrome's trace format: ui.perfetto.dev and
            chrome://tracing show it.
    """

    frames: Annotated[str, arg(metavar="A:B")] = ":"
    rate: Annotated[str | None, arg(metavar="FPS")] = None
    range: Range | None = None
    matrix: Matrix | None = None
    preset: str | None = None
    codec: str | None = None
    codec_options: Annotated[str, arg(metavar="K=V,...")] = ""
    overwrite: bool = False
    batch: int = 0
    color_shots: ColorShots = "keep"
    tints: Tints = "remove"
    shots: Path | None = None
    plan: Path | None = None
    cache_size: Annotated[str, arg(metavar="SIZE")] = "50G"
    slice: Annotated[str | None, arg(metavar="K/N")] = None
    ray: Annotated[str | None, arg(metavar="auto|ADDRESS")] = None
    mix: bool = False
    sensitivity: float = 1.0
    work_dir: Annotated[Path | None, arg(metavar="DIR")] = None
    keep_work: bool = False
    segment_frames: int = 240
    framemd5: bool = False
    trace: Annotated[Path | None, arg(metavar="FILE")] = None
    predict: PredictOptions = field(default_factory=PredictOptions)
    propagation: PropagationOptions = field(default_factory=PropagationOptions)

    def __post_init__(self) -> None:
        check_whole("batch", self.batch, 0)
        check_whole("segment_frames", self.segment_frames, 1)
        check_choice("color_shots", self.color_shots, ColorShots)
        check_choice("tints", self.tints, Tints)
        if self.range is not None:
            check_choice("range", self.range, Range)
        if self.matrix is not None:
            check_choice("matrix", self.matrix, Matrix)
        check_sensitivity(self.sensitivity)
        if self.codec is not None and not self.codec.strip():
            raise UsageError("codec must be the name of an encoder, got an empty one.")
        for name, kind in (("predict", PredictOptions), ("propagation", PropagationOptions)):
            if not isinstance(getattr(self, name), kind):
                raise UsageError(
                    f"{name} must be {kind.__name__}, got {type(getattr(self, name)).__name__}."
                )
        take_paths(self, "shots", "plan", "work_dir")
        check_frames(self.frames)
        _ = frame_rate(self.rate), self.encoder_options
        whole = self.frames.strip() in ("", ":")
        if self.slice is not None:
            _ = slice_of(self.slice)
            if not whole:
                raise UsageError("slices are of the whole film: no frames beside them.")
            if self.plan is None and self.guided:
                raise UsageError(
                    "workers on slices share a plan, which has what guides its shots: expected a "
                    "plan with it, no reference or guidance beside slice."
                )
        if self.ray is not None:
            self._check_ray()
        if self.plan is not None and (self.shots is not None or self.guided or not whole):
            raise UsageError(
                "a plan is of the whole film, and has its shots and what guides them: expected "
                "no frames, shots, reference or guidance beside it."
            )

    def _check_ray(self) -> None:
        if not self.ray:
            raise UsageError("ray must be auto or the address of a cluster, got none.")
        if self.slice is not None:
            raise UsageError("slices are for workers without a cluster: no slice beside ray.")
        if self.predict.device not in ("auto", "cpu", "cuda"):
            raise UsageError(
                f"device must be auto, cpu or cuda beside ray, which gives each worker one device; "
                f"got {self.predict.device}."
            )

    @property
    def guided(self) -> bool:
        """Whether pictures or marks of its own lead the film."""
        return bool(self.predict.reference) or self.predict.guidance is not None

    @property
    def override(self) -> TagOverride:
        """What is said of the source's tags."""
        return TagOverride.of(self.range, self.matrix)

    @property
    def encoder_options(self) -> dict[str, str]:
        """The encoder's options as a dictionary."""
        return key_values("codec_options", self.codec_options)
