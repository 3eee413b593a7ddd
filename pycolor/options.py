"""What a user can choose: small frozen dataclasses that check themselves.

The command line makes its flags from them; the attributes' descriptions are its help.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import UseAppendAction, arg

from pycolor.encoding import Matrix, TagOverride
from pycolor.errors import UsageError
from pycolor.frame_ranges import check_frames, frame_rate
from pycolor.option_checks import as_path, check_choice, check_number, check_whole, take_paths

Dtype = Literal["auto", "float32", "bfloat16"]
Look = Literal["", "natural", "vivid", "two-color", "autochrome", "dye-transfer"]
Decode = Literal["auto", "mean", "annealed", "mode"]
ColorShots = Literal["keep", "recolor"]
Tints = Literal["remove", "keep", "leave"]
Range = Literal["limited", "full"]
Steady = Literal["off", "fast", "best"]
Question = Literal["natural", "real"]
View = Literal["side", "wipe", "ab"]


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


def check_sensitivity(value: float) -> None:
    """Refuse a sensitivity of the shot detector that is none.

    Raises:
        UsageError: it is.
    """
    if not 0 < value < math.inf:
        raise UsageError(f"sensitivity must be above 0, got {value}.")


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """How chroma is predicted.

    Attributes:
        model: the model, by its name in `pycolor models` (default: pycolor2026, or the one that
            the weights belong to).
        weights: a weight file of `pycolor train`; `open`: packaged weights trained on CC BY and
            CC0 photographs only; or the name of weights fetched by `pycolor weights pull`
            (default: the model's packaged weights).
        device: cpu, cuda, cuda:1, ... (default: a GPU if there is one).
        dtype: arithmetic of the network; auto: bfloat16 where the processor supports it.
        short_side: shorter side of the network's input in pixels, a multiple of 8 (default: the
            model's own).
        saturation: factor on the chroma, 0 to 4.
        decode: how a predicted distribution becomes a color; annealed: mean at T = 0.38; auto: as
            the model's card says.
        reserve: soft threshold on the chroma in ab units, 0 to 100: weak, uncertain colors go to
            gray; a chroma of 20 or more stays as it is.
        style: a picture whose overall look guides the colors (iizuka2016).
        reference: a color picture that guides the colors; repeatable. FRAME=FILE is a still of the
            film: its colors hold there and are carried on; a folder holds stills whose names end in
            frame numbers or timecodes; a plain file shows something alike.
        guidance: a JSON document of points, strokes, masks, a palette and looks of some frames.
        look: a preset of color; chroma then falls to 0 at the ends of the luma range (default: as
            the model predicts).
        warmth: -1 (colder) to 1 (warmer).
        compile: run the network through torch.compile; needs a C++ compiler and up to a minute at
            the start.
    """

    model: str | None = None
    weights: Annotated[Path | None, arg(metavar="FILE|NAME")] = None
    device: str = "auto"
    dtype: Dtype = "auto"
    short_side: int | None = None
    saturation: float = 1.0
    decode: Decode = "auto"
    reserve: Annotated[float, arg(name="chroma-threshold")] = 0.0
    style: Path | None = None
    reference: UseAppendAction[tuple[Path, ...]] = ()
    guidance: Path | None = None
    look: Look = ""
    warmth: float = 0.0
    compile: bool = False

    def __post_init__(self) -> None:
        side = self.short_side
        if side is not None and (not isinstance(side, int) or side < 16 or side % 8):
            raise UsageError(f"short_side must be a multiple of 8, 16 or more, got {side}.")
        check_number("saturation", self.saturation, 0, 4)
        check_number("warmth", self.warmth, -1, 1)
        check_number("chroma-threshold", self.reserve, 0, 100)
        check_choice("dtype", self.dtype, Dtype)
        check_choice("decode", self.decode, Decode)
        check_choice("look", self.look, Look)
        take_paths(self, "weights", "style", "guidance")
        given = self.reference
        if isinstance(given, str | os.PathLike):
            raise UsageError(f"reference must be a tuple of paths, got {given!r} alone.")
        object.__setattr__(self, "reference", tuple(as_path("reference", p) for p in given))


@dataclass(frozen=True, kw_only=True)
class PropagationOptions:
    """How color is propagated from key frames along motion.

    Attributes:
        steady: temporal propagation of color; off: every frame by itself, best: more key frames.
        key_every: frames from one key frame to the next where little moves, 1 to 24 (default: 12;
            best: 6).
    """

    steady: Annotated[Steady, arg(name="propagation")] = "fast"
    key_every: int | None = None

    # How much change (see `pycolor shots`) is worth a key frame more.
    change_a_key = 0.4

    def __post_init__(self) -> None:
        check_choice("steady", self.steady, Steady)
        if self.key_every is None:
            return
        check_whole("key_every", self.key_every, 1, 24)
        if self.steady == "off" and self.key_every != 1:
            raise UsageError(
                f"key_every must be left out where steady is off, which makes every frame a key "
                f"frame; got {self.key_every}."
            )

    @property
    def stride_frames(self) -> int:
        return self.key_every or {"off": 1, "fast": 12, "best": 6}[self.steady]

    @property
    def reach(self) -> int:
        """How many frames away a key frame no longer counts."""
        return {"off": 1, "fast": 36, "best": 48}[self.steady]


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """How a film is read, colored and written.

    Attributes:
        frames: write only the frames from A up to, not including, B; either may be left out.
            Timecodes, HH:MM:SS:FF-HH:MM:SS:FF, count from the film's first frame.
        rate: frames per second of numbered pictures and of films that do not state it, N, N/D or
            a decimal; 23.976 is 24000/1001 (default: 24).
        range: of the source's codes, where it does not state it or states a wrong one (the gray of
            a pipe without a tag is taken as full).
        matrix: likewise of its Y'CbCr.
        preset: codec settings: archive (FFV1), h264, access (small), lossless-h264, prores,
            prores4444, dnxhr, v210, png, tiff, dpx, y4m (default: by OUT's extension: .mkv
            archive, .mp4 and .mov h264, .mxf dnxhr, .webm access).
        codec: video encoder by FFmpeg's name, in place of the preset's.
        codec_options: options of the encoder.
        overwrite: replace OUT if it exists.
        batch: frames per pass through the network; 0: one on a CPU, eight on a GPU.
        color_shots: what is done with shots that are in true color already.
        tints: what is done with the one color of shots that are tinted or toned as a whole: remove
            (the model's color takes its place), keep (it stays under the model's color) or leave
            (such a shot is not colored).
        shots: take the cuts from this .csv, .edl or .json list of `pycolor shots`; it counts from
            the film's first frame.
        plan: color by this document, which `pycolor plan` writes; what is made by it is kept in the
            project's folder, and made anew only where the plan changes.
        cache_size: how much of that is kept in the end, such as 20G or 500M.
        slice: K/N: be the K-th of N workers on one film in a shared folder, each started with the
            same command but for K; the last one to end joins the film.
        mix: let workers on unlike machines share a film: chroma may differ between them in its
            last bits.
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
    mix: bool = False
    sensitivity: float = 1.0
    work_dir: Annotated[Path | None, arg(metavar="DIR")] = None
    keep_work: bool = False
    segment_frames: int = 240
    framemd5: bool = False
    trace: Annotated[Path | None, arg(metavar="FILE")] = None
    predict: PredictOptions = field(default_factory=PredictOptions)
    steady: PropagationOptions = field(default_factory=PropagationOptions)

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
        for name, kind in (("predict", PredictOptions), ("steady", PropagationOptions)):
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
        if self.plan is not None:
            given = self.predict.reference or self.predict.guidance
            if self.shots is not None or given or not whole:
                raise UsageError(
                    "a plan is of the whole film, and has its shots and what guides them: expected "
                    "no frames, shots, reference or guidance beside it."
                )

    @property
    def override(self) -> TagOverride:
        """What is said of the source's tags."""
        return TagOverride.of(self.range, self.matrix)

    @property
    def encoder_options(self) -> dict[str, str]:
        """The encoder's options as a dictionary."""
        return key_values("codec_options", self.codec_options)


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """How an evaluation is made.

    Attributes:
        size: shorter side at which pictures are compared, never enlarged; 0: as stored.
        as_film: a folder of pictures is the frames of one film.
        rate: frames per second of numbered pictures and of films that do not state it, N, N/D or
            a decimal (default: 24).
    """

    size: int = 256
    as_film: bool = False
    rate: Annotated[str | None, arg(metavar="FPS")] = None

    def __post_init__(self) -> None:
        if self.size and self.size < 32:
            raise UsageError(f"size must be 0, or 32 pixels or more, got {self.size}.")
        _ = frame_rate(self.rate)


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """What people are asked.

    Attributes:
        question: natural: "does this look natural?", one picture at a time; real: "which one is
            real?", the true picture beside another.
        truth: name of the folder with the true colors.
        seed: of the random order; with a participant's name it determines all that is shown.
        trials: for each participant; 0: one for every picture.
        practice: trials with feedback before those that count (only for real).
        seconds: that each picture of a pair is shown; 0: until the answer.
        side: longer side of a picture on the screen, in pixels.
    """

    question: Question = "natural"
    truth: str = "truth"
    seed: int = 0
    trials: int = 0
    practice: int = 10
    seconds: float = 1.0
    side: int = 256

    def __post_init__(self) -> None:
        check_choice("question", self.question, Question)
        for name in ("trials", "practice", "seconds"):
            check_number(name, getattr(self, name), 0)
        if not 16 <= self.side <= 4096:
            raise UsageError(f"side must lie in 16 to 4096 pixels, got {self.side}.")

    @property
    def practice_trials(self) -> int:
        """There is nothing to correct in what looks natural."""
        return self.practice if self.question == "real" else 0


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """How two films are shown beside each other.

    Attributes:
        view: side by side; a moving wipe; or ab, the chroma alone side by side.
        plot: also plot mean chroma and its change over time, with the cuts, as a PNG.
        height: of each picture in pixels; 0: the first film's.
        rate: frames per second of numbered pictures and of films that do not state it, N, N/D or
            a decimal (default: 24).
        overwrite: replace existing files.
    """

    view: View = "side"
    plot: Path | None = None
    height: int = 0
    rate: Annotated[str | None, arg(metavar="FPS")] = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_choice("view", self.view, View)
        take_paths(self, "plot")
        _ = frame_rate(self.rate)
        if self.height and self.height < 16:
            raise UsageError(f"height must be 16 or more, or 0, got {self.height}.")
