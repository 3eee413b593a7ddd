"""How a frame stores color: depth, range, matrix, subsampling and siting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Matrix = Literal["bt601", "bt709", "bt2020", "fcc", "smpte240m"]
Subsampling = Literal["420", "422", "444", "440", "411", "410"]
Field = Literal["frame", "top", "bottom"]
ChromaLocation = Literal["left", "center", "topleft", "top", "bottomleft", "bottom"]

# Kr, Kb of Y' = Kr R' + Kg G' + Kb B'.  ITU-R BT.601-7, BT.709-6, BT.2020-2 (non-constant
# luminance), FCC 73.682 (a)(20), SMPTE 240M; the set that ITU-T H.273 table 4 can signal.
LUMA_COEFFICIENTS: dict[Matrix, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
}

# log2 of the luma samples per chroma sample: (vertical, horizontal).
SUBSAMPLING_SHIFTS: dict[Subsampling, tuple[int, int]] = {
    "420": (1, 1),
    "422": (0, 1),
    "444": (0, 0),
    "440": (1, 0),
    "411": (0, 2),
    "410": (2, 2),
}

# Where the chroma sample lies inside its block of luma samples, as fractions (vertical,
# horizontal) from the first (0) to the last (1) sample (ITU-T H.273 figure 10).
CHROMA_POSITIONS: dict[ChromaLocation, tuple[float, float]] = {
    "left": (0.5, 0.0),
    "center": (0.5, 0.5),
    "topleft": (0.0, 0.0),
    "top": (0.0, 0.5),
    "bottomleft": (1.0, 0.0),
    "bottom": (1.0, 0.5),
}


@dataclass(frozen=True, kw_only=True)
class TagOverride:
    """What a user says of a film that does not say it, or says it wrongly; None: as it says.

    Attributes:
        full_range: codes span all values; False: those of video.
        matrix: the R'G'B' → Y'CbCr matrix.
    """

    full_range: bool | None = None
    matrix: Matrix | None = None

    @classmethod
    def of(cls, range_name: str | None, matrix: Matrix | None) -> TagOverride:
        """From the names of options: limited or full, and a matrix; None for what is not said."""
        return cls(full_range=None if range_name is None else range_name == "full", matrix=matrix)


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """The digital representation of one Y'CbCr frame.

    Attributes:
        bit_depth: significant bits of a sample, 8 to 16.  Samples of fewer bits in the high end of
            16 (P010, P012), in limited range, are codes of 16 bits.
        full_range: codes span 0 … 2^n − 1; otherwise 16 … 235 (chroma 240), times 2^(n − 8).
        matrix: the R'G'B' → Y'CbCr matrix.
        subsampling: of the chroma planes.
        chroma_location: the siting of subsampled chroma, of a whole frame.
        field: the planes are this field's lines of an interlaced frame.
    """

    bit_depth: int = 8
    full_range: bool = False
    matrix: Matrix = "bt709"
    subsampling: Subsampling = "420"
    chroma_location: ChromaLocation = "left"
    field: Field = "frame"

    def __post_init__(self) -> None:
        if not 8 <= self.bit_depth <= 16:
            raise ValueError(f"bit_depth must be 8 to 16, got {self.bit_depth}")
        for name, allowed in (
            ("matrix", Matrix),
            ("subsampling", Subsampling),
            ("chroma_location", ChromaLocation),
            ("field", Field),
        ):
            value = getattr(self, name)
            if value not in get_args(allowed):
                raise ValueError(f"{name} must be one of {get_args(allowed)}, got {value!r}")

    @property
    def luma_coefficients(self) -> tuple[float, float]:
        """(Kr, Kb)."""
        return LUMA_COEFFICIENTS[self.matrix]

    @property
    def luma_code_range(self) -> tuple[int, int]:
        """Codes of black and of white."""
        if self.full_range:
            return 0, (1 << self.bit_depth) - 1
        return 16 << (self.bit_depth - 8), 235 << (self.bit_depth - 8)

    @property
    def chroma_code_range(self) -> tuple[int, int]:
        """(code of neutral chroma, codes between Cb = −0.5 and Cb = +0.5)."""
        neutral = 1 << (self.bit_depth - 1)
        if self.full_range:
            return neutral, (1 << self.bit_depth) - 1
        return neutral, 224 << (self.bit_depth - 8)

    @property
    def shifts(self) -> tuple[int, int]:
        """log2 of the luma samples per chroma sample, (vertical, horizontal)."""
        return SUBSAMPLING_SHIFTS[self.subsampling]

    def chroma_shape(self, height: int, width: int) -> tuple[int, int]:
        """Size of a chroma plane beside an H×W luma plane (rounded up, as in FFmpeg)."""
        v, h = self.shifts
        return -(-height >> v), -(-width >> h)

    def chroma_center(self) -> tuple[float, float]:
        """Luma coordinates (y, x) of chroma sample (0, 0), luma sample (0, 0) being at (0, 0).

        The lines of chroma alternate between the fields as those of luma do, so a field's lie on
        the frame's: of 4:2:0 between the lines a quarter below the top field's own, and three
        quarters below the bottom field's (ISO/IEC 13818-2, figure 6-2).
        """
        v, h = self.shifts
        fy, fx = CHROMA_POSITIONS[self.chroma_location]
        if self.field != "frame":
            fy = (fy + (self.field == "bottom")) / 2
        return fy * ((1 << v) - 1), fx * ((1 << h) - 1)
