"""What was done to a film, for a person and for the sidecar."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pycolor.errors import counted
from pycolor.video.io import FilmInfo
from pycolor.video.shots.shot import Shot


@dataclass(frozen=True, kw_only=True)
class FilmReport:
    """What was done to a film.

    Attributes:
        source: the film.
        target: the colored film; `sidecar` the JSON file that records how it was made,
            None for a pipe.
        info: of the source.
        frames: of the output, `kept` of them with the source's own color.
        resumed: frames that an earlier, interrupted run had colored.
        seconds: from opening the source to the finished file.
        stage_seconds: time spent in each stage; stages overlap, so they do not add up.
        shots: found in the frames that were colored.
        key_frames: that the model colored.
        model: name and the first digits of its weights' digest.
        device: and arithmetic.
        pixel_format: of the output.
        warnings: what was assumed, dropped or damaged.
    """

    source: Path
    target: Path
    sidecar: Path | None
    info: FilmInfo
    frames: int
    kept: int
    resumed: int
    seconds: float
    stage_seconds: dict[str, float]
    shots: tuple[Shot, ...]
    key_frames: int
    model: str
    device: str
    pixel_format: str
    warnings: tuple[str, ...]

    def summary(self) -> list[str]:
        """A few lines for a person."""
        stages = ", ".join(f"{k} {v:.1f} s" for k, v in self.stage_seconds.items())
        shots = counted(len(self.shots), "shot")
        frames = counted(self.frames, "frame")
        kept = f", {self.kept} left in their own color" if self.kept else ""
        resumed = f", {self.resumed} from an earlier run" if self.resumed else ""
        return [
            f"{self.target}: {frames} in {shots}{kept}{resumed}, "
            f"{self.info.width}x{self.info.height}, {self.pixel_format}, "
            f"{self.model} on {self.device}",
            f"{self.seconds:.1f} s, {self.frames / self.seconds:.1f} frames/s ({stages})",
        ]
