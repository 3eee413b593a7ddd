"""What a user can choose: small frozen dataclasses that check themselves.

The command line makes its flags from them; the attributes' descriptions are its help.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pycolor.errors import UsageError

Dtype = Literal["auto", "float32", "bfloat16"]


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


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """How chroma is predicted.

    Attributes:
        model: name of a model, see `pycolor models`.
        weights: a weight file that `pycolor train` wrote, in place of the packaged one.
        device: auto, cpu, cuda, cuda:1, ... (auto takes a GPU where there is one).
        dtype: of the network's arithmetic (auto: bfloat16 where the processor has it).
        short_side: of the network's input in pixels, a multiple of 8 (default: the model's own).
        saturation: factor on the predicted chroma, 0 to 4.
    """

    model: str = "zhang2016"
    weights: Path | None = None
    device: str = "auto"
    dtype: Dtype = "auto"
    short_side: int | None = None
    saturation: float = 1.0

    def __post_init__(self) -> None:
        side = self.short_side
        if side is not None and (side < 16 or side % 8):
            raise UsageError(f"short_side must be a multiple of 8, 16 or more, got {side}.")
        if not 0 <= self.saturation <= 4:
            raise UsageError(f"saturation must lie in 0 to 4, got {self.saturation}.")


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """How a film is read, colored and written.

    Attributes:
        frames: A:B, color only frames A to B - 1 (either may be left out).
        preset: what the output is for, see `pycolor video --help`; default: by the extension.
        codec: video encoder by its FFmpeg name, in place of the preset's.
        codec_options: key=value,... for that encoder.
        overwrite: replace an existing output file.
        batch: frames that go through the network together.
    """

    frames: str = ":"
    preset: str | None = None
    codec: str | None = None
    codec_options: str = ""
    overwrite: bool = False
    batch: int = 4
    predict: PredictOptions = field(default_factory=PredictOptions)

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise UsageError(f"batch must be 1 or more, got {self.batch}.")
        _ = frame_range(self.frames), self.encoder_options

    @property
    def encoder_options(self) -> dict[str, str]:
        """The encoder's options as a dictionary."""
        options: dict[str, str] = {}
        for item in filter(None, self.codec_options.split(",")):
            key, equals, value = item.partition("=")
            if not equals or not key.strip():
                raise UsageError(f"codec_options must be key=value,..., got {item!r}.")
            options[key.strip()] = value.strip()
        return options
