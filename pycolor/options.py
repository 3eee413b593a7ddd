"""What a user can choose: small frozen dataclasses that check themselves.

The command line makes its flags from them; the attributes' descriptions are its help.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from tyro.conf import UseAppendAction

from pycolor.errors import UsageError

Dtype = Literal["auto", "float32", "bfloat16"]
Decode = Literal["auto", "mean", "annealed", "mode"]


def frame_range(text: str) -> tuple[int, int | None] | None:
    """A range of frames from A:B, either left out; None for the whole film.

    Raises:
        UsageError: it is none.
    """
    begin, colon, end = text.partition(":")
    try:
        first, stop = int(begin or 0), int(end) if end else None
    except ValueError:
        first, stop = -1, None
    if not colon or first < 0 or (stop is not None and stop <= first):
        raise UsageError(f"frames must be A:B with 0 <= A < B, got {text!r}.")
    return None if (first, stop) == (0, None) else (first, stop)


def frame_rate(text: str | None) -> Fraction | None:
    """Frames per second from N or N/D, exact; None of None.

    Raises:
        UsageError: it is none, or one that no film has.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)(?:/(\d+))?", text)
    # Containers count in 32 bits, and no camera takes more than a thousand frames a second.
    parts = [int(part or 1) for part in match.groups()] if match else [0]
    rate = Fraction(*parts) if all(0 < part < 1 << 31 for part in parts) else Fraction(0)
    if not 0 < rate <= 1000:
        raise UsageError(
            "rate must be frames per second, a whole number or a fraction such as 24000/1001, up "
            f"to 1000; got {text!r}."
        )
    return rate


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
class PredictOptions:
    """How chroma is predicted.

    Attributes:
        model: name of a model, see `pycolor models` (default: the one that the weights belong to,
            pycolor2026 without any).
        weights: a weight file that `pycolor train` wrote, in place of the packaged one; `open`
            are weights in the package that have seen photographs under CC BY and CC0 alone, and
            the name of published ones stands for them once `pycolor weights pull` has them.
        device: auto, cpu, cuda, cuda:1, ... (auto takes a GPU where there is one).
        dtype: of the network's arithmetic (auto: bfloat16 where the processor has it).
        short_side: of the network's input in pixels, a multiple of 8 (default: the model's own).
        saturation: factor on the predicted chroma, 0 to 4.
        decode: how a predicted distribution becomes a color: mean, annealed (T = 0.38) or mode
            (auto: as the model's card says).
        reserve: how far pale colors, of which a model is unsure, are drawn to gray and the others
            made stronger for it, in ab units, 0 (not at all) to 100; 10 to 20 calms a lively model.
        style: a picture whose global features color the film (iizuka2016).
        reference: a color picture of the scene; give several, and each shot takes the one most
            like it (varga2017).
        compile: let torch.compile make the network's code for this machine; takes a C++ compiler
            and up to a minute at the start.
    """

    model: str | None = None
    weights: Path | None = None
    device: str = "auto"
    dtype: Dtype = "auto"
    short_side: int | None = None
    saturation: float = 1.0
    decode: Decode = "auto"
    reserve: float = 0.0
    style: Path | None = None
    reference: UseAppendAction[tuple[Path, ...]] = ()
    compile: bool = False

    def __post_init__(self) -> None:
        side = self.short_side
        if side is not None and (side < 16 or side % 8):
            raise UsageError(f"short_side must be a multiple of 8, 16 or more, got {side}.")
        if not 0 <= self.saturation <= 4:
            raise UsageError(f"saturation must lie in 0 to 4, got {self.saturation}.")
        if not 0 <= self.reserve <= 100:
            raise UsageError(f"reserve must lie in 0 to 100, got {self.reserve}.")


@dataclass(frozen=True, kw_only=True)
class PropagationOptions:
    """How color is kept steady inside a shot.

    Attributes:
        steady: off (each frame by itself), fast or best (more key frames).
        key_every: frames between two key frames where little moves (default: 12, best: 6).
    """

    steady: Literal["off", "fast", "best"] = "fast"
    key_every: int | None = None

    # How much change (see `pycolor shots`) is worth a key frame more.
    change_a_key = 0.4

    def __post_init__(self) -> None:
        if self.key_every is not None and not 1 <= self.key_every <= 24:
            raise UsageError(f"key_every must lie in 1 to 24, got {self.key_every}.")

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
        frames: A:B, color only frames A to B - 1 (either may be left out).
        rate: frames per second of numbered pictures (default: 24), and of a film that does not
            tell; N or N/D, such as 24000/1001.
        preset: what the output is for: archive, h264, access, lossless-h264, prores, prores4444,
            dnxhr, v210, png, tiff, dpx or y4m; default: by the extension (.mkv: archive, .mp4 and
            .mov: h264, .mxf: dnxhr, .webm: access).
        codec: video encoder by its FFmpeg name, in place of the preset's.
        codec_options: key=value,... for that encoder.
        overwrite: replace an existing output file.
        batch: frames that go through the network together (0: one on a CPU, eight on a GPU).
        color_shots: what is done with shots that have color: keep or recolor.
        shots: a list of shots in place of the detector's: .csv, .edl or .json, as
            `pycolor shots` writes them.
        plan: what people decided, shot by shot: the document that `pycolor plan` writes. What is
            made by it is kept in the project's folder, and made anew only where the plan changes.
        cache_size: how much of it is kept there in the end: 20G, 500M.
        work_dir: folder for the work in progress (default: beside the output).
        keep_work: keep it when the output is finished.
        segment_frames: a killed run loses at most so many frames.
        framemd5: also write OUT.framemd5, checksums of the output's decoded frames.
    """

    frames: str = ":"
    rate: str | None = None
    preset: str | None = None
    codec: str | None = None
    codec_options: str = ""
    overwrite: bool = False
    batch: int = 0
    color_shots: Literal["keep", "recolor"] = "keep"
    shots: Path | None = None
    plan: Path | None = None
    cache_size: str = "50G"
    work_dir: Path | None = None
    keep_work: bool = False
    segment_frames: int = 240
    framemd5: bool = False
    predict: PredictOptions = field(default_factory=PredictOptions)
    steady: PropagationOptions = field(default_factory=PropagationOptions)

    def __post_init__(self) -> None:
        if self.batch < 0:
            raise UsageError(f"batch must be 0 or more, got {self.batch}.")
        if self.segment_frames < 1:
            raise UsageError(f"segment_frames must be 1 or more, got {self.segment_frames}.")
        _ = frame_range(self.frames), frame_rate(self.rate), self.encoder_options
        if self.plan is not None and (self.shots is not None or frame_range(self.frames)):
            raise UsageError(
                "a plan is of the whole film, and has its shots: no frames or shots beside it."
            )

    @property
    def encoder_options(self) -> dict[str, str]:
        """The encoder's options as a dictionary."""
        return key_values("codec_options", self.codec_options)


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions:
    """How an evaluation is made.

    Attributes:
        size: shorter side at which pictures and frames are judged, never enlarged; 0: as stored.
        as_film: a folder of pictures is the frames of one film.
        rate: frames per second of numbered pictures (default: 24), and of a film that does not
            tell; N or N/D.
    """

    size: int = 256
    as_film: bool = False
    rate: str | None = None

    def __post_init__(self) -> None:
        if self.size and self.size < 32:
            raise UsageError(f"size must be 0, or 32 pixels or more, got {self.size}.")
        _ = frame_rate(self.rate)


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """What people are asked.

    Attributes:
        question: natural ("does this look natural?", one picture at a time) or real ("which one
            is real?", the true one beside another).
        truth: name of the folder in true colors.
        seed: of the order; with a participant's name it tells all that is shown.
        trials: that count, for each participant; 0: all pictures there are.
        practice: trials before, which are corrected and do not count (only for real).
        seconds: for which each of two pictures is seen; 0: until the answer.
        side: longer side of a picture on the screen, in pixels.
    """

    question: Literal["natural", "real"] = "natural"
    truth: str = "truth"
    seed: int = 0
    trials: int = 0
    practice: int = 10
    seconds: float = 1.0
    side: int = 256

    def __post_init__(self) -> None:
        for name in ("trials", "practice", "seconds"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} must be 0 or more, got {getattr(self, name)}.")
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
        view: side (by side), wipe (an edge that wanders from one to the other) or ab (side by
            side, chroma alone at one lightness).
        plot: also draw mean chroma and its change along time, with the cuts, as a PNG.
        height: of each picture, pixels (0: the first film's).
        rate: frames per second of numbered pictures (default: 24), and of a film that does not
            tell; N or N/D.
        overwrite: replace existing files.
    """

    view: Literal["side", "wipe", "ab"] = "side"
    plot: Path | None = None
    height: int = 0
    rate: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        _ = frame_rate(self.rate)
        if self.height and self.height < 16:
            raise UsageError(f"height must be 16 or more, or 0, got {self.height}.")
