"""Timecode and frame number drawn into pictures: a reference for those who conform and grade."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from pycolor.video.io.containers.timecode import later_timecode

_SHARE = 18  # of the picture's height: the height of letters
_LEAST = 12  # pixels
_START = "00:00:00:00"


class BurnIn:
    """Draws into pictures.

    Args:
        height: of the pictures, in pixels.
        rate: frames per second, at which timecodes count.
        timecode: of the first frame; empty, or of another rate: 00:00:00:00.
    """

    def __init__(self, height: int, rate: Fraction, timecode: str = "") -> None:
        self._size = max(_LEAST, height // _SHARE)
        self._font = ImageFont.load_default(self._size)
        self._rate = rate
        self._first = timecode if later_timecode(timecode, 0, rate) is not None else _START

    def text(self, frame: int) -> str:
        """What is drawn into a frame: its timecode and its number from 0."""
        return f"{later_timecode(self._first, frame, self._rate)}  {frame:06d}"

    def draw(self, codes: npt.NDArray[np.uint8], frame: int) -> npt.NDArray[np.uint8]:
        """The picture with the text in white on black, in the middle of its lower border.

        Args:
            codes: H×W×3 codes of R'G'B'.
            frame: its number.
        """
        picture = Image.fromarray(codes)
        pen = ImageDraw.Draw(picture)
        text = self.text(frame)
        left, top, right, bottom = pen.textbbox((0, 0), text, font=self._font)
        edge = self._size // 3
        x = (codes.shape[1] - (right - left)) // 2
        y = codes.shape[0] - (bottom - top) - 3 * edge
        frame_of_text = (x - edge, y - edge, x + right - left + edge, y + bottom - top + edge)
        pen.rectangle(frame_of_text, fill=(0, 0, 0))
        pen.text((x - left, y - top), text, font=self._font, fill=(255, 255, 255))
        return np.asarray(picture)
