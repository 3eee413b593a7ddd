"""The chroma of a master, frame by frame: of a film of any codec, or of OpenEXR pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pycolor.encoding import Encoding, Matrix
from pycolor.errors import FilmError
from pycolor.video.io import Plane, Reader
from pycolor.video.io.containers.codecs.chroma_exr import READ_AS, read_chroma_exr
from pycolor.video.io.containers.sequence import PictureSequence, kind, sequence_of
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.master.blocks import unfolded

Chroma = tuple[Plane, Plane]


class MasterFrames:
    """Cb and Cr of 4:4:4 of each frame, in order, once.

    Args:
        path: of a master that `pycolor layer` wrote, or of any film in color, such as one that
            another program made of it: its luma is not looked at.

    Attributes:
        encoding: of the codes.
        matrix: whose chroma it is; None where pictures do not say.
        metadata: of the film.
        interlaced: its chroma of 4:2:0 is laid out by fields.

    Raises:
        FilmError: it cannot be read, or has no chroma.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.encoding: Encoding = READ_AS
        self.matrix: Matrix | None = None
        self.metadata: Mapping[str, str] = {}
        self._reader: Reader | None = None
        self._pictures: PictureSequence | None = None
        sequence = sequence_of(path)
        if sequence is not None and kind(sequence.paths[0]) == ".exr":
            self._pictures = sequence
            return
        reader = Reader(path)
        info = reader.info
        if info.description.subsampling is None:
            reader.close()
            what = "R'G'B'" if info.description.rgb else "gray"
            raise FilmError(f"{path} is {what}; expected a film with Cb and Cr, or OpenEXR.")
        self._reader = reader
        self.encoding, self.matrix = info.encoding, info.encoding.matrix
        self.metadata = info.metadata

    @property
    def made_for(self) -> Encoding:
        """Encoding of 4:4:4 at this depth."""
        return Encoding(
            bit_depth=self.encoding.bit_depth,
            full_range=self.encoding.full_range,
            matrix=self.encoding.matrix,
            subsampling="444",
        )

    def __iter__(self) -> Iterator[Chroma]:
        if self._pictures is not None:
            for path in self._pictures.paths:
                yield read_chroma_exr(path)
            return
        assert self._reader is not None
        for frame in self._reader:
            planes = chroma_planes(frame)
            if planes is None:
                raise FilmError(f"{self.path} has no chroma in frame {frame.index}.")
            shape = frame.luma.shape
            if planes[0].shape == shape:
                yield planes
                continue
            wide = [
                unfolded(plane, shape, self.encoding, interlaced=frame.interlaced)
                for plane in planes
            ]
            yield wide[0], wide[1]

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def __enter__(self) -> MasterFrames:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def in_matrix(
    chroma: Chroma, encoding: Encoding, before: Matrix, after: Matrix
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The chroma of another matrix with the same differences of R'G'B' to the luma.

    The luma that goes with it is another in the two matrices, and stays as it is: the color is
    that of R' − Y', G' − Y' and B' − Y', which are moved along gray until their luma is 0.

    Args:
        chroma: codes.
        encoding: of them.
        before: matrix of the codes.
        after: the other.
    """
    neutral = encoding.chroma_code_range[0]
    kr, kb = Encoding(matrix=before).luma_coefficients
    red = (chroma[1].astype(np.float64) - neutral) * 2 * (1 - kr)
    blue = (chroma[0].astype(np.float64) - neutral) * 2 * (1 - kb)
    green = -(kr * red + kb * blue) / (1 - kr - kb)
    kr, kb = Encoding(matrix=after).luma_coefficients
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    top = (1 << encoding.bit_depth) - 1
    found: Any = [
        np.rint((difference - luma) / (2 * (1 - k)) + neutral).clip(0, top).astype(chroma[0].dtype)
        for difference, k in ((blue, kb), (red, kr))
    ]
    return found[0], found[1]
