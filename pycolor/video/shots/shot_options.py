"""What the luma of a film means to the detector of shots, and how eagerly it parts them."""

from __future__ import annotations

from dataclasses import dataclass

from pycolor.video.shots.gradual.dissolves import CONTRAST_REACH, RIVAL_REACH, SIDE
from pycolor.video.shots.gradual.fades import FADE_REACH, SLOPE_REACH

# Frames; a dissolve so near a cut or a fade's ends is what these left of a contrast dip.
LEAST_SHOT = 10


@dataclass(frozen=True, kw_only=True)
class ShotOptions:
    """What the luma means, and how eagerly shots are parted.

    Attributes:
        bit_depth: significant bits of a sample, 8 to 16.
        full_range: black is code 0 and white the highest; otherwise 16 … 235, times 2^(n − 8).
        sensitivity: 1 is balanced; more finds more transitions, and more false ones.
        look_ahead_frames: a frame is decided on when so many frames after it are known.
        disturbance_frames: the longest flash or damage that does not part a shot.
    """

    bit_depth: int = 8
    full_range: bool = False
    sensitivity: float = 1.0
    look_ahead_frames: int = 84
    disturbance_frames: int = 4

    def __post_init__(self) -> None:
        if not 8 <= self.bit_depth <= 16:
            raise ValueError(f"bit_depth must be 8 to 16, got {self.bit_depth}")
        if not self.sensitivity > 0:
            raise ValueError(f"sensitivity must be above 0, got {self.sensitivity}")
        if self.disturbance_frames < 0:
            raise ValueError(f"disturbance_frames must be 0 or more, got {self.disturbance_frames}")
        # A dissolve's rivals, their sides, and beyond these the cuts that end them or what their
        # contrast is the mean of; a fade whose flank a dissolve is on, and what that depends on.
        beyond = max(2 * self.disturbance_frames + 5, CONTRAST_REACH)
        flank = LEAST_SHOT + SLOPE_REACH + FADE_REACH
        least = max(RIVAL_REACH + SIDE + beyond, flank)
        if self.look_ahead_frames < least:
            raise ValueError(
                f"look_ahead_frames must be at least {least}, got {self.look_ahead_frames}"
            )
