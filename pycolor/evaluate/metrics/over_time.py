"""What is measured of color over time, and its values for a film."""

from __future__ import annotations

from dataclasses import dataclass, field

# Measures of color over time, as people read them; less is better, the truth's own is the floor.
TIMES = {
    "chroma_flicker": "chroma flicker, ab units a frame",
    "warp_error": "warp error of RGB",
    "chroma_cdc": "CDC of chroma",
    "cdc": "CDC as published",
}


@dataclass
class Timeline:
    """Measures of color over time.

    Attributes:
        values: by measure, then by whose (found, true, gray): one a pair of frames (flicker,
            warp error; NaN across a cut) or one a shot of five frames or more (CDC).
        cuts: frames at which a shot begins, the first one's apart.
    """

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)

    def add(self, measure: str, whose: str, value: float) -> None:
        self.values.setdefault(measure, {}).setdefault(whose, []).append(value)
