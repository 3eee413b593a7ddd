"""What a clip is, and what its frames say of their codes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pycolor.encoding import SUBSAMPLING_SHIFTS, ChromaLocation, Encoding, Matrix, Subsampling
from pycolor.errors import FilmError, UsageError
from pycolor.video.io.frame.pixel_formats import MATRIX_OF_CODE, chosen_matrix
from pycolor.video.io.read.frames.plane_source import planes_format

LOCATIONS: tuple[ChromaLocation, ...] = (
    *("left", "center", "topleft"),
    *("top", "bottomleft", "bottom"),
)
_NAMES = {shifts: name for name, shifts in SUBSAMPLING_SHIFTS.items()}
FLOAT_BITS = 16  # codes that stand for floats, in full range


@dataclass(frozen=True, kw_only=True)
class ClipShape:
    """What a clip is.

    Attributes:
        encoding: of its codes, chroma to be made included.
        gray: it has no chroma.
        floats: its samples are floats; the encoding is that of the codes that stand for them.
        matrix: H.273's code of the matrix.
        said: what its frames must go on saying, by property.
        output: VapourSynth's format of the result.
        pixel_aspect: width / height of a pixel, None if it is not said.
    """

    encoding: Encoding
    gray: bool
    floats: bool
    matrix: int
    said: dict[str, int | None]
    output: Any
    pixel_aspect: Fraction | None

    @classmethod
    def of(cls, vs: Any, clip: Any, subsampling: Subsampling) -> ClipShape:
        """Look at a clip and its first frame.

        Raises:
            UsageError: it is none that can be colored.
        """
        if not isinstance(clip, vs.VideoNode):
            raise UsageError(f"clip must be a clip of VapourSynth, got {type(clip).__name__}.")
        form = clip.format
        if form is None or not clip.width or not clip.height:
            raise UsageError("the clip's format or size varies; expected one throughout.")
        if form.color_family not in (vs.GRAY, vs.YUV):
            raise UsageError(f"the clip is {form.name}; expected GRAY or YUV.")
        if vs.core.num_threads < 2:
            raise UsageError(
                "VapourSynth runs one thread, and a colored frame waits for others; expected "
                "core.num_threads = 2 or more."
            )
        gray, floats = form.color_family == vs.GRAY, form.sample_type == vs.FLOAT
        if subsampling not in SUBSAMPLING_SHIFTS:
            known = ", ".join(SUBSAMPLING_SHIFTS)
            raise UsageError(f"subsampling must be one of {known}; got {subsampling!r}.")
        shifts = (form.subsampling_h, form.subsampling_w)
        named = subsampling if gray else _NAMES.get(shifts)
        bits = FLOAT_BITS if floats else form.bits_per_sample
        if named is None or planes_format(bits, None if gray else named) is None:
            raise UsageError(f"the clip is {form.name}, a format that pycolor does not color.")
        with clip.get_frame(0) as frame:
            props = dict(frame.props)
        matrix = _matrix(props, clip.height)
        encoding = _encoding(props, bits, named, MATRIX_OF_CODE[matrix], floats=floats)
        v, h = SUBSAMPLING_SHIFTS[named]
        output = vs.core.query_video_format(
            vs.YUV, form.sample_type, form.bits_per_sample, subsampling_w=h, subsampling_h=v
        )
        aspect = [int(props.get(name, 0)) for name in ("_SARNum", "_SARDen")]
        return cls(
            encoding=encoding,
            gray=gray,
            floats=floats,
            matrix=matrix,
            said=said_of(props),
            output=output,
            pixel_aspect=Fraction(*aspect) if all(aspect) else None,
        )


def _matrix(props: Any, height: int) -> int:
    """H.273's code of the matrix that a clip is read with; by its lines where it does not say.

    Raises:
        UsageError: it says one that has no Y'.
    """
    code = said_of(props)["_Matrix"]
    if code in (None, 2):
        return chosen_matrix(height)
    code = 9 if code == 10 else code
    if code not in MATRIX_OF_CODE:
        raise UsageError(f"the clip says _Matrix {code}; expected 1, 2, 4, 5, 6, 7, 9 or 10.")
    return code


def _encoding(
    props: Any, bits: int, subsampling: Subsampling, matrix: Matrix, *, floats: bool
) -> Encoding:
    """How a clip's codes are to be read, by the properties of its first frame.

    What is not said is taken as VapourSynth takes it: limited range, chroma at the left.
    """
    said = said_of(props)
    return Encoding(
        bit_depth=bits,
        full_range=floats or said["_Range"] == 1,
        matrix=matrix,
        subsampling=subsampling,
        chroma_location=LOCATIONS[said["_ChromaLocation"] or 0],
    )


def said_of(props: Any) -> dict[str, int | None]:
    """What a frame says of its codes.

    `_Range` alone is read: the older `_ColorRange` counts the other way round, and VapourSynth
    turns it when it is written, but not when it is read.
    """
    names = ("_Matrix", "_Range", "_ChromaLocation")
    return {name: int(props[name]) if name in props else None for name in names}


def check_frame(frame: Any, n: int, shape: ClipShape) -> None:
    """Make sure that a frame is to be read as the first one is.

    Raises:
        FilmError: it is not.
    """
    said = said_of(frame.props)
    for name, value in shape.said.items():
        if said[name] != value:
            raise FilmError(
                f"frame {n} of the clip says {name} {said[name]}, and its first frame {value}; "
                "expected one for all."
            )
