"""How an evaluation is made, what people are asked, how two films are shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from pycolor.errors import UsageError
from pycolor.options.checks import check_choice, check_number, take_paths
from pycolor.options.frame_ranges import frame_rate

Question = Literal["natural", "real"]
View = Literal["side", "wipe", "ab", "second"]


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
        view: side by side; a moving wipe; ab, the chroma alone side by side; or the second film.
        burn_in: draw each frame's timecode and number into the picture: a reference clip.
        plot: also plot mean chroma and its change over time, with the cuts, as a PNG.
        height: of each picture in pixels; 0: the first film's.
        rate: frames per second of numbered pictures and of films that do not state it, N, N/D or
            a decimal (default: 24).
        overwrite: replace existing files.
    """

    view: View = "side"
    burn_in: bool = False
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
